/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads an image record by record, from a file, a pipe or a socket.
 *
 * The reader takes exactly the bytes of the records that it is asked for, so
 * that somebody else can go on behind it on the same descriptor.  It trusts
 * nothing: magic, length, sequence and checksum of every record are checked
 * before the caller sees it.  What is inside a record is the caller's to check.
 */
#ifndef CKPT_LIB_IMAGE_H
#define CKPT_LIB_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <ckpt_image.h>

#include "error.h"

struct image_reader {
	int fd;			/* the image; the caller's, not closed here */
	uint64_t offset;	/* bytes read so far */
	uint32_t seq;		/* records read so far */
	uint64_t nr_pages;	/* page payloads read so far */
	uint32_t pages_left;	/* payloads of the last PAGES still to be read */
	struct ckpt_rec rec;	/* the last record's head */
	uint64_t rec_offset;	/* where it began, in bytes */
	void *body;		/* its body, rec.len bytes, NULL if none */
	uint32_t next_page;	/* index of the payload to be read next */
	bool finished;		/* the TRAILER was seen */
};

/*
 * image_init - begin to read an image
 * @r: the reader, to be given back with image_done()
 * @fd: a descriptor at the image's first byte
 */
void image_init(struct image_reader *r, int fd);

/* image_done - free what the reader holds; the descriptor stays open */
void image_done(struct image_reader *r);

/*
 * image_next - read the next record
 * @r: the reader; on success r->rec and r->body are the record, until the next
 *     call
 * @e: takes the sentence on failure
 *
 * Page payloads that the caller has not read with image_page() are read and
 * checked here.  The TRAILER's counts are compared with what was read.
 *
 * Returns 1 with a record, 0 at the end of the image (the TRAILER was read and
 * nothing follows), -EPIPE if the image is cut off, -EINVAL if it is damaged,
 * or another negative errno from read(2).
 */
int image_next(struct image_reader *r, struct ckpt_error *e);

/*
 * image_page - read the next payload behind a PAGES record
 * @r: the reader, after image_next() has given a PAGES record
 * @page: takes CKPT_PAGE_SIZE bytes
 * @index: takes its index in the record's pages[], may be NULL
 * @e: takes the sentence on failure
 *
 * Returns 1 with a page, 0 if there is none left, negative errno as image_next().
 */
int image_page(struct image_reader *r, void *page, uint32_t *index,
	       struct ckpt_error *e);

/*
 * image_expect - image_next() for a record that has to come now
 * @type: enum ckpt_rec_type
 * @min_len: bytes that its body must have at least
 *
 * Returns 0, or a negative errno: -EINVAL if another record comes.
 */
int image_expect(struct image_reader *r, uint16_t type, uint32_t min_len,
		 struct ckpt_error *e);

/*
 * image_check_header - is this an image that this build and machine can read?
 * @r: the reader, after image_expect(CKPT_REC_HEADER)
 *
 * Returns 0, -EINVAL if it is no image, -EPROTONOSUPPORT for another version,
 * -ENOEXEC for another machine or page size.
 */
int image_check_header(const struct image_reader *r, struct ckpt_error *e);

/* image_rec_name - the name of a type of record, "TASK"; NULL if not known */
const char *image_rec_name(uint16_t type);

#endif
