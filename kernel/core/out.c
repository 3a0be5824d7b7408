// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image on its way out: records are made in memory while the container is
 * frozen and written later.
 */
#include <linux/mm.h>
#include <linux/uio.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "record.h"

struct part_out {
	struct list_head list;
	u64 len;			/* bytes of head and data in the stream */
	struct ckpt_part head;		/* the data follow it */
};

void ckpt_out_init(struct ckpt_out *out)
{
	INIT_LIST_HEAD(&out->open);
	INIT_LIST_HEAD(&out->records);
}

static void rec_free(struct ckpt_rec_out *rec)
{
	struct part_out *part, *next;

	list_for_each_entry_safe(part, next, &rec->parts, list)
		kvfree(part);
	list_del(&rec->list);
	kfree(rec);
}

void ckpt_out_free(struct ckpt_out *out)
{
	struct ckpt_rec_out *rec, *next;

	list_for_each_entry_safe(rec, next, &out->open, list)
		rec_free(rec);
	list_for_each_entry_safe(rec, next, &out->records, list)
		rec_free(rec);
}

struct ckpt_rec_out *ckpt_rec_new(struct ckpt_out *out, u16 type)
{
	struct ckpt_rec_out *rec;

	rec = kzalloc(sizeof(*rec), GFP_KERNEL_ACCOUNT);
	if (!rec)
		return NULL;
	rec->type = type;
	rec->out = out;
	INIT_LIST_HEAD(&rec->parts);
	list_add_tail(&rec->list, &out->open);
	return rec;
}

void ckpt_rec_done(struct ckpt_out *out, struct ckpt_rec_out *rec)
{
	out->len += sizeof(*rec) + rec->len;
	list_move_tail(&rec->list, &out->records);
}

void *ckpt_part_new(struct ckpt_rec_out *rec, u16 tag, u32 size, u64 nr)
{
	struct part_out *part;
	u64 len = size * nr;

	if (!rec)
		return NULL;
	if (nr > ckpt_part_max(rec->type, tag) || nr > CKPT_RECORDS_MAX || len > CKPT_RECORDS_MAX) {
		rec->out->too_long = rec->type;
		return NULL;
	}
	part = kvzalloc(sizeof(*part) + ALIGN(len, 8), GFP_KERNEL_ACCOUNT);
	if (!part)
		return NULL;
	part->len = sizeof(part->head) + ALIGN(len, 8);
	part->head.tag = tag;
	part->head.size = size;
	part->head.len = len;
	list_add_tail(&part->list, &rec->parts);
	rec->len += part->len;
	return &part->head + 1;
}

int ckpt_string_new(struct ckpt_rec_out *rec, u16 tag, const char *s)
{
	size_t len = strlen(s) + 1;
	char *to = ckpt_part_new(rec, tag, 1, len);

	if (!to)
		return -ENOMEM;
	memcpy(to, s, len);
	return 0;
}

/* a device may have a way for buffers of the kernel beside that for users', which kernel_write() rejects */
static ssize_t write_some(struct file *file, const void *p, size_t len, loff_t *pos)
{
	struct kvec kv = { .iov_base = (void *)p, .iov_len = len };
	struct iov_iter iter;
	loff_t none = 0;

	if (!S_ISCHR(file_inode(file)->i_mode))
		return kernel_write(file, p, len, pos);
	iov_iter_kvec(&iter, WRITE, &kv, 1, len);
	return vfs_iter_write(file, &iter, pos ? : &none, 0);
}

int ckpt_out_write(struct ckpt_out *out, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		loff_t *pos = out->file->f_mode & FMODE_STREAM ? NULL : &out->file->f_pos;
		ssize_t n;

		if (fatal_signal_pending(current))
			return -EINTR;
		n = write_some(out->file, p, len, pos);
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

/* a place in a record's body */
struct place {
	struct part_out *part;
	u64 offset;
};

/* the next bytes of the body, at most @max; the record has them */
static const void *next_bytes(struct place *at, size_t max, size_t *len)
{
	const u8 *p;

	if (at->offset == at->part->len) {
		at->part = list_next_entry(at->part, list);
		at->offset = 0;
	}
	p = (const u8 *)&at->part->head + at->offset;
	*len = min_t(u64, max, at->part->len - at->offset);
	at->offset += *len;
	return p;
}

static u64 sum_of(const struct ckpt_rec *head, struct place at)
{
	struct xxh64_state state;
	size_t left = head->len, n;

	xxh64_reset(&state, 0);
	xxh64_update(&state, head, sizeof(*head));
	for (; left; left -= n) {
		const void *p = next_bytes(&at, left, &n);

		xxh64_update(&state, p, n);
	}
	return xxh64_digest(&state);
}

static int write_piece(struct ckpt_out *out, struct ckpt_rec *head, struct place *at)
{
	size_t left = head->len, n;
	int ret;

	head->sum = sum_of(head, *at);
	ret = ckpt_out_write(out, head, sizeof(*head));
	for (; left && !ret; left -= n) {
		const void *p = next_bytes(at, left, &n);

		ret = ckpt_out_write(out, p, n);
	}
	return ret;
}

/* a record that is too long for one goes on in the next */
static int write_rec(struct ckpt_out *out, struct ckpt_rec_out *rec)
{
	struct place at = {};
	u64 left = rec->len;
	int ret;

	if (left)
		at.part = list_first_entry(&rec->parts, struct part_out, list);
	do {
		struct ckpt_rec head = {
			.magic = CKPT_REC_MAGIC,
			.type = rec->type,
			.flags = left > CKPT_REC_LEN_MAX ? CKPT_REC_MORE : 0,
			.len = min_t(u64, left, CKPT_REC_LEN_MAX),
			.seq = out->seq++,
		};

		ret = write_piece(out, &head, &at);
		left -= head.len;
	} while (left && !ret);
	return ret;
}

/* write what is done so far, and forget it */
int ckpt_out_flush(struct ckpt_out *out)
{
	struct ckpt_rec_out *rec, *next;
	int ret;

	list_for_each_entry_safe(rec, next, &out->records, list) {
		ret = write_rec(out, rec);
		if (ret)
			return ret;
		rec_free(rec);
	}
	return 0;
}

int ckpt_out_trailer(struct ckpt_out *out)
{
	struct ckpt_rec_out *rec = ckpt_rec_new(out, CKPT_REC_TRAILER);
	struct ckpt_image_trailer *t = ckpt_put(rec, TRAILER, BASE);

	if (!t)
		return -ENOMEM;
	t->nr_records = out->seq + 1;
	t->nr_pages = out->pages;
	t->bytes = out->pos + sizeof(struct ckpt_rec) + rec->len;
	ckpt_rec_done(out, rec);
	return ckpt_out_flush(out);
}
