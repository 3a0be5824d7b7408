// SPDX-License-Identifier: GPL-2.0-only
/*
 * seccomp filters.  Each has the one that was set before it; tasks that were forked,
 * and threads, share them.  T6.
 *
 * Their struct is the kernel's own: its type information says where what we read is.
 */
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/slab.h>

#include "btf.h"
#include "filters.h"
#include "task.h"

static u32 refs_at, users_at, log_at, prev_at, prog_at, notif_at;
static bool known;

#define MEMBER(name, type) { #name, type, sizeof(void *), &name##_at }

/* behind ckpt_symbols_init() */
void ckpt_filters_init(void)
{
	static const struct ckpt_member members[] = {
		{ "refs", "refcount_t", sizeof(refcount_t), &refs_at },
		{ "users", "refcount_t", sizeof(refcount_t), &users_at },
		{ "log", "bool", sizeof(bool), &log_at },
		MEMBER(prev, "struct seccomp_filter *"),
		MEMBER(prog, "struct bpf_prog *"),
		MEMBER(notif, "struct notification *"),
	};

	known = !ckpt_lacks(CKPT_FOR_SECCOMP) &&
		!ckpt_btf_find("seccomp_filter", members, ARRAY_SIZE(members));
	if (!known)
		pr_warn("ckpt: seccomp filters are not supported: this kernel's struct is not known\n");
}

/* for tasks, and one for a filter behind it, and ours: as long as there is one it is there */
static refcount_t *refs_of(struct seccomp_filter *f)
{
	return (void *)f + refs_at;
}

/* the same without ours of a checkpoint: those who are under it */
static refcount_t *users_of(struct seccomp_filter *f)
{
	return (void *)f + users_at;
}

static struct seccomp_filter *prev_of(struct seccomp_filter *f)
{
	return *(struct seccomp_filter **)((void *)f + prev_at);
}

static struct bpf_prog *prog_of(struct seccomp_filter *f)
{
	return *(struct bpf_prog **)((void *)f + prog_at);
}

static void take(void *ptr)
{
	refcount_inc(refs_of(ptr));
}

/* as the kernel's __put_seccomp_filter() */
static void drop(void *ptr)
{
	struct seccomp_filter *f = ptr, *prev;

	while (f && refcount_dec_and_test(refs_of(f))) {
		prev = prev_of(f);
		bpf_prog_destroy(prog_of(f));
		kfree(f);
		f = prev;
	}
}

/* as a task that is forked has them */
static void take_used(struct seccomp_filter *f)
{
	if (!f)
		return;
	take(f);
	refcount_inc(users_of(f));
}

/* as the kernel's __seccomp_filter_release(): there is no listener who waits for the last user */
static void drop_used(void *ptr)
{
	struct seccomp_filter *f = ptr;

	while (f && refcount_dec_and_test(users_of(f)))
		f = prev_of(f);
	drop(ptr);
}

static int nr_of(struct seccomp_filter *f)
{
	int nr = 0;

	for (; f; f = prev_of(f))
		nr++;
	return nr;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct seccomp_filter *f = obj->ptr, *prev = prev_of(f);
	const struct sock_fprog_kern *prog = prog_of(f)->orig_prog;
	struct ckpt_image_filter *img;
	struct ckpt_rec_out *rec;
	u32 prev_ref;
	void *insns;
	int ret;

	if (READ_ONCE(*(void **)((void *)f + notif_at)))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a seccomp filter with a listener (SECCOMP_FILTER_FLAG_NEW_LISTENER) is not supported");
	if (!prog)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a seccomp filter whose program the kernel has not kept is not supported");
	/* it is saved already */
	ret = ckpt_obj_save(cp, &ckpt_type_filter, prev, &prev_ref);
	if (ret)
		return ret;
	rec = ckpt_rec(cp, CKPT_REC_FILTER);
	img = ckpt_put(rec, FILTER, BASE);
	insns = ckpt_put_nr(rec, FILTER, PROGRAM, prog->len);
	if (!img || !insns)
		return -ENOMEM;
	BUILD_BUG_ON(sizeof(struct ckpt_image_insn) != sizeof(*prog->filter));
	img->ref = obj->ref;
	img->prev = prev_ref;
	if (*(bool *)((void *)f + log_at))
		img->flags |= CKPT_FILTER_LOG;
	memcpy(insns, prog->filter, bpf_classic_proglen(prog));
	return ckpt_done(cp, rec);
}

