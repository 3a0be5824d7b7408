/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image as a stream of records, and a record as a sequence of parts:
 * core/out.c, core/in.c, core/parts.c.
 */
#ifndef _CKPT_RECORD_H
#define _CKPT_RECORD_H

#include <linux/limits.h>
#include <linux/list.h>

#include "../uapi/ckpt_image.h"
#include "log.h"

/* all small records of an image together, and each of them */
#define CKPT_RECORDS_MAX (256U << 20)

/* on its way out: made in memory, written at the next flush */
struct ckpt_rec_out {
	struct list_head list;
	struct list_head parts;
	struct ckpt_out *out;
	u16 type;
	u64 len;			/* bytes of body so far */
};

struct ckpt_out {
	struct file *file;
	struct list_head open;		/* begun and not yet done */
	struct list_head records;	/* done and not yet written */
	u64 len;			/* bytes of all that were done */
	u16 too_long;			/* type of a record that no reader would take, or 0 */
	u64 pos;			/* bytes written */
	u64 pages;
	u32 seq;
};

void ckpt_out_init(struct ckpt_out *out);
/* forget what was not written */
void ckpt_out_free(struct ckpt_out *out);
/*
 * Begin a record.  It takes its place in the stream when it is done, so that
 * objects it refers to may be saved meanwhile.  NULL: no memory.
 */
struct ckpt_rec_out *ckpt_rec_new(struct ckpt_out *out, u16 type);
void ckpt_rec_done(struct ckpt_out *out, struct ckpt_rec_out *rec);
/*
 * A part of @nr elements of zeroes, for the caller to fill.  NULL: no memory, no
 * record, or more than the format allows; the record's out then says so.
 */
void *ckpt_part_new(struct ckpt_rec_out *rec, u16 tag, u32 size, u64 nr);
/* parts.c: how many the format allows */
u32 ckpt_part_max(u16 type, u16 tag);
int ckpt_out_flush(struct ckpt_out *out);
int ckpt_out_write(struct ckpt_out *out, const void *buf, size_t len);
int ckpt_out_trailer(struct ckpt_out *out);

/* img = ckpt_put(rec, FILE, BASE): the one element of a part; NULL as above */
#define ckpt_put(rec, r, p) ckpt_put_nr(rec, r, p, 1)
#define ckpt_put_nr(rec, r, p, nr)					\
	((ckpt_part_##r##_##p *)ckpt_part_new(rec, CKPT_TAG_##r##_##p,	\
					      sizeof(ckpt_part_##r##_##p), nr))
#define ckpt_put_string(rec, r, p, s) ckpt_string_new(rec, CKPT_TAG_##r##_##p, s)
/* 0 or -ENOMEM */
int ckpt_string_new(struct ckpt_rec_out *rec, u16 tag, const char *s);

/* on its way in */
struct ckpt_rec_buf {
	struct list_head list;
	bool used;			/* somebody has restored it */
	struct ckpt_rec_buf *next;	/* EPOLL: another of the same table, or NULL */
	const struct ckpt_rec_buf *of;	/* INODE: the TMPFS that it is in, or NULL */
	u16 type;
	u32 seq;			/* of its first piece */
	size_t len;
	size_t room;			/* bytes that body has */
	u8 *body;			/* parts, of this kernel's sizes once they are checked */
};

struct ckpt_in {
	struct file *file;
	struct ckpt_log *log;
	u64 pos;			/* bytes read */
	u64 pages;
	u32 seq;
};

/* the next record, its parts checked; or an error pointer.  The caller frees it. */
struct ckpt_rec_buf *ckpt_rec_read(struct ckpt_in *in);
int ckpt_in_read(struct ckpt_in *in, void *buf, size_t len);
/* does the trailer agree with what was read, and does nothing follow? */
int ckpt_in_end(struct ckpt_in *in, const struct ckpt_rec_buf *trailer);
void ckpt_rec_free(struct ckpt_rec_buf *buf);

/* parts.c: is every part one of the table, as often and as long as it says? */
int ckpt_parts_check(struct ckpt_log *log, struct ckpt_rec_buf *buf);
const char *ckpt_rec_name(u16 type);
/* the elements of a part of a checked record; NULL and 0 if it has none */
const void *ckpt_part_find(const struct ckpt_rec_buf *buf, u16 tag, u64 *nr);

#define ckpt_get(buf, r, p)						\
	((const ckpt_part_##r##_##p *)ckpt_part_find(buf, CKPT_TAG_##r##_##p, NULL))
#define ckpt_get_nr(buf, r, p, nr)					\
	((const ckpt_part_##r##_##p *)ckpt_part_find(buf, CKPT_TAG_##r##_##p, nr))

/* the sentence for a record whose numbers are wrong; -EINVAL */
int ckpt_malformed(struct ckpt_log *log, const struct ckpt_rec_buf *buf);

#endif
