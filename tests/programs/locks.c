// SPDX-License-Identifier: GPL-2.0-only
/*
 * File locks of every kind, and who waits for them, which are checked when the program
 * is told to.  usage: locks DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "locks.h"

#define NR_WAITERS 3

/* in what all processes share */
static struct shared {
	volatile int waiting[NR_WAITERS];
	volatile int got[NR_WAITERS];	/* 1, or -errno */
	volatile pid_t answer;
} *s;

static int whole, common, ranges, again, own, abandoned, childs, tables;
static void *mapped;
static pid_t other, table_mate;

static int made(const char *name, int flags)
{
	int fd = open(in_dir(name), flags | O_CREAT, 0600);

	need(fd >= 0);
	return fd;
}

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &range);
}

/* what fdinfo says of the locks of all descriptors */
#define INFO_LEN 8192
static char info_before[INFO_LEN];

static void read_info(char *to)
{
	char path[64], line[256];
	size_t len = 0;
	int fd;

	for (fd = 3; fd < 64; fd++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			if (!strncmp(line, "lock:", 5))
				len += snprintf(to + len, INFO_LEN - len, "%d %s", fd, line);
		if (f)
			fclose(f);
	}
}

/* a process that does @run with the number @n, and stays */
static pid_t helper(void (*run)(int n), int n)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		run(n);
		for (;;)
			pause();
	}
	return pid;
}

/* @n waits for what main has, through a file that it has opened itself */
static void wait_for_lock(int n)
{
	static const char *const names[NR_WAITERS] = { "whole", "ranges", "own" };
	int fd = open(in_dir(names[n]), O_RDWR), ret;

	need(fd >= 0);
	s->waiting[n] = 1;
	if (n == 0)
		ret = flock(fd, LOCK_EX);
	else
		ret = lock(fd, n == 1 ? F_SETLKW : F_OFD_SETLKW, F_WRLCK, 100, 100);
	s->got[n] = ret ? -errno : 1;
}

/* the same file is locked by another process, elsewhere */
static void lock_beside(int unused)
{
	int fd = open(in_dir("ranges"), O_RDWR);

	(void)unused;
	need(fd >= 0 && !lock(fd, F_SETLK, F_WRLCK, 0, 50) && !lock(fd, F_SETLK, F_RDLCK, 400, 0));
}

/* a child has locked what main has open, too, and lives on; another one has ended */
static void lock_in_child(int unused)
{
	(void)unused;
	need(!flock(childs, LOCK_SH));
}

static void lock_and_end(void)
{
	pid_t pid = fork();
	int status;

	need(pid >= 0);
	if (!pid)
		_exit(flock(abandoned, LOCK_EX) ? 1 : 0);
	need(waitpid(pid, &status, 0) == pid && !status);
}

/* a process that shares the table: what it locks is main's, too */
static int share_table(void *unused)
{
	need(!lock(tables, F_SETLK, F_WRLCK, 7, 7));
	for (;;)
		pause();
	return !unused;
}

static pid_t start_table_mate(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	return clone(share_table, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL);
}

/* is it in a call by number? */
static bool is_in_call(pid_t pid, long nr)
{
	char path[64], text[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "r");
	if (f) {
		if (!fgets(text, sizeof(text), f))
			*text = 0;
		fclose(f);
	}
	return strncmp(text, "running", 7) && *text && strtol(text, NULL, 10) == nr;
}

/* who has the lock of the range [@start, @start + 1)?  0: nobody; -1: an open file */
static pid_t holder(int fd, off_t start)
{
	struct flock range = { .l_type = F_WRLCK, .l_start = start, .l_len = 1 };

	need(!fcntl(fd, F_GETLK, &range));
	return range.l_type == F_UNLCK ? 0 : range.l_pid;
}

/* the same, asked by another process: closing the file here would release what is locked */
static pid_t holder_to_others(int fd, off_t start)
{
	pid_t pid = fork();

	if (!pid) {
		s->answer = holder(fd, start);
		_exit(0);
	}
	need(pid > 0 && waitpid(pid, NULL, 0) == pid);
	return s->answer;
}

