// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that mappings share and that has no name in a file system: shared
 * anonymous memory and memfd.  Copy on write does not cover it, so its pages
 * are copied while the container is frozen.  T8, C4.
 */
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <uapi/linux/fcntl.h>

#include "file.h"
#include "ipc.h"
#include "memory.h"

#define CKPT_MEMFD_PREFIX "memfd:"
/* what is put back as it was */
#define CKPT_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | \
		    F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

struct shmem_copy {
	struct ckpt_source src;
	struct inode *inode;		/* the container's, which its object holds while it is copied */
	pgoff_t nr;			/* pages, as the image says */
	struct xarray pages;		/* struct page of ours, by index */
};

bool ckpt_is_shmem(struct file *file)
{
	return file->f_op == kv_shmem_file_operations &&
	       file_inode(file)->i_sb->s_flags & SB_KERNMOUNT;
}

/* an inode's only name is that of its one dentry; a memfd has one, other memory has none */
static int save_name(struct inode *inode, struct ckpt_image_shmem *img, struct ckpt_rec_out *rec)
{
	static const char prefix[] = CKPT_MEMFD_PREFIX;
	struct dentry *dentry = d_find_any_alias(inode);
	int ret = 0;

	if (!dentry)
		return 0;
	if (!strncmp(dentry->d_name.name, prefix, strlen(prefix))) {
		img->memfd = 1;
		ret = ckpt_put_string(rec, SHMEM, NAME, dentry->d_name.name + strlen(prefix));
	}
	dput(dentry);
	return ret;
}

static int shmem_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_shmem *img = ckpt_put(rec, FILE, SHMEM);

	if (!img)
		return -ENOMEM;
	if (ckpt_is_segment(file))
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "%pD: a descriptor or mapping of the memory of a segment of System V that shmat(2) has not made is not supported",
				   file);
	if (file->f_mode & FMODE_WRITER)
		img->flags = CKPT_SHMEM_WRITER;
	if (SHMEM_I(file_inode(file))->seals & ~CKPT_SEALS)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: a memfd with the seals %#x is not supported",
				   file, SHMEM_I(file_inode(file))->seals);
	return ckpt_obj_save(cp, &ckpt_type_shmem, file_inode(file), &img->shmem);
}

static int copy_page_of(struct address_space *mapping, pgoff_t index, struct xarray *to)
{
	gfp_t gfp = mapping_gfp_mask(mapping) | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	struct page *page, *copy;
	bool zero;
	void *from;
	int ret;

	page = shmem_read_mapping_page_gfp(mapping, index, gfp);
	/* somebody outside has cut it meanwhile */
	if (page == ERR_PTR(-EINVAL))
		return 0;
	if (IS_ERR(page))
		return PTR_ERR(page);
	from = kmap_local_page(page);
	zero = !memchr_inv(from, 0, PAGE_SIZE);
	kunmap_local(from);
	if (zero) {
		put_page(page);
		return 0;
	}
	copy = alloc_page(CKPT_GFP_COPY);
	if (!copy) {
		put_page(page);
		return -ENOMEM;
	}
	copy_highpage(copy, page);
	put_page(page);
	ret = xa_err(xa_store(to, index, copy, CKPT_GFP_COPY));
	if (ret)
		__free_page(copy);
	return ret;
}

/*
 * Only what is there, in memory or in swap: holes stay holes.  Each page is looked
 * for by its own index: khugepaged does not stand still, and may make one entry of
 * those before and behind it, which xa_for_each() takes for one that it has seen.
 */
int ckpt_copy_shmem_pages(struct ckpt_checkpoint *cp, struct address_space *mapping, pgoff_t nr,
			  struct xarray *to)
{
	unsigned long index;
	int ret;

	for (index = 0; index < nr; index++) {
		if (!xa_find(&mapping->i_pages, &index, nr - 1, XA_PRESENT))
			break;
		ret = copy_page_of(mapping, index, to);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ckpt_save_overdue(cp))
			return -ETIMEDOUT;
		cond_resched();
	}
	return 0;
}

static struct shmem_copy *shmem_copy(struct ckpt_source *src)
{
	return container_of(src, struct shmem_copy, src);
}

static int shmem_stream(struct ckpt_source *src, struct ckpt_page_batch *b,
			struct ckpt_sink *sink)
{
	return ckpt_stream_copies(&shmem_copy(src)->pages, b, sink);
}

static void shmem_free(struct ckpt_source *src)
{
	ckpt_free_copies(&shmem_copy(src)->pages);
	kfree(shmem_copy(src));
}

