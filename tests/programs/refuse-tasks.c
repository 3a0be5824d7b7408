// SPDX-License-Identifier: GPL-2.0-only
/* One function for each thing that a task can have, is rarely met, and a checkpoint cannot take. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "refuse.h"

static _Noreturn void sleep_forever(void)
{
	for (;;)
		pause();
}

static int ring(void)
{
	struct io_uring_params params = { 0 };
	int fd = syscall(SYS_io_uring_setup, 4, &params);

	have(fd >= 0);
	return fd;
}

/* known to the task, without a descriptor */
static void registered_ring(void)
{
	int fd = ring();
	struct io_uring_rsrc_update update = { .offset = -1U, .data = fd };

	/* IORING_REGISTER_RING_FDS */
	have(syscall(SYS_io_uring_register, fd, 20, &update, 1) == 1);
	have(!close(fd));
}

static void closed_ring(void)
{
	have(!close(ring()));
}

static int child_of_clone(void *unused)
{
	sleep_forever();
	return !unused;
}

static void io_context(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	have(!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 5)));
	have(clone(child_of_clone, stack + sizeof(stack), CLONE_IO | SIGCHLD, NULL) >= 0);
}

/* set by a debugger, which has gone */
static void breakpoint(void)
{
	static char watched;
	pid_t pid = fork();
	int status;

	have(pid >= 0);
	if (!pid)
		sleep_forever();
	have(!ptrace(PTRACE_SEIZE, pid, 0, 0) && !ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	have(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	have(!ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[0]), &watched));
	/* the first one, for writing */
	have(!ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), 0x10001));
	have(!ptrace(PTRACE_DETACH, pid, 0, 0));
}

/* a 64-bit program that sleeps in poll(2) as a 32-bit one calls it */
static void int80(void)
{
	int ends[2];
	pid_t pid;
	char c;

	have(!pipe2(ends, O_CLOEXEC));
	pid = fork();
	have(pid >= 0);
	if (!pid) {
		long ret = 168;

		close(ends[0]);
		/* once without a sleep: is there such a call? */
		asm volatile("int $0x80" : "+a"(ret) : "b"(0), "c"(0), "d"(0) : "memory");
		if (ret)
			_exit(1);
		close(ends[1]);
		ret = 168;
		asm volatile("int $0x80" : "+a"(ret) : "b"(0), "c"(0), "d"(100000000) : "memory");
		_exit(0);
	}
	close(ends[1]);
	have(read(ends[0], &c, 1) == 0);
	sleep_ms(100);
	have(!waitpid(pid, NULL, WNOHANG));
}

static void shadow_stack_lock(void)
{
	/* ARCH_SHSTK_LOCK */
	have(!syscall(SYS_arch_prctl, 0x5003, 1UL));
}

/* more packets than the format has room for, all of the same page */
static void long_pipe(void)
{
	int from[2], to[2];

	have(!pipe2(from, O_DIRECT) && !pipe2(to, O_DIRECT));
	have(fcntl(to[0], F_SETPIPE_SZ, 131072 * 4096) >= 0);
	for (int i = 0; i < 16; i++)
		have(write(from[1], "x", 1) == 1);
	for (int i = 0; i < 65552; i += 16)
		have(tee(from[0], to[1], 16, 0) == 16);
}

static void accounting(void)
{
	int fd = open("accounting", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	have(fd >= 0 && !close(fd) && !acct("accounting"));
}

/* it does not end with who has begun it */
static void no_accounting(void)
{
	have(!acct(NULL));
}

static void apparmor_exec(void)
{
	static const char exec[] = "exec unconfined";
	int fd = open("/proc/self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);

	have(fd >= 0 && write(fd, exec, sizeof(exec) - 1) == sizeof(exec) - 1);
}

static void strange_name(void)
{
	have(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY) >= 0);
	have(!prctl(PR_SET_NAME, "b\033[31m\n\177\303\274\233"));
}

static const struct kind kinds[] = {
	{ "registered-ring", registered_ring }, { "closed-ring", closed_ring }, { "io-context", io_context },
	{ "breakpoint", breakpoint }, { "int80", int80 }, { "shadow-stack-lock", shadow_stack_lock },
	{ "long-pipe", long_pipe }, { "accounting", accounting }, { "no-accounting", no_accounting },
	{ "apparmor-exec", apparmor_exec }, { "strange-name", strange_name },
};

const struct kind *find_task_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
