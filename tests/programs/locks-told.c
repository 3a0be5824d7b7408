// SPDX-License-Identifier: GPL-2.0-only
/* Who is told of input, and of whoever opens a file with a lease. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "locks.h"

/* in no header without others that do not go with these */
#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

#define SIG_DATA (SIGRTMIN + 1)
#define SIG_LEASE (SIGRTMIN + 2)
#define USER 4242

static int async[2], quiet[2], hung[2], grouped[2], named[2], given[2], sock, leased, write_leased, flagged;
static atomic_int thread_leased;
static pid_t gone;

/* a signal that is there and says @fd */
static bool told(int sig, int fd)
{
	const struct timespec wait = { 10, 0 };
	siginfo_t info;
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, sig);
	do
		got = sigtimedwait(&set, &info, &wait);
	while (got < 0 && errno == EINTR);
	return got == sig && (sig == SIGIO || info.si_fd == fd);
}

/* no signal of any kind that is meant for input */
static bool told_nothing(void)
{
	sigset_t set;

	return !sigpending(&set) && !sigismember(&set, SIG_DATA) && !sigismember(&set, SIG_LEASE) &&
		!sigismember(&set, SIGIO);
}

static void set_owner(int fd, int type, pid_t pid)
{
	struct f_owner_ex owner = { type, pid };

	need(!fcntl(fd, F_SETOWN_EX, &owner));
}

static bool owner_is(int fd, int type, pid_t pid)
{
	struct f_owner_ex owner = { -1, -1 };

	return !fcntl(fd, F_GETOWN_EX, &owner) && (int)owner.type == type && owner.pid == pid;
}

static bool uids_are(int fd, uid_t uid, uid_t euid)
{
	uid_t uids[2] = { -1, -1 };

	return !fcntl(fd, F_GETOWNER_UIDS, uids) && uids[0] == uid && uids[1] == euid;
}

static void make_async(int fd)
{
	need(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

static void prepare_pipes(void)
{
	need(!pipe(async) && !pipe(quiet) && !pipe(hung) && !pipe(grouped) && !pipe(named) && !pipe(given));
	set_owner(async[0], F_OWNER_TID, syscall(SYS_gettid));
	need(!fcntl(async[0], F_SETSIG, SIG_DATA));
	make_async(async[0]);
	/* an owner alone */
	need(!fcntl(quiet[0], F_SETOWN, getpid()));
	/* its writer has gone, and that was said: it is not said again */
	set_owner(hung[0], F_OWNER_PID, getpid());
	make_async(hung[0]);
	close(hung[1]);
	need(told(SIGIO, hung[0]) && told_nothing());
	need(!fcntl(grouped[0], F_SETOWN, -getpgrp()));
	make_async(grouped[0]);
	/* of a process that has ended nothing is left but its user, and the signal */
	set_owner(named[1], F_OWNER_PID, gone);
	need(!fcntl(named[1], F_SETSIG, SIG_DATA));
}

/* somebody else says who is told: his rights count */
static void prepare_given(void)
{
	pid_t pid = fork();
	int status;

	need(pid >= 0);
	if (!pid) {
		need(!setresuid(USER, USER, 0));
		_exit(fcntl(given[0], F_SETOWN, getppid()) ? 1 : 0);
	}
	need(waitpid(pid, &status, 0) == pid && !status);
}

static void prepare_sock(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(7560) };

	sock = socket(AF_INET, SOCK_DGRAM, 0);
	need(sock >= 0 && !bind(sock, (void *)&in, sizeof(in)));
	need(!fcntl(sock, F_SETOWN, getpid()) && !fcntl(sock, F_SETSIG, SIG_DATA));
	make_async(sock);
}

static int lease(const char *name, int flags, int type)
{
	int fd = open(in_dir(name), O_RDWR | O_CREAT, 0600);

	need(fd >= 0 && !close(fd));
	fd = open(in_dir(name), flags);
	need(fd >= 0 && !fcntl(fd, F_SETSIG, SIG_LEASE) && !fcntl(fd, F_SETLEASE, type));
	return fd;
}

/* who has it is the thread, not the process */
static void *lease_and_stay(void *unused)
{
	(void)unused;
	thread_leased = lease("thread-leased", O_RDONLY, F_RDLCK);
	for (;;)
		pause();
	return NULL;
}

void block_told(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG_DATA);
	sigaddset(&set, SIG_LEASE);
	sigaddset(&set, SIGIO);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
}

