// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "checkpoint.h"
#include "cleanup.h"
#include "console.h"
#include "externals.h"
#include "monitor.h"

/* the container reads, or writes */
enum { SIDE_READS = 1, SIDE_WRITES = 2 };

struct external_choice {
	char *key;		/* "pipe[1234]" */
	char *path;
	bool used;
};

/* what comes from one descriptor goes to the other */
struct way {
	int from, to;		/* from: -1: no more */
	bool patient;		/* what cannot be written is lost, and the next is tried */
};

struct ways {
	struct way *way;
	size_t nr;
};

/* ---- what is wanted ---- */

int externals_choose(struct externals *x, const char *text, struct ckpt_error *e)
{
	const char *end = strstr(text, "]=");
	struct external_choice *more, *c;

	if (!end || strncmp(text, "pipe[", strlen("pipe[")) || !end[2])
		return error_set(e, EINVAL, "'%.200s' is not pipe[KEY]=PATH", text);
	more = realloc(x->choices, (x->nr + 1) * sizeof(*more));
	if (!more)
		return error_set(e, ENOMEM, "no memory for the options");
	x->choices = more;
	c = &more[x->nr];
	*c = (struct external_choice){
		.key = strndup(text, end + 1 - text),
		.path = strdup(end + 2),
	};
	x->nr++;
	return c->key && c->path ? 0 : error_set(e, ENOMEM, "no memory for the options");
}

void externals_free(struct externals *x)
{
	for (size_t i = 0; i < x->nr; i++) {
		free(x->choices[i].key);
		free(x->choices[i].path);
	}
	free(x->choices);
	*x = (struct externals){ 0 };
}

static struct external_choice *find_choice(const struct externals *x, const char *name)
{
	for (size_t i = 0; i < x->nr; i++)
		if (!strcmp(x->choices[i].key, name))
			return &x->choices[i];
	return NULL;
}

/* ---- who carries it ---- */

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
	close(w->to);
	w->from = -1;
}

static void carry(struct way *w)
{
	char buf[65536];
	ssize_t n = read(w->from, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && (write_all(w->to, buf, n) || w->patient))
		return;
	end_way(w);
}

static _Noreturn void carry_all(struct ways *ways, struct pollfd *p)
{
	size_t i, open;

	for (;;) {
		for (open = i = 0; i < ways->nr; i++) {
			struct way *w = &ways->way[i];

			p[2 * i] = (struct pollfd){ .fd = w->from, .events = POLLIN };
			/* POLLERR comes unasked: nobody reads it any more */
			p[2 * i + 1] = (struct pollfd){ .fd = w->from < 0 ? -1 : w->to };
			open += w->from >= 0;
		}
		if (!open)
			_exit(0);
		if (poll(p, 2 * ways->nr, -1) < 0)
			continue;
		for (i = 0; i < ways->nr; i++)
			if (p[2 * i + 1].revents & POLLERR)
				end_way(&ways->way[i]);
			else if (p[2 * i].revents)
				carry(&ways->way[i]);
	}
}

/* the first of its descriptors from @fd on, or UINT_MAX */
static unsigned int next_kept(const struct ways *ways, unsigned int fd)
{
	unsigned int next = UINT_MAX;

	for (size_t i = 0; i < ways->nr; i++) {
		unsigned int both[] = { ways->way[i].from, ways->way[i].to };

		for (size_t j = 0; j < 2; j++)
			if (both[j] >= fd && both[j] < next)
				next = both[j];
	}
	return next;
}

static void close_others(const struct ways *ways)
{
	unsigned int fd, next;

	for (fd = 3; (next = next_kept(ways, fd)) != UINT_MAX; fd = next + 1)
		if (next > fd)
			close_range(fd, next - 1, 0);
	close_range(fd, UINT_MAX, 0);
}

/* it outlives its caller, and must keep nothing else open, or somebody would wait for its end */
static int start(struct ways *ways, struct ckpt_error *e)
{
	_cleanup_free_ struct pollfd *p = calloc(2 * ways->nr, sizeof(*p));
	pid_t pid;

	if (!p)
		return error_set(e, ENOMEM, "no memory for what goes over the container's pipes");
	pid = fork();
	if (pid < 0)
		return error_sys(e, errno, "no process can be made for the container's pipes");
	if (pid)
		return 0;
	monitor_detach();
	close_others(ways);
	if (chdir("/"))
		_exit(1);
	carry_all(ways, p);
}

