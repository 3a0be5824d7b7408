// SPDX-License-Identifier: GPL-2.0-only
/* Pipes in every state, which it checks when it is told to.  usage: pipes DIR */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pipes.h"

bool says(int fd, const char *wanted)
{
	char buf[200] = "";
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	return n == (ssize_t)strlen(wanted) && !strcmp(buf, wanted);
}

short polled(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

int places(int fd)
{
	int size = fcntl(fd, F_GETPIPE_SZ), now = size;

	while (now > PAGE && fcntl(fd, F_SETPIPE_SZ, now / 2) == now / 2)
		now /= 2;
	if (fcntl(fd, F_SETPIPE_SZ, size) != size)
		return -1;
	return now / PAGE;
}

static void *write_large(void *arg)
{
	static _Thread_local uint8_t bytes[LARGE];
	struct large *l = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pattern(bytes, LARGE, l->out);
	while (l->written < LARGE) {
		ssize_t n = write(l->out, bytes + l->written, LARGE - l->written);

		if (n < 0)
			break;
		l->written += n;
		l->short_ones += l->written < LARGE;
	}
	return NULL;
}

void start_large(struct large *l)
{
	need(!pthread_create(&l->thread, NULL, write_large, l));
	while (polled(l->out) & POLLOUT)
		sleep_ms(5);
}

void check_large(struct large *l)
{
	static uint8_t bytes[LARGE];
	ssize_t got = 0, n;
	int left = -1;

	while (got < LARGE && (n = read(l->in, bytes + got, LARGE - got)) > 0)
		got += n;
	pthread_join(l->thread, NULL);
	verdict_eq(l->written, LARGE, "C3", l->name);
	verdict(got == LARGE && pattern_is(bytes, LARGE, l->out), "C3", "%s: no byte is lost, none comes twice", l->name);
	verdict(!ioctl(l->in, FIONREAD, &left) && !left, "C3", "%s: and nothing is behind them", l->name);
}

/* Opened again through /proc, and for both. */

static int both, only_both, readers[3], writers[2];

static int again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, flags);
	need(fd >= 0);
	return fd;
}

/* of an empty pipe: EAGAIN, or EOPNOTSUPP where the kernel has no such thing for this file */
static int nowait_answer(int fd)
{
	struct iovec iov = { &(char){ 0 }, 1 };

	return preadv2(fd, &iov, 1, -1, RWF_NOWAIT) < 0 ? errno : 0;
}

static int nowait[2];

static void prepare_again(void)
{
	int p[2];

	need(!pipe(p));
	only_both = again(p[0], O_RDWR | O_NONBLOCK);
	need(!close(p[0]) && !close(p[1]) && write(only_both, "to itself", 9) == 9);
	need(!pipe(p));
	readers[0] = p[0];
	writers[0] = p[1];
	both = again(p[1], O_RDWR | O_NONBLOCK);
	readers[1] = again(p[0], O_RDONLY | O_NONBLOCK);
	readers[2] = dup(readers[1]);
	writers[1] = again(p[0], O_WRONLY);
	nowait[0] = nowait_answer(readers[0]);
	nowait[1] = nowait_answer(readers[1]);
	need(write(writers[1], "first ", 6) == 6 && write(both, "second", 6) == 6);
}