void prepare_told(void)
{
	pthread_t thread;

	gone = fork();
	need(gone >= 0);
	if (!gone)
		_exit(0);
	prepare_pipes();
	need(waitpid(gone, NULL, 0) == gone);
	prepare_given();
	prepare_sock();
	leased = lease("leased", O_RDONLY, F_RDLCK);
	write_leased = lease("write-leased", O_RDWR, F_WRLCK);
	need(!pthread_create(&thread, NULL, lease_and_stay, NULL));
	while (!thread_leased)
		sleep_ms(5);
	/* which sets the flag, and no more */
	flagged = open(in_dir("flagged"), O_RDWR | O_CREAT | O_ASYNC, 0600);
	need(flagged >= 0 && fcntl(flagged, F_GETFL) & O_ASYNC && told_nothing());
}

static void check_owners(void)
{
	pid_t me = getpid();

	verdict(owner_is(async[0], F_OWNER_TID, syscall(SYS_gettid)) && owner_is(quiet[0], F_OWNER_PID, me) &&
		owner_is(sock, F_OWNER_PID, me) && fcntl(grouped[0], F_GETOWN) == -getpgrp(), "C5",
		"locks: F_SETOWN of a thread, a process, a group");
	verdict(fcntl(async[0], F_GETSIG) == SIG_DATA && fcntl(quiet[0], F_GETSIG) == 0, "C5", "locks: F_SETSIG");
	verdict(fcntl(named[1], F_GETOWN) == 0 && fcntl(named[1], F_GETSIG) == SIG_DATA, "C5",
		"locks: F_SETOWN of a process that has ended");
	verdict(uids_are(given[0], USER, USER) && uids_are(async[0], 0, 0), "C5", "locks: the user of an F_SETOWN");
	verdict(fcntl(async[0], F_GETFL) & O_ASYNC && fcntl(flagged, F_GETFL) & O_ASYNC &&
		!(fcntl(quiet[0], F_GETFL) & O_ASYNC), "C5", "locks: O_ASYNC as it was set");
}

static void check_async(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(7560) };

	verdict(told_nothing(), "C5", "locks: nobody is told of a restart");
	verdict(write(async[1], "x", 1) == 1 && told(SIG_DATA, async[0]), "C5", "locks: O_ASYNC tells of a pipe");
	verdict(sendto(sock, "x", 1, 0, (void *)&in, sizeof(in)) == 1 && told(SIG_DATA, sock), "C5",
		"locks: O_ASYNC tells of a socket");
	verdict(write(grouped[1], "x", 1) == 1 && told(SIGIO, grouped[0]), "C5", "locks: O_ASYNC tells a group");
	verdict(write(quiet[1], "x", 1) == 1 && told_nothing(), "C5", "locks: without O_ASYNC nobody is told");
}

/* who opens it so does not get it at once, and the holder is told */
static bool breaks(int fd, const char *name, int flags)
{
	int got = open(in_dir(name), flags | O_NONBLOCK);
	bool good = got < 0 && errno == EWOULDBLOCK && told(SIG_LEASE, fd) && !fcntl(fd, F_SETLEASE, F_UNLCK);

	got = open(in_dir(name), flags | O_NONBLOCK);
	return good && got >= 0 && !close(got);
}

static void check_leases(void)
{
	verdict(fcntl(leased, F_GETLEASE) == F_RDLCK && fcntl(write_leased, F_GETLEASE) == F_WRLCK &&
		owner_is(leased, F_OWNER_PID, getpid()), "C5", "locks: leases are held");
	verdict(breaks(leased, "leased", O_WRONLY), "C5", "locks: a lease for reading can be broken");
	verdict(breaks(write_leased, "write-leased", O_RDONLY), "C5", "locks: a lease for writing can be broken");
	verdict(breaks(thread_leased, "thread-leased", O_WRONLY), "C5", "locks: who is told of a thread's lease is told");
}

void check_told(void)
{
	check_owners();
	check_async();
	check_leases();
}
