/* SPDX-License-Identifier: GPL-2.0-only */
/* The image as a stream of records, on their way out and in: core/record.c. */
#ifndef _CKPT_RECORD_H
#define _CKPT_RECORD_H

#include <linux/list.h>

#include "../uapi/ckpt_image.h"
#include "log.h"

struct ckpt_rec_buf {
	struct list_head list;
	u32 ref;			/* in: the object's number */
	bool used;			/* in: somebody has restored it */
	struct ckpt_rec rec;		/* the body follows it */
};

static inline void *ckpt_body(const struct ckpt_rec_buf *buf)
{
	return (void *)(&buf->rec + 1);
}

struct ckpt_out {
	struct file *file;
	struct list_head records;	/* made and not yet written */
	u64 pos;			/* bytes written */
	u64 pages;
	u32 seq;
};

void *ckpt_rec_new(struct ckpt_out *out, u16 type, size_t len);
int ckpt_out_flush(struct ckpt_out *out);
int ckpt_out_write(struct ckpt_out *out, const void *buf, size_t len);
int ckpt_out_trailer(struct ckpt_out *out);

struct ckpt_in {
	struct file *file;
	struct ckpt_log *log;
	u64 pos;			/* bytes read */
	u64 pages;
	u32 seq;
};

struct ckpt_rec_buf *ckpt_rec_read(struct ckpt_in *in);
int ckpt_in_read(struct ckpt_in *in, void *buf, size_t len);
int ckpt_in_end(struct ckpt_in *in, const struct ckpt_rec_buf *trailer);
void ckpt_rec_free(struct ckpt_rec_buf *buf);

/* a reader of a record's body that cannot run over its end */
struct ckpt_cursor {
	const u8 *p;
	size_t left;
};

#define ckpt_cursor_of(buf, type)					\
	((struct ckpt_cursor){						\
		.p = (const u8 *)ckpt_body(buf) + sizeof(type),		\
		.left = (buf)->rec.len - sizeof(type) })
/* the next @len bytes, which take up a multiple of 8; NULL: not that many */
const void *ckpt_take(struct ckpt_cursor *c, u64 len);
/* a string of @len bytes with its NUL; NULL: it is not one */
const char *ckpt_take_path(struct ckpt_cursor *c, u32 len);

#endif
