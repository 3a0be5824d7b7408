// SPDX-License-Identifier: GPL-2.0-only
/* inotify: watches with their numbers, and events that wait. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"

#define LONG_NAME "a-name-that-is-longer-than-one-that-is-rounded-up-to-a-multiple-of-sixteen-bytes"

/* made_up watches a directory of proc, whose inode is another after a restart */
static int watcher, polled, blocking, flooded, made_up, epoll;
static int wd_file, wd_once, wd_none;
static char expected[8192];
static int nr_expected;
static volatile int reader_got;

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	need(fd >= 0);
	close(fd);
}

static void change(const char *path)
{
	int fd = open(path, O_WRONLY);

	need(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
}

static int add(int fd, const char *path, uint32_t mask)
{
	int wd = inotify_add_watch(fd, path, mask);

	need(wd >= 1);
	return wd;
}

/* the same watches in two instances */
static int instance(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), wd;

	need(fd >= 0);
	add(fd, "watched", IN_ALL_EVENTS);
	wd = add(fd, "gone", IN_ALL_EVENTS);
	wd_file = add(fd, "watched/file", IN_CLOSE_WRITE | IN_EXCL_UNLINK);
	wd_once = add(fd, "once", IN_ATTRIB | IN_MODIFY | IN_ONESHOT);
	add(fd, "link", IN_ATTRIB | IN_DONT_FOLLOW);
	need(!inotify_rm_watch(fd, wd));
	wd_none = add(fd, "none", IN_MOVE_SELF);
	need(!inotify_rm_watch(fd, add(fd, "flood", IN_MOVE_SELF)));
	return fd;
}

static int read_events(int fd, char *buf, size_t size)
{
	int n = read(fd, buf, size);

	return n < 0 ? 0 : n;
}

/* it waits in read(2) all the time */
static void *reader(void *arg)
{
	char buf[4096];

	(void)arg;
	for (;;)
		if (read_events(blocking, buf, sizeof(buf)) > 0)
			reader_got = ((struct inotify_event *)buf)->wd;
	return NULL;
}

/* more than fs.inotify.max_queued_events, which the scenario has made small */
static void flood(void)
{
	flooded = inotify_init1(IN_NONBLOCK);
	need(flooded >= 0);
	add(flooded, "flood", IN_ATTRIB | IN_OPEN);
	for (int i = 0; i < 200; i++) {
		int fd = open("flood", O_RDONLY);

		need(fd >= 0 && !fchmod(fd, 0600));
		close(fd);
	}
}

/* changes of which the queues tell, none of the restart's */
static void act(void)
{
	touch("watched/new");
	need(!rename("watched/new", "watched/" LONG_NAME));
	change("watched/file");
	need(!rename("watched/" LONG_NAME, "moved"));
	need(!mkdir("watched/directory", 0755) && !rmdir("watched/directory"));
	need(!unlink("moved"));
	need(!chmod("watched", 0700));
}

/* a restart opens it, and on some file systems lets it go: nobody hears of it */
static void map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);

	need(fd >= 0 && write(fd, "mapped", 6) == 6);
	need(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
}

void prepare_inotify(void)
{
	struct epoll_event ev = { EPOLLIN, { .u64 = 1 } };
	pthread_t thread;
	int twin;

	need(!mkdir("watched", 0755) && !mkdir("gone", 0755) && !mkdir("none", 0755) && !symlink("nowhere", "link"));
	touch("watched/file");
	map("watched/mapped");
	touch("once");
	touch("flood");
	touch("polled");
	touch("blocking");
	watcher = instance();
	twin = instance();
	/* behind what watches it, so a restart opens it again behind that: nobody hears of it */
	need(open("watched/file", O_RDONLY) > watcher);
	act();
	nr_expected = read_events(twin, expected, sizeof(expected));
	need(nr_expected > 0);
	close(twin);
	flood();
	polled = inotify_init1(IN_NONBLOCK);
	add(polled, "polled", IN_OPEN | IN_CLOSE | IN_ACCESS | IN_ATTRIB);
	add(polled, "/", IN_DELETE_SELF);
	made_up = inotify_init1(IN_NONBLOCK);
	need(made_up >= 0);
	add(made_up, "/proc/self", IN_ATTRIB);
	epoll = epoll_create1(0);
	need(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, polled, &ev));
	blocking = inotify_init();
	need(blocking >= 0);
	add(blocking, "blocking", IN_CLOSE_WRITE);
	need(!pthread_create(&thread, NULL, reader, NULL));
	note_file(watcher);
	note_file(polled);
	note_file(blocking);
	note_file(flooded);
}

