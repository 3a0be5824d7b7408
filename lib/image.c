// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

#include "image.h"

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "images are little-endian and so must the machine be"
#endif

void image_init(struct image_reader *r, int fd)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->tap = -1;
}

static void drop_record(struct image_reader *r)
{
	parts_free(&r->parts);
	free(r->body);
	r->body = NULL;
	r->body_len = 0;
	r->body_room = 0;
	r->runs_read = 0;
}

void image_done(struct image_reader *r)
{
	drop_record(r);
	free(r->pages);
	r->pages = NULL;
}

/* whoever is at the other end may have seen enough */
static void feed_tap(struct image_reader *r, const char *buf, size_t len)
{
	ssize_t n;

	while (len && r->tap >= 0) {
		n = write(r->tap, buf, len);
		if (n < 0 && errno != EINTR)
			r->tap = -1;
		if (n > 0) {
			buf += n;
			len -= n;
		}
	}
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
		feed_tap(r, (char *)buf + done, n);
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

/* 'seq' is that of the piece which is being read */
static int damaged(const struct image_reader *r, struct ckpt_error *e,
		   const char *what)
{
	return error_set(e, EINVAL, "the image is damaged: record %u at byte %llu %s",
			 r->seq, (unsigned long long)r->rec_offset, what);
}

static int check_head(const struct image_reader *r, const struct ckpt_rec *rec,
		      struct ckpt_error *e)
{
	if (rec->magic != CKPT_REC_MAGIC) {
		if (r->seq == 0)
			return error_set(e, EINVAL, "this is not a checkpoint image");
		return damaged(r, e, "has no record's magic");
	}
	if (rec->flags & ~CKPT_REC_MORE)
		return damaged(r, e, "has a flag that is not known");
	if (rec->len > CKPT_REC_LEN_MAX || rec->len % 8)
		return damaged(r, e, "has an impossible length");
	if (rec->seq != r->seq)
		return damaged(r, e, "is out of sequence");
	return 0;
}

/* room for 'len' bytes more behind the body */
static int grow(struct image_reader *r, size_t len, struct ckpt_error *e)
{
	size_t room = r->body_len + len;
	void *body;

	if (room > PARTS_BYTES_MAX)
		return error_set(e, E2BIG, "record %u of the image is longer than memory is given for",
				 r->rec.seq);
	if (room <= r->body_room)
		return 0;
	/* many small pieces are not copied as often as they are many */
	if (r->body_len && room < 2 * r->body_len)
		room = 2 * r->body_len;
	body = realloc(r->body, room);
	if (!body)
		return error_set(e, ENOMEM, "no memory for a record of %zu bytes", room);
	r->body = body;
	r->body_room = room;
	return 0;
}

/* the rest of a record whose head is 'rec', behind what the body has */
static int read_body(struct image_reader *r, const struct ckpt_rec *rec, struct ckpt_error *e)
{
	struct ckpt_rec head = *rec;
	XXH64_state_t *state;
	char *piece;
	ssize_t n;
	uint64_t sum;
	int ret = rec->len ? grow(r, rec->len, e) : 0;

	if (ret)
		return ret;
	piece = (char *)r->body + r->body_len;
	n = rec->len ? read_full(r, piece, rec->len, e) : 0;
	if (n < 0)
		return n;
	if ((size_t)n < rec->len)
		return cut_off(r, e);
	state = XXH64_createState();
	if (!state)
		return error_set(e, ENOMEM, "no memory for a checksum");
	head.sum = 0;
	XXH64_reset(state, 0);
	XXH64_update(state, &head, sizeof(head));
	if (rec->len)
		XXH64_update(state, piece, rec->len);
	sum = XXH64_digest(state);
	XXH64_freeState(state);
	if (sum != rec->sum)
		return damaged(r, e, "has a wrong checksum");
	r->body_len += rec->len;
	r->seq++;
	return 0;
}

static int read_head(struct image_reader *r, struct ckpt_rec *rec, struct ckpt_error *e)
{
	ssize_t n;

	r->rec_offset = r->offset;
	n = read_full(r, rec, sizeof(*rec), e);
	if (n < 0)
		return n;
	if (n == 0 && r->seq == 0)
		return error_set(e, EPIPE, "the image is empty");
	if ((size_t)n < sizeof(*rec)) {
		if (r->seq == 0 && (n < 4 || rec->magic != CKPT_REC_MAGIC))
			return error_set(e, EINVAL, "this is not a checkpoint image");
		return cut_off(r, e);
	}
	return check_head(r, rec, e);
}

/* all pieces of a record */
static int read_record(struct image_reader *r, struct ckpt_error *e)
{
	struct ckpt_rec rec;
	uint64_t offset;
	int ret = read_head(r, &r->rec, e);

	if (!ret)
		ret = read_body(r, &r->rec, e);
	offset = r->rec_offset;
	for (rec = r->rec; !ret && rec.flags & CKPT_REC_MORE;) {
		/* how many payloads follow is in front of its body, and they behind it */
		if (rec.type == CKPT_REC_PAGES)
			return error_set(e, EINVAL, "the image is damaged: record %u (PAGES) goes on in another",
					 r->rec.seq);
		ret = read_head(r, &rec, e);
		if (!ret && (rec.type != r->rec.type || !rec.len))
			return damaged(r, e, "is not what the one before it goes on in");
		if (!ret)
			ret = read_body(r, &rec, e);
	}
	r->rec_offset = offset;
	return ret;
}

/* the last record */
static int wrong(const struct image_reader *r, struct ckpt_error *e, const char *what)
{
	return error_set(e, EINVAL, "the image is damaged: record %u (%s) %s", r->rec.seq,
			 record_name(r->rec.type), what);
}

/* what PAGES and TRAILER say must fit what was read */
static int check_pages(struct image_reader *r, struct ckpt_error *e)
{
	const struct ckpt_image_pages *base = image_part(r, PAGES, BASE, NULL);
	const struct part *last = &r->parts.list[r->parts.nr - 1];
	const struct ckpt_image_run *runs;
	const __u8 *fill;
	uint32_t nr, left = base->nr, i;

	runs = image_part(r, PAGES, RUNS, &nr);
	for (i = 0; i < nr && runs[i].count && runs[i].count <= left; i++)
		left -= runs[i].count;
	if (!base->nr || base->nr > CKPT_PAGES_MAX || i < nr || left)
		return wrong(r, e, "has an impossible number of pages");
	fill = image_part(r, PAGES, FILL, &nr);
	if (fill && last->row->tag != CKPT_TAG_PAGES_FILL)
		return wrong(r, e, "has its FILL not at the end");
	for (i = 0; i < nr; i++)
		if (fill[i])
			return wrong(r, e, "is not filled with zeroes");
	if (r->offset % CKPT_PAGE_SIZE)
		return wrong(r, e, "has pages that are not aligned");
	return 0;
}

static int check_trailer(struct image_reader *r, struct ckpt_error *e)
{
	const struct ckpt_image_trailer *t = image_part(r, TRAILER, BASE, NULL);

	if (t->nr_records != r->seq || t->nr_pages != r->nr_pages || t->bytes != r->offset)
		return wrong(r, e, "counts other records, pages or bytes than there are");
	r->finished = true;
	return 0;
}

int image_run(struct image_reader *r, const struct ckpt_image_run **run, const void **pages,
	      struct ckpt_error *e)
{
	const struct ckpt_image_run *runs;
	uint32_t nr;
	size_t len;
	ssize_t n;

	if (r->rec.type != CKPT_REC_PAGES)
		return 0;
	runs = image_part(r, PAGES, RUNS, &nr);
	if (!runs || r->runs_read == nr)
		return 0;
	runs += r->runs_read;
	len = (size_t)runs->count * CKPT_PAGE_SIZE;
	if (!r->pages)
		r->pages = malloc((size_t)CKPT_PAGES_MAX * CKPT_PAGE_SIZE);
	if (!r->pages)
		return error_set(e, ENOMEM, "no memory for the pages of the image");
	n = read_full(r, r->pages, len, e);
	if (n < 0)
		return n;
	if ((size_t)n < len)
		return cut_off(r, e);
	if (XXH64(r->pages, len, 0) != runs->sum)
		return error_set(e, EINVAL, "the image is damaged: the %u pages from address %#llx on, at byte %llu, have a wrong checksum",
				 runs->count, (unsigned long long)runs->addr,
				 (unsigned long long)(r->offset - len));
	if (run)
		*run = runs;
	if (pages)
		*pages = r->pages;
	r->runs_read++;
	r->nr_pages += runs->count;
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
	int ret;

	do {
		ret = image_run(r, NULL, NULL, e);
	} while (ret > 0);
	if (ret < 0)
		return ret;
	drop_record(r);
	if (r->finished)
		return check_end(r, e);
	ret = read_record(r, e);
	if (!ret && (r->rec.type == CKPT_REC_PAGES || r->rec.type == CKPT_REC_TRAILER))
		ret = image_parts(r, e);
	if (!ret && r->rec.type == CKPT_REC_PAGES)
		ret = check_pages(r, e);
	if (!ret && r->rec.type == CKPT_REC_TRAILER)
		ret = check_trailer(r, e);
	if (!ret)
		return 1;
	/* nothing of a record that is not sound is read any more */
	drop_record(r);
	return ret;
}

int image_parts(struct image_reader *r, struct ckpt_error *e)
{
	int ret;

	if (!record_name(r->rec.type))
		return error_set(e, EINVAL, "the image is damaged: record %u is of type %u, which is not known",
				 r->rec.seq, r->rec.type);
	parts_free(&r->parts);
	ret = parts_take(&r->parts, r->rec.type, r->rec.seq, r->body, r->body_len, e);
	return ret ? ret : parts_check_bits(&r->parts, r->rec.type, r->rec.seq, e);
}

int image_expect(struct image_reader *r, uint16_t type, struct ckpt_error *e)
{
	int ret = image_next(r, e);

	if (ret < 0)
		return ret;
	if (ret == 0 || r->rec.type != type)
		return error_set(e, EINVAL, "the image is damaged: record %u is no %s record",
				 ret ? r->rec.seq : r->seq, record_name(type));
	return image_parts(r, e);
}

/* where the HEADER has its magic, and behind it the version: it says so in any version */
static const char *find_magic(const struct image_reader *r)
{
	const char *body = r->body;
	size_t at;

	/* up to version 2 a body began with the structure itself */
	for (at = 0; at <= sizeof(struct ckpt_part); at += sizeof(struct ckpt_part))
		if (r->body_len >= at + sizeof(CKPT_IMAGE_MAGIC) + sizeof(uint32_t) &&
		    !memcmp(body + at, CKPT_IMAGE_MAGIC, sizeof(CKPT_IMAGE_MAGIC)))
			return body + at;
	return NULL;
}

int image_begin(struct image_reader *r, struct ckpt_error *e)
{
	int ret = image_next(r, e);
	const char *magic;
	uint32_t version;

	if (ret < 0)
		return ret;
	magic = r->rec.type == CKPT_REC_HEADER ? find_magic(r) : NULL;
	if (!magic)
		return error_set(e, EINVAL, "this is not a checkpoint image: it does not begin with a HEADER");
	memcpy(&version, magic + sizeof(CKPT_IMAGE_MAGIC), sizeof(version));
	if (version != CKPT_IMAGE_VERSION)
		return error_set(e, EPROTONOSUPPORT, "the image's version %u is %s; this build reads version %d",
				 version, version > CKPT_IMAGE_VERSION ? "newer" : "older",
				 CKPT_IMAGE_VERSION);
	return image_parts(r, e);
}

/* a mark may change what all the rest means */
static int check_kind(const struct ckpt_image_header *h, struct ckpt_error *e)
{
	static const __u8 none[sizeof(h->parent)];
	const __u32 known = CKPT_MARK_FINAL | CKPT_MARK_SUBTREE | CKPT_MARK_SELF;

	if (h->marks & ~known || h->reserved)
		return error_set(e, EOPNOTSUPP, "the image has marks that this version does not know: %#x",
				 h->marks & ~known);
	if (memcmp(h->parent, none, sizeof(none)))
		return error_set(e, EOPNOTSUPP, "the image is an increment of another one; this version restarts whole ones");
	return 0;
}

int image_check_machine(const struct image_reader *r, struct ckpt_error *e)
{
	const struct ckpt_image_header *h = image_part(r, HEADER, BASE, NULL);
	struct utsname uts;

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
	return check_kind(h, e);
}
