/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contents of memory.  A source is something that has pages (an address space,
 * shared memory); it is copied while the container stands still and written
 * afterwards.  A sink takes batches of pages.
 */
#ifndef _CKPT_MEMORY_H
#define _CKPT_MEMORY_H

#include <linux/mm_types.h>

#include "restore.h"
#include "save.h"

struct ckpt_page_batch {
	u32 nr;
	u32 ref;			/* of the object whose they are */
	u64 addr[CKPT_PAGES_MAX];
	struct page *page[CKPT_PAGES_MAX];	/* a reference each */
};

/* memory/stream.c */
void ckpt_batch_put(struct ckpt_page_batch *batch);

struct ckpt_sink {
	/* take the batch and let its pages go, also on error */
	int (*put)(struct ckpt_sink *sink, struct ckpt_page_batch *batch);
};

struct ckpt_source;

struct ckpt_source_ops {
	/* write all pages that hold something; nothing is frozen any more */
	int (*stream)(struct ckpt_source *src, struct ckpt_page_batch *batch,
		      struct ckpt_sink *sink);
	/* give everything back, the source itself, too */
	void (*free)(struct ckpt_source *src);
};

struct ckpt_source {
	struct list_head list;
	const struct ckpt_source_ops *ops;
	u32 ref;			/* of the object in the image */
};

/* sources are streamed in the order in which they were added */
void ckpt_add_source(struct ckpt_checkpoint *cp, struct ckpt_source *src);
struct list_head *ckpt_sources(struct ckpt_checkpoint *cp);
int ckpt_stream_sources(struct ckpt_checkpoint *cp);
void ckpt_free_sources(struct ckpt_checkpoint *cp, const struct ckpt_source_ops *ops);
/* of copied pages by index */
int ckpt_stream_copies(struct xarray *pages, struct ckpt_page_batch *b, struct ckpt_sink *sink);
void ckpt_free_copies(struct xarray *pages);

/* memory/copy.c, memory/walk.c: of every address space a copy on write; the container is frozen */
struct ckpt_mm_copy {
	struct ckpt_source src;
	struct mm_struct *mm;		/* the container's, a reference is held */
	struct mm_struct *copy;		/* ours, a reference is held */
};

static inline struct ckpt_mm_copy *ckpt_mm_copy_of(struct ckpt_source *src)
{
	return container_of(src, struct ckpt_mm_copy, src);
}

int ckpt_copy_mms(struct ckpt_checkpoint *cp);
extern const struct ckpt_source_ops ckpt_mm_source;

#define ckpt_for_each_mm(src, cp)					\
	list_for_each_entry(src, ckpt_sources(cp), list)		\
		if ((src)->ops == &ckpt_mm_source)

/* memory/trim.c: no file is left in the copies; was a mapping a file's, so that zeroes in it are contents? */
int ckpt_trim_copies(struct ckpt_checkpoint *cp);
bool ckpt_copy_was_file(struct vm_area_struct *vma);

/* memory/breakpoints.c: uprobes; mmap_lock is held */
bool ckpt_vma_is_uprobes(struct vm_area_struct *vma);
bool ckpt_vma_has_breakpoints(struct vm_area_struct *vma);

/* for copies: rather none than that somebody is killed for it, and the container pays */
#define CKPT_GFP_COPY (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* memory/shared.c: memory that mappings share and that has no name */
bool ckpt_is_shmem(struct file *file);
int ckpt_copy_shared(struct ckpt_checkpoint *cp);
void ckpt_free_shared(struct ckpt_checkpoint *cp);
/* what is there of the first @nr pages of a tmpfs's file or its like, by index; the container's cgroup is active */
int ckpt_copy_shmem_pages(struct ckpt_checkpoint *cp, struct address_space *mapping, pgoff_t nr,
			  struct xarray *to);
/*
 * @file is the memory of a SHMEM that somebody else has made, such as of a segment of
 * System V: -EINVAL if it has another size or a name.  The lock of making is held.
 */
int ckpt_have_shmem(struct ckpt_restart *rs, u32 ref, struct file *file, u64 size);
unsigned long ckpt_mmap_shmem(struct file *file, unsigned long addr, unsigned long len,
			      unsigned long prot, unsigned long flags, u64 offset, bool sealed);

/* memory/kept.c: contents of files that have no name any more; @file's reference is taken over */
int ckpt_keep_contents(struct ckpt_checkpoint *cp, u32 ref, struct file *file, loff_t size);
int ckpt_keep_shmem(struct ckpt_checkpoint *cp, u32 ref, struct inode *inode, loff_t size);
loff_t ckpt_data_in(struct ckpt_checkpoint *cp, struct file *file, loff_t size, loff_t most);
int ckpt_copy_kept(struct ckpt_checkpoint *cp);
void ckpt_free_kept(struct ckpt_checkpoint *cp);

/* memory/filled.c: the executable that is a deleted file, and a locked mapping of one or of a tmpfs, wait for their contents */
bool ckpt_is_unfilled(struct ckpt_restart *rs, u32 ref);
bool ckpt_locks_later(struct ckpt_restart *rs, const struct ckpt_image_vma *v);
int ckpt_change_exe(struct mm_struct *mm, struct file *exe);
int ckpt_finish_filled(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct mm_struct *mm);

/* memory/return.c */
int ckpt_finish_mm(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr);
int ckpt_restore_membarrier(u32 cmds);
int ckpt_check_mm_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf);

/* memory/contents.c */
/* into the restored; or only past the reader, to see whether they are right */
int ckpt_read_pages(struct ckpt_restart *rs);
int ckpt_verify_pages(struct ckpt_restart *rs);

#endif
