// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

#include "cleanup.h"
#include "image.h"

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "images are little-endian and so must the machine be"
#endif

const char *image_rec_name(uint16_t type)
{
	static const char *const names[] = {
		[CKPT_REC_HEADER] = "HEADER",
		[CKPT_REC_CONTAINER] = "CONTAINER",
		[CKPT_REC_TREE] = "TREE",
		[CKPT_REC_SYSTEM] = "SYSTEM",
		[CKPT_REC_UTS] = "UTS",
		[CKPT_REC_IPC] = "IPC",
		[CKPT_REC_FILE] = "FILE",
		[CKPT_REC_PIPE] = "PIPE",
		[CKPT_REC_SHMEM] = "SHMEM",
		[CKPT_REC_FILES] = "FILES",
		[CKPT_REC_FS] = "FS",
		[CKPT_REC_SIGHAND] = "SIGHAND",
		[CKPT_REC_MM] = "MM",
		[CKPT_REC_CRED] = "CRED",
		[CKPT_REC_PROCESS] = "PROCESS",
		[CKPT_REC_TASK] = "TASK",
		[CKPT_REC_EPOLL] = "EPOLL",
		[CKPT_REC_MEMORY] = "MEMORY",
		[CKPT_REC_PAGES] = "PAGES",
		[CKPT_REC_TRAILER] = "TRAILER",
	};

	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

void image_init(struct image_reader *r, int fd)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
}

void image_done(struct image_reader *r)
{
	free(r->body);
	r->body = NULL;
}

/* Read exactly 'len' bytes.  Returns the bytes read, fewer at the end. */
static ssize_t read_full(struct image_reader *r, void *buf, size_t len,
			 struct ckpt_error *e)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(r->fd, (char *)buf + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(e, errno, "the image cannot be read");
		if (n == 0)
			break;
		done += n;
		r->offset += n;
	}
	return done;
}

static int cut_off(const struct image_reader *r, struct ckpt_error *e)
{
	return error_set(e, EPIPE, "the image is cut off after %llu bytes, in record %u",
			 (unsigned long long)r->offset, r->seq);
}

static int damaged(const struct image_reader *r, struct ckpt_error *e,
		   const char *what)
{
	return error_set(e, EINVAL, "the image is damaged: record %u at byte %llu %s",
			 r->seq, (unsigned long long)r->rec_offset, what);
}

static int check_head(const struct image_reader *r, struct ckpt_error *e)
{
	const struct ckpt_rec *rec = &r->rec;

	if (rec->magic != CKPT_REC_MAGIC) {
		if (r->seq == 0)
			return error_set(e, EINVAL, "this is not a checkpoint image");
		return damaged(r, e, "has no record's magic");
	}
	if (rec->reserved)
		return damaged(r, e, "has its reserved field set");
	if (rec->len > CKPT_REC_LEN_MAX || rec->len % 8)
		return damaged(r, e, "has an impossible length");
	if (rec->seq != r->seq)
		return damaged(r, e, "is out of sequence");
	return 0;
}

static int read_body(struct image_reader *r, struct ckpt_error *e)
{
	struct ckpt_rec head = r->rec;
	XXH64_state_t *state;
	ssize_t n;
	uint64_t sum;

	if (head.len) {
		r->body = malloc(head.len);
		if (!r->body)
			return error_set(e, ENOMEM, "no memory for a record of %u bytes",
					 head.len);
		n = read_full(r, r->body, head.len, e);
		if (n < 0)
			return n;
		if ((size_t)n < head.len)
			return cut_off(r, e);
	}
	state = XXH64_createState();
	if (!state)
		return error_set(e, ENOMEM, "no memory for a checksum");
	head.sum = 0;
	XXH64_reset(state, 0);
	XXH64_update(state, &head, sizeof(head));
	if (head.len)
		XXH64_update(state, r->body, head.len);
	sum = XXH64_digest(state);
	XXH64_freeState(state);
	if (sum != r->rec.sum)
		return damaged(r, e, "has a wrong checksum");
	return 0;
}

/* what PAGES and TRAILER say must fit what was read */
static int check_pages(struct image_reader *r, struct ckpt_error *e)
{
	const struct ckpt_image_pages *p = r->body;

	if (r->rec.len < sizeof(*p) || p->nr == 0 || p->nr > CKPT_PAGES_MAX ||
	    sizeof(*p) + p->nr * sizeof(p->pages[0]) > r->rec.len)
		return damaged(r, e, "has an impossible number of pages");
	if (r->offset % CKPT_PAGE_SIZE)
		return damaged(r, e, "has pages that are not aligned");
	r->pages_left = p->nr;
	r->next_page = 0;
	return 0;
}

