// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "cleanup.h"
#include "externals.h"
#include "text.h"

/* the container reads, or writes */
enum { SIDE_READS = 1, SIDE_WRITES = 2 };

/* "pipe[1:2]" */
#define NAME_MAX_EXTERNAL (CKPT_EXTERNAL_KEY_MAX + 16)

struct external_choice {
	char *name;
	char *path;
	bool used;
};

struct external_end {
	char name[NAME_MAX_EXTERNAL];
	unsigned int side;
	int fd;				/* ours of the pipe */
	int other;			/* what it is connected with, or -1; the console's is shared */
	const struct external_choice *choice;	/* or NULL */
	bool patient;
};

/* ---- what is wanted ---- */

static struct external_choice *find_choice(const struct externals *x, const char *name)
{
	for (size_t i = 0; i < x->nr; i++)
		if (!strcmp(x->choices[i].name, name))
			return &x->choices[i];
	return NULL;
}

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
	*c = (struct external_choice){ .name = strndup(text, end + 1 - text), .path = strdup(end + 2) };
	if (!c->name || !c->path) {
		free(c->name);
		free(c->path);
		return error_set(e, ENOMEM, "no memory for the options");
	}
	if (find_choice(x, c->name)) {
		error_set(e, EINVAL, "external %.200s is there twice", c->name);
		free(c->name);
		free(c->path);
		return -EINVAL;
	}
	x->nr++;
	return 0;
}

/* what was asked for and is nowhere: a wrong key, and output that goes elsewhere */
static int check_used(const struct externals *x, struct ckpt_error *e)
{
	for (size_t i = 0; i < x->nr; i++)
		if (!x->choices[i].used)
			return error_set(e, EINVAL, "the image has no external %.200s: 'ckpt check --restart' prints what it has",
					 x->choices[i].name);
	return 0;
}

/* ---- where it goes ---- */

