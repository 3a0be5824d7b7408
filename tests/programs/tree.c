// SPDX-License-Identifier: GPL-2.0-only
/*
 * A family: the container's init, a parent with 20 children in several sessions
 * and process groups, two of which are zombies, and an orphan whose session's and
 * group's leader is gone.  Each remembers who it is and, when it is woken by the
 * end of a pipe, says whether it still is.  usage: tree DIR
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verdict.h"

#define NR_CHILDREN 20
#define EXITED 18			/* a zombie with an exit status */
#define KILLED 19			/* a zombie that a signal ended */
#define STATUS_SAME 42
#define PARENT_DONE 43

struct identity {
	pid_t pid, ppid, pgid, sid;
};

static int go[2];			/* woken when its writing end is closed everywhere */
static int told[2];			/* children write here when they have settled */

static struct identity identity(void)
{
	return (struct identity){ getpid(), getppid(), getpgrp(), getsid(0) };
}

static void settled(void)
{
	need(write(told[1], ".", 1) == 1);
}

static void wait_settled(int nr)
{
	char c;

	while (nr--)
		need(read(told[0], &c, 1) == 1);
}

/* sleep until the check begins; then end with STATUS_SAME or not */
static _Noreturn void be(const char *name)
{
	struct identity before, now;
	char c;

	close(go[1]);
	before = identity();
	prctl(PR_SET_NAME, name);
	settled();
	need(read(go[0], &c, 1) == 0);
	now = identity();
	_exit(memcmp(&before, &now, sizeof(now)) ? 1 : STATUS_SAME);
}

/* child @i of 20: sessions of their own, groups of their own, groups of a sibling, and the parent's */
static void settle(int i, const pid_t *siblings)
{
	if (i % 5 == 0)
		need(setsid() == getpid());
	else if (i % 5 == 1)
		need(!setpgid(0, 0));
	else if (i % 5 == 2)
		need(!setpgid(0, siblings[i - 1]));
}

static pid_t start_child(int i, const pid_t *siblings)
{
	char name[16];
	pid_t pid = fork();

	need(pid >= 0);
	if (pid)
		return pid;
	settle(i, siblings);
	if (i == EXITED) {
		settled();
		_exit(7);
	}
	snprintf(name, sizeof(name), "child-%d", i);
	be(name);
}

static bool same_status(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SAME;
}

static void check_zombies(const pid_t *children)
{
	siginfo_t info = {};
	int status = 0;

	verdict(!waitid(P_PID, children[EXITED], &info, WEXITED | WNOWAIT | WNOHANG) &&
		info.si_pid == children[EXITED] && info.si_code == CLD_EXITED && info.si_status == 7,
		"S13", "tree: waitid() tells of a zombie");
	verdict_eq(waitpid(children[EXITED], &status, WNOHANG), children[EXITED], "S13",
		   "tree: a zombie can be reaped");
	verdict_eq(status, 7 << 8, "S13", "tree: with its exit status");
	status = 0;
	verdict_eq(waitpid(children[KILLED], &status, WNOHANG), children[KILLED], "S13",
		   "tree: a killed zombie can be reaped");
	verdict_eq(status, SIGKILL, "S13", "tree: with its signal");
}

static _Noreturn void be_parent(void)
{
	struct identity before, now;
	pid_t children[NR_CHILDREN];
	int status, same = 0;

	for (int i = 0; i < NR_CHILDREN; i++) {
		children[i] = start_child(i, children);
		wait_settled(1);
	}
	need(!kill(children[KILLED], SIGKILL));
	/* both are dead, and stay zombies */
	need(!waitid(P_PID, children[EXITED], &(siginfo_t){}, WEXITED | WNOWAIT));
	need(!waitid(P_PID, children[KILLED], &(siginfo_t){}, WEXITED | WNOWAIT));
	before = identity();
	ready();
	wait_for_check();
	now = identity();
	check_zombies(children);
	close(go[1]);
	for (int i = 0; i < NR_CHILDREN - 2; i++)
		same += waitpid(children[i], &status, 0) == children[i] && same_status(status);
	verdict_eq(same, NR_CHILDREN - 2, "S13",
		   "tree: every child has its pid, ppid, pgid and sid, and ends with its status");
	verdict(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD, "S13",
		"tree: there are no other children");
	verdict(!memcmp(&before, &now, sizeof(now)), "S13", "tree: the parent is who it was");
	_exit(PARENT_DONE);
}

/* a process that starts a session, has a child, and is gone before init looks */
static pid_t start_orphan(void)
{
	pid_t pid, orphan;
	int fds[2];

	need(!pipe(fds));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		need(setsid() == getpid());
		orphan = fork();
		need(orphan >= 0);
		if (!orphan) {
			while (getppid() != 1)
				sleep_ms(1);
			close(fds[0]);
			close(fds[1]);
			be("orphan");
		}
		need(write(fds[1], &orphan, sizeof(orphan)) == sizeof(orphan));
		_exit(0);
	}
	need(read(fds[0], &orphan, sizeof(orphan)) == sizeof(orphan));
	need(waitpid(pid, NULL, 0) == pid);
	close(fds[0]);
	close(fds[1]);
	return orphan;
}

int main(int argc, char **argv)
{
	pid_t parent, orphan;
	int status;

	need(argc == 2 && getpid() == 1);
	verdict_dir(argv[1]);
	need(!pipe(go) && !pipe(told));
	orphan = start_orphan();
	wait_settled(1);
	parent = fork();
	need(parent >= 0);
	if (!parent)
		be_parent();
	/* the parent alone wakes the others */
	close(go[1]);
	verdict(waitpid(parent, &status, 0) == parent && WIFEXITED(status) &&
		WEXITSTATUS(status) == PARENT_DONE, "S4", "tree: init's waitpid() goes on and returns the parent");
	verdict(waitpid(orphan, &status, 0) == orphan && same_status(status), "S13",
		"tree: an orphan is init's child, in a session and a group whose leader is dead");
	verdict_eq(waitpid(-1, &status, 0), -1, "S13", "tree: init has no other children");
	verdict_end();
	for (;;)
		pause();
}
