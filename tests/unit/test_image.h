/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes small images for tests, part by part and record by record, in memory. */
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
	/* of the record that is being made */
	_Alignas(8) char body[128 << 10];
	size_t body_len;
};

/* append a part of 'nr' elements of 'size' bytes, zero if 'data' is NULL; returns its bytes */
static inline void *builder_part_of(struct builder *b, uint16_t tag, uint32_t size, uint32_t nr,
				    const void *data)
{
	struct ckpt_part *part = (void *)(b->body + b->body_len);
	size_t len = (size_t)size * nr, padded = (len + 7) & ~(size_t)7;

	assert(b->body_len + sizeof(*part) + padded <= sizeof(b->body));
	memset(part, 0, sizeof(*part) + padded);
	part->tag = tag;
	part->size = size;
	part->len = len;
	if (data)
		memcpy(part + 1, data, len);
	b->body_len += sizeof(*part) + padded;
	return part + 1;
}

#define builder_parts(b, record, part, nr)				\
	((ckpt_part_##record##_##part *)				\
	 builder_part_of(b, CKPT_TAG_##record##_##part, sizeof(ckpt_part_##record##_##part), nr, NULL))
#define builder_part(b, record, part) builder_parts(b, record, part, 1)

/* append a piece of a record: 'len' bytes of body */
static inline struct ckpt_rec *builder_piece(struct builder *b, uint16_t type, uint16_t flags,
					     const void *body, size_t len)
{
	struct ckpt_rec *rec = (struct ckpt_rec *)(b->data + b->len);

	assert(b->len + sizeof(*rec) + len <= sizeof(b->data));
	*rec = (struct ckpt_rec){
		.magic = CKPT_REC_MAGIC, .type = type, .flags = flags, .len = len,
		.seq = b->seq++,
	};
	memcpy(rec + 1, body, len);
	rec->sum = XXH64(rec, sizeof(*rec) + len, 0);
	b->len += sizeof(*rec) + len;
	return rec;
}

/* append a record of the parts that were made */
static inline struct ckpt_rec *builder_add(struct builder *b, uint16_t type)
{
	struct ckpt_rec *rec = builder_piece(b, type, 0, b->body, b->body_len);

	b->body_len = 0;
	return rec;
}

static inline void builder_header(struct builder *b, uint32_t version, const char *machine)
{
	struct ckpt_image_header *h = builder_part(b, HEADER, BASE);
	struct utsname uts;

	uname(&uts);
	memcpy(h->magic, CKPT_IMAGE_MAGIC, sizeof(h->magic));
	h->version = version;
	h->page_size = CKPT_PAGE_SIZE;
	strcpy(h->machine, machine ? machine : uts.machine);
	strcpy(h->release, uts.release);
	builder_add(b, CKPT_REC_HEADER);
}

static inline void builder_container(struct builder *b, const char *text)
{
	memcpy(builder_parts(b, CONTAINER, TEXT, strlen(text)), text, strlen(text));
	builder_add(b, CKPT_REC_CONTAINER);
}

/* the FILL of PAGES, and the record's head in front of the payloads */
static inline void builder_fill(struct builder *b)
{
	size_t end = b->len + sizeof(struct ckpt_rec) + b->body_len + sizeof(struct ckpt_part);

	builder_parts(b, PAGES, FILL, -end & (CKPT_PAGE_SIZE - 1));
	builder_add(b, CKPT_REC_PAGES);
}

/* append PAGES with 'nr' pages in runs of two, each filled with its index + 1 */
static inline void builder_pages(struct builder *b, uint32_t nr)
{
	static char pages[CKPT_PAGES_MAX][CKPT_PAGE_SIZE];
	struct ckpt_image_run *run;
	uint32_t i;

	for (i = 0; i < nr; i++)
		memset(pages[i], i + 1, sizeof(pages[i]));
	*builder_part(b, PAGES, BASE) = (struct ckpt_image_pages){ .ref = 1, .nr = nr };
	run = builder_parts(b, PAGES, RUNS, (nr + 1) / 2);
	for (i = 0; i < nr; i += 2, run++) {
		run->addr = i * CKPT_PAGE_SIZE;
		run->count = nr - i < 2 ? 1 : 2;
		run->sum = XXH64(pages[i], run->count * CKPT_PAGE_SIZE, 0);
	}
	builder_fill(b);
	assert(b->len + nr * CKPT_PAGE_SIZE <= sizeof(b->data));
	memcpy(b->data + b->len, pages, nr * CKPT_PAGE_SIZE);
	b->len += nr * CKPT_PAGE_SIZE;
	b->nr_pages += nr;
}

static inline void builder_trailer(struct builder *b)
{
	struct ckpt_image_trailer *t = builder_part(b, TRAILER, BASE);

	t->nr_records = b->seq + 1;
	t->nr_pages = b->nr_pages;
	t->bytes = b->len + sizeof(struct ckpt_rec) + b->body_len;
	builder_add(b, CKPT_REC_TRAILER);
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
