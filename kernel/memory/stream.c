// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of memory on their way out: sources, and the stream as their sink.
 * S10.
 */
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "memory.h"

void ckpt_batch_put(struct ckpt_page_batch *b)
{
	u32 i;

	for (i = 0; i < b->nr; i++)
		put_page(b->page[i]);
	b->nr = 0;
}

u64 ckpt_page_sum(struct page *page)
{
	void *p = kmap_local_page(page);
	u64 sum = xxh64(p, PAGE_SIZE, 0);

	kunmap_local(p);
	return sum;
}

/* a record whose end, where the payloads start, is at a multiple of a page */
static struct ckpt_image_pages *pages_rec(struct ckpt_out *out, u32 nr)
{
	struct ckpt_image_pages *img;
	u64 end = out->pos + sizeof(struct ckpt_rec) + struct_size(img, pages, nr);

	return ckpt_rec_new(out, CKPT_REC_PAGES, struct_size(img, pages, nr) +
			    (ALIGN(end, CKPT_PAGE_SIZE) - end));
}

struct stream_sink {
	struct ckpt_sink sink;
	struct ckpt_out *out;
};

static int write_pages(struct ckpt_out *out, const struct ckpt_page_batch *b)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < b->nr && !ret; i++) {
		void *p = kmap_local_page(b->page[i]);

		ret = ckpt_out_write(out, p, PAGE_SIZE);
		kunmap_local(p);
		out->pages++;
	}
	return ret;
}

static int stream_put(struct ckpt_sink *sink, struct ckpt_page_batch *b)
{
	struct ckpt_out *out = container_of(sink, struct stream_sink, sink)->out;
	struct ckpt_image_pages *img;
	int ret = -ENOMEM;
	u32 i;

	if (!b->nr)
		return 0;
	img = pages_rec(out, b->nr);
	if (!img)
		goto out;
	img->ref = b->ref;
	img->nr = b->nr;
	for (i = 0; i < b->nr; i++) {
		img->pages[i].addr = b->addr[i];
		img->pages[i].sum = ckpt_page_sum(b->page[i]);
	}
	ret = ckpt_out_flush(out);
	if (!ret)
		ret = write_pages(out, b);
out:
	ckpt_batch_put(b);
	return ret;
}

/* all sources, each given back as soon as it is written */
int ckpt_stream_sources(struct ckpt_checkpoint *cp)
{
	struct stream_sink sink = { .sink.put = stream_put, .out = ckpt_save_out(cp) };
	struct ckpt_source *src, *next;
	struct ckpt_page_batch *b;
	int ret = 0;

	b = kvzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	list_for_each_entry_safe(src, next, ckpt_sources(cp), list) {
		b->ref = src->ref;
		ret = src->ops->stream(src, b, &sink.sink);
		if (ret)
			break;
		list_del(&src->list);
		src->ops->free(src);
	}
	kvfree(b);
	return ret;
}

void ckpt_free_sources(struct ckpt_checkpoint *cp)
{
	struct ckpt_source *src, *next;

	list_for_each_entry_safe(src, next, ckpt_sources(cp), list) {
		list_del(&src->list);
		src->ops->free(src);
	}
}
