// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes under seccomp: chains of filters, shared by fork(2) and by threads, threads with one
 * of their own, the strict mode, the dead.  Their parent, which has no filter, looks at them from
 * outside, too.  usage: seccomps DIR
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "verdict.h"

/* the C library of Debian 12 does not name it */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

#define LONGEST 4096
#define DEEP 40

enum who { CHAIN, FORKED, SYNCED, SPLIT, OTHER, DEEP_ONE, LONG_ONE, CALLER, NR };

static const char * const names[] = {
	"a chain", "one that was forked", "one with a thread behind", "one with threads apart", "one without no_new_privs",
	"a deep chain", "a long program", "one in a call",
};

/* what a process says of itself when it is asked */
struct answer {
	_Atomic bool ready, done;
	bool good[12];
	long got[12];
};

static struct shared {
	_Atomic bool go;
	struct answer of[NR];
} *shared;

static pid_t pids[NR];

/* system call @nr is answered by @action, all others are let through */
struct rule {
	int nr;
	unsigned int action;
};

#define ANY(...) (const struct rule[]){ __VA_ARGS__ }, sizeof((const struct rule[]){ __VA_ARGS__ }) / sizeof(struct rule)

static unsigned int write_program(struct sock_filter *code, const struct rule *rules, unsigned int nr)
{
	unsigned int len = 0;

	code[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < nr; i++) {
		code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)rules[i].nr, 0, 1);
		code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rules[i].action);
	}
	code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return len;
}

static long set_filter(unsigned int flags, const struct rule *rules, unsigned int nr)
{
	struct sock_filter code[32];
	struct sock_fprog prog = { (unsigned short)write_program(code, rules, nr), code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static bool fails_with(int nr, int error)
{
	errno = 0;
	return syscall(nr) == -1 && errno == error;
}

static void say(struct answer *a, int i, bool good, long got)
{
	a->good[i] = good;
	a->got[i] = got;
}

static void wait_for_go(struct answer *a)
{
	a->ready = true;
	while (!shared->go)
		sleep_ms(20);
}

/* CHAIN, FORKED: two filters */

static volatile sig_atomic_t trapped;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_code == SYS_SECCOMP && info->si_syscall == SYS_getppid && info->si_errno == 77)
		trapped++;
}

static void *killed_thread(void *arg)
{
	syscall(SYS_getpriority, 0, 0);
	*(bool *)arg = true;
	return NULL;
}

static int dies_of(int nr)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		syscall(nr);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static const struct rule first_rules[] = {
	{ SYS_getpgrp, SECCOMP_RET_ERRNO | 11 }, { SYS_getgid, SECCOMP_RET_ERRNO | 12 },
	{ SYS_getsid, SECCOMP_RET_KILL_PROCESS }, { SYS_getpriority, SECCOMP_RET_KILL_THREAD },
};
static const struct rule second_rules[] = {
	{ SYS_getegid, SECCOMP_RET_ERRNO | 21 }, { SYS_getgid, SECCOMP_RET_ERRNO | 22 },
	{ SYS_getppid, SECCOMP_RET_TRAP | 77 }, { SYS_sched_yield, SECCOMP_RET_TRACE }, { SYS_sync, SECCOMP_RET_USER_NOTIF },
};

static void answer_chain(struct answer *a)
{
	bool survived = false;
	pthread_t thread;
	int before = trapped;

	say(a, 0, fails_with(SYS_getpgrp, 11), errno);
	say(a, 1, fails_with(SYS_getegid, 21), errno);
	say(a, 2, fails_with(SYS_getgid, 22), errno);
	syscall(SYS_getppid);
	say(a, 3, trapped == before + 1, trapped);
	say(a, 4, fails_with(SYS_sched_yield, ENOSYS), errno);
	say(a, 5, fails_with(SYS_sync, ENOSYS), errno);
	a->got[6] = dies_of(SYS_getsid);
	a->good[6] = a->got[6] == SIGSYS;
	need(!pthread_create(&thread, NULL, killed_thread, &survived));
	/* nobody tells of its end: what is cleared at it is */
	pthread_join(thread, NULL);
	say(a, 7, !survived, survived);
}

static void chain(struct answer *a)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	need(!sigaction(SIGSYS, &sa, NULL) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(!set_filter(0, first_rules, sizeof(first_rules) / sizeof(*first_rules)));
	need(!set_filter(SECCOMP_FILTER_FLAG_LOG, second_rules, sizeof(second_rules) / sizeof(*second_rules)));
	pids[FORKED] = fork();
	need(pids[FORKED] >= 0);
	if (!pids[FORKED])
		a = &shared->of[FORKED];
	wait_for_go(a);
	answer_chain(a);
}