static void check_again(void)
{
	char c;

	verdict(says(only_both, "to itself") && read(only_both, &c, 1) == -1 && errno == EAGAIN, "C3",
		"a pipe that is open for both ends only: its contents");
	verdict(write(only_both, "more", 4) == 4 && says(only_both, "more"), "C3",
		"a pipe that is open for both ends only goes on");
	verdict_eq(fcntl(both, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK, "C3", "how an end for both was opened");
	verdict(!(fcntl(readers[0], F_GETFL) & O_NONBLOCK) && fcntl(readers[1], F_GETFL) & O_NONBLOCK, "C3",
		"two descriptions of a pipe's end have flags of their own");
	need(!fcntl(readers[2], F_SETFL, 0));
	verdict(!(fcntl(readers[1], F_GETFL) & O_NONBLOCK), "C3", "two descriptors of one have the same");
	need(!fcntl(readers[2], F_SETFL, O_NONBLOCK));
	verdict(says(readers[1], "first second"), "C3", "a pipe with several descriptions: its contents");
	verdict(nowait_answer(readers[0]) == nowait[0] && nowait_answer(readers[1]) == nowait[1], "C3",
		"what a read with RWF_NOWAIT answers, of an end that pipe(2) has made and of one that was opened");
	close(writers[0]);
	close(both);
	verdict(read(readers[1], &c, 1) == -1 && errno == EAGAIN && polled(readers[1]) == 0, "C3",
		"a pipe of whose three writers two are closed has no end");
	close(writers[1]);
	verdict(says(readers[0], "") && polled(readers[1]) == POLLHUP, "C3", "and has one without the last");
}

/* What of its room is taken. */

static int one_place[2], rest[2], pieces[2], mixed[2], packets[2], gift[2], teed[2], wide[2], wider[2], wider_size;
static char *given;

static void sized(int *p, int size)
{
	need(!pipe2(p, O_NONBLOCK) && fcntl(p[0], F_SETPIPE_SZ, size) == size);
}

static void prepare_room(void)
{
	struct iovec iov;
	int fd, to[2];
	loff_t at = 0;
	char buf[PAGE];

	sized(one_place, PAGE);
	need(write(one_place[1], "x", 1) == 1);
	/* behind what was not read is no room in its page */
	sized(rest, PAGE);
	pattern(buf, PAGE, 1);
	need(write(rest[1], buf, PAGE) == PAGE && read(rest[0], buf, 4000) == 4000);
	/* pages of a file, of which each byte takes a place */
	fd = open(in_dir("spliced"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(fd >= 0 && write(fd, "file", 4) == 4);
	sized(pieces, 4 * PAGE);
	for (int i = 0; i < 3; i++)
		need(splice(fd, &at, pieces[1], NULL, 1, 0) == 1);
	close(fd);
	/* into a packet goes nothing more */
	sized(mixed, 8 * PAGE);
	need(!fcntl(mixed[1], F_SETFL, O_NONBLOCK | O_DIRECT) && write(mixed[1], "packet", 6) == 6 &&
	     !fcntl(mixed[1], F_SETFL, O_NONBLOCK) && write(mixed[1], "behind", 6) == 6);
	need(!pipe2(packets, O_DIRECT | O_NONBLOCK) && write(packets[1], "aa", 2) == 2);
	sized(gift, 4 * PAGE);
	need(!posix_memalign((void **)&given, PAGE, PAGE));
	pattern(given, PAGE, 2);
	iov = (struct iovec){ given, PAGE };
	need(vmsplice(gift[1], &iov, 1, SPLICE_F_GIFT) == PAGE);
	sized(teed, 4 * PAGE);
	sized(to, 4 * PAGE);
	need(write(to[1], "teed", 4) == 4 && tee(to[0], teed[1], 4, 0) == 4 && !close(to[0]) && !close(to[1]));
	sized(wide, 1 << 20);
	/* of root's own right */
	need(!pipe2(wider, O_NONBLOCK));
	wider_size = fcntl(wider[0], F_SETPIPE_SZ, 4 << 20);
	need(wider_size == 4 << 20);
	for (int i = 0; i < 600; i++) {
		pattern(buf, PAGE, i);
		need(write(wider[1], buf, PAGE) == PAGE);
	}
}

static bool fails(ssize_t ret, int err)
{
	return ret == -1 && errno == err;
}

static void check_room(void)
{
	char buf[2 * PAGE];
	bool good = true;

	verdict(!(polled(one_place[1]) & POLLOUT) && fails(write(one_place[1], buf, PAGE), EAGAIN), "C3",
		"a pipe of a page with a byte in it is full");
	verdict(write(one_place[1], "y", 1) == 1 && says(one_place[0], "xy"), "C3", "a byte more goes into that page");
	verdict(fails(write(rest[1], "z", 1), EAGAIN), "C3", "behind the end of a page there is no room, whatever was read of it");
	verdict(read(rest[0], buf, PAGE) == 96 && polled(rest[1]) == POLLOUT, "C3", "the rest of a page that was read in part");
	verdict_eq(places(pieces[0]), 4, "C3", "pieces of a file that were spliced have a place each");
	verdict(write(pieces[1], "!", 1) == 1 && !(polled(pieces[1]) & POLLOUT) && says(pieces[0], "fil!"), "C3",
		"and nothing is written into them");
	verdict(write(mixed[1], " it", 3) == 3 && says(mixed[0], "packet") && says(mixed[0], "behind it"), "C3",
		"a packet, and bytes behind it");
	verdict(write(packets[1], "bbb", 3) == 3 && says(packets[0], "aa") && says(packets[0], "bbb"), "C3",
		"a pipe of packets goes on with packets");
	verdict(read(gift[0], buf, sizeof(buf)) == PAGE && pattern_is(buf, PAGE, 2), "C3", "memory that was given to a pipe (vmsplice)");
	verdict(says(teed[0], "teed"), "C3", "what tee(2) has put into a pipe");
	verdict_eq(fcntl(wide[1], F_GETPIPE_SZ), 1 << 20, "C3", "a pipe of the largest size that anybody may have");
	verdict_eq(fcntl(wider[1], F_GETPIPE_SZ), 4 << 20, "C3", "a pipe of a larger one");
	for (int i = 0; i < 600; i++)
		good &= read(wider[0], buf, PAGE) == PAGE && pattern_is(buf, PAGE, i);
	verdict(good && fails(read(wider[0], buf, 1), EAGAIN), "C3", "its contents");
}

static struct large large = { .name = "a write of more than fits into a pipe is done in the end" };

static void prepare_large(void)
{
	int p[2];

	need(!pipe(p));
	large.in = p[0];
	large.out = p[1];
	start_large(&large);
}

int main(int argc, char **argv)
{
	need(argc >= 2);
	verdict_dir(argv[1]);
	need(!chdir(argv[1]));
	signal(SIGPIPE, SIG_IGN);
	prepare_named();
	prepare_again();
	prepare_room();
	prepare_large();
	ready();
	wait_for_check();
	check_named();
	check_again();
	check_room();
	check_large(&large);
	verdict_end();
	for (;;)
		pause();
}
