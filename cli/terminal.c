// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "terminal.h"

/* how often we look whether we have come into the foreground, in milliseconds */
#define FOREGROUND_INTERVAL 500

static void find_streams(struct terminal *t)
{
	static const int outputs[] = { 1, 2, 0 };
	int fd;

	*t = (struct terminal){ .master = -1, .slave = -1, .in = -1, .out = -1 };
	for (fd = 0; fd < 3; fd++) {
		t->is_tty[fd] = isatty(fd);
		if (t->out < 0 && isatty(outputs[fd]))
			t->out = outputs[fd];
	}
	if (t->is_tty[0])
		t->in = 0;
}

/* the pty is as the host's terminal is */
static void copy_settings(const struct terminal *t)
{
	struct termios settings;
	struct winsize size;

	if (!tcgetattr(t->out, &settings)) {
		/* without our hands on it, the host's does the rest itself */
		if (t->in < 0) {
			settings.c_oflag &= ~OPOST;
			settings.c_lflag &= ~ECHO;
		}
		tcsetattr(t->slave, TCSANOW, &settings);
	}
	if (!ioctl(t->out, TIOCGWINSZ, &size))
		ioctl(t->master, TIOCSWINSZ, &size);
}

int terminal_open(struct terminal *t, struct ckpt_error *e)
{
	find_streams(t);
	if (t->out < 0)
		return 0;
	t->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->master < 0 || unlockpt(t->master))
		return error_sys(e, errno, "no terminal can be made for the program");
	t->slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->slave < 0)
		return error_sys(e, errno, "no terminal can be made for the program");
	copy_settings(t);
	return 0;
}

void terminal_use(const struct terminal *t)
{
	int fd;

	setsid();
	if (t->slave < 0)
		return;
	close(t->master);
	ioctl(t->slave, TIOCSCTTY, 0);
	for (fd = 0; fd < 3; fd++)
		if (t->is_tty[fd])
			dup2(t->slave, fd);
}

static bool in_foreground(const struct terminal *t)
{
	pid_t group = tcgetpgrp(t->in);

	/* one that is nobody's controlling terminal is whose it is given to */
	return group < 0 || group == getpgrp();
}

/* All keys are the program's, also those that would stop or end us. */
static void take(struct terminal *t)
{
	struct termios raw;

	if (t->raw || t->in < 0 || !in_foreground(t) || tcgetattr(t->in, &t->before))
		return;
	raw = t->before;
	cfmakeraw(&raw);
	t->raw = !tcsetattr(t->in, TCSADRAIN, &raw);
}

static void give_back(struct terminal *t)
{
	/* in the background it is not ours to set */
	if (t->raw && in_foreground(t))
		tcsetattr(t->in, TCSADRAIN, &t->before);
	t->raw = false;
}

void terminal_begin(struct terminal *t)
{
	if (t->master < 0)
		return;
	close(steal_fd(&t->slave));
	take(t);
}

void terminal_resize(struct terminal *t)
{
	struct winsize size;

	if (t->master >= 0 && !ioctl(t->out, TIOCGWINSZ, &size))
		ioctl(t->master, TIOCSWINSZ, &size);
}

static void print(int fd, const char *buf, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, buf, len);
		if (n < 0 && errno == EAGAIN) {
			/* somebody else has made the host's so */
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return;
		} else if (n > 0) {
			buf += n;
			len -= n;
		}
	}
}

/* what the program has printed; false: there is nothing now */
static bool move_output(struct terminal *t)
{
	char buf[4096];
	ssize_t n = read(t->master, buf, sizeof(buf));

	if (n > 0)
		print(t->out, buf, n);
	return n > 0;
}

static void move_typed(struct terminal *t)
{
	ssize_t n = write(t->master, t->typed, t->nr_typed);

	if (n > 0) {
		t->nr_typed -= n;
		memmove(t->typed, t->typed + n, t->nr_typed);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		t->nr_typed = 0;
	}
}

static void move_input(struct terminal *t)
{
	ssize_t n = read(t->in, t->typed, sizeof(t->typed));

	if (n > 0) {
		t->nr_typed = n;
		move_typed(t);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		/* it has hung up */
		t->raw = false;
		t->in = -1;
	}
}

void terminal_poll(struct terminal *t, int fd)
{
	bool ended = false;	/* nobody has the pty open, for now */

	for (;;) {
		struct pollfd p[3] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = ended ? -1 : t->master, .events = POLLIN },
			{ .fd = t->raw && !t->nr_typed ? t->in : -1, .events = POLLIN },
		};
		bool waiting = t->master >= 0 && t->in >= 0 && !t->raw;

		if (t->nr_typed)
			p[1].events |= POLLOUT;
		if (poll(p, 3, waiting || ended ? FOREGROUND_INTERVAL : -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents)
			return;
		if (p[1].revents & POLLIN)
			move_output(t);
		if (p[1].revents & POLLOUT)
			move_typed(t);
		if (p[2].revents)
			move_input(t);
		ended = (p[1].revents & (POLLHUP | POLLIN)) == POLLHUP;
		if (waiting)
			take(t);
	}
}

void terminal_end(struct terminal *t)
{
	if (t->master < 0)
		return;
	while (move_output(t))
		;
	give_back(t);
	close(steal_fd(&t->master));
	if (t->slave >= 0)
		close(steal_fd(&t->slave));
}
