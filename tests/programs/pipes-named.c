// SPDX-License-Identifier: GPL-2.0-only
/* Named pipes in every state. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipes.h"

static int fifo(const char *name, int flags)
{
	int fd;

	need(!mkfifo(in_dir(name), 0640) || errno == EEXIST);
	fd = open(in_dir(name), flags);
	need(fd >= 0);
	return fd;
}

static bool fails(ssize_t ret, int err)
{
	return ret == -1 && errno == err;
}

static bool is_named(int fd, const char *wanted)
{
	char link[64], shown[600] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, shown, sizeof(shown) - 1) > 0 && !strcmp(shown, wanted);
}

static int unseen, seen, to_itself, nobody_reads, name, told, sized, packets[2], watched, watcher;
static int readers[2], writer;
static struct stat was;
static struct large large = { .name = "a write of more than fits into a named pipe is done in the end" };

static void prepare_ends(void)
{
	int fd;

	unseen = fifo("unseen", O_RDONLY | O_NONBLOCK);
	seen = fifo("seen", O_RDONLY | O_NONBLOCK);
	fd = fifo("seen", O_WRONLY);
	need(write(fd, "bye", 3) == 3 && !close(fd));
	to_itself = fifo("to-itself", O_RDWR);
	need(write(to_itself, "as it was", 9) == 9);
	fd = fifo("nobody-reads", O_RDONLY | O_NONBLOCK);
	nobody_reads = fifo("nobody-reads", O_WRONLY | O_NONBLOCK);
	need(write(nobody_reads, "left", 4) == 4 && !close(fd));
	readers[0] = fifo("several", O_RDONLY | O_NONBLOCK);
	readers[1] = fifo("several", O_RDONLY | O_NONBLOCK);
	writer = fifo("several", O_WRONLY);
	need(!fcntl(readers[1], F_SETFL, 0) && write(writer, "for either", 10) == 10);
	sized = fifo("sized", O_RDWR | O_NONBLOCK);
	need(fcntl(sized, F_SETPIPE_SZ, 2 * PAGE) == 2 * PAGE && write(sized, "x", 1) == 1);
	name = fifo("sized", O_PATH);
	packets[0] = fifo("packets", O_RDONLY | O_NONBLOCK);
	packets[1] = fifo("packets", O_WRONLY);
	need(!fcntl(packets[1], F_SETFL, O_DIRECT) && write(packets[1], "aa", 2) == 2 && write(packets[1], "bbb", 3) == 3);
	large.in = fifo("large", O_RDONLY | O_NONBLOCK);
	large.out = fifo("large", O_WRONLY);
	need(!fcntl(large.in, F_SETFL, 0));
	start_large(&large);
	need(!fstat(sized, &was));
}

static void check_ends(void)
{
	struct stat st;
	int fd;

	verdict(polled(unseen) == 0 && says(unseen, ""), "C3", "a named pipe that nobody has written to yet: no hang-up");
	verdict(polled(seen) == (POLLIN | POLLHUP) && says(seen, "bye") && polled(seen) == POLLHUP && says(seen, ""), "C3",
		"a named pipe whose writer has gone: contents, and a hang-up");
	verdict(!fstat(sized, &st) && st.st_ino == was.st_ino && st.st_mode == was.st_mode &&
		st.st_mtim.tv_sec == was.st_mtim.tv_sec && st.st_mtim.tv_nsec == was.st_mtim.tv_nsec, "C3",
		"the file of one with contents was not written to");
	verdict(says(to_itself, "as it was") && write(to_itself, "more", 4) == 4 && says(to_itself, "more"), "C3",
		"a named pipe that is open for both ends");
	verdict(polled(nobody_reads) == (POLLOUT | POLLERR) && fails(write(nobody_reads, "x", 1), EPIPE), "C3",
		"a named pipe whose reader has gone");
	fd = fifo("nobody-reads", O_RDONLY | O_NONBLOCK);
	verdict(says(fd, "left"), "C3", "the next reader finds what was left");
	verdict(is_named(to_itself, in_dir("to-itself")), "C3", "a named pipe is open under its name");
	verdict(!fstat(name, &st) && st.st_ino == was.st_ino && fcntl(name, F_GETFL) & O_PATH, "C3",
		"a descriptor that is a named pipe's name (O_PATH)");
	verdict(fcntl(sized, F_GETPIPE_SZ) == 2 * PAGE && places(sized) == 1 && says(sized, "x"), "C3", "size of a named pipe");
	verdict(says(packets[0], "aa") && says(packets[0], "bbb") && write(packets[1], "c", 1) == 1 &&
		write(packets[1], "dd", 2) == 2 && says(packets[0], "c") && says(packets[0], "dd"), "C3", "packets in a named pipe");
}

static void check_several(void)
{
	char c;

	verdict(fcntl(readers[0], F_GETFL) & O_NONBLOCK && !(fcntl(readers[1], F_GETFL) & O_NONBLOCK), "C3",
		"two openers of a named pipe have flags of their own");
	verdict(says(readers[1], "for either") && fails(read(readers[0], &c, 1), EAGAIN), "C3", "what either of them may read");
	verdict(write(writer, "then", 4) == 4 && says(readers[0], "then"), "C3", "a named pipe with several openers goes on");
	close(writer);
	verdict(polled(readers[0]) == POLLHUP && polled(readers[1]) == POLLHUP, "C3", "until its writer goes");
}

/* What has lost its name, or one of two. */

