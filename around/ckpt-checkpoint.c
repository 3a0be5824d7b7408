// SPDX-License-Identifier: GPL-2.0-only
/* ckpt-checkpoint PID > IMAGE: write the image of a container */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "checkpoint.h"
#include "cleanup.h"
#include "describe.h"
#include "proc.h"
#include "report.h"

static int parse_pid(int argc, char **argv, pid_t *pid, struct ckpt_error *e)
{
	char *end;
	long value;

	if (argc - optind != 1)
		return error_set(e, EINVAL, "usage: ckpt-checkpoint [-l LOG] [-r FD] PID > IMAGE");
	value = strtol(argv[optind], &end, 10);
	if (end == argv[optind] || *end || value < 1 || value > 4194304)
		return error_set(e, EINVAL, "'%s' is no pid", argv[optind]);
	*pid = value;
	return 0;
}

static int check_target(pid_t pid, struct ckpt_error *e)
{
	if (isatty(1))
		return error_set(e, EINVAL, "the image goes to standard output: send it to a file or a pipe");
	if (kill(pid, 0) && errno == ESRCH)
		return error_set(e, ESRCH, "there is no task %d", pid);
	if (!proc_init_depth(pid))
		return error_set(e, EINVAL, "task %d is no container's root: it is not the init of a pid namespace",
				 pid);
	return 0;
}

static int write_image(const struct report *r, pid_t pid, const char *name,
		       const char *desc, size_t len, struct ckpt_error *e)
{
	struct ckpt_checkpoint_args args = {
		.pid = pid,
		.fd = 1,
		.logfd = r->log,
		.flags = CKPT_FREEZE,
		.desc = (uintptr_t)desc,
		.desc_len = len,
	};
	char what[NAME_LEN_MAX + 64];
	long id;
	int err;

	if (len > CKPT_DESC_MAX)
		return error_set(e, E2BIG, "the description of the container is longer than %u bytes",
				 CKPT_DESC_MAX);
	id = ioctl(checkpoint_device(), CKPT_IOC_CHECKPOINT, &args);
	err = errno;
	snprintf(what, sizeof(what), "container %s cannot be checkpointed", name);
	if (id < 0)
		report_engine_error(r, err, what, e);
	else
		report_line(r, "id", "%ld", id);
	report_line(r, "pause-us", "%llu", (unsigned long long)args.pause_ns / 1000);
	report_line(r, "bytes", "%llu", (unsigned long long)args.bytes);
	report_line(r, "pages", "%llu", (unsigned long long)args.pages);
	return id < 0 ? -err : 0;
}

static int checkpoint_container(const struct report *r, pid_t pid, struct ckpt_error *e)
{
	struct reasons reasons = { .e = e };
	_cleanup_free_ char *text = NULL;
	struct description d;
	size_t len = 0;
	int ret = check_target(pid, e);

	if (!ret)
		ret = report_device(e);
	if (ret < 0)
		return ret;
	ret = describe(&d, pid, &reasons);
	if (!ret) {
		text = description_text(&d, &len);
		if (!text)
			ret = error_set(e, ENOMEM, "no memory for the container's description");
	}
	if (!ret)
		ret = write_image(r, pid, d.name, text, len, e);
	description_free(&d);
	return ret;
}

/*
 * With -r somebody waits for the end, and when he is killed nobody else cuts this
 * short: a container that does not freeze would stand for as long as we try.
 */
static void die_with_parent(const struct report *r)
{
	struct pollfd p = { .fd = r->fd };

	if (r->fd < 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* dead already? then the other end of the report is closed */
	if (poll(&p, 1, 0) > 0 && p.revents & POLLERR)
		_exit(1);
}

int main(int argc, char **argv)
{
	struct ckpt_error e = { 0 };
	struct report r;
	pid_t pid = 0;

	/* a reader that goes away is an error like others */
	signal(SIGPIPE, SIG_IGN);
	if (!report_options(&r, argc, argv, "", NULL, &e) &&
	    !parse_pid(argc, argv, &pid, &e)) {
		die_with_parent(&r);
		checkpoint_container(&r, pid, &e);
	}
	return report_end(&r, &e);
}