/* SYNCED, SPLIT: a thread; SYNCED's has the first of two filters, SPLIT's one of its own */

static _Atomic pid_t thread_tid;
static _Atomic bool thread_set, thread_ask, thread_done;
static bool thread_good[2];
static bool thread_apart;

static void *threaded(void *arg)
{
	(void)arg;
	if (thread_apart)
		need(!set_filter(0, ANY({ SYS_getegid, SECCOMP_RET_ERRNO | 31 })));
	thread_tid = gettid();
	thread_set = true;
	while (!thread_ask)
		sleep_ms(10);
	thread_good[0] = fails_with(SYS_getegid, 31);
	thread_good[1] = fails_with(SYS_getgid, 32);
	thread_done = true;
	for (;;)
		pause();
	return NULL;
}

static void with_thread(struct answer *a, bool apart)
{
	pthread_t thread;
	long ret;

	thread_apart = apart;
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(!set_filter(0, ANY({ SYS_getpgrp, SECCOMP_RET_ERRNO | 30 })));
	need(!pthread_create(&thread, NULL, threaded, NULL));
	while (!thread_set)
		sleep_ms(10);
	need(!set_filter(0, ANY({ SYS_getppid, SECCOMP_RET_ERRNO | 33 })));
	wait_for_go(a);
	say(a, 0, fails_with(SYS_getppid, 33), errno);
	ret = set_filter(SECCOMP_FILTER_FLAG_TSYNC, ANY({ SYS_getgid, SECCOMP_RET_ERRNO | 32 }));
	say(a, 1, ret == (apart ? thread_tid : 0), ret);
	thread_ask = true;
	while (!thread_done)
		sleep_ms(10);
	say(a, 2, thread_good[0] == apart, thread_good[0]);
	say(a, 3, thread_good[1] == !apart, thread_good[1]);
}