static int lost, lost_reader, lost_name, renamed;

static void prepare_lost(void)
{
	lost = fifo("lost", O_RDWR | O_NONBLOCK);
	lost_reader = fifo("lost", O_RDONLY);
	lost_name = fifo("lost", O_PATH);
	need(write(lost, "without a name", 14) == 14 && !fchown(lost, 7, 8) && !fchmod(lost, 0604) &&
	     !unlink(in_dir("lost")));
	renamed = fifo("first", O_RDWR | O_NONBLOCK);
	need(write(renamed, "second", 6) == 6 && !link(in_dir("first"), in_dir("second")) && !unlink(in_dir("first")));
}

static void check_lost(void)
{
	struct stat st, same;
	char shown[600];

	snprintf(shown, sizeof(shown), "%s (deleted)", in_dir("lost"));
	verdict(says(lost_reader, "without a name") && write(lost, "it goes on", 10) == 10 && says(lost_reader, "it goes on"),
		"C2 C3", "a deleted named pipe");
	verdict(!fstat(lost, &st) && S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0604 && st.st_uid == 7 && st.st_gid == 8 &&
		!st.st_nlink, "C2 C3", "owner and mode of a deleted named pipe");
	verdict(!fstat(lost_name, &same) && same.st_ino == st.st_ino && fcntl(lost_name, F_GETFL) & O_PATH, "C2 C3",
		"the name of a deleted named pipe (O_PATH)");
	verdict(is_named(lost, shown) && access(in_dir("lost"), F_OK) == -1,
		"C2 C3", "how proc shows a deleted named pipe");
	verdict(says(renamed, "second") && !fstat(renamed, &st) && !stat(in_dir("second"), &same) && st.st_ino == same.st_ino,
		"C2 C3", "a named pipe that has another name left");
}

/* Who is told, and who waits. */

static void prepare_told(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 77 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	told = fifo("told", O_RDWR | O_NONBLOCK);
	need(!fcntl(told, F_SETOWN, getpid()) && !fcntl(told, F_SETSIG, SIGRTMIN + 3) && !fcntl(told, F_SETFL, O_ASYNC | O_NONBLOCK));
	watched = fifo("watched", O_RDWR | O_NONBLOCK);
	watcher = epoll_create1(0);
	need(watcher >= 0 && !epoll_ctl(watcher, EPOLL_CTL_ADD, watched, &ev));
}

