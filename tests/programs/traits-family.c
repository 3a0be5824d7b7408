// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is between a process and its parent: which thread forked it, whether one
 * of them has called execve(2), whether it was continued, as whom it died.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traits.h"

static pid_t continued, execed, forked, of_thread, of_main, dead, exec_parent, fork_parent;
static pid_t grandchild_of_exec, grandchild_of_fork;
static pthread_t thread;
static volatile int thread_may_end;
static struct rusage dead_usage;
static char dead_uid[128], dead_began[64];

static _Noreturn void sleep_forever(void)
{
	for (;;)
		pause();
}

/* a child that does nothing, and has told so */
static pid_t sleeper(int pdeath)
{
	int ends[2];
	pid_t pid;
	char c;

	need(!pipe2(ends, O_CLOEXEC));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		if (pdeath)
			prctl(PR_SET_PDEATHSIG, pdeath);
		close(ends[1]);
		sleep_forever();
	}
	close(ends[1]);
	need(read(ends[0], &c, 1) == 0);
	close(ends[0]);
	return pid;
}

static pid_t exec_self(const char *what, int told)
{
	char fd[16];
	pid_t pid = fork();

	need(pid >= 0);
	if (pid)
		return pid;
	snprintf(fd, sizeof(fd), "%d", told);
	execl("/proc/self/exe", traits_program, in_dir(""), what, fd, NULL);
	_exit(2);
}

static pid_t clone_with(int exit_signal)
{
	pid_t pid = syscall(SYS_clone, exit_signal, NULL, NULL, NULL, NULL);

	need(pid >= 0);
	if (!pid)
		sleep_forever();
	return pid;
}

/*
 * A process with a child that ends with SIGUSR2: if it has called execve(2)
 * meanwhile, it gets SIGCHLD instead.  Exits with the signal's number.
 */
static _Noreturn void await_end(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR2);
	_exit(sigwaitinfo(&set, NULL));
}

static void block_ends(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR2);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
}

/* the process, and the number of its child in @grandchild */
static pid_t parent_of_one(bool exec, pid_t *grandchild)
{
	int ends[2];
	char c, fd[16];
	pid_t pid;

	need(!pipe(ends));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		block_ends();
		*grandchild = clone_with(SIGUSR2);
		need(write(ends[1], grandchild, sizeof(*grandchild)) == sizeof(*grandchild));
		close(ends[0]);
		snprintf(fd, sizeof(fd), "%d", ends[1]);
		if (exec)
			execl("/proc/self/exe", traits_program, in_dir(""), "parent", fd, NULL);
		close(ends[1]);
		await_end();
	}
	close(ends[1]);
	need(read(ends[0], grandchild, sizeof(*grandchild)) == sizeof(*grandchild));
	/* its child has that end of the pipe, too: so it writes instead of closing it */
	need(!exec || read(ends[0], &c, 1) == 1);
	close(ends[0]);
	return pid;
}

void family_exec(char **argv)
{
	int told = atoi(argv[3]);

	need(write(told, ".", 1) == 1);
	close(told);
	if (!strcmp(argv[2], "parent"))
		await_end();
	sleep_forever();
}

/* a zombie of user 1000, which has used some time */
static void die(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		need(!setresgid(1001, 1001, 1001) && !setresuid(1000, 1000, 1000));
		burn(120);
		_exit(7);
	}
	dead = pid;
}

static void *thread_main(void *unused)
{
	of_thread = sleeper(SIGTERM);
	die();
	while (!thread_may_end)
		sleep_ms(20);
	return unused;
}

static int ask_dead(siginfo_t *info, struct rusage *usage)
{
	memset(info, 0, sizeof(*info));
	return syscall(SYS_waitid, P_PID, dead, info, WEXITED | WNOWAIT, usage);
}

/* the line of /proc/PID/status that begins so */
static const char *status_line(pid_t pid, const char *key)
{
	static char line[256];
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	need(f);
	while (fgets(line, sizeof(line), f) && strncmp(line, key, strlen(key)))
		;
	fclose(f);
	return line;
}

