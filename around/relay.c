// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "monitor.h"
#include "relay.h"

static void say(const struct way *w, int log, const char *what)
{
	if (log >= 0)
		dprintf(log, "external %s: %s: %s\n", w->name, what, strerror(errno));
}

static bool write_all(int fd, const char *p, ssize_t n)
{
	ssize_t done;

	for (; n > 0; p += done, n -= done) {
		done = write(fd, p, n);
		if (done < 0 && errno != EINTR)
			return false;
		if (done < 0)
			done = 0;
	}
	return true;
}

static void end_way(struct way *w)
{
	close(w->from);
	w->from = -1;
}

static void pass_on(struct way *w, const char *p, ssize_t n, int log)
{
	if (write_all(w->to, p, n)) {
		w->losing = false;
		return;
	}
	if (w->patient) {
		if (!w->losing)
			say(w, log, "what the container writes is lost");
		w->losing = true;
		return;
	}
	/* at its reader's end a pipe's writer hears so, too */
	if (errno != EPIPE)
		say(w, log, "nothing goes over it any more, as it cannot be written");
	end_way(w);
}

static void carry(struct way *w, int log)
{
	char buf[65536];
	ssize_t n = read(w->from, buf, sizeof(buf));

	if (n > 0) {
		pass_on(w, buf, n, log);
	} else if (n == 0) {
		end_way(w);
	} else if (errno != EINTR && errno != EAGAIN) {
		say(w, log, "nothing comes over it any more, as it cannot be read");
		end_way(w);
	}
}

/* who is the last to have a descriptor closes it, so that its other end hears of it */
static void close_ended(const struct ways *ways, struct way *w)
{
	for (size_t i = 0; i < ways->nr; i++)
		if (ways->way[i].from >= 0 && ways->way[i].to == w->to)
			return;
	close(w->to);
}

static _Noreturn void carry_all(struct ways *ways, struct pollfd *p, int log)
{
	size_t i, open;

	for (;;) {
		for (open = i = 0; i < ways->nr; i++) {
			struct way *w = &ways->way[i];

			p[2 * i] = (struct pollfd){ .fd = w->from, .events = POLLIN };
			/* errors come unasked: nobody reads it any more */
			p[2 * i + 1] = (struct pollfd){ .fd = w->from < 0 ? -1 : w->to };
			open += w->from >= 0;
		}
		if (!open)
			_exit(0);
		if (poll(p, 2 * ways->nr, -1) < 0)
			continue;
		for (i = 0; i < ways->nr; i++) {
			struct way *w = &ways->way[i];

			if (w->from < 0)
				continue;
			if (p[2 * i + 1].revents)
				end_way(w);
			else if (p[2 * i].revents)
				carry(w, log);
			if (w->from < 0)
				close_ended(ways, w);
		}
	}
}

struct kept {
	const struct ways *ways;
	int others[2];
};

/* the first that is kept from @fd on, or UINT_MAX */
static unsigned int next_kept(const struct kept *k, unsigned int fd)
{
	unsigned int next = UINT_MAX, each;

	for (size_t i = 0; i < 2 * k->ways->nr + 2; i++) {
		const struct way *w = &k->ways->way[i / 2];

		each = i >= 2 * k->ways->nr ? k->others[i % 2] : i % 2 ? w->to : w->from;
		if (each >= fd && each < next)
			next = each;
	}
	return next;
}

static void close_others(const struct kept *k)
{
	unsigned int fd, next;

	for (fd = 3; (next = next_kept(k, fd)) < INT_MAX; fd = next + 1)
		if (next > fd)
			close_range(fd, next - 1, 0);
	close_range(fd, UINT_MAX, 0);
}

int relay_start(struct ways *ways, int go, int log, struct ckpt_error *e)
{
	struct kept kept = { ways, { go, log } };
	_cleanup_free_ struct pollfd *p = calloc(2 * ways->nr, sizeof(*p));
	char byte;
	pid_t pid;

	if (!p)
		return error_set(e, ENOMEM, "no memory for what goes over the container's pipes");
	pid = fork();
	if (pid < 0)
		return error_sys(e, errno, "no process can be made for the container's pipes");
	if (pid)
		return 0;
	monitor_detach();
	close_others(&kept);
	if (chdir("/") || read(go, &byte, 1) != 1)
		_exit(1);
	close(go);
	carry_all(ways, p, log);
}
