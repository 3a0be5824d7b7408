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

/*
 * ckpt_stream_copies - a source of copied pages
 * @pages: struct page by index; they go with the batch, as it may be a long way to the end
 */
int ckpt_stream_copies(struct xarray *pages, struct ckpt_page_batch *b, struct ckpt_sink *sink)
{
	struct page *page;
	unsigned long index;
	int ret;

	xa_for_each(pages, index, page) {
		xa_erase(pages, index);
		b->addr[b->nr] = (u64)index << PAGE_SHIFT;
		b->page[b->nr++] = page;
		if (b->nr == CKPT_PAGES_MAX) {
			ret = sink->put(sink, b);
			if (ret)
				return ret;
		}
	}
	return sink->put(sink, b);
}

void ckpt_free_copies(struct xarray *pages)
{
	struct page *page;
	unsigned long index;

	xa_for_each(pages, index, page)
		__free_page(page);
	xa_destroy(pages);
}

/* how many pages from @i on lie one behind the other */
static u32 run_len(const struct ckpt_page_batch *b, u32 i)
{
	u32 n = 1;

	while (i + n < b->nr && b->addr[i + n] == b->addr[i + n - 1] + PAGE_SIZE)
		n++;
	return n;
}

static u32 count_runs(const struct ckpt_page_batch *b)
{
	u32 i, nr = 0;

	for (i = 0; i < b->nr; i += run_len(b, i))
		nr++;
	return nr;
}

static u64 sum_of(const struct ckpt_page_batch *b, u32 from, u32 nr)
{
	struct xxh64_state state;
	u32 i;

	xxh64_reset(&state, 0);
	for (i = from; i < from + nr; i++) {
		void *p = kmap_local_page(b->page[i]);

		xxh64_update(&state, p, PAGE_SIZE);
		kunmap_local(p);
	}
	return xxh64_digest(&state);
}

/* a record whose end, where the payloads start, is at a multiple of a page */
static int pages_rec(struct ckpt_out *out, const struct ckpt_page_batch *b)
{
	struct ckpt_rec_out *rec = ckpt_rec_new(out, CKPT_REC_PAGES);
	struct ckpt_image_pages *img = ckpt_put(rec, PAGES, BASE);
	struct ckpt_image_run *run = ckpt_put_nr(rec, PAGES, RUNS, count_runs(b));
	u64 end;
	u32 i, n;

	if (!img || !run)
		return -ENOMEM;
	img->ref = b->ref;
	img->nr = b->nr;
	for (i = 0; i < b->nr; i += n) {
		n = run_len(b, i);
		run->addr = b->addr[i];
		run->count = n;
		run->sum = sum_of(b, i, n);
		run++;
	}
	end = out->pos + sizeof(struct ckpt_rec) + rec->len + sizeof(struct ckpt_part);
	if (!ckpt_put_nr(rec, PAGES, FILL, ALIGN(end, CKPT_PAGE_SIZE) - end))
		return -ENOMEM;
	ckpt_rec_done(out, rec);
	return 0;
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
	int ret;

	if (!b->nr)
		return 0;
	ret = pages_rec(out, b);
	if (!ret)
		ret = ckpt_out_flush(out);
	if (!ret)
		ret = write_pages(out, b);
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

/* those of a kind, or with NULL all */
void ckpt_free_sources(struct ckpt_checkpoint *cp, const struct ckpt_source_ops *ops)
{
	struct ckpt_source *src, *next;

	list_for_each_entry_safe(src, next, ckpt_sources(cp), list) {
		if (ops && src->ops != ops)
			continue;
		list_del(&src->list);
		src->ops->free(src);
	}
}
