// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may trace a process by its own word, where Yama asks for one:
 * prctl(PR_SET_PTRACER).  T6.
 */
#include <linux/pid_namespace.h>
#include <linux/prctl.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>

#include "part.h"

/* Yama's, private to it and the same in all versions */
struct ckpt_ptrace_relation {
	struct task_struct *tracer;	/* NULL: anybody */
	struct task_struct *tracee;
	bool invalid;
	struct list_head node;
	struct rcu_head rcu;
};

#define CKPT_PTRACER_NONE 0
#define CKPT_PTRACER_ANY (-1)

/*
 * A process has one at most, which it has named by its number in its own pid
 * namespace; one that is gone has none any more.  Without Yama nobody has any.
 */
static pid_t ptracer_of(struct task_struct *leader, struct pid_namespace *ns)
{
	struct ckpt_ptrace_relation *relation;
	pid_t pid = CKPT_PTRACER_NONE;

	if (!kv_ptracer_relations)
		return pid;
	rcu_read_lock();
	list_for_each_entry_rcu(relation, kv_ptracer_relations, node)
		if (relation->tracee == leader && !READ_ONCE(relation->invalid))
			pid = relation->tracer ? task_pid_nr_ns(relation->tracer, ns) : CKPT_PTRACER_ANY;
	rcu_read_unlock();
	return pid;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	pid_t pid = ptracer_of(h->task, ckpt_save_pid_ns(cp));
	struct ckpt_image_ptracer *img;

	if (pid == CKPT_PTRACER_NONE)
		return 0;
	img = ckpt_put(rec, PROCESS, PTRACER);
	if (!img)
		return -ENOMEM;
	img->pid = pid;
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ptracer *img = ckpt_get(buf, PROCESS, PTRACER);

	return !img || img->pid > 0 || img->pid == CKPT_PTRACER_ANY ? 0 : ckpt_malformed(log, buf);
}

static bool exists(pid_t nr)
{
	bool yes;

	rcu_read_lock();
	yes = pid_task(find_vpid(nr), PIDTYPE_PID);
	rcu_read_unlock();
	return yes;
}

/* a kernel without Yama has no such call, and lets trace whoever may anyway */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ptracer *img = ckpt_get(buf, PROCESS, PTRACER);
	long ret;

	if (!img)
		return 0;
	if (img->pid != CKPT_PTRACER_ANY && !exists(img->pid))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "process %d of the image has the tracer %d, which the image has not",
				 task_tgid_vnr(current), img->pid);
	ret = ckpt_syscall(prctl, PR_SET_PTRACER, (long)img->pid, 0, 0, 0);
	return ret == -EINVAL ? 0 : ret;
}

const struct ckpt_task_part ckpt_part_ptracer = {
	.name = "tracer",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.save = save,
	.check = check,
	.restore = restore,
};
