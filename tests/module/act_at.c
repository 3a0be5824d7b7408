// SPDX-License-Identifier: GPL-2.0-only
/*
 * Something happens when a task comes to a certain place in the kernel, which no
 * timing can be sure to meet.
 *
 *	insmod act_at.ko function=FUNCTION comm=COMM ACT
 *
 * The first task of the name COMM to come to the kernel's FUNCTION is met, and
 * the parameter "met", in /sys/module/act_at/parameters, is then its pid.  ACT is
 *
 *	wait=MS		it is held up for so long
 *	kill=PID	another gets SIGKILL
 *	die=1		it dies as of an oops: it goes no step further, and nothing that
 *			it has begun is ended or given back
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

static char *function;
module_param(function, charp, 0400);
static char comm[TASK_COMM_LEN];
module_param_string(comm, comm, sizeof(comm), 0400);
static int wait;
module_param(wait, int, 0400);
static int kill;
module_param(kill, int, 0400);
static bool die;
module_param(die, bool, 0400);
static int met;
module_param(met, int, 0400);

static struct pid *victim;
static unsigned long exit_address;

static int act(struct kprobe *kp, struct pt_regs *regs)
{
	if (strcmp(current->comm, comm) || cmpxchg(&met, 0, task_pid_nr(current)))
		return 0;
	if (wait)
		mdelay(wait);
	if (victim)
		kill_pid(victim, SIGKILL, 1);
	if (!die)
		return 0;
	/* do_exit() is where an oops ends, too */
	regs->di = SIGKILL;
	instruction_pointer_set(regs, exit_address);
	return 1;
}

/* a probe that has this may change the instruction pointer */
static void after(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.pre_handler = act,
	.post_handler = after,
};

/* do_exit() is not exported; a kprobe tells where it is */
static int find_exit(void)
{
	struct kprobe kp = { .symbol_name = "do_exit" };
	int ret = register_kprobe(&kp);

	if (ret)
		return ret;
	exit_address = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	return 0;
}

static int __init act_at_init(void)
{
	int ret;

	if (!function || !comm[0] || !!wait + !!kill + die != 1)
		return -EINVAL;
	ret = find_exit();
	if (ret)
		return ret;
	if (kill) {
		victim = find_get_pid(kill);
		if (!victim)
			return -ESRCH;
	}
	probe.symbol_name = function;
	ret = register_kprobe(&probe);
	if (ret)
		put_pid(victim);
	return ret;
}

static void __exit act_at_exit(void)
{
	unregister_kprobe(&probe);
	put_pid(victim);
}

module_init(act_at_init);
module_exit(act_at_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Something happens at a certain place of the kernel, for tests");