/* the first one first, without going down as deep as there are many */
static int save_all(struct ckpt_checkpoint *cp, struct seccomp_filter *last, u32 *ref)
{
	int i, ret = 0, nr = nr_of(last);
	struct seccomp_filter **all, *f;

	/* most tasks share theirs, with all before it */
	if (ckpt_obj_find(cp, &ckpt_type_filter, last))
		return ckpt_obj_save(cp, &ckpt_type_filter, last, ref);
	all = kvmalloc_array(nr, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	for (i = nr, f = last; f; f = prev_of(f))
		all[--i] = f;
	for (i = 0; i < nr && !ret; i++)
		ret = ckpt_obj_save(cp, &ckpt_type_filter, all[i], ref);
	kvfree(all);
	return ret;
}

/* whoever is killed meanwhile lets go of its own */
static struct seccomp_filter *filter_of(struct task_struct *t)
{
	struct seccomp_filter *f = NULL;
	struct sighand_struct *sighand;
	unsigned long flags;

	sighand = k___lock_task_sighand(t, &flags);
	if (!__cond_lock(&sighand->siglock, sighand))
		return NULL;
	f = t->seccomp.filter;
	if (f)
		take(f);
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return f;
}

int ckpt_save_filters(struct ckpt_checkpoint *cp, struct task_struct *t, u32 *ref)
{
	struct seccomp_filter *f;
	int ret;

	if (ckpt_lacks(CKPT_FOR_SECCOMP))
		return ckpt_refuse_lack(cp, CKPT_FOR_SECCOMP);
	if (!known)
		return ckpt_refuse(cp, -EOPNOTSUPP, "seccomp filters are not supported on this kernel, whose struct seccomp_filter is not known");
	f = filter_of(t);
	if (!f)
		return -EAGAIN;
	ret = save_all(cp, f, ref);
	drop(f);
	return ret;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_filter *img = ckpt_get(buf, FILTER, BASE);

	if (ckpt_lacks(CKPT_FOR_SECCOMP))
		return ckpt_fail_lack(log, CKPT_FOR_SECCOMP);
	if (!known)
		return ckpt_fail(log, -EOPNOTSUPP, "seccomp filters are not supported on this kernel, whose struct seccomp_filter is not known");
	/* so that a filter is never before itself */
	return img->prev < img->ref ? 0 : ckpt_malformed(log, buf);
}

static void attach(struct seccomp_filter *f, int mode)
{
	int nr = nr_of(f);

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	current->seccomp.filter = f;
	atomic_set(&current->seccomp.filter_count, nr);
	current->seccomp.mode = mode;
	if (mode == SECCOMP_MODE_DISABLED) {
		clear_task_syscall_work(current, SECCOMP);
	} else {
		/* as the kernel: never without the filter */
		smp_mb__before_atomic();
		set_task_syscall_work(current, SECCOMP);
	}
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

/*
 * As somebody without privileges: for those of the restarter the kernel leaves out what
 * protects it from a program that it compiles, and nobody knows who has set this one.
 */
static long set_unprivileged(unsigned long flags, unsigned long prog)
{
	const bool had = task_no_new_privs(current);
	struct cred *cred = prepare_creds();
	const struct cred *old;
	long ret;

	if (!cred)
		return -ENOMEM;
	cap_clear(cred->cap_effective);
	old = override_creds(cred);
	task_set_no_new_privs(current);
	ret = ckpt_syscall(seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);
	/* a part of its own brings it back */
	if (!had)
		clear_bit(PFA_NO_NEW_PRIVS, &current->atomic_flags);
	revert_creds(old);
	put_cred(cred);
	return ret;
}

/*
 * seccomp(2) makes it, with all its checks, for current behind @prev, and current
 * has none again.  What is refused of speculation is not asked for.
 */
static struct seccomp_filter *make(struct seccomp_filter *prev, unsigned long prog, u32 flags)
{
	struct seccomp_filter *f;
	long ret;

	take_used(prev);
	attach(prev, SECCOMP_MODE_DISABLED);
	ret = set_unprivileged(SECCOMP_FILTER_FLAG_SPEC_ALLOW |
			       (flags & CKPT_FILTER_LOG ? SECCOMP_FILTER_FLAG_LOG : 0), prog);
	f = current->seccomp.filter;
	attach(NULL, SECCOMP_MODE_DISABLED);
	if (!ret)
		return f;
	drop_used(prev);
	return ERR_PTR(ret);
}

/* the program where seccomp(2) can read it: it may be longer than the scratch page */
static struct seccomp_filter *make_from(struct seccomp_filter *prev, const void *insns, u64 nr,
					u32 flags)
{
	size_t len = nr * sizeof(struct sock_filter), size = PAGE_ALIGN(sizeof(struct sock_fprog) + len);
	struct seccomp_filter *f = ERR_PTR(-EFAULT);
	struct sock_fprog prog = { .len = nr };
	unsigned long at;

	at = vm_mmap(NULL, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(at))
		return ERR_PTR(at);
	prog.filter = (void __user *)(at + sizeof(prog));
	if (!copy_to_user((void __user *)at, &prog, sizeof(prog)) &&
	    !copy_to_user(prog.filter, insns, len))
		f = make(prev, at, flags);
	vm_munmap(at, size);
	return f;
}

/* current has no filter yet: who has one from the restarter is refused before */
static void *restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_filter *img = ckpt_get(buf, FILTER, BASE);
	struct seccomp_filter *prev = NULL, *f;
	const void *insns;
	u64 nr;

	insns = ckpt_get_nr(buf, FILTER, PROGRAM, &nr);
	if (img->prev) {
		prev = ckpt_find_restored(rs, img->prev, &ckpt_type_filter);
		if (!prev)
			return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL,
						 "the image has no FILTER %u before %u",
						 img->prev, img->ref));
	}
	f = make_from(prev, insns, nr, img->flags);
	if (IS_ERR(f))
		ckpt_fail(ckpt_restore_log(rs), PTR_ERR(f), "FILTER %u cannot be set: error %ld",
			  img->ref, -PTR_ERR(f));
	return f;
}