static void check_told(void)
{
	const struct timespec at_once = { 0 }, soon = { 5, 0 };
	struct epoll_event ev = { 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	verdict(fails(sigtimedwait(&set, NULL, &at_once), EAGAIN), "C3 C5", "nobody is told of a named pipe that nothing was written to");
	need(write(told, "x", 1) == 1);
	verdict(sigtimedwait(&set, &info, &soon) == SIGRTMIN + 3 && info.si_fd == told, "C3 C5", "who is told of a named pipe (O_ASYNC)");
	verdict(!epoll_wait(watcher, &ev, 1, 0) && write(watched, "x", 1) == 1 && epoll_wait(watcher, &ev, 1, 5000) == 1 &&
		ev.data.u32 == 77, "C3 C4", "a named pipe that is watched");
}

struct waiter {
	const char *name;
	int flags;
	pthread_t thread;
	volatile int fd, err;
	volatile bool waits;
};

static struct waiter for_writer = { .name = "for-writer", .flags = O_RDONLY },
	for_reader = { .name = "for-reader", .flags = O_WRONLY };

static void *wait_in_open(void *arg)
{
	struct waiter *w = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	w->waits = true;
	w->fd = open(in_dir(w->name), w->flags);
	w->err = errno;
	w->waits = false;
	return NULL;
}

static void start_waiter(struct waiter *w)
{
	need(!mkfifo(in_dir(w->name), 0640) || errno == EEXIST);
	w->fd = -1;
	need(!pthread_create(&w->thread, NULL, wait_in_open, w));
}

/* the other end is not opened before somebody waits for it */
static int open_other(struct waiter *w, int flags)
{
	int fd = -1;

	for (int i = 0; i < 500 && fd < 0; i++) {
		fd = open(in_dir(w->name), flags | O_NONBLOCK);
		if (fd < 0)
			sleep_ms(20);
	}
	return fd;
}

static void check_waiters(void)
{
	int fd;

	verdict(for_writer.waits && for_reader.waits, "C3 S4", "who waits in open(2) of a named pipe still does");
	fd = open_other(&for_writer, O_WRONLY);
	pthread_join(for_writer.thread, NULL);
	verdict(fd >= 0 && for_writer.fd >= 0 && write(fd, "at last", 7) == 7 && says(for_writer.fd, "at last"), "C3 S4",
		"who waits in open(2) for a writer gets one");
	fd = open_other(&for_reader, O_RDONLY);
	pthread_join(for_reader.thread, NULL);
	verdict(fd >= 0 && for_reader.fd >= 0 && write(for_reader.fd, "at last", 7) == 7 && says(fd, "at last"), "C3 S4",
		"who waits in open(2) for a reader gets one");
}

/* a child has the other ends, and says what it is told */
static int question, answer;

static void prepare_child(void)
{
	pid_t pid;
	char c;

	need(!mkfifo(in_dir("question"), 0600) && !mkfifo(in_dir("answer"), 0600));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		question = open(in_dir("question"), O_RDONLY);
		answer = open(in_dir("answer"), O_WRONLY);
		while (read(question, &c, 1) == 1 && write(answer, &c, 1) == 1)
			;
		_exit(0);
	}
	question = open(in_dir("question"), O_WRONLY);
	answer = open(in_dir("answer"), O_RDONLY);
	need(question >= 0 && answer >= 0);
}

static void check_child(void)
{
	char c;

	verdict(write(question, "q", 1) == 1 && says(answer, "q"), "C3", "a named pipe between two processes");
	close(question);
	verdict(!read(answer, &c, 1), "C3", "which ends with one of them");
}

void prepare_named(void)
{
	prepare_child();
	prepare_ends();
	prepare_lost();
	prepare_told();
	start_waiter(&for_writer);
	start_waiter(&for_reader);
	sleep_ms(300);
}

void check_named(void)
{
	check_told();
	check_ends();
	check_lost();
	check_several();
	check_large(&large);
	check_waiters();
	check_child();
}