static int check_trailer(struct image_reader *r, struct ckpt_error *e)
{
	const struct ckpt_image_trailer *t = r->body;

	if (r->rec.len < sizeof(*t))
		return damaged(r, e, "is too short for a trailer");
	if (t->nr_records != (uint64_t)r->seq + 1 || t->nr_pages != r->nr_pages ||
	    t->bytes != r->offset)
		return damaged(r, e, "counts other records, pages or bytes than there are");
	r->finished = true;
	return 0;
}

int image_page(struct image_reader *r, void *page, uint32_t *index,
	       struct ckpt_error *e)
{
	const struct ckpt_image_pages *p = r->body;
	ssize_t n;

	if (!r->pages_left)
		return 0;
	n = read_full(r, page, CKPT_PAGE_SIZE, e);
	if (n < 0)
		return n;
	if (n < CKPT_PAGE_SIZE)
		return cut_off(r, e);
	if (XXH64(page, CKPT_PAGE_SIZE, 0) != p->pages[r->next_page].sum)
		return error_set(e, EINVAL,
				 "the image is damaged: the page of address %#llx at byte %llu has a wrong checksum",
				 (unsigned long long)p->pages[r->next_page].addr,
				 (unsigned long long)(r->offset - CKPT_PAGE_SIZE));
	if (index)
		*index = r->next_page;
	r->next_page++;
	r->pages_left--;
	r->nr_pages++;
	return 1;
}

/* Nothing may follow the trailer. */
static int check_end(struct image_reader *r, struct ckpt_error *e)
{
	char byte;
	ssize_t n = read_full(r, &byte, 1, e);

	if (n > 0)
		return error_set(e, EINVAL,
				 "the image is damaged: something follows its trailer");
	return n;
}

int image_next(struct image_reader *r, struct ckpt_error *e)
{
	char page[CKPT_PAGE_SIZE];
	ssize_t n;
	int ret;

	do {
		ret = image_page(r, page, NULL, e);
	} while (ret > 0);
	if (ret < 0)
		return ret;
	image_done(r);
	if (r->finished)
		return check_end(r, e);

	r->rec_offset = r->offset;
	n = read_full(r, &r->rec, sizeof(r->rec), e);
	if (n < 0)
		return n;
	if (n == 0 && r->seq == 0)
		return error_set(e, EPIPE, "the image is empty");
	if ((size_t)n < sizeof(r->rec)) {
		if (r->seq == 0 && (n < 4 || r->rec.magic != CKPT_REC_MAGIC))
			return error_set(e, EINVAL, "this is not a checkpoint image");
		return cut_off(r, e);
	}
	ret = check_head(r, e);
	if (!ret)
		ret = read_body(r, e);
	if (!ret && r->rec.type == CKPT_REC_PAGES)
		ret = check_pages(r, e);
	if (!ret && r->rec.type == CKPT_REC_TRAILER)
		ret = check_trailer(r, e);
	if (ret)
		return ret;
	r->seq++;
	return 1;
}

int image_expect(struct image_reader *r, uint16_t type, uint32_t min_len,
		 struct ckpt_error *e)
{
	int ret = image_next(r, e);

	if (ret < 0)
		return ret;
	if (ret == 0 || r->rec.type != type)
		return error_set(e, EINVAL, "the image is damaged: record %u is no %s record",
				 r->seq ? r->seq - 1 : 0, image_rec_name(type));
	if (r->rec.len < min_len)
		return error_set(e, EINVAL, "the image is damaged: its %s record is too short",
				 image_rec_name(type));
	return 0;
}

int image_check_header(const struct image_reader *r, struct ckpt_error *e)
{
	const struct ckpt_image_header *h = r->body;
	struct utsname uts;

	if (memcmp(h->magic, CKPT_IMAGE_MAGIC, sizeof(h->magic)))
		return error_set(e, EINVAL, "this is not a checkpoint image");
	if (h->version != CKPT_IMAGE_VERSION)
		return error_set(e, EPROTONOSUPPORT, "the image's version %u is %s; this build reads version %d",
				 h->version, h->version > CKPT_IMAGE_VERSION ?
				 "newer" : "older", CKPT_IMAGE_VERSION);
	if (h->page_size != CKPT_PAGE_SIZE)
		return error_set(e, ENOEXEC, "the image has pages of %u bytes, this machine of %d",
				 h->page_size, CKPT_PAGE_SIZE);
	if (!memchr(h->machine, 0, sizeof(h->machine)) ||
	    !memchr(h->release, 0, sizeof(h->release)))
		return error_set(e, EINVAL, "the image's header is damaged: a name in it has no end");
	if (uname(&uts))
		return error_sys(e, errno, "this machine has no name");
	if (strcmp(h->machine, uts.machine))
		return error_set(e, ENOEXEC, "the image is of a machine of the kind %s, this one is %s",
				 h->machine, uts.machine);
	return 0;
}
