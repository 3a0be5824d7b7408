// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task and its process have used of processors and disks: clocks of CPU
 * time, times(2), getrusage(2), /proc/PID/io.  They go on where they were.  T4.
 */
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>

#include "part.h"
#include "task.h"

enum { OWN, DEAD_THREADS, CHILDREN };

/* so long that no sum of a process's can be too long for the kernel, which divides by it: 73 years */
#define CKPT_USAGE_MAX (1ULL << 61)

#ifdef CONFIG_TASK_IO_ACCOUNTING
static void save_io(const struct task_io_accounting *ioac, struct ckpt_image_usage *img)
{
	img->rchar = ioac->rchar;
	img->wchar = ioac->wchar;
	img->syscr = ioac->syscr;
	img->syscw = ioac->syscw;
	img->read_bytes = ioac->read_bytes;
	img->write_bytes = ioac->write_bytes;
	img->cancelled_write_bytes = ioac->cancelled_write_bytes;
}

static void add_io(struct task_io_accounting *ioac, const struct ckpt_image_usage *img)
{
	ioac->rchar += img->rchar;
	ioac->wchar += img->wchar;
	ioac->syscr += img->syscr;
	ioac->syscw += img->syscw;
	ioac->read_bytes += img->read_bytes;
	ioac->write_bytes += img->write_bytes;
	ioac->cancelled_write_bytes += img->cancelled_write_bytes;
}
#else
static void save_io(const struct task_io_accounting *ioac, struct ckpt_image_usage *img)
{
}

static void add_io(struct task_io_accounting *ioac, const struct ckpt_image_usage *img)
{
}
#endif

/*
 * User and system time are told as shares of the runtime, by the ticks that hit
 * each; what was told once does not go back, however the shares change.  Others
 * may ask meanwhile.
 */
static void save_told(struct prev_cputime *prev, struct ckpt_image_usage *img)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&prev->lock, flags);
	img->told_utime = prev->utime;
	img->told_stime = prev->stime;
	raw_spin_unlock_irqrestore(&prev->lock, flags);
}

/*
 * Of current or its process; interrupts are off.  Who has asked in the middle of
 * this was told of what is here of the image already, so it is not added to that.
 */
static void set_told(struct prev_cputime *prev, const struct ckpt_image_usage *img)
{
	raw_spin_lock(&prev->lock);
	prev->utime = img->told_utime;
	prev->stime = img->told_stime;
	raw_spin_unlock(&prev->lock);
}

/* @t does not run */
static void save_own(struct task_struct *t, struct ckpt_image_usage *img)
{
	img->utime = t->utime;
	img->stime = t->stime;
	img->gtime = t->gtime;
	img->runtime = t->se.sum_exec_runtime;
	img->min_flt = t->min_flt;
	img->maj_flt = t->maj_flt;
	img->nvcsw = t->nvcsw;
	img->nivcsw = t->nivcsw;
	save_told(&t->prev_cputime, img);
	save_io(&t->ioac, img);
}

/* of dead threads, and what was told of the whole; stats_lock is held, or nobody is left */
static void save_dead_threads(struct signal_struct *sig, struct ckpt_image_usage *img)
{
	img->utime = sig->utime;
	img->stime = sig->stime;
	img->gtime = sig->gtime;
	img->runtime = sig->sum_sched_runtime;
	img->min_flt = sig->min_flt;
	img->maj_flt = sig->maj_flt;
	img->nvcsw = sig->nvcsw;
	img->nivcsw = sig->nivcsw;
	img->inblock = sig->inblock;
	img->oublock = sig->oublock;
	img->maxrss = (u64)sig->maxrss << PAGE_SHIFT;
	save_told(&sig->prev_cputime, img);
	save_io(&sig->ioac, img);
}

/* of the children that it has waited for */
static void save_children(const struct signal_struct *sig, struct ckpt_image_usage *img)
{
	img->utime = sig->cutime;
	img->stime = sig->cstime;
	img->gtime = sig->cgtime;
	img->min_flt = sig->cmin_flt;
	img->maj_flt = sig->cmaj_flt;
	img->nvcsw = sig->cnvcsw;
	img->nivcsw = sig->cnivcsw;
	img->inblock = sig->cinblock;
	img->oublock = sig->coublock;
	img->maxrss = (u64)sig->cmaxrss << PAGE_SHIFT;
}

/* a zombie has no PROCESS: all of it is in its TASK */
static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_usage *img = ckpt_put_nr(rec, TASK, USAGE, h->mm ? 1 : 3);

	if (!img)
		return -ENOMEM;
	save_own(h->task, &img[OWN]);
	if (h->mm)
		return 0;
	save_dead_threads(h->task->signal, &img[DEAD_THREADS]);
	save_children(h->task->signal, &img[CHILDREN]);
	return 0;
}

static int save_process(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_usage *img = ckpt_put_nr(rec, PROCESS, USAGE, 2);
	struct signal_struct *sig = h->task->signal;

	if (!img)
		return -ENOMEM;
	read_seqlock_excl_irq(&sig->stats_lock);
	save_dead_threads(sig, &img[DEAD_THREADS - 1]);
	save_children(sig, &img[CHILDREN - 1]);
	read_sequnlock_excl_irq(&sig->stats_lock);
	return 0;
}