/* @patient: set; what cannot be written to a file does not end the container */
static int open_chosen(const struct external_choice *c, unsigned int side, bool *patient,
		       struct ckpt_error *e)
{
	int flags = side == SIDE_READS ? O_RDONLY : O_WRONLY | O_APPEND;
	_cleanup_fd_ int fd = open(c->path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	/* it is only the open that must not wait: the restart would */
	if (fd < 0 || fcntl(fd, F_SETFL, flags) || fstat(fd, &st))
		return error_sys(e, errno, "%s, which is to be external %s, cannot be opened%s", c->path,
				 c->name, fd < 0 && errno == ENXIO ? ", as nobody reads it" : "");
	*patient = S_ISREG(st.st_mode);
	if (!*patient && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return error_set(e, EINVAL, "%s, which is to be external %s, is neither a file, nor a named pipe, nor a character device",
				 c->path, c->name);
	return steal_fd(&fd);
}

static int open_console(struct externals *x, const char *name, struct ckpt_error *e)
{
	if (!x->console_fd) {
		int fd = console_log(&x->console, name, e);

		if (fd < 0)
			return fd;
		x->console_fd = fd + 1;
	}
	return x->console_fd - 1;
}

/* the descriptor is the list's, also on error */
static struct external_end *add(struct externals *x, const struct ckpt_external_args *a,
				struct ckpt_error *e)
{
	struct external_end *more = realloc(x->ends, (x->nr_ends + 1) * sizeof(*more)), *end;
	/* who detaches itself gives the first three another meaning */
	int fd = a->fd > 2 ? a->fd : fcntl(a->fd, F_DUPFD_CLOEXEC, 3);

	if (fd != a->fd)
		close(a->fd);
	if (!more || fd < 0) {
		error_set(e, more ? EMFILE : ENOMEM, "no memory or descriptors for what goes over the container's pipes");
		if (fd >= 0)
			close(fd);
	}
	if (more)
		x->ends = more;
	if (!more || fd < 0)
		return NULL;
	end = &more[x->nr_ends++];
	*end = (struct external_end){ .fd = fd, .other = -1, .side = a->side };
	snprintf(end->name, sizeof(end->name), "pipe[%.*s]", CKPT_EXTERNAL_KEY_MAX, a->key);
	return end;
}

static int take(struct externals *x, const struct ckpt_external_args *a, const char *name,
		struct ckpt_error *e)
{
	struct external_end *end = add(x, a, e);
	struct external_choice *c;

	if (!end)
		return -e->err;
	c = find_choice(x, end->name);
	if (c) {
		c->used = true;
		end->choice = c;
		end->other = open_chosen(c, end->side, &end->patient, e);
		return end->other < 0 ? -e->err : 0;
	}
	if (end->side == SIDE_READS)
		return 0;
	end->patient = true;
	end->other = open_console(x, name, e);
	return end->other < 0 ? -e->err : 0;
}

/* ---- who carries it ---- */

static struct way way_of(const struct external_end *end)
{
	bool reads = end->side == SIDE_READS;

	return (struct way){
		.name = end->name,
		.from = reads ? end->other : end->fd,
		.to = reads ? end->fd : end->other,
		.patient = end->patient,
	};
}

/* one with a place of its own waits for nobody else's */
static int start_relays(struct externals *x, int go, int log, struct ckpt_error *e)
{
	_cleanup_free_ struct way *shared = calloc(x->nr_ends + 1, sizeof(*shared));
	struct ways ways = { .way = shared };
	int ret = shared ? 0 : error_set(e, ENOMEM, "no memory for what goes over the container's pipes");

	for (size_t i = 0; !ret && i < x->nr_ends; i++) {
		struct way way = way_of(&x->ends[i]);
		struct ways own = { &way, 1 };

		if (x->ends[i].choice) {
			ret = relay_start(&own, go, log, e);
			x->nr_relays += !ret;
		} else if (x->ends[i].other >= 0) {
			shared[ways.nr++] = way;
		}
	}
	if (!ret && ways.nr) {
		ret = relay_start(&ways, go, log, e);
		x->nr_relays += !ret;
	}
	return ret;
}

int externals_take(struct externals *x, int device, const char *name, int log,
		   struct ckpt_error *e)
{
	struct ckpt_external_args a;
	int go[2], ret = 0;

	while (!ret && ioctl(device, CKPT_IOC_EXTERNAL, &a) == 0)
		ret = take(x, &a, name, e);
	if (!ret && errno != ENOENT)
		ret = error_sys(e, errno, "the ends of the container's pipes cannot be had");
	if (!ret)
		ret = check_used(x, e);
	if (ret || !x->nr_ends)
		return ret;
	if (pipe2(go, O_CLOEXEC))
		return error_sys(e, errno, "no pipe can be made");
	x->go = go[1] + 1;
	ret = start_relays(x, go[0], log, e);
	close(go[0]);
	return ret;
}

static void say(const struct externals *x, const struct external_end *end, int log)
{
	const char *path = end->choice ? end->choice->path : x->console.path;

	if (end->side == SIDE_READS && !end->choice)
		dprintf(log, "external %s: the container reads what was on its way, and then its end\n", end->name);
	else
		dprintf(log, "external %s: %s %s\n", end->name, end->side == SIDE_READS ?
			"the container reads what comes from" : "what the container writes goes to", path);
}

void externals_go(struct externals *x, int log)
{
	for (size_t i = 0; log >= 0 && i < x->nr_ends; i++)
		say(x, &x->ends[i], log);
	for (size_t i = 0; i < x->nr_relays; i++)
		if (write(x->go - 1, "", 1) != 1)
			break;
	x->gone = true;
}

void externals_free(struct externals *x)
{
	for (size_t i = 0; i < x->nr_ends; i++) {
		close(x->ends[i].fd);
		if (x->ends[i].choice && x->ends[i].other >= 0)
			close(x->ends[i].other);
	}
	if (x->console_fd) {
		close(x->console_fd - 1);
		if (!x->gone)
			console_undo(&x->console);
	}
	if (x->go)
		close(x->go - 1);
	for (size_t i = 0; i < x->nr; i++) {
		free(x->choices[i].name);
		free(x->choices[i].path);
	}
	free(x->ends);
	free(x->choices);
	*x = (struct externals){ 0 };
}

/* ---- before a restart ---- */

int externals_note(struct externals *x, struct image_reader *im, struct reasons *r)
{
	const struct ckpt_image_external *img;
	char name[NAME_MAX_EXTERNAL];
	struct external_choice *c;
	struct ckpt_error e;
	const char *key;
	uint32_t nr;
	bool patient;
	int fd;

	img = image_part(im, EXTERNAL, BASE, &nr);
	key = image_part(im, EXTERNAL, KEY, &nr);
	if (!img || !key)
		return 0;
	snprintf(name, sizeof(name), "pipe[%.*s]", (int)nr, key);
	c = find_choice(x, name);
	if (!c) {
		fprintf(r->to, "external ");
		text_put(r->to, name);
		fprintf(r->to, ": %s\n", img->side == SIDE_READS ? "the container reads what was on its way, and then its end" :
			"what the container writes goes to its log");
		return 0;
	}
	c->used = true;
	fd = open_chosen(c, img->side, &patient, &e);
	if (fd < 0)
		return reason(r, "external: %s", e.text);
	close(fd);
	return 0;
}

int externals_check(const struct externals *x, struct reasons *r)
{
	struct ckpt_error e;

	return check_used(x, &e) ? reason(r, "external: %s", e.text) : 0;
}
