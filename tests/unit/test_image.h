/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes small images for tests, record by record, in memory. */
#ifndef CKPT_TESTS_TEST_IMAGE_H
#define CKPT_TESTS_TEST_IMAGE_H

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>
#include <ckpt_image.h>

struct builder {
	char data[256 << 10];
	size_t len;		/* bytes */
	uint32_t seq;
	uint64_t nr_pages;
};

/* append a record; its body is filled up to a multiple of 8 bytes */
static inline struct ckpt_rec *builder_add(struct builder *b, uint16_t type,
					   const void *body, size_t len)
{
	size_t padded = (len + 7) & ~(size_t)7;
	struct ckpt_rec *rec = (struct ckpt_rec *)(b->data + b->len);

	assert(b->len + sizeof(*rec) + padded <= sizeof(b->data));
	memset(rec, 0, sizeof(*rec) + padded);
	rec->magic = CKPT_REC_MAGIC;
	rec->type = type;
	rec->len = padded;
	rec->seq = b->seq++;
	memcpy(rec + 1, body, len);
	rec->sum = XXH64(rec, sizeof(*rec) + padded, 0);
	b->len += sizeof(*rec) + padded;
	return rec;
}

static inline void builder_header(struct builder *b, uint32_t version, const char *machine)
{
	struct ckpt_image_header h = { .version = version, .page_size = CKPT_PAGE_SIZE };
	struct utsname uts;

	uname(&uts);
	memcpy(h.magic, CKPT_IMAGE_MAGIC, sizeof(h.magic));
	strcpy(h.machine, machine ? machine : uts.machine);
	strcpy(h.release, uts.release);
	builder_add(b, CKPT_REC_HEADER, &h, sizeof(h));
}

/* append PAGES with 'nr' pages, each filled with its index + 1 */
static inline void builder_pages(struct builder *b, uint32_t nr)
{
	char body[3 * CKPT_PAGE_SIZE] = { 0 }, page[CKPT_PAGE_SIZE];
	struct ckpt_image_pages *p = (struct ckpt_image_pages *)body;
	size_t begin = b->len + sizeof(struct ckpt_rec);
	size_t len = sizeof(*p) + nr * sizeof(p->pages[0]);
	uint32_t i;

	len += -(begin + len) & (CKPT_PAGE_SIZE - 1);
	assert(len <= sizeof(body));
	p->ref = 1;
	p->nr = nr;
	for (i = 0; i < nr; i++) {
		memset(page, i + 1, sizeof(page));
		p->pages[i].addr = i * CKPT_PAGE_SIZE;
		p->pages[i].sum = XXH64(page, sizeof(page), 0);
	}
	builder_add(b, CKPT_REC_PAGES, body, len);
	for (i = 0; i < nr; i++, b->len += CKPT_PAGE_SIZE, b->nr_pages++) {
		assert(b->len + CKPT_PAGE_SIZE <= sizeof(b->data));
		memset(b->data + b->len, i + 1, CKPT_PAGE_SIZE);
	}
}

static inline void builder_trailer(struct builder *b)
{
	struct ckpt_image_trailer t = {
		.nr_records = b->seq + 1,
		.nr_pages = b->nr_pages,
		.bytes = b->len + sizeof(struct ckpt_rec) + sizeof(t),
	};

	builder_add(b, CKPT_REC_TRAILER, &t, sizeof(t));
}

/* a descriptor at the image's first byte */
static inline int builder_open(const struct builder *b)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, b->data, b->len) == (ssize_t)b->len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

#endif