/* in the order of the image, in which each is behind the one before it */
static int restore_all(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf = NULL;
	void *f;

	while ((buf = ckpt_next_rec(rs, buf, CKPT_REC_FILTER))) {
		f = ckpt_restore_obj(rs, ckpt_ref_of(buf), &ckpt_type_filter);
		if (IS_ERR(f))
			return PTR_ERR(f);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/*
 * Long before the task runs again, as all must have theirs before the first can
 * call seccomp(2).  What the engine does in its name until then is no system call
 * that a filter sees.
 */
int ckpt_restore_filters(struct ckpt_restart *rs, u32 ref)
{
	struct seccomp_filter *f = ckpt_find_restored(rs, ref, &ckpt_type_filter);
	int ret = f ? 0 : restore_all(rs);

	if (ret)
		return ret;
	f = ckpt_find_restored(rs, ref, &ckpt_type_filter);
	if (!f)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no FILTER %u", ref);
	take_used(f);
	attach(f, SECCOMP_MODE_FILTER);
	return 0;
}

const struct ckpt_type ckpt_type_filter = {
	.name = "FILTER",
	.record = CKPT_REC_FILTER,
	.take = take,
	.drop = drop,
	.save = save,
	.check = check,
	.restore = restore,
	.put = drop_used,
};