static void forget(struct ways *ways)
{
	for (size_t i = 0; i < ways->nr; i++) {
		close(ways->way[i].from);
		close(ways->way[i].to);
	}
	free(ways->way);
	*ways = (struct ways){ 0 };
}

/* both are taken over, also on error */
static int add(struct ways *ways, int from, int to, bool patient, struct ckpt_error *e)
{
	struct way *more = realloc(ways->way, (ways->nr + 1) * sizeof(*more));

	if (!more) {
		close(from);
		close(to);
		return error_set(e, ENOMEM, "no memory for what goes over the container's pipes");
	}
	ways->way = more;
	more[ways->nr++] = (struct way){ .from = from, .to = to, .patient = patient };
	return 0;
}

/* ---- where it goes ---- */

static int open_path(const char *name, const char *path, unsigned int side, struct ckpt_error *e)
{
	int flags = side == SIDE_READS ? O_RDONLY : O_WRONLY | O_APPEND;
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	/* it is only the open that must not wait: the restart would */
	if (fd < 0 || fcntl(fd, F_SETFL, flags)) {
		error_sys(e, errno, "%s, which is to be external %s, cannot be opened", path, name);
		if (fd >= 0)
			close(fd);
		return -e->err;
	}
	return fd;
}

static void say(int log, const char *name, const char *what, const char *path)
{
	if (log >= 0)
		dprintf(log, "external %s: %s%s\n", name, what, path);
}

/* one with a way of its own waits for nobody else's */
static int connect_chosen(struct external_choice *c, int end, unsigned int side, int log,
			  struct ckpt_error *e)
{
	struct ways ways = { 0 };
	int fd = open_path(c->key, c->path, side, e), ret;

	c->used = true;
	if (fd < 0) {
		close(end);
		return fd;
	}
	ret = side == SIDE_READS ? add(&ways, fd, end, false, e) : add(&ways, end, fd, false, e);
	if (!ret)
		ret = start(&ways, e);
	forget(&ways);
	if (!ret)
		say(log, c->key, side == SIDE_READS ? "the container reads what comes from " :
		    "what the container writes goes to ", c->path);
	return ret;
}

static int connect_default(struct ways *ways, const char *key, int end, unsigned int side,
			   const char *name, int log, struct ckpt_error *e)
{
	struct console console = { 0 };
	int fd;

	if (side == SIDE_READS) {
		close(end);
		say(log, key, "the container reads what was on its way, and then its end", "");
		return 0;
	}
	fd = console_log(&console, name, e);
	if (fd < 0) {
		close(end);
		return fd;
	}
	say(log, key, "what the container writes goes to ", console.path);
	return add(ways, end, fd, true, e);
}

static int connect_one(const struct externals *x, struct ways *ways,
		       const struct ckpt_external_args *a, const char *name, int log,
		       struct ckpt_error *e)
{
	char key[CKPT_EXTERNAL_KEY_MAX + 16];
	struct external_choice *c;

	snprintf(key, sizeof(key), "pipe[%s]", a->key);
	c = find_choice(x, key);
	return c ? connect_chosen(c, a->fd, a->side, log, e) :
		connect_default(ways, key, a->fd, a->side, name, log, e);
}

/* what was asked for and is nowhere: a wrong key, and output that goes elsewhere */
static int check_used(const struct externals *x, struct ckpt_error *e)
{
	for (size_t i = 0; i < x->nr; i++)
		if (!x->choices[i].used)
			return error_set(e, EINVAL, "the image has no external %.200s", x->choices[i].key);
	return 0;
}

int externals_connect(const struct externals *x, int device, const char *name, int log,
		      struct ckpt_error *e)
{
	struct ckpt_external_args a;
	struct ways ways = { 0 };
	int ret = 0;

	while (!ret && ioctl(device, CKPT_IOC_EXTERNAL, &a) == 0)
		ret = connect_one(x, &ways, &a, name, log, e);
	if (!ret && errno != ENOENT)
		ret = error_sys(e, errno, "the ends of the container's pipes cannot be had");
	if (!ret)
		ret = check_used(x, e);
	if (!ret && ways.nr)
		ret = start(&ways, e);
	forget(&ways);
	return ret;
}