/* field 22 of /proc/PID/stat */
static const char *began(pid_t pid)
{
	static char word[64];
	char path[64];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	p = strrchr(text_of(path), ')');
	for (int i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	snprintf(word, sizeof(word), "%.*s", p ? (int)strcspn(p + 1, " ") : 0, p ? p + 1 : "");
	return word;
}

void prepare_family(void)
{
	siginfo_t info;
	int status, ends[2];
	char c;

	continued = sleeper(0);
	need(!kill(continued, SIGSTOP) && waitpid(continued, &status, WUNTRACED) == continued);
	need(!kill(continued, SIGCONT));
	forked = sleeper(0);
	need(!pipe(ends));
	execed = exec_self("sleeper", ends[1]);
	need(read(ends[0], &c, 1) == 1 && !close(ends[0]) && !close(ends[1]));
	exec_parent = parent_of_one(true, &grandchild_of_exec);
	fork_parent = parent_of_one(false, &grandchild_of_fork);
	of_main = sleeper(SIGTERM);
	need(!pthread_create(&thread, NULL, thread_main, NULL));
	while (!dead)
		sleep_ms(5);
	need(!ask_dead(&info, &dead_usage) && info.si_uid == 1000);
	snprintf(dead_uid, sizeof(dead_uid), "%s", status_line(dead, "Uid:"));
	snprintf(dead_began, sizeof(dead_began), "%s", began(dead));
}

static long long us_of(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000LL + u->ru_utime.tv_usec + u->ru_stime.tv_usec;
}

static void check_dead(void)
{
	struct rusage usage;
	siginfo_t info;

	verdict(waitpid(dead, NULL, __WNOTHREAD | WNOHANG) == -1 && errno == ECHILD, "S13",
		"traits: a zombie is the child of the thread that forked it");
	verdict(!ask_dead(&info, &usage) && info.si_pid == dead && info.si_status == 7, "S13",
		"traits: a zombie's status");
	verdict_eq(info.si_uid, 1000, "S13", "traits: a zombie's user, as waitid() tells it (K20)");
	verdict(!strcmp(dead_uid, status_line(dead, "Uid:")), "S13", "traits: a zombie's users in /proc (K20)");
	verdict(us_of(&usage) >= us_of(&dead_usage), "T4", "traits: the CPU time that a zombie has used");
	verdict(!strcmp(dead_began, began(dead)), "T7", "traits: when a zombie began");
}

static void check_of_thread(void)
{
	int status;

	verdict(waitpid(of_thread, NULL, __WNOTHREAD | WNOHANG) == -1 && errno == ECHILD, "T1",
		"traits: a process is the child of the thread that forked it (K20)");
	verdict(waitpid(of_main, NULL, __WNOTHREAD | WNOHANG) == 0, "T1",
		"traits: and of the first thread, if that did");
	thread_may_end = 1;
	need(!pthread_join(thread, NULL));
	status = end_of(of_thread);
	verdict(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "T3",
		"traits: the end of that thread is its PDEATHSIG (K20)");
	sleep_ms(200);
	verdict(waitpid(of_main, NULL, WNOHANG) == 0, "T3", "traits: and nobody else's");
}

static void check_end(pid_t parent, pid_t grandchild, int sig, const char *text)
{
	int status;

	kill(grandchild, SIGTERM);
	status = end_of(parent);
	verdict_eq(status == -1 ? -1 : WEXITSTATUS(status), sig, "T3", text);
}

void check_family(void)
{
	int status = 0;

	verdict(waitpid(continued, &status, WCONTINUED | WNOHANG) == continued && WIFCONTINUED(status), "T3",
		"traits: a child was continued, and its parent can still ask (K20)");
	verdict(waitpid(continued, &status, WCONTINUED | WNOHANG) == 0, "T3", "traits: once");
	verdict(setpgid(execed, execed) < 0 && errno == EACCES, "T3",
		"traits: a child that has called execve() gets no group from its parent (K20)");
	verdict(!setpgid(forked, forked), "T3", "traits: and one that has not does");
	check_end(exec_parent, grandchild_of_exec, SIGCHLD,
		  "traits: who has called execve() hears of a child's end by SIGCHLD (K20)");
	check_end(fork_parent, grandchild_of_fork, SIGUSR2, "traits: and who has not by the signal that it asked for");
	check_dead();
	check_of_thread();
}
