// SPDX-License-Identifier: GPL-2.0-only
/* ckpt-checkpoint PID > IMAGE: write the image of a container */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check_engine.h"
#include "checkpoint.h"
#include "cleanup.h"
#include "describe.h"
#include "proc.h"
#include "report.h"

struct options {
	struct report report;
	pid_t pid;
	bool check;		/* only say what stands in the way */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;
	long value;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->report;
		return 0;
	case 'c':
		o->check = true;
		return 0;
	case ARGP_KEY_ARG:
		value = strtol(arg, &end, 10);
		if (o->pid)
			return ARGP_ERR_UNKNOWN;
		if (end == arg || *end || value < 1 || value > 4194304)
			argp_error(state, "'%s' is no pid", arg);
		o->pid = value;
		return 0;
	case ARGP_KEY_END:
		if (!o->pid)
			argp_error(state, "the pid of the container's root task is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int check_target(pid_t pid, struct ckpt_error *e)
{
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
		report_fact(r, "id", "%ld", id);
	report_fact(r, "pause-ns", "%llu", (unsigned long long)args.pause_ns);
	report_fact(r, "pause-us", "%llu", (unsigned long long)args.pause_ns / 1000);
	report_fact(r, "bytes", "%llu", (unsigned long long)args.bytes);
	report_fact(r, "pages", "%llu", (unsigned long long)args.pages);
	return id < 0 ? -err : 0;
}

const char *argp_program_version = "ckpt-checkpoint " CKPT_VERSION;

/* Everything that stands in the way: around the tasks, and in them. */
static int check_container(const struct report *r, pid_t pid, unsigned int *nr,
			   struct ckpt_error *e)
{
	struct reasons reasons = { .all = true, .e = e };
	struct description d;
	int ret = check_target(pid, e);

	if (!ret)
		ret = report_device(e);
	if (ret < 0)
		return ret;
	ret = describe(&d, pid, &reasons);
	if (!ret)
		ret = check_engine(r, pid, d.name, &reasons);
	description_free(&d);
	if (fflush(stdout) || ferror(stdout))
		ret = error_sys(e, errno, "standard output cannot be written");
	*nr = reasons.nr;
	report_fact(r, "reasons", "%u", reasons.nr);
	return ret;
}

static int checkpoint_container(const struct report *r, pid_t pid, struct ckpt_error *e)
{
	struct reasons reasons = { .e = e };
	_cleanup_free_ char *text = NULL;
	struct description d;
	struct utsname uts;
	size_t len = 0;
	int ret = check_target(pid, e);

	if (!ret && isatty(1))
		ret = error_set(e, EINVAL, "the image goes to standard output: send it to a file or a pipe");
	if (!ret)
		ret = report_device(e);
	if (ret < 0)
		return ret;
	report_fact(r, "init", "%d", pid);
	if (!uname(&uts))
		report_fact(r, "kernel", "%s", uts.release);
	ret = describe(&d, pid, &reasons);
	if (d.name[0]) {
		report_fact(r, "name", "%s", d.name);
		report_fact(r, "cgroup", "%s", d.cgroup);
	}
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
 * With --result somebody waits for the end, and when he is killed nobody else cuts this
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
	static const struct argp_child children[] = { { .argp = &report_argp }, { 0 } };
	static const struct argp_option options[] = {
		{ "check", 'c', NULL, 0,
		  "Print a line for each thing that stands in the way, and exit with 1 if there is any",
		  0 },
		{ 0 },
	};
	static const struct argp argp = {
		options, parse, "PID > IMAGE",
		"Writes the image of the container whose root task is PID to standard output.",
		children, NULL, NULL,
	};
	struct options o = { 0 };
	struct ckpt_error e = { 0 };
	unsigned int reasons = 0;

	setlocale(LC_CTYPE, "");
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	/* a reader that goes away is an error like others */
	signal(SIGPIPE, SIG_IGN);
	if (!report_begin(&o.report, &e)) {
		die_with_parent(&o.report);
		if (o.check)
			check_container(&o.report, o.pid, &reasons, &e);
		else
			checkpoint_container(&o.report, o.pid, &e);
	}
	return report_end(&o.report, &e) || reasons;
}