/* OTHER: root, which may set a filter without no_new_privs, and then is somebody else */
static void other(struct answer *a)
{
	need(!set_filter(0, ANY({ SYS_getpgrp, SECCOMP_RET_ERRNO | 40 })));
	need(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	wait_for_go(a);
	say(a, 0, fails_with(SYS_getpgrp, 40), errno);
	say(a, 1, set_filter(0, ANY({ SYS_getgid, SECCOMP_RET_ERRNO | 41 })) == -1 && errno == EACCES, errno);
}

static void deep(struct answer *a)
{
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	for (unsigned int i = 0; i < DEEP; i++)
		need(!set_filter(0, ANY({ SYS_getpgrp, SECCOMP_RET_ERRNO | (100 + i) })));
	wait_for_go(a);
	say(a, 0, fails_with(SYS_getpgrp, 100 + DEEP - 1), errno);
}

static struct sock_filter longest[LONGEST];

static void write_longest(void)
{
	for (unsigned int i = 0; i < LONGEST - 1; i++)
		longest[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, i);
	longest[LONGEST - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static void long_one(struct answer *a)
{
	struct sock_fprog prog = { LONGEST, longest };

	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	wait_for_go(a);
	say(a, 0, prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER, 0);
}

/* CALLER: a thread waits in read(2), which is filtered meanwhile; a freeze lets it begin again */
static int never[2];
static _Atomic int read_error;

static void *reader(void *arg)
{
	char byte;

	(void)arg;
	thread_set = true;
	read_error = read(never[0], &byte, 1) < 0 ? errno : -1;
	for (;;)
		pause();
	return NULL;
}

static void caller(struct answer *a)
{
	pthread_t thread;

	need(!pipe(never) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(!pthread_create(&thread, NULL, reader, NULL));
	while (!thread_set)
		sleep_ms(10);
	sleep_ms(300);
	need(!set_filter(SECCOMP_FILTER_FLAG_TSYNC, ANY({ SYS_read, SECCOMP_RET_ERRNO | 50 })));
	say(a, 0, !read_error, read_error);
	wait_for_go(a);
	for (int i = 0; i < 100 && !read_error; i++)
		sleep_ms(20);
	say(a, 1, read_error == 50, read_error);
}

/* The strict mode: in a pair of pipes */
struct strict {
	pid_t pid;
	int to[2], from[2];
};

static struct strict stricts[2];

static void be_strict(struct strict *s)
{
	char byte;

	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	while (read(s->to[0], &byte, 1) == 1) {
		if (byte == 'c')
			syscall(SYS_getpid);
		if (byte == 't')
			byte = (char)__rdtsc();
		if (write(s->from[1], &byte, 1) != 1)
			break;
	}
	syscall(SYS_exit, 0);
}

static void start_strict(struct strict *s)
{
	need(!pipe(s->to) && !pipe(s->from));
	s->pid = fork();
	need(s->pid >= 0);
	if (!s->pid)
		be_strict(s);
}

static void check_strict(struct strict *s, char with, int sig, const char *text)
{
	char byte = 'e';
	int status = 0;

	verdict(write(s->to[1], &byte, 1) == 1 && read(s->from[0], &byte, 1) == 1 && byte == 'e', "T6",
		"a process in the strict mode reads and writes (%c)", with);
	need(write(s->to[1], &with, 1) == 1);
	need(waitpid(s->pid, &status, 0) == s->pid);
	verdict_eq(WIFSIGNALED(status) ? WTERMSIG(status) : 0, sig, "T6", text);
}

/* The dead, whom nobody has asked for */
static pid_t start_dead(bool killed)
{
	pid_t pid = fork();
	siginfo_t info;

	need(pid >= 0);
	if (!pid) {
		need(!set_filter(0, ANY({ SYS_getpgrp, SECCOMP_RET_KILL_PROCESS })));
		need(!set_filter(0, ANY({ SYS_getgid, SECCOMP_RET_ERRNO | 1 })));
		if (killed)
			syscall(SYS_getpgrp);
		_exit(3);
	}
	need(!waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	return pid;
}

/* What status says of seccomp; of the living of no_new_privs, too */
struct status {
	long mode, filters, nnp;
};

static struct status status_of(pid_t pid)
{
	struct status s = { -1, -1, -1 };
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "Seccomp: %ld", &s.mode);
		sscanf(line, "Seccomp_filters: %ld", &s.filters);
		sscanf(line, "NoNewPrivs: %ld", &s.nnp);
	}
	if (f)
		fclose(f);
	return s;
}

static void check_status(pid_t pid, const struct status *was, bool dead, const char *who)
{
	struct status is = status_of(pid);

	verdict(was->mode > 0 && is.mode == was->mode, "T6", "status of %s: Seccomp", who);
	verdict(is.filters == was->filters, "T6", "status of %s: Seccomp_filters", who);
	if (!dead)
		verdict(is.nnp == was->nnp, "T6", "status of %s: NoNewPrivs", who);
}

/* is filter @i of a task that is traced, and stands, that program?  0 is the one that was set first */
static bool has_program(pid_t pid, unsigned int i, const struct sock_filter *code, unsigned int len)
{
	static struct sock_filter got[LONGEST];
	long nr = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, i, NULL);

	return nr == len && ptrace(PTRACE_SECCOMP_GET_FILTER, pid, i, got) == nr && !memcmp(got, code, len * sizeof(*code));
}

static bool has_flags(pid_t pid, unsigned int i, unsigned int flags)
{
	struct __ptrace_seccomp_metadata m = { .filter_off = i };

	return ptrace(PTRACE_SECCOMP_GET_METADATA, pid, sizeof(m), &m) == sizeof(m) && m.flags == flags;
}

static void hold(pid_t pid)
{
	need(!ptrace(PTRACE_SEIZE, pid, 0, 0) && !ptrace(PTRACE_INTERRUPT, pid, 0, 0) && waitpid(pid, NULL, __WALL) == pid);
}

static void let_go(pid_t pid)
{
	need(!ptrace(PTRACE_DETACH, pid, 0, 0));
}

/* before they are asked, which changes some */
static void check_from_outside(void)
{
	struct sock_filter one[32], two[32];
	unsigned int len_one, len_two;

	len_one = write_program(one, first_rules, sizeof(first_rules) / sizeof(*first_rules));
	len_two = write_program(two, second_rules, sizeof(second_rules) / sizeof(*second_rules));
	hold(pids[CHAIN]);
	verdict(has_program(pids[CHAIN], 0, one, len_one) && has_program(pids[CHAIN], 1, two, len_two), "T6",
		"a tracer sees both programs of a chain as they were");
	verdict(has_flags(pids[CHAIN], 0, 0) && has_flags(pids[CHAIN], 1, SECCOMP_FILTER_FLAG_LOG), "T6",
		"a tracer sees which one is logged");
	let_go(pids[CHAIN]);
	hold(pids[LONG_ONE]);
	verdict(has_program(pids[LONG_ONE], 0, longest, LONGEST), "T6", "a tracer sees the longest program as it was");
	let_go(pids[LONG_ONE]);
}

static const char * const chain_texts[] = {
	"the first filter answers", "the second filter answers", "the second's answer comes before the first's",
	"SECCOMP_RET_TRAP is SIGSYS", "SECCOMP_RET_TRACE without a tracer is ENOSYS",
	"SECCOMP_RET_USER_NOTIF without a listener is ENOSYS", "SECCOMP_RET_KILL_PROCESS kills a child",
	"SECCOMP_RET_KILL_THREAD kills a thread alone",
};
static const char * const synced_texts[] = {
	"its last filter answers", "SECCOMP_FILTER_FLAG_TSYNC takes the thread along", "the thread had no other filter",
	"the thread has the new one",
};
static const char * const split_texts[] = {
	"its last filter answers", "SECCOMP_FILTER_FLAG_TSYNC names the thread that is apart", "the thread has its own filter",
	"the thread has not got another",
};
static const char * const other_texts[] = { "its filter answers", "it may set no other" };
static const char * const one_text[] = { "its last filter answers" };
static const char * const long_text[] = { "it is in the filter mode" };
static const char * const caller_texts[] = { "its call had gone on until then", "a call that begins again meets the filter" };

#define TEXTS(t) { t, sizeof(t) / sizeof(*t) }
static const struct {
	const char * const *texts;
	size_t nr;
} texts[NR] = {
	TEXTS(chain_texts), TEXTS(chain_texts), TEXTS(synced_texts), TEXTS(split_texts), TEXTS(other_texts), TEXTS(one_text),
	TEXTS(long_text), TEXTS(caller_texts),
};

static void run(enum who who, struct answer *a)
{
	switch (who) {
	case CHAIN:
		chain(a);
		break;
	case SYNCED:
	case SPLIT:
		with_thread(a, who == SPLIT);
		break;
	case OTHER:
		other(a);
		break;
	case DEEP_ONE:
		deep(a);
		break;
	case LONG_ONE:
		long_one(a);
		break;
	default:
		caller(a);
		break;
	}
	/* FORKED's own, if it is that */
	if (pids[FORKED] == 0 && who == CHAIN)
		a = &shared->of[FORKED];
	a->done = true;
	for (;;)
		pause();
}

static void start(enum who who)
{
	pids[who] = fork();
	need(pids[who] >= 0);
	if (!pids[who])
		run(who, &shared->of[who]);
	while (!shared->of[who].ready)
		sleep_ms(10);
}

static bool answered(struct answer *a)
{
	for (int i = 0; i < 1000 && !a->done; i++)
		sleep_ms(20);
	return a->done;
}

static void check_answers(void)
{
	shared->go = true;
	for (int who = 0; who < NR; who++) {
		struct answer *a = &shared->of[who];

		verdict(answered(a), "T6", "%s answers", names[who]);
		for (size_t i = 0; i < texts[who].nr; i++) {
			errno = (int)a->got[i];
			verdict(a->good[i], "T6", "%s: %s", names[who], texts[who].texts[i]);
		}
	}
}

int main(int argc, char **argv)
{
	struct status was[NR], was_strict, was_dead[2];
	pid_t dead[2];

	if (argc != 2)
		errx(2, "usage: seccomps DIR");
	verdict_dir(argv[1]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(shared != MAP_FAILED);
	write_longest();
	pids[FORKED] = -1;
	for (int who = 0; who < NR; who++)
		if (who != FORKED)
			start(who);
	while (!shared->of[FORKED].ready)
		sleep_ms(10);
	for (int i = 0; i < 2; i++) {
		start_strict(&stricts[i]);
		dead[i] = start_dead(i);
		was_dead[i] = status_of(dead[i]);
	}
	sleep_ms(300);
	for (int who = 0; who < NR; who++)
		if (who != FORKED)
			was[who] = status_of(pids[who]);
	was_strict = status_of(stricts[0].pid);
	need(was[DEEP_ONE].filters == DEEP && was_strict.mode == 1 && was_dead[1].mode == 3);
	ready();
	wait_for_check();
	for (int who = 0; who < NR; who++)
		if (who != FORKED)
			check_status(pids[who], &was[who], false, names[who]);
	check_status(stricts[0].pid, &was_strict, false, "one in the strict mode");
	check_status(dead[0], &was_dead[0], true, "a zombie");
	check_status(dead[1], &was_dead[1], true, "a zombie that a filter has killed");
	check_from_outside();
	check_answers();
	check_strict(&stricts[0], 'c', SIGKILL, "a call kills a process in the strict mode");
	check_strict(&stricts[1], 't', SIGSEGV, "the strict mode has no rdtsc");
	verdict_end();
	for (;;)
		pause();
}
