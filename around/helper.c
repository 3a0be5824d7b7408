// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ckpt.h>

#include "cleanup.h"
#include "helper.h"
#include "lo.h"
#include "mounts.h"

/* a thread needs a stack for two system calls, and a page for the engine */
#define THREAD_STACK 8192
#define THREAD_SIZE (THREAD_STACK + CKPT_PAGE_SIZE)

/* the whole restart fails, with the sentence of the first helper that does */
static _Noreturn void give_up(const struct helper_context *c, const struct ckpt_error *e)
{
	ssize_t n = write(c->report, e, sizeof(*e));

	ioctl(c->device, CKPT_IOC_ABORT, n < 0 ? errno : e->err);
	_exit(1);
}

/* what a thread is born with, at the low end of its stack */
struct thread_start {
	long device;
	struct ckpt_restore_task_args args;
};

static inline long raw_syscall(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return ret;
}

/*
 * Runs on a bare stack with the thread pointer of the group's leader: no
 * function of the C library may be called.  The engine has logged why its call
 * fails.
 */
static __attribute__((noreturn, used)) void thread_main(struct thread_start *s)
{
	long ret = raw_syscall(SYS_ioctl, s->device, CKPT_IOC_RESTORE_TASK,
			       (long)&s->args);

	raw_syscall(SYS_ioctl, s->device, CKPT_IOC_ABORT, -ret);
	for (;;)
		raw_syscall(SYS_exit, 1, 0, 0);
}

static long clone_thread(struct clone_args *args, struct thread_start *s)
{
	long ret = SYS_clone3;

	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "mov %[start], %%rdi\n\t"
		     "call *%[fn]\n\t"
		     "ud2\n"
		     "1:"
		     : "+a"(ret)
		     : "D"(args), "S"(sizeof(*args)), [start] "r"(s), [fn] "r"(thread_main)
		     : "rcx", "r11", "memory", "cc");
	return ret;
}

static void make_thread(const struct helper_context *c, uint32_t i, char *memory)
{
	struct thread_start *s = (struct thread_start *)memory;
	pid_t pid = c->tree->tasks[i].pid;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			 CLONE_THREAD | CLONE_SYSVSEM,
		.stack = (uintptr_t)memory,
		.stack_size = THREAD_STACK,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	struct ckpt_error e;
	long ret;

	s->device = c->device;
	s->args.scratch = (uintptr_t)memory + THREAD_STACK;
	ret = clone_thread(&args, s);
	if (ret < 0) {
		error_sys(&e, -ret, "thread %d of process %d cannot be made", pid,
			  c->tree->tasks[i].tgid);
		give_up(c, &e);
	}
}

static void *map_memory(const struct helper_context *c, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ckpt_error e;

	if (memory == MAP_FAILED) {
		error_sys(&e, errno, "there is no memory for a restart's helpers");
		give_up(c, &e);
	}
	return memory;
}

static void make_threads(const struct helper_context *c, const struct tree_node *node)
{
	uint32_t i = node->first_thread;
	char *memory;

	if (i == TREE_NONE)
		return;
	memory = map_memory(c, (size_t)node->nr_threads * THREAD_SIZE);
	for (; i != TREE_NONE; i = c->tree->nodes[i].next_thread) {
		make_thread(c, i, memory);
		memory += THREAD_SIZE;
	}
}

/*
 * Make the processes below one.  Returns TREE_NONE, and in each new process
 * its own index.
 */
static uint32_t make_children(const struct helper_context *c, uint32_t parent)
{
	uint32_t i = c->tree->nodes[parent].first_child;
	struct ckpt_error e;
	pid_t pid;

	for (; i != TREE_NONE; i = c->tree->nodes[i].next_sibling) {
		pid = cgroup_clone(0, NULL, c->tree->tasks[i].pid);
		if (pid == 0)
			return i;
		if (pid == -EINVAL || pid == -EEXIST)
			error_set(&e, -pid, "process %d cannot be made: is kernel.pid_max too small?",
				  c->tree->tasks[i].pid);
		else if (pid < 0)
			error_sys(&e, -pid, "process %d cannot be made",
				  c->tree->tasks[i].pid);
		if (pid < 0)
			give_up(c, &e);
	}
	return TREE_NONE;
}

