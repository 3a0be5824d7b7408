// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image on its way in, record by record: nothing is believed before its
 * checksum and its length are right.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "record.h"

void ckpt_rec_free(struct ckpt_rec_buf *buf)
{
	kvfree(buf->body);
	kfree(buf);
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

static int check_head(struct ckpt_in *in, const struct ckpt_rec *rec)
{
	if (rec->magic != CKPT_REC_MAGIC || rec->flags & ~CKPT_REC_MORE ||
	    rec->seq != in->seq || rec->len > CKPT_REC_LEN_MAX || rec->len % 8)
		return ckpt_fail(in->log, -EINVAL,
				 "the image is damaged: no record %u at byte %llu",
				 in->seq, in->pos - sizeof(*rec));
	return 0;
}

static u64 sum_of(const struct ckpt_rec *rec, const void *body)
{
	struct ckpt_rec head = *rec;
	struct xxh64_state state;

	head.sum = 0;
	xxh64_reset(&state, 0);
	xxh64_update(&state, &head, sizeof(head));
	if (rec->len)
		xxh64_update(&state, body, rec->len);
	return xxh64_digest(&state);
}

/* room for @more bytes at the end */
static int grow(struct ckpt_in *in, struct ckpt_rec_buf *buf, size_t more)
{
	u8 *body;

	if (buf->len + more > CKPT_RECORDS_MAX)
		return ckpt_fail(in->log, -E2BIG, "record %u of the image is longer than memory is given for",
				 buf->seq);
	if (buf->len + more <= buf->room)
		return 0;
	/* twice as much for one in many pieces, so that not all is copied for each */
	buf->room = max(buf->len + more, min_t(size_t, 2 * buf->len, CKPT_RECORDS_MAX));
	body = kvmalloc(buf->room, GFP_KERNEL_ACCOUNT);
	if (!body)
		return -ENOMEM;
	if (buf->len)
		memcpy(body, buf->body, buf->len);
	kvfree(buf->body);
	buf->body = body;
	return 0;
}

static int read_piece(struct ckpt_in *in, struct ckpt_rec_buf *buf, struct ckpt_rec *rec)
{
	int ret;

	ret = ckpt_in_read(in, rec, sizeof(*rec));
	if (!ret)
		ret = check_head(in, rec);
	if (!ret && rec->len)
		ret = grow(in, buf, rec->len);
	if (!ret)
		ret = ckpt_in_read(in, buf->body + buf->len, rec->len);
	if (ret)
		return ret;
	if (sum_of(rec, buf->body + buf->len) != rec->sum)
		return ckpt_fail(in->log, -EINVAL,
				 "the image is damaged: record %u (type %u) before byte %llu has a wrong checksum",
				 rec->seq, rec->type, in->pos);
	buf->len += rec->len;
	in->seq++;
	return 0;
}

static int read_pieces(struct ckpt_in *in, struct ckpt_rec_buf *buf)
{
	struct ckpt_rec rec;
	int ret;

	ret = read_piece(in, buf, &rec);
	buf->type = rec.type;
	while (!ret && rec.flags & CKPT_REC_MORE) {
		/* how many payloads follow is in front of its body, and they behind it */
		if (rec.type == CKPT_REC_PAGES)
			return ckpt_malformed(in->log, buf);
		ret = read_piece(in, buf, &rec);
		if (!ret && (rec.type != buf->type || !rec.len))
			ret = ckpt_fail(in->log, -EINVAL, "record %u of the image does not go on in the next",
					buf->seq);
	}
	return ret;
}

struct ckpt_rec_buf *ckpt_rec_read(struct ckpt_in *in)
{
	struct ckpt_rec_buf *buf;
	int ret;

	buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&buf->list);
	buf->seq = in->seq;
	ret = read_pieces(in, buf);
	if (!ret)
		ret = ckpt_parts_check(in->log, buf);
	if (!ret)
		return buf;
	ckpt_rec_free(buf);
	return ERR_PTR(ret);
}

int ckpt_in_end(struct ckpt_in *in, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_trailer *t = ckpt_get(buf, TRAILER, BASE);
	ssize_t more;
	char byte;

	if (t->nr_records != in->seq || t->nr_pages != in->pages || t->bytes != in->pos)
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