static bool usage_ok(const struct ckpt_image_usage *img, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++)
		if (img[i].utime > CKPT_USAGE_MAX || img[i].stime > CKPT_USAGE_MAX ||
		    img[i].gtime > CKPT_USAGE_MAX || img[i].runtime > CKPT_USAGE_MAX ||
		    img[i].told_utime > CKPT_USAGE_MAX || img[i].told_stime > CKPT_USAGE_MAX)
			return false;
	return true;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_usage *img;
	u64 nr;

	img = ckpt_get_nr(buf, TASK, USAGE, &nr);
	return usage_ok(img, nr) && (!img || nr == (ckpt_is_zombie_rec(buf) ? 3 : 1)) ?
		0 : ckpt_malformed(log, buf);
}

static int check_process(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_usage *img;
	u64 nr;

	img = ckpt_get_nr(buf, PROCESS, USAGE, &nr);
	return usage_ok(img, nr) && (!img || nr == 2) ? 0 : ckpt_malformed(log, buf);
}

/* the lock of the task's run queue is held */
static int add_runtime(struct task_struct *t, void *ns)
{
	t->se.sum_exec_runtime += *(u64 *)ns;
	t->se.prev_sum_exec_runtime += *(u64 *)ns;
	return 0;
}

/* to what the helper has used, which is little; ticks and switches count on the same processor */
static void add_own(const struct ckpt_image_usage *img)
{
	u64 runtime = img->runtime;

	local_irq_disable();
	current->utime += img->utime;
	current->stime += img->stime;
	current->gtime += img->gtime;
	current->min_flt += img->min_flt;
	current->maj_flt += img->maj_flt;
	current->nvcsw += img->nvcsw;
	current->nivcsw += img->nivcsw;
	set_told(&current->prev_cputime, img);
	add_io(&current->ioac, img);
	local_irq_enable();
	k_task_call_func(current, add_runtime, &runtime);
}

/* stats_lock of @sig is held */
static void add_dead_threads(struct signal_struct *sig, const struct ckpt_image_usage *img)
{
	sig->utime += img->utime;
	sig->stime += img->stime;
	sig->gtime += img->gtime;
	sig->sum_sched_runtime += img->runtime;
	sig->min_flt += img->min_flt;
	sig->maj_flt += img->maj_flt;
	sig->nvcsw += img->nvcsw;
	sig->nivcsw += img->nivcsw;
	sig->inblock += img->inblock;
	sig->oublock += img->oublock;
	sig->maxrss = max_t(u64, sig->maxrss, img->maxrss >> PAGE_SHIFT);
	set_told(&sig->prev_cputime, img);
	add_io(&sig->ioac, img);
}

static void add_children(struct signal_struct *sig, const struct ckpt_image_usage *img)
{
	sig->cutime += img->utime;
	sig->cstime += img->stime;
	sig->cgtime += img->gtime;
	sig->cmin_flt += img->min_flt;
	sig->cmaj_flt += img->maj_flt;
	sig->cnvcsw += img->nvcsw;
	sig->cnivcsw += img->nivcsw;
	sig->cinblock += img->inblock;
	sig->coublock += img->oublock;
	sig->cmaxrss = max_t(u64, sig->cmaxrss, img->maxrss >> PAGE_SHIFT);
}

static void add_to_process(const struct ckpt_image_usage *dead, const struct ckpt_image_usage *children)
{
	struct signal_struct *sig = current->signal;

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	write_seqlock(&sig->stats_lock);
	add_dead_threads(sig, dead);
	add_children(sig, children);
	write_sequnlock(&sig->stats_lock);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

static int too_much(struct ckpt_restart *rs)
{
	return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "task %d of the image has used more time than there was",
			 task_pid_vnr(current));
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_usage *img = ckpt_get(buf, TASK, USAGE);

	if (!img)
		return 0;
	if (!ckpt_is_zombie_rec(buf) && !ckpt_restore_time(rs, img->utime + img->stime))
		return too_much(rs);
	add_own(&img[OWN]);
	if (ckpt_is_zombie_rec(buf))
		add_to_process(&img[DEAD_THREADS], &img[CHILDREN]);
	return 0;
}

/* before its limits are here, one of which may be on just this */
static int restore_process(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_usage *img = ckpt_get(buf, PROCESS, USAGE);

	if (!img)
		return 0;
	if (!ckpt_restore_time(rs, img->utime + img->stime))
		return too_much(rs);
	add_to_process(&img[DEAD_THREADS - 1], &img[CHILDREN - 1]);
	return 0;
}

const struct ckpt_task_part ckpt_part_usage = {
	.name = "usage",
	.dead = true,
	.stage = CKPT_STAGE_FILES,
	.save = save,
	.check = check,
	.restore = restore,
};

const struct ckpt_task_part ckpt_part_process_usage = {
	.name = "usage of the process",
	.process = true,
	.stage = CKPT_STAGE_FILES,
	.save = save_process,
	.check = check_process,
	.restore = restore_process,
};