static void check_queue(void)
{
	char buf[sizeof(expected)];
	int waiting = 0, n;

	need(!ioctl(watcher, FIONREAD, &waiting));
	verdict_eq(waiting, nr_expected, "C4", "inotify: so many bytes of events wait");
	n = read_events(watcher, buf, sizeof(buf));
	verdict(n == nr_expected && !memcmp(buf, expected, n), "C4",
		"inotify: the events that wait, with names and cookies, and none of the restart");
	verdict(!read_events(watcher, buf, sizeof(buf)) && errno == EAGAIN, "C4", "inotify: then no more");
}

static void check_flood(void)
{
	char buf[1 << 16];
	int n = read_events(flooded, buf, sizeof(buf)), nr = 0;
	struct inotify_event *last = NULL;

	for (int at = 0; at < n; at += sizeof(*last) + last->len, nr++)
		last = (struct inotify_event *)(buf + at);
	verdict(nr == 41 && last->mask == IN_Q_OVERFLOW && last->wd == -1, "C4",
		"inotify: a queue that is full says so at its end");
	need(!chmod("flood", 0644));
	n = read_events(flooded, buf, sizeof(buf));
	verdict(n == sizeof(*last) && ((struct inotify_event *)buf)->mask == IN_ATTRIB, "C4",
		"inotify: and has room again when it was read");
}

static bool is_event(const char *buf, int at, int n, int wd, uint32_t mask)
{
	const struct inotify_event *e = (const void *)(buf + at);

	return at + (int)sizeof(*e) <= n && e->wd == wd && e->mask == mask;
}

static void check_watches(void)
{
	const int size = sizeof(struct inotify_event);
	char buf[8192];
	int n;

	/* two watches see it, the directory's with the name of 16 bytes */
	change("watched/file");
	n = read_events(watcher, buf, sizeof(buf));
	verdict(n == 3 * (size + 16) + size && is_event(buf, 0, n, 1, IN_OPEN) && is_event(buf, size + 16, n, 1, IN_MODIFY) &&
		is_event(buf, 2 * (size + 16), n, 1, IN_CLOSE_WRITE) && is_event(buf, 3 * (size + 16), n, wd_file, IN_CLOSE_WRITE),
		"C4", "inotify: a directory and a file in it are watched");
	need(!chmod("once", 0640) && !chmod("once", 0600));
	n = read_events(watcher, buf, sizeof(buf));
	verdict(n == 2 * size && is_event(buf, 0, n, wd_once, IN_ATTRIB) && is_event(buf, size, n, wd_once, IN_IGNORED), "C4",
		"inotify: a watch for one event sees one");
	need(!lchown("link", 0, 0));
	n = read_events(watcher, buf, sizeof(buf));
	verdict(n == size && is_event(buf, 0, n, wd_once + 1, IN_ATTRIB), "C4", "inotify: a symbolic link is watched");
	need(!rename("none", "renamed") && !rename("renamed", "none"));
	n = read_events(watcher, buf, sizeof(buf));
	verdict(n == size && is_event(buf, 0, n, wd_none, IN_MOVE_SELF), "C4", "inotify: a watch sees what it was told to");
	verdict_eq(inotify_add_watch(watcher, "polled", IN_OPEN), wd_none + 2, "C4", "inotify: the next watch has the next number");
	verdict(!inotify_rm_watch(watcher, wd_none + 2), "C4", "inotify: a watch can be removed");
	verdict(!inotify_rm_watch(made_up, 1), "C4", "inotify: a directory of proc is watched");
}

static void check_polled(void)
{
	struct epoll_event ev;

	verdict_eq(epoll_wait(epoll, &ev, 1, 50), 0, "C4", "inotify: epoll says nothing while nothing has been");
	need(!chmod("polled", 0600));
	verdict(epoll_wait(epoll, &ev, 1, 20000) == 1, "C4", "inotify: epoll says when there is an event");
	verdict(!reader_got, "C4", "inotify: a read that waits has not returned");
	change("blocking");
	for (int i = 0; i < 2000 && !reader_got; i++)
		sleep_ms(10);
	verdict_eq(reader_got, 1, "C4", "inotify: a read that waits gets an event");
}

void check_inotify(void)
{
	check_queue();
	check_flood();
	check_watches();
	check_polled();
}
