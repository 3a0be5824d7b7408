// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process has from who forked it.
 *
 * inherits WORD... -- CMD [ARG...] gives itself what each word says, and runs CMD.  Exits 77 and says why if this
 * machine has no such thing.
 *
 * inherits DIR show, a container's init, writes down in DIR/shown what it has, each time that there is DIR/ask.
 */
#include <asm/prctl.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ioprio.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

#define MISSING 77
#define MPOL_PREFERRED 1

static int give_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

static int give_idle_io(void)
{
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static int give_nice(void)
{
	return setpriority(PRIO_PROCESS, 0, 7);
}

static int give_fifo(void)
{
	return sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
}

static int give_numa(void)
{
	unsigned long nodes = 1;

	return syscall(SYS_set_mempolicy, MPOL_PREFERRED, &nodes, 8 * sizeof(nodes));
}

static int give_mce(void)
{
	return prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
}

/* from which on the clock of a process counts by itself */
static int give_cpu_limit(void)
{
	return setrlimit(RLIMIT_CPU, &(struct rlimit){ 100000, 100000 });
}

/* twice: what is forked has it as its default */
static int give_slack(void)
{
	return prctl(PR_SET_TIMERSLACK, 99999);
}

static int give_legacy(void)
{
	return personality(ADDR_COMPAT_LAYOUT) < 0 ? -1 : 0;
}

static int give_login(void)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "4712", 4) == 4 ? 0 : -1;
}

static int give_nnp(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int give_seccomp(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN */
static int give_mdwe(void)
{
	return prctl(65, 1, 0, 0, 0);
}

static int give_ports(void)
{
	return syscall(SYS_ioperm, 0x80, 1, 1);
}

/* PR_SET_IO_FLUSHER */
static int give_io_flusher(void)
{
	return prctl(57, 1, 0, 0, 0);
}

/* what is typed is to be noted, as pam_tty_audit asks for */
static int give_tty_audit(void)
{
	struct {
		struct nlmsghdr head;
		struct audit_tty_status status;
	} ask = {
		{ sizeof(ask), AUDIT_TTY_SET, NLM_F_REQUEST | NLM_F_ACK, 1, 0 }, { 1, 0 },
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char more[256];
	} answer = { 0 };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd < 0 || sendto(fd, &ask, sizeof(ask), 0, (void *)&kernel, sizeof(kernel)) != sizeof(ask) ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		return -1;
	errno = -answer.error.error;
	return answer.head.nlmsg_type == NLMSG_ERROR && !errno ? 0 : -1;
}

static const struct {
	const char *word;
	int (*give)(void);
} words[] = {
	{ "cpu", give_cpu }, { "idle-io", give_idle_io }, { "nice", give_nice }, { "fifo", give_fifo },
	{ "numa", give_numa }, { "mce", give_mce }, { "slack", give_slack }, { "legacy", give_legacy },
	{ "login", give_login }, { "nnp", give_nnp }, { "seccomp", give_seccomp }, { "mdwe", give_mdwe },
	{ "ports", give_ports }, { "io-flusher", give_io_flusher }, { "cpu-limit", give_cpu_limit },
	{ "tty-audit", give_tty_audit },
};

static void give(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word))
			continue;
		if (words[i].give())
			err(MISSING, "%s", word);
		return;
	}
	errx(2, "%s: no such word", word);
}

static void show_line(FILE *f, const char *path)
{
	char line[256] = "";
	FILE *from = fopen(path, "r");

	if (from && !fgets(line, sizeof(line), from))
		line[0] = 0;
	if (from)
		fclose(from);
	fprintf(f, "%s %s%s", path, line, strchr(line, '\n') ? "" : "\n");
}

static const char *layout(void)
{
	void *p = mmap(NULL, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	munmap(p, 64 << 20);
	return (uintptr_t)p >> 46 ? "downwards" : "upwards";
}

/* of a process of one thread: has its clock all that the thread has used? */
static const char *clock_of_process(void)
{
	struct timespec thread, process;

	need(!clock_gettime(CLOCK_THREAD_CPUTIME_ID, &thread) && !clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process));
	return process.tv_sec > thread.tv_sec ||
	       (process.tv_sec == thread.tv_sec && process.tv_nsec >= thread.tv_nsec) ? "right" : "behind";
}

static void show(FILE *f)
{
	int policy = sched_getscheduler(0), mode = -1, slack = prctl(PR_GET_TIMERSLACK);
	cpu_set_t cpus;

	need(!sched_getaffinity(0, sizeof(cpus), &cpus));
	fprintf(f, "cpus %#lx of %d\n", ((unsigned long *)&cpus)[0], CPU_COUNT(&cpus));
	fprintf(f, "policy %d nice %d\n", policy, getpriority(PRIO_PROCESS, 0));
	fprintf(f, "ioprio %ld\n", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
	syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
	fprintf(f, "numa %d\n", mode);
	fprintf(f, "mce %d\n", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	/* the default is seen when it is gone back to */
	need(!prctl(PR_SET_TIMERSLACK, 0));
	fprintf(f, "slack %d %d\n", slack, prctl(PR_GET_TIMERSLACK));
	need(!prctl(PR_SET_TIMERSLACK, slack));
	fprintf(f, "layout %s\n", layout());
	fprintf(f, "clock %s\n", clock_of_process());
	fprintf(f, "no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show_line(f, "/proc/self/loginuid");
	show_line(f, "/proc/self/sessionid");
	show_line(f, "/proc/self/personality");
}

static _Noreturn void show_when_asked(const char *dir)
{
	verdict_dir(dir);
	ready();
	for (;;) {
		FILE *f;

		while (access(in_dir("ask"), F_OK))
			sleep_ms(30);
		f = fopen(in_dir("shown.part"), "w");
		need(f);
		show(f);
		need(!fclose(f) && !unlink(in_dir("ask")) && !rename(in_dir("shown.part"), in_dir("shown")));
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[2], "show"))
		show_when_asked(argv[1]);
	for (argv++; *argv && strcmp(*argv, "--"); argv++)
		give(*argv);
	if (!*argv || !argv[1])
		errx(2, "usage: inherits WORD... -- CMD [ARG...]");
	execvp(argv[1], argv + 1);
	err(2, "%s", argv[1]);
}
