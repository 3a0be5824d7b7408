/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads an image record by record, from a file, a pipe or a socket.
 *
 * The reader takes exactly the bytes of the records that it is asked for, so
 * that somebody else can go on behind it on the same descriptor.  It trusts
 * nothing: magic, length, sequence and checksum of every record are checked
 * before the caller sees it, and on demand its parts against the table of the
 * format.  What the elements of a part say is the caller's to check.
 */
#ifndef CKPT_LIB_IMAGE_H
#define CKPT_LIB_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <ckpt_image.h>

#include "error.h"
#include "parts.h"

struct image_reader {
	int fd;			/* the image; the caller's, not closed here */
	int tap;		/* takes every byte that is read, too; -1: none, or it takes no more */
	uint64_t offset;	/* bytes read so far */
	uint32_t seq;		/* records read so far */
	uint64_t nr_pages;	/* page payloads read so far */
	struct ckpt_rec rec;	/* the last record's head; the first, if it is in pieces */
	uint64_t rec_offset;	/* where it began, in bytes */
	void *body;		/* its body, all pieces together; NULL if none */
	size_t body_len;	/* bytes */
	size_t body_room;
	struct parts parts;	/* after image_parts() */
	uint32_t runs_read;	/* of the last PAGES */
	void *pages;		/* payloads of a run */
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
 * image_next - read the next record, with all pieces in which it goes on
 * @r: the reader; on success r->rec and r->body are the record, until the next
 *     call
 * @e: takes the sentence on failure
 *
 * Page payloads that the caller has not read with image_run() are read and
 * checked here.  The TRAILER's counts are compared with what was read.  The
 * parts of PAGES and of the TRAILER are there at once, others are there after
 * image_parts().
 *
 * Returns 1 with a record, 0 at the end of the image (the TRAILER was read and
 * nothing follows), -EPIPE if the image is cut off, -EINVAL if it is damaged,
 * -E2BIG if a record is longer than PARTS_BYTES_MAX, what parts_take() returns,
 * or another negative errno from read(2).
 */
int image_next(struct image_reader *r, struct ckpt_error *e);

/*
 * image_parts - take the last record's parts, for image_part()
 *
 * Returns what parts_take() returns, -EINVAL also for a type of record that is
 * not known.
 */
int image_parts(struct image_reader *r, struct ckpt_error *e);

/*
 * image_part - the elements of a part, as ckpt_part_RECORD_PART *: NULL if
 * there is none.  @nr: takes how many there are, may be NULL.
 *
 *	const struct ckpt_image_fd *fds = image_part(&r, FILES, FDS, &nr);
 */
#define image_part(r, record, part, nr)					\
	((const ckpt_part_##record##_##part *)				\
	 parts_find(&(r)->parts, CKPT_TAG_##record##_##part, nr))

/*
 * image_run - read the payloads of the next run of a PAGES record
 * @r: the reader, after image_next() has given a PAGES record
 * @run: takes the run, may be NULL
 * @pages: takes its payloads, which stay until the next call; may be NULL
 * @e: takes the sentence on failure
 *
 * Returns 1 with a run whose checksum is right, 0 if there is none left,
 * negative errno as image_next().
 */
int image_run(struct image_reader *r, const struct ckpt_image_run **run, const void **pages,
	      struct ckpt_error *e);

/*
 * image_expect - image_next() and image_parts() for a record that has to come now
 * @type: enum ckpt_rec_type
 *
 * Returns 0, or a negative errno: -EINVAL if another record comes.
 */
int image_expect(struct image_reader *r, uint16_t type, struct ckpt_error *e);

/*
 * image_begin - image_expect() for the HEADER
 *
 * Returns 0, or a negative errno: -EINVAL if it is no image, -EPROTONOSUPPORT
 * for another version than this build reads.
 */
int image_begin(struct image_reader *r, struct ckpt_error *e);

/*
 * image_check_machine - can this build and this machine restart it?
 * @r: the reader, after image_begin()
 *
 * Returns 0, -EINVAL if it does not say, -ENOEXEC for another kind of machine
 * or size of pages, -EOPNOTSUPP for an increment of another image, or one with
 * a mark that this build does not know.
 */
int image_check_machine(const struct image_reader *r, struct ckpt_error *e);

#endif