static const struct ckpt_source_ops shmem_source = {
	.stream = shmem_stream,
	.free = shmem_free,
};

/* ckpt_free_shared - give the copies of shared memory back; waits for nobody */
void ckpt_free_shared(struct ckpt_checkpoint *cp)
{
	ckpt_free_sources(cp, &shmem_source);
}

static int copy_all(struct ckpt_checkpoint *cp)
{
	struct ckpt_source *src;
	int ret;

	list_for_each_entry(src, ckpt_sources(cp), list) {
		struct inode *inode;

		if (src->ops != &shmem_source)
			continue;
		inode = shmem_copy(src)->inode;
		ret = ckpt_copy_shmem_pages(cp, inode->i_mapping, shmem_copy(src)->nr,
					    &shmem_copy(src)->pages);
		if (ret == -ENOMEM)
			return ckpt_fail(ckpt_save_log(cp), ret,
					 "there is no room for a copy of %lu KiB of shared memory, for which the container's cgroup pays: see memory.max, or memory.swap.max",
					 inode->i_mapping->nrpages << (PAGE_SHIFT - 10));
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * ckpt_copy_shared - copy all shared memory that was found; the container is frozen
 *
 * The container's memory cgroup pays for it until it is written, as it pays for
 * what it changes meanwhile of its other memory: so no checkpoint, and no number
 * of them, uses more than was given to the container.
 *
 * Returns 0, -ENOMEM with a sentence, -EINTR if current was killed, -ETIMEDOUT if
 * the container was let go.
 */
int ckpt_copy_shared(struct ckpt_checkpoint *cp)
{
	struct mem_cgroup *memcg, *old;
	int ret;

	memcg = get_mem_cgroup_from_mm(ckpt_save_root_task(cp)->mm);
	old = set_active_memcg(memcg);
	ret = copy_all(cp);
	set_active_memcg(old);
	mem_cgroup_put(memcg);
	return ret;
}

static int save_shmem(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_SHMEM);
	struct ckpt_image_shmem *img = ckpt_put(rec, SHMEM, BASE);
	struct inode *inode = obj->ptr;
	struct shmem_copy *copy;

	if (!img || save_name(inode, img, rec))
		return -ENOMEM;
	copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	img->ref = obj->ref;
	img->size = i_size_read(inode);
	img->seals = SHMEM_I(inode)->seals;
	img->mode = inode->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	copy->src.ref = obj->ref;
	copy->src.ops = &shmem_source;
	copy->inode = inode;
	copy->nr = DIV_ROUND_UP(img->size, PAGE_SIZE);
	xa_init_flags(&copy->pages, XA_FLAGS_ACCOUNT);
	ckpt_add_source(cp, &copy->src);
	return ckpt_done(cp, rec);
}

/* nobody else has the new inode yet */
static int set_owner(struct inode *inode, const struct ckpt_image_shmem *img)
{
	kuid_t uid = make_kuid(current_user_ns(), img->uid);
	kgid_t gid = make_kgid(current_user_ns(), img->gid);

	if (!uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	if ((!uid_eq(uid, inode->i_uid) || !gid_eq(gid, inode->i_gid)) && !capable(CAP_CHOWN))
		return -EPERM;
	inode->i_uid = uid;
	inode->i_gid = gid;
	inode->i_mode = S_IFREG | img->mode;
	return 0;
}

static int check_shmem(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_shmem *img = ckpt_get(buf, SHMEM, BASE);

	if (img->size > MAX_LFS_FILESIZE || img->mode & ~07777 ||
	    !!img->memfd != !!ckpt_get(buf, SHMEM, NAME))
		return ckpt_malformed(log, buf);
	if (img->seals & ~CKPT_SEALS)
		return ckpt_fail(log, -EOPNOTSUPP, "SHMEM %u has the seals %#x, which this kernel does not know",
				 img->ref, img->seals);
	return 0;
}

static void *restore_shmem(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_shmem *img = ckpt_get(buf, SHMEM, BASE);
	const char *name = ckpt_get(buf, SHMEM, NAME);
	struct file *file;
	char *full;

	full = name ? kasprintf(GFP_KERNEL, "%s%s", CKPT_MEMFD_PREFIX, name) :
		      kstrdup("dev/zero", GFP_KERNEL);
	if (!full)
		return ERR_PTR(-ENOMEM);
	file = shmem_file_setup(full, img->size, VM_NORESERVE);
	kfree(full);
	if (IS_ERR(file))
		return file;
	/* as memfd_create(2) does */
	if (name)
		file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return ckpt_file_or(file, set_owner(file_inode(file), img));
}

int ckpt_have_shmem(struct ckpt_restart *rs, u32 ref, struct file *file, u64 size)
{
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_shmem);
	const struct ckpt_image_shmem *img = buf ? ckpt_get(buf, SHMEM, BASE) : NULL;
	int ret;

	if (!img || img->memfd || img->size != size)
		return -EINVAL;
	ret = set_owner(file_inode(file), img);
	return ret ? : ckpt_add_restored(rs, ref, &ckpt_type_shmem, get_file(file));
}

/* after everybody: a seal would be in the way of the mappings and contents that it allowed */
static int finish_shmem(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	const struct ckpt_image_shmem *img = ckpt_get(buf, SHMEM, BASE);
	struct inode *inode = file_inode(ptr);

	/* as fcntl(F_ADD_SEALS) asks */
	if (img->seals & F_SEAL_WRITE && mapping_deny_writable(inode->i_mapping))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				 "SHMEM %u is sealed against writing, and mapped so that it can be written to",
				 img->ref);
	SHMEM_I(inode)->seals = img->seals;
	return 0;
}

