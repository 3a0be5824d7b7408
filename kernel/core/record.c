// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image as a stream of records.  Out: records are made in memory while the
 * container is frozen and written later; page payloads are written straight
 * from the copies.  In: record by record, nothing is believed before its
 * checksum and its length are right.
 */
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "record.h"


static u64 rec_sum(const struct ckpt_rec *rec)
{
	return xxh64(rec, sizeof(*rec) + rec->len, 0);
}

static struct ckpt_rec_buf *rec_alloc(size_t len)
{
	struct ckpt_rec_buf *buf;

	buf = kvzalloc(sizeof(*buf) + len, GFP_KERNEL_ACCOUNT);
	if (buf)
		INIT_LIST_HEAD(&buf->list);
	return buf;
}

void ckpt_rec_free(struct ckpt_rec_buf *buf)
{
	kvfree(buf);
}

/*
 * Add a record whose body is @len bytes (rounded up to 8) of zeroes, for the
 * caller to fill before the next flush.  Returns the body, or NULL.
 */
void *ckpt_rec_new(struct ckpt_out *out, u16 type, size_t len)
{
	struct ckpt_rec_buf *buf;

	len = ALIGN(len, 8);
	if (len > CKPT_REC_LEN_MAX)
		return NULL;
	buf = rec_alloc(len);
	if (!buf)
		return NULL;
	buf->rec.magic = CKPT_REC_MAGIC;
	buf->rec.type = type;
	buf->rec.len = len;
	buf->rec.seq = out->seq++;
	list_add_tail(&buf->list, &out->records);
	return ckpt_body(buf);
}

int ckpt_out_write(struct ckpt_out *out, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		loff_t *pos = out->file->f_mode & FMODE_STREAM ? NULL : &out->file->f_pos;
		ssize_t n;

		if (fatal_signal_pending(current))
			return -EINTR;
		n = kernel_write(out->file, p, len, pos);
		if (n < 0)
			return n == -ERESTARTSYS ? -EINTR : n;
		if (!n)
			return -EIO;
		p += n;
		len -= n;
		out->pos += n;
	}
	return 0;
}

/* write what was made so far, and forget it */
int ckpt_out_flush(struct ckpt_out *out)
{
	struct ckpt_rec_buf *buf, *next;
	int ret;

	list_for_each_entry_safe(buf, next, &out->records, list) {
		buf->rec.sum = rec_sum(&buf->rec);
		ret = ckpt_out_write(out, &buf->rec, sizeof(buf->rec) + buf->rec.len);
		if (ret)
			return ret;
		list_del(&buf->list);
		ckpt_rec_free(buf);
	}
	return 0;
}

int ckpt_out_trailer(struct ckpt_out *out)
{
	struct ckpt_image_trailer *t;

	t = ckpt_rec_new(out, CKPT_REC_TRAILER, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->nr_records = out->seq;
	t->nr_pages = out->pages;
	t->bytes = out->pos + sizeof(struct ckpt_rec) + sizeof(*t);
	return ckpt_out_flush(out);
}

int ckpt_in_read(struct ckpt_in *in, void *data, size_t len)
{
	char *p = data;

	while (len) {
		loff_t *pos = in->file->f_mode & FMODE_STREAM ? NULL : &in->file->f_pos;
		ssize_t n;

		if (fatal_signal_pending(current))
			return -EINTR;
		n = kernel_read(in->file, p, len, pos);
		if (n < 0)
			return n == -ERESTARTSYS ? -EINTR :
				ckpt_fail(in->log, n, "the image cannot be read at byte %llu: error %zd",
					  in->pos, -n);
		if (!n)
			return ckpt_fail(in->log, -EINVAL,
					 "the image ends at byte %llu, in the middle; it is truncated",
					 in->pos);
		p += n;
		len -= n;
		in->pos += n;
	}
	return 0;
}

static int rec_check_header(struct ckpt_in *in, const struct ckpt_rec *rec)
{
	if (rec->magic != CKPT_REC_MAGIC || rec->reserved ||
	    rec->seq != in->seq || rec->len > CKPT_REC_LEN_MAX || rec->len % 8)
		return ckpt_fail(in->log, -EINVAL,
				 "the image is damaged: no record %u at byte %llu",
				 in->seq, in->pos - sizeof(*rec));
	return 0;
}

/* the next record, or an error pointer; the caller frees it */
struct ckpt_rec_buf *ckpt_rec_read(struct ckpt_in *in)
{
	struct ckpt_rec_buf *buf;
	struct ckpt_rec rec;
	int ret;

	ret = ckpt_in_read(in, &rec, sizeof(rec));
	if (ret)
		return ERR_PTR(ret);
	ret = rec_check_header(in, &rec);
	if (ret)
		return ERR_PTR(ret);
	buf = rec_alloc(rec.len);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->rec = rec;
	ret = ckpt_in_read(in, ckpt_body(buf), rec.len);
	if (ret)
		goto fail;
	buf->rec.sum = 0;
	if (rec_sum(&buf->rec) != rec.sum) {
		ret = ckpt_fail(in->log, -EINVAL,
				"the image is damaged: record %u (type %u) before byte %llu has a wrong checksum",
				rec.seq, rec.type, in->pos);
		goto fail;
	}
	buf->rec.sum = rec.sum;
	in->seq++;
	return buf;

fail:
	ckpt_rec_free(buf);
	return ERR_PTR(ret);
}

/* does the trailer agree with what was read? */
int ckpt_in_end(struct ckpt_in *in, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_trailer *t = ckpt_body(buf);
	ssize_t more;
	char byte;

	if (buf->rec.len != sizeof(*t) || t->nr_records != in->seq ||
	    t->nr_pages != in->pages || t->bytes != in->pos)
		return ckpt_fail(in->log, -EINVAL,
				 "the image is damaged: its trailer tells of another stream");
	more = kernel_read(in->file, &byte, 1, in->file->f_mode & FMODE_STREAM ?
			   NULL : &in->file->f_pos);
	if (more < 0)
		return more == -ERESTARTSYS ? -EINTR : more;
	if (more)
		return ckpt_fail(in->log, -EINVAL,
				 "the image goes on behind its trailer");
	return 0;
}

const void *ckpt_take(struct ckpt_cursor *c, u64 len)
{
	const void *p = c->p;

	if (len > c->left || ALIGN(len, 8) > c->left)
		return NULL;
	c->p += ALIGN(len, 8);
	c->left -= ALIGN(len, 8);
	return p;
}

const char *ckpt_take_path(struct ckpt_cursor *c, u32 len)
{
	const char *s;

	if (!len || len > PATH_MAX)
		return NULL;
	s = ckpt_take(c, len);
	if (!s || s[len - 1] || strlen(s) != len - 1)
		return NULL;
	return s;
}