/* A loop and no recursion: a chain of processes may be long. */
static _Noreturn void process_main(const struct helper_context *c)
{
	struct ckpt_restore_task_args args = { 0 };
	uint32_t self = 0, child;

	while ((child = make_children(c, self)) != TREE_NONE)
		self = child;
	make_threads(c, &c->tree->nodes[self]);
	args.scratch = (uintptr_t)map_memory(c, CKPT_PAGE_SIZE);
	ioctl(c->device, CKPT_IOC_RESTORE_TASK, &args);
	/* the engine has logged why */
	ioctl(c->device, CKPT_IOC_ABORT, errno);
	_exit(1);
}

static void close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

static int enter_container(const struct helper_context *c, struct ckpt_error *e)
{
	const struct description *d = c->description;
	int ret = 0;

	if (unshare(CLONE_NEWCGROUP))
		return error_sys(e, errno, "no cgroup namespace can be made");
	if (d->net_new && d->lo_up)
		ret = lo_up(e);
	return ret ? ret : mounts_restore(d, c->cgroup->path, e);
}

static _Noreturn void root_main(const struct helper_context *c)
{
	struct ckpt_error e = { 0 };
	int sig;

	close_others(c->device, c->report);
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	if (enter_container(c, &e))
		give_up(c, &e);
	process_main(c);
}

pid_t helper_root(const struct helper_context *c, struct ckpt_error *e)
{
	uint64_t flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
	pid_t pid;

	if (c->description->net_new)
		flags |= CLONE_NEWNET;
	pid = cgroup_clone(flags, c->cgroup, 0);
	if (pid == 0)
		root_main(c);
	if (pid < 0)
		return error_sys(e, -pid, "the container's first task cannot be made");
	return pid;
}

static _Noreturn void placeholder_main(int ready)
{
	close_others(ready, ready);
	/* its number is that of a session and of a group */
	if (setsid() < 0 || write(ready, "", 1) != 1)
		_exit(1);
	close(ready);
	for (;;)
		pause();
}

static int make_placeholders(const struct helper_context *c, pid_t *pids, int ready,
			     struct ckpt_error *e)
{
	size_t i;

	for (i = 0; i < c->tree->nr_dead_leaders; i++) {
		pids[i] = cgroup_clone(0, c->cgroup, c->tree->dead_leaders[i]);
		if (pids[i] == 0)
			placeholder_main(ready);
		if (pids[i] < 0) {
			error_sys(e, -pids[i], "the number %d of a session or group cannot be had",
				  c->tree->dead_leaders[i]);
			pids[i] = 0;
			return -e->err;
		}
	}
	return 0;
}

/* children are born into the pid namespace of 'ns', or into the caller's own */
static int children_in(const char *ns, struct ckpt_error *e)
{
	_cleanup_fd_ int fd = open(ns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWPID))
		return error_sys(e, errno, "the container's pid namespace cannot be entered");
	return 0;
}

int helper_placeholders(const struct helper_context *c, pid_t root, pid_t *pids,
			struct ckpt_error *e)
{
	_cleanup_fd_ int read_end = -1, write_end = -1;
	char path[64], byte;
	size_t i;
	int ends[2], ret;

	if (!c->tree->nr_dead_leaders)
		return 0;
	if (pipe2(ends, O_CLOEXEC))
		return error_sys(e, errno, "no pipe can be made");
	read_end = ends[0];
	write_end = ends[1];
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", root);
	ret = children_in(path, e);
	if (ret)
		return ret;
	ret = make_placeholders(c, pids, write_end, e);
	/* not to hold the container's namespace from outside */
	if (children_in("/proc/self/ns/pid", ret ? NULL : e) && !ret)
		ret = -EIO;
	close(steal_fd(&write_end));
	for (i = 0; !ret && i < c->tree->nr_dead_leaders; i++)
		if (read(read_end, &byte, 1) != 1)
			ret = error_set(e, EIO, "a number of a session or group was lost");
	return ret;
}