/* in a process of its own: can the file of that name be locked so?  0, or errno */
static int tried(const char *name, int how)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		int fd = open(in_dir(name), O_RDWR);

		_exit(fd < 0 || flock(fd, how | LOCK_NB) ? errno : 0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void prepare_locks(void)
{
	int fd;

	whole = made("whole", O_RDWR);
	common = made("common", O_RDONLY);
	ranges = made("ranges", O_RDWR);
	again = open(in_dir("ranges"), O_RDWR);
	own = made("own", O_RDWR);
	abandoned = made("abandoned", O_RDWR);
	childs = made("childs", O_RDONLY);
	tables = made("tables", O_RDWR);
	need(again >= 0 && !flock(whole, LOCK_EX) && !flock(common, LOCK_SH));
	need(!lock(ranges, F_SETLK, F_WRLCK, 100, 100) && !lock(ranges, F_SETLK, F_RDLCK, 300, 0));
	need(!lock(again, F_SETLK, F_WRLCK, 60, 10));
	need(!lock(own, F_OFD_SETLK, F_WRLCK, 100, 100) && !lock(own, F_OFD_SETLK, F_RDLCK, 0, 10));
	lock_and_end();
	/* an open file without a descriptor, which keeps what it has locked */
	fd = made("mapped", O_RDWR);
	need(!ftruncate(fd, 4096) && !flock(fd, LOCK_EX));
	mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	need(mapped != MAP_FAILED && !close(fd));
}

static void prepare_others(void)
{
	static const long calls[NR_WAITERS] = { 73 /* flock */, 72 /* fcntl */, 72 };
	pid_t waiter;
	int n;

	other = helper(lock_beside, 0);
	helper(lock_in_child, 0);
	table_mate = start_table_mate();
	need(table_mate > 0);
	for (n = 0; n < NR_WAITERS; n++) {
		waiter = helper(wait_for_lock, n);
		while (!s->waiting[n] || !is_in_call(waiter, calls[n]))
			sleep_ms(5);
	}
	while (holder(ranges, 0) != other || holder(ranges, 500) != other || tried("childs", LOCK_EX) != EWOULDBLOCK ||
	       holder_to_others(tables, 7) != table_mate)
		sleep_ms(5);
}

static void check_flock(void)
{
	verdict_eq(tried("whole", LOCK_SH), EWOULDBLOCK, "C5", "locks: an exclusive flock is held");
	verdict(tried("common", LOCK_EX) == EWOULDBLOCK && tried("common", LOCK_SH) == 0, "C5",
		"locks: a shared flock is held");
	verdict_eq(tried("abandoned", LOCK_SH), EWOULDBLOCK, "C5", "locks: a flock of a process that has ended");
	verdict_eq(tried("childs", LOCK_EX), EWOULDBLOCK, "C5", "locks: a flock that a child took is held");
	verdict_eq(tried("mapped", LOCK_SH), EWOULDBLOCK, "C5", "locks: a flock of a file that is only mapped");
}

/* by another process, which is not their owner: what F_GETLK says to it */
static void check_ranges_outside(void)
{
	pid_t pid = fork(), me;
	int status = 0;

	if (!pid) {
		struct flock range = { .l_type = F_RDLCK, .l_start = 90, .l_len = 1000 };
		bool good;

		me = getppid();
		good = !fcntl(ranges, F_GETLK, &range) && range.l_type == F_WRLCK && range.l_start == 100 &&
			range.l_len == 100 && range.l_pid == me;
		range = (struct flock){ .l_type = F_WRLCK, .l_start = 300, .l_len = 1 };
		good &= !fcntl(ranges, F_GETLK, &range) && range.l_type == F_RDLCK && range.l_start == 300 &&
			!range.l_len && range.l_pid == me;
		good &= holder(ranges, 0) == other && holder(ranges, 55) == 0 && holder(ranges, 65) == me;
		_exit(!good);
	}
	verdict(waitpid(pid, &status, 0) == pid && !status, "C5",
		"locks: F_GETLK tells another process of all ranges, and whose they are");
}

static void check_ranges(void)
{
	int fd = open(in_dir("tables"), O_RDWR);

	verdict_eq(holder_to_others(tables, 7), table_mate, "C5", "locks: F_GETLK tells of a process that shares a table");
	verdict(holder(ranges, 0) == other && holder(ranges, 500) == other, "C5", "locks: F_GETLK tells of another process");
	check_ranges_outside();
	verdict(holder(own, 150) == -1 && lock(open(in_dir("own"), O_RDWR), F_OFD_SETLK, F_WRLCK, 5, 1) == -1 &&
		errno == EAGAIN, "C5", "locks: F_OFD_SETLK keeps the same process out through another open file");
	verdict(fd >= 0 && lock(fd, F_OFD_SETLK, F_WRLCK, 7, 1) == -1 && errno == EAGAIN, "C5",
		"locks: what a process locked that shares the table is locked");
	/* whose is it? of the table, and so of main, too */
	verdict(!lock(tables, F_SETLK, F_UNLCK, 7, 7) && !lock(fd, F_OFD_SETLK, F_WRLCK, 7, 1), "C5",
		"locks: and whoever shares the table can release it");
}

static bool gets(int n)
{
	long long end = now_ms() + 20000;

	while (!s->got[n] && now_ms() < end)
		sleep_ms(5);
	return s->got[n] == 1;
}

static void check_waiters(void)
{
	sleep_ms(50);
	verdict(!s->got[0] && !s->got[1] && !s->got[2], "C5", "locks: who waits for one waits on");
	verdict(!flock(whole, LOCK_UN) && gets(0), "C5", "locks: who waits in flock() gets it when it is released");
	/* any descriptor that is closed releases all of the owner's */
	verdict(!close(again) && gets(1), "C5", "locks: who waits in F_SETLKW gets it when the file is closed");
	verdict(!lock(own, F_OFD_SETLK, F_UNLCK, 0, 0) && gets(2), "C5", "locks: who waits in F_OFD_SETLKW gets it");
	verdict_eq(holder(ranges, 0), other, "C5", "locks: another owner's are held as before");
}

static void check_info(void)
{
	static char now[INFO_LEN];

	read_info(now);
	verdict(!strcmp(now, info_before), "C5 C1", "locks: /proc/PID/fdinfo says the same of all");
	if (strcmp(now, info_before))
		printf("was:\n%sis:\n%s", info_before, now);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	need(argc == 2);
	verdict_dir(argv[1]);
	need(!chdir(argv[1]));
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(s != MAP_FAILED);
	block_told();
	prepare_locks();
	prepare_others();
	prepare_told();
	read_info(info_before);
	need(strstr(info_before, "FLOCK") && strstr(info_before, "POSIX") && strstr(info_before, "OFDLCK"));
	ready();
	wait_for_check();
	check_info();
	check_flock();
	check_ranges();
	check_waiters();
	check_told();
	verdict_end();
	for (;;)
		pause();
}