/* a seal that is set for one mapping must not be there for another */
static DEFINE_MUTEX(sealed_for_mapping);

/*
 * ckpt_mmap_shmem - map shared memory that has its seals yet to come
 * @sealed: it was mapped when it was sealed against writing, and cannot become writable
 */
unsigned long ckpt_mmap_shmem(struct file *file, unsigned long addr, unsigned long len,
			      unsigned long prot, unsigned long flags, u64 offset, bool sealed)
{
	struct shmem_inode_info *info = SHMEM_I(file_inode(file));
	unsigned int seals;

	mutex_lock(&sealed_for_mapping);
	seals = info->seals;
	if (sealed)
		info->seals |= F_SEAL_FUTURE_WRITE;
	addr = vm_mmap(file, addr, len, prot, flags, offset);
	info->seals = seals;
	mutex_unlock(&sealed_for_mapping);
	return addr;
}

static void take_inode(void *ptr)
{
	ihold(ptr);
}

static void drop_inode(void *ptr)
{
	iput(ptr);
}

static void put_file(void *ptr)
{
	fput(ptr);
}

/* known by its inode; at restart by a file of ours */
const struct ckpt_type ckpt_type_shmem = {
	.name = "SHMEM",
	.record = CKPT_REC_SHMEM,
	.take = take_inode,
	.drop = drop_inode,
	.save = save_shmem,
	.check = check_shmem,
	.restore = restore_shmem,
	.finish = finish_shmem,
	.put = put_file,
};

static int shmem_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_shmem *img = ckpt_get(buf, FILE, SHMEM);

	return img && !(img->flags & ~CKPT_SHMEM_WRITER) ? 0 : ckpt_malformed(log, buf);
}

/* one that memfd_create(2) or mmap(2) made does not count as a writer, and can be executed */
static struct file *clone_file(struct file *base, u32 flags, const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	struct file *file = k_alloc_file_clone(base, flags, base->f_op);

	revert_creds(old);
	if (!IS_ERR(file))
		file->f_mode |= base->f_mode & (FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE);
	return file;
}

static struct file *shmem_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				  const struct cred *cred)
{
	const struct ckpt_image_file_shmem *img = ckpt_get(buf, FILE, SHMEM);
	u32 flags = ckpt_get(buf, FILE, BASE)->flags &
		    (O_ACCMODE | O_APPEND | O_NONBLOCK | O_LARGEFILE);
	struct file *base = ckpt_restore_obj(rs, img->shmem, &ckpt_type_shmem);

	if (IS_ERR(base))
		return base;
	/* its size is the kernel's alone to set */
	if (ckpt_is_segment(base))
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL,
					 "SHMEM %u is the memory of a segment of System V, of which nobody has a descriptor",
					 img->shmem));
	if (flags & O_ACCMODE && !(img->flags & CKPT_SHMEM_WRITER))
		return clone_file(base, flags, cred);
	return dentry_open(&base->f_path, flags, cred);
}

const struct ckpt_file_ops ckpt_file_shmem = {
	.name = "shmem",
	.kind = CKPT_FILE_SHMEM,
	.has_cred = true,
	.mine = ckpt_is_shmem,
	.save = shmem_save,
	.check = shmem_check,
	.restore = shmem_restore,
};
