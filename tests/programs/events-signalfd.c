// SPDX-License-Identifier: GPL-2.0-only
/* signalfd: masks, what waits, who reads, and what wakes an epoll file that watches one. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events.h"

#define READER (SIGRTMIN + 1)
#define OWN (SIGRTMIN + 2)

static int waiting, blocking, wide;
static int mine;		/* epoll: we added the signalfd */
static int others;		/* epoll: our child added the signalfd */
static pid_t child;
static int asks[2], answers[2];
static volatile int reader_got;

static int signal_fd(const int *signals, int flags)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	need(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	fd = signalfd(-1, &set, flags);
	need(fd >= 0);
	note_file(fd);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event ev = { EPOLLIN, { .fd = fd } };

	need(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev));
}

static bool reports(int epoll, int ms)
{
	struct epoll_event ev;
	int n;

	do
		n = epoll_wait(epoll, &ev, 1, ms);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static int next(int fd, struct signalfd_siginfo *info)
{
	memset(info, 0, sizeof(*info));
	return read(fd, info, sizeof(*info)) == sizeof(*info) ? (int)info->ssi_signo : 0;
}

/* it waits in read(2) all the time */
static void *reader(void *arg)
{
	struct signalfd_siginfo info;

	(void)arg;
	for (;;)
		if (next(blocking, &info) == READER)
			reader_got = info.ssi_int;
	return NULL;
}

/* has its own signals, and the descriptors of ours */
static void be_child(void)
{
	char c;

	watch(others, waiting);
	need(write(answers[1], "y", 1) == 1);
	while (read(asks[0], &c, 1) == 1) {
		need(!kill(getpid(), SIGUSR2));
		c = reports(others, 20000) ? 'y' : 'n';
		need(write(answers[1], &c, 1) == 1);
	}
	_exit(0);
}

void prepare_signalfds(void)
{
	union sigval value = { .sival_int = 4711 };
	pthread_t thread;
	char c;

	waiting = signal_fd((int[]){ SIGUSR1, SIGUSR2, 0 }, SFD_NONBLOCK);
	blocking = signal_fd((int[]){ READER, 0 }, SFD_CLOEXEC);
	wide = signal_fd((int[]){ OWN, SIGWINCH, SIGRTMAX, 0 }, SFD_NONBLOCK | SFD_CLOEXEC);
	mine = epoll_create1(0);
	others = epoll_create1(0);
	need(mine >= 0 && others >= 0 && !pipe(asks) && !pipe(answers));
	watch(mine, waiting);
	child = fork();
	need(child >= 0);
	if (!child)
		be_child();
	need(read(answers[0], &c, 1) == 1);
	need(!pthread_create(&thread, NULL, reader, NULL));
	/* one of the process, two of the thread; of what waits nothing is read yet */
	need(!sigqueue(getpid(), OWN, value));
	need(!pthread_kill(pthread_self(), SIGRTMAX) && !pthread_kill(pthread_self(), SIGRTMAX));
}

static void check_waiting(void)
{
	struct signalfd_siginfo info;

	verdict(next(wide, &info) == SIGRTMAX && next(wide, &info) == SIGRTMAX, "C4",
		"signalfd: signals of the thread that wait");
	verdict(next(wide, &info) == OWN && info.ssi_int == 4711 && (pid_t)info.ssi_pid == getpid(), "C4",
		"signalfd: a signal of the process that waits, with its value");
	verdict(!next(wide, &info) && errno == EAGAIN, "C4", "signalfd: and no other");
	need(!kill(getpid(), SIGWINCH));
	verdict_eq(next(wide, &info), SIGWINCH, "C4", "signalfd: one that comes");
}

static void check_reader(void)
{
	union sigval value = { .sival_int = 815 };

	verdict(!reader_got, "C4", "signalfd: a read that waits has not returned");
	need(!sigqueue(getpid(), READER, value));
	for (int i = 0; i < 2000 && !reader_got; i++)
		sleep_ms(10);
	verdict_eq(reader_got, 815, "C4", "signalfd: a read that waits gets what it waits for");
}

static void check_watches(void)
{
	struct signalfd_siginfo info;
	char c = 0;

	verdict(!reports(mine, 50) && !reports(others, 0), "C4", "signalfd: epoll says nothing before there is a signal");
	need(!kill(getpid(), SIGUSR2));
	verdict(reports(mine, 20000), "C4", "signalfd: epoll is woken by a signal to who has added it");
	verdict(!reports(others, 50), "C4", "signalfd: epoll that another process has added it to is not");
	verdict_eq(next(waiting, &info), SIGUSR2, "C4", "signalfd: the signal is there");
	verdict(!reports(mine, 0), "C4", "signalfd: epoll says nothing when it was read");
	need(write(asks[1], "?", 1) == 1 && read(answers[0], &c, 1) == 1);
	verdict_eq(c, 'y', "C4", "signalfd: a signal to that process wakes it");
}

void check_signalfds(void)
{
	check_waiting();
	check_reader();
	check_watches();
}
