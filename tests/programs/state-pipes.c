// SPDX-License-Identifier: GPL-2.0-only
/* Pipes with contents, half-open, in packets; and a thread that sleeps in a read. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "state.h"

#define FULL 65536

static int filled[2], no_writer[2], no_reader[2], packets[2], full[2], awaited[2], spliced[2];
static ssize_t spliced_len;
static pthread_t reader;
static char answer[32];
static int nowait;

static void *read_awaited(void *unused)
{
	sigset_t all;

	(void)unused;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	return (void *)(long)read(awaited[0], answer, sizeof(answer));
}

/* of an empty pipe: EAGAIN, or EOPNOTSUPP where the kernel has no such thing for pipes */
static int nowait_answer(void)
{
	struct iovec iov = { &(char){ 0 }, 1 };

	return preadv2(awaited[0], &iov, 1, -1, RWF_NOWAIT) < 0 ? errno : 0;
}

/*
 * A socket gives its data to a pipe in pieces of several pages: more than would
 * fit into this pipe a page each.
 */
static void prepare_spliced(void)
{
	static uint8_t bytes[8 * FULL];
	int fds[2], size = 16 * FULL;
	ssize_t n, len;

	need(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) && !pipe2(spliced, O_NONBLOCK));
	need(!setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	pattern(bytes, sizeof(bytes), 71);
	len = write(fds[0], bytes, sizeof(bytes));
	while (spliced_len < len && (n = splice(fds[1], NULL, spliced[1], NULL, len - spliced_len,
						SPLICE_F_NONBLOCK)) > 0)
		spliced_len += n;
	need(spliced_len > FULL && fcntl(spliced[0], F_GETPIPE_SZ) == FULL);
	close(fds[0]);
	close(fds[1]);
}

void prepare_pipes(void)
{
	static uint8_t bytes[FULL];

	need(!pipe(filled) && !pipe(no_writer) && !pipe(no_reader) && !pipe2(packets, O_DIRECT | O_NONBLOCK) &&
	     !pipe2(full, O_NONBLOCK | O_CLOEXEC) && !pipe(awaited));
	need(write(filled[1], "one", 3) == 3 && write(filled[1], "two", 3) == 3);
	need(read(filled[0], &(char){ 0 }, 1) == 1);
	need(write(no_writer[1], "the end", 7) == 7 && !close(no_writer[1]));
	need(!close(no_reader[0]));
	need(write(packets[1], "aa", 2) == 2 && write(packets[1], "bbb", 3) == 3);
	pattern(bytes, FULL, 70);
	need(write(full[1], bytes, FULL) == FULL && write(full[1], bytes, 1) == -1);
	need(fcntl(filled[1], F_SETPIPE_SZ, 131072) == 131072);
	nowait = nowait_answer();
	prepare_spliced();
	need(!pthread_create(&reader, NULL, read_awaited, NULL));
}

static bool reads(int fd, const char *wanted)
{
	char buf[64] = "";

	return read(fd, buf, sizeof(buf)) == (ssize_t)strlen(wanted) && !strcmp(buf, wanted);
}

static void check_full(void)
{
	static uint8_t bytes[FULL];
	ssize_t n, got = 0;

	verdict(write(full[1], "x", 1) == -1 && errno == EAGAIN, "C3", "state: a full pipe is full");
	while (got < FULL && (n = read(full[0], bytes + got, FULL - got)) > 0)
		got += n;
	verdict(got == FULL && pattern_is(bytes, FULL, 70), "C3", "state: contents of a full pipe");
	verdict(read(full[0], bytes, 1) == -1 && errno == EAGAIN, "C3", "state: a full pipe that was read is empty");
}

static void check_spliced(void)
{
	static uint8_t bytes[8 * FULL];
	ssize_t n, got = 0;
	int left = -1;

	verdict(!ioctl(spliced[0], FIONREAD, &left) && left == spliced_len && fcntl(spliced[0], F_GETPIPE_SZ) == FULL,
		"C3 K27", "state: a pipe holds more than pages of it would, as it was spliced");
	while (got < spliced_len && (n = read(spliced[0], bytes + got, spliced_len - got)) > 0)
		got += n;
	verdict(got == spliced_len && pattern_is(bytes, got, 71), "C3 K27", "state: contents that were spliced into a pipe");
	verdict(write(spliced[1], "then", 4) == 4 && read(spliced[0], bytes, 8) == 4 && !memcmp(bytes, "then", 4), "C3 K27",
		"state: a pipe that was spliced into goes on");
}

void check_pipes(void)
{
	void *n;
	int left = -1;

	verdict_eq(nowait_answer(), nowait, "C3", "state: what a read of a pipe with RWF_NOWAIT answers");
	verdict(!ioctl(filled[0], FIONREAD, &left) && left == 5 && reads(filled[0], "netwo"), "C3",
		"state: contents of a pipe");
	verdict_eq(fcntl(filled[0], F_GETPIPE_SZ), 131072, "C3", "state: size of a pipe");
	verdict(write(filled[1], "three", 5) == 5 && reads(filled[0], "three"), "C3", "state: a pipe goes on");
	verdict(reads(no_writer[0], "the end") && reads(no_writer[0], ""), "C3",
		"state: a pipe whose writer is gone has contents and an end");
	signal(SIGPIPE, SIG_IGN);
	verdict(write(no_reader[1], "x", 1) == -1 && errno == EPIPE, "C3", "state: a pipe whose reader is gone");
	verdict(reads(packets[0], "aa") && reads(packets[0], "bbb") && read(packets[0], &n, 1) == -1 &&
		errno == EAGAIN, "C3", "state: packets in a pipe");
	verdict(write(packets[1], "c", 1) == 1 && write(packets[1], "dd", 2) == 2 && reads(packets[0], "c") &&
		reads(packets[0], "dd"), "C3", "state: a pipe of packets goes on");
	check_full();
	check_spliced();
	need(write(awaited[1], "at last", 7) == 7);
	verdict(!pthread_join(reader, &n) && n == (void *)7 && !strcmp(answer, "at last"), "S4",
		"state: a read in progress gets its data, and its thread is joined");
}
