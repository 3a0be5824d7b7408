// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_load.h"
#include "checkpoint.h"
#include "cleanup.h"
#include "report.h"

#define PIPE_SIZE (1 << 20)

struct load {
	pthread_t thread;
	int device;		/* of the engine, for this alone; -1: there is none */
	int in, out;		/* the pipe's ends: the engine's and the reader's */
	int log;		/* what the engine has to say */
	struct ckpt_restart_args args;
	int err;		/* the call's errno, when the thread has ended */
};

static void *run(void *data)
{
	struct load *l = data;

	l->err = ioctl(l->device, CKPT_IOC_CHECK, &l->args) < 0 ? errno : 0;
	/* with it the engine lets go of the pipe: who feeds us gets EPIPE from now on */
	close(l->device);
	close(l->in);
	return NULL;
}

static void drop(struct load *l)
{
	if (l->log >= 0)
		close(l->log);
	free(l);
}

static int start(struct load *l, const struct image_reader *im, uint32_t nr_tasks)
{
	int ends[2], err;

	l->log = memfd_create("reasons", MFD_CLOEXEC);
	l->device = open(CKPT_DEVICE, O_RDWR | O_CLOEXEC);
	if (l->log < 0 || l->device < 0 || pipe2(ends, O_CLOEXEC)) {
		err = errno;
		if (l->device >= 0)
			close(l->device);
		return err;
	}
	l->in = ends[0];
	l->out = ends[1];
	/* fewer switches between the two, if the machine lets us */
	fcntl(l->out, F_SETPIPE_SZ, PIPE_SIZE);
	l->args = (struct ckpt_restart_args){
		.fd = l->in,
		.logfd = l->log,
		.offset = im->offset,
		.seq = im->seq,
		.nr_tasks = nr_tasks,
	};
	err = pthread_create(&l->thread, NULL, run, l);
	if (err) {
		close(l->device);
		close(l->in);
		close(l->out);
	}
	return err;
}

struct load *load_begin(struct image_reader *im, uint32_t nr_tasks, struct reasons *r)
{
	struct load *l = calloc(1, sizeof(*l));
	struct ckpt_error e;
	int err;

	if (!l) {
		error_set(r->e, ENOMEM, "no memory to check the image");
		return NULL;
	}
	l->log = -1;
	l->device = -1;
	if (report_device(&e) < 0) {
		reason(r, "engine: %s", e.text);
		return l;
	}
	err = start(l, im, nr_tasks);
	if (err) {
		error_sys(r->e, err, "the engine cannot be asked");
		drop(l);
		return NULL;
	}
	im->tap = l->out;
	return l;
}

/* each line of the engine's is a reason */
static int say(struct load *l, struct reasons *r)
{
	_cleanup_free_ char *line = NULL;
	FILE *log = fdopen(l->log, "r");
	unsigned int before = r->nr;
	size_t size = 0;

	if (!log)
		return error_sys(r->e, errno, "the engine's log cannot be read");
	l->log = -1;
	rewind(log);
	while (getline(&line, &size, log) > 0) {
		line[strcspn(line, "\n")] = '\0';
		reason(r, "engine: %s", line);
	}
	fclose(log);
	if (l->err && r->nr == before)
		reason(r, "engine: it does not take the image: %s", strerror(l->err));
	return 0;
}

int load_end(struct load *l, struct image_reader *im, struct reasons *r)
{
	int ret = 0;

	if (!l)
		return 0;
	if (l->device >= 0) {
		im->tap = -1;
		close(l->out);
		pthread_join(l->thread, NULL);
		if (r && l->err)
			ret = say(l, r);
	}
	drop(l);
	return ret;
}
