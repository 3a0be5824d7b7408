// SPDX-License-Identifier: GPL-2.0-only
/* pidfd: of the living, of zombies, of the dead. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
/* Linux 6.9 */
#define THREAD O_EXCL

static pid_t child;
static int living, self, zombie, dead, dead_too, other_dead, thread, epoll;
static int dead_says, zombie_says;

static int pidfd(pid_t pid, unsigned int flags)
{
	int fd = syscall(SYS_pidfd_open, pid, flags);

	need(fd >= 0);
	note_file(fd);
	return fd;
}

static int says(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLHUP };

	need(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static pid_t ends_with(int code)
{
	siginfo_t info;
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid)
		_exit(code);
	need(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	return pid;
}

static int signal_to(int fd, int sig)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) ? errno : 0;
}

static void *sleeper(void *arg)
{
	*(pid_t *)arg = gettid();
	for (;;)
		pause();
	return NULL;
}

/* -1: this kernel has none of a thread */
static int of_thread(void)
{
	volatile pid_t tid = 0;
	pthread_t t;
	int fd;

	need(!pthread_create(&t, NULL, sleeper, (void *)&tid));
	while (!tid)
		sleep_ms(1);
	fd = syscall(SYS_pidfd_open, tid, THREAD);
	if (fd >= 0)
		note_file(fd);
	return fd;
}

static void prepare_dead(void)
{
	pid_t pid = ends_with(1), other = ends_with(2);
	int fds[3] = { syscall(SYS_pidfd_open, pid, 0), syscall(SYS_pidfd_open, pid, O_NONBLOCK),
		       syscall(SYS_pidfd_open, other, 0) };

	need(fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0);
	need(waitpid(pid, NULL, 0) == pid && waitpid(other, NULL, 0) == other);
	dead = fds[0];
	dead_too = fds[1];
	other_dead = fds[2];
	/* what fdinfo says of them it says only from here on */
	for (int i = 0; i < 3; i++)
		note_file(fds[i]);
}

void prepare_pidfds(void)
{
	struct epoll_event ev = { EPOLLIN, { .u64 = 1 } };

	prepare_dead();
	thread = of_thread();
	child = fork();
	need(child >= 0);
	if (!child)
		for (;;)
			pause();
	living = pidfd(child, O_NONBLOCK);
	self = pidfd(getpid(), 0);
	zombie = pidfd(ends_with(42), 0);
	epoll = epoll_create1(0);
	need(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, living, &ev));
	dead_says = says(dead);
	zombie_says = says(zombie);
	need(dead_says && zombie_says);
}

static ino_t inode(int fd)
{
	struct stat st;

	need(!fstat(fd, &st));
	return st.st_ino;
}

static void check_dead(void)
{
	siginfo_t info = { 0 };

	verdict(says(dead) == dead_says && says(dead_too) == dead_says && says(other_dead) == dead_says, "C4",
		"pidfd: poll says of the dead what it said");
	verdict(signal_to(dead, 0) == ESRCH && signal_to(other_dead, 0) == ESRCH, "C4", "pidfd: the dead get no signal");
	verdict(waitid(P_PIDFD, dead, &info, WEXITED) && errno == ECHILD, "C4", "pidfd: the dead are not waited for");
	verdict(inode(dead) == inode(dead_too) && (inode(dead) == inode(self)) == (inode(dead) == inode(other_dead)), "C4",
		"pidfd: two of one dead process are of one");
	verdict_eq(says(zombie), zombie_says, "C4", "pidfd: poll says of a zombie what it said");
	verdict(!waitid(P_PIDFD, zombie, &info, WEXITED) && info.si_status == 42, "C4", "pidfd: a zombie is waited for");
	verdict_eq(says(zombie), dead_says, "C4", "pidfd: and is dead then");
}

static void check_living(void)
{
	siginfo_t info = { 0 };
	struct epoll_event ev;

	verdict(!says(living) && !says(self), "C4", "pidfd: the living have not ended");
	verdict(waitid(P_PIDFD, living, &info, WEXITED) && errno == EAGAIN, "C4", "pidfd: PIDFD_NONBLOCK");
	verdict(!epoll_wait(epoll, &ev, 1, 50), "C4", "pidfd: epoll says nothing while it lives");
	verdict(!signal_to(living, SIGTERM), "C4", "pidfd: it gets a signal");
	verdict(epoll_wait(epoll, &ev, 1, 20000) == 1, "C4", "pidfd: epoll says that it has ended");
	verdict(!waitid(P_PIDFD, living, &info, WEXITED) && info.si_pid == child && info.si_status == SIGTERM, "C4",
		"pidfd: it is waited for");
	/* on a kernel without, fdinfo of all has been compared */
	verdict(thread < 0 || (!says(thread) && !signal_to(thread, 0)), "C4", "pidfd: of a thread, where there is such");
}

void check_pidfds(void)
{
	check_dead();
	check_living();
}
