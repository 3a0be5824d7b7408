/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread (TASK), what the threads of a group share (PROCESS), and their parts. */
#ifndef _CKPT_TASK_H
#define _CKPT_TASK_H

#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "restore.h"
#include "save.h"

/* tasks/task.c, tasks/process.c */
int ckpt_check_task(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_save_process(struct ckpt_checkpoint *cp, struct ckpt_held *leader);
int ckpt_save_task(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_check_task_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_check_process_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_restore_process(struct ckpt_restart *rs, const struct ckpt_image_process *img);
int ckpt_restore_task_state(struct ckpt_restart *rs, const struct ckpt_image_task *img);
void ckpt_go_process(struct ckpt_restart *rs, const struct ckpt_image_process *img);

/* tasks/sched.c */
bool ckpt_policy_ok(int policy);
void ckpt_save_sched(struct task_struct *t, struct ckpt_image_task *img);
int ckpt_restore_sched(struct ckpt_restart *rs, const struct ckpt_image_task *img);

/* tasks/restart_block.c: sleeps that go on */
int ckpt_save_restart_block(struct ckpt_checkpoint *cp, struct task_struct *t,
			    struct ckpt_image_restart_block *img);
int ckpt_restore_restart_block(struct ckpt_restart *rs,
			       const struct ckpt_image_restart_block *img);

/* tasks/signals.c */
/* current's, or that of a task that is locked: it does not change */
static inline struct sighand_struct *ckpt_sighand(struct task_struct *t)
{
	return rcu_dereference_raw(t->sighand);
}

int ckpt_restore_sighand(struct ckpt_restart *rs, u32 ref);
int ckpt_count_pending(struct ckpt_held *h, bool shared);
void ckpt_save_pending(struct ckpt_held *h, bool shared,
		       struct ckpt_image_siginfo *infos, int nr);
bool ckpt_stop_pending(struct ckpt_held *h);
bool ckpt_siginfos_ok(const struct ckpt_image_siginfo *infos, int nr);
int ckpt_queue_pending(const struct ckpt_image_siginfo *infos, int nr, bool shared);

/* tasks/creds.c */
int ckpt_restore_cred(struct ckpt_restart *rs, u32 ref);

/* namespaces/ */
int ckpt_check_namespaces(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_save_namespaces(struct ckpt_checkpoint *cp);
int ckpt_restore_namespaces(struct ckpt_restart *rs, const struct ckpt_rec_buf *uts,
			    const struct ckpt_rec_buf *ipc, struct nsproxy *outside);

#endif
