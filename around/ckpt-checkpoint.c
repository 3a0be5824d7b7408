// SPDX-License-Identifier: GPL-2.0-only
/* ckpt-checkpoint PID > IMAGE: write the image of a container */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check_engine.h"
#include "checkpoint.h"
#include "cleanup.h"
#include "describe.h"
#include "engine.h"
#include "proc.h"
#include "report.h"

struct options {
	struct report report;
	pid_t pid;
	bool check;		/* only say what stands in the way */
	bool final;		/* and then the container ends */
	int await;		/* final: a byte from it says that the image is taken; -1: at once */
	uint64_t freeze_timeout_ns, max_frozen_ns;	/* 0: the engine's own */
};

enum { OPTION_FINAL = 256, OPTION_AWAIT, OPTION_FREEZE_TIMEOUT, OPTION_MAX_FROZEN };

/* "500ms", "5s" */
static uint64_t parse_time(const char *arg, struct argp_state *state)
{
	char *unit;
	unsigned long n = strtoul(arg, &unit, 10);

	if (!strcmp(unit, "ms") && n && n <= 3600000)
		return n * 1000000ULL;
	if (!strcmp(unit, "s") && n && n <= 3600)
		return n * 1000000000ULL;
	argp_error(state, "'%s' is no time such as 500ms or 5s", arg);
	return 0;
}

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
	case OPTION_FINAL:
		o->final = true;
		return 0;
	case OPTION_AWAIT:
		o->await = atoi(arg);
		return 0;
	case OPTION_FREEZE_TIMEOUT:
		o->freeze_timeout_ns = parse_time(arg, state);
		return 0;
	case OPTION_MAX_FROZEN:
		o->max_frozen_ns = parse_time(arg, state);
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
		if (o->check && o->final)
			argp_error(state, "--check takes no image, and --final ends with one");
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

const char *argp_program_version = "ckpt-checkpoint " CKPT_VERSION;

static void report_outcome(const struct report *r, const struct engine *en)
{
	if (en->description.name[0]) {
		report_fact(r, "name", "%s", en->description.name);
		report_fact(r, "cgroup", "%s", en->description.cgroup);
	}
	if (en->id > 0)
		report_fact(r, "id", "%ld", en->id);
	report_fact(r, "pause-ns", "%llu", (unsigned long long)en->pause_ns);
	report_fact(r, "pause-us", "%llu", (unsigned long long)en->pause_ns / 1000);
	report_fact(r, "bytes", "%llu", (unsigned long long)en->bytes);
	report_fact(r, "pages", "%llu", (unsigned long long)en->pages);
}

/* Everything that stands in the way: around the tasks, and in them. */
static int check_container(const struct options *o, unsigned int *nr, struct ckpt_error *e)
{
	struct reasons reasons = { .to = stdout, .e = e };
	struct description d;
	int ret = check_target(o->pid, e);

	if (!ret)
		ret = report_device(e);
	if (ret < 0)
		return ret;
	ret = describe(&d, o->pid, &reasons);
	if (!ret)
		ret = check_engine(&o->report, o->pid, &reasons);
	description_free(&d);
	if (fflush(stdout) || ferror(stdout))
		ret = error_sys(e, errno, "standard output cannot be written");
	*nr = reasons.nr;
	report_fact(&o->report, "reasons", "%u", reasons.nr);
	return ret;
}

/*
 * The image is written; a reader may have to take it yet.  A byte from the
 * descriptor says that he has; its end, that he went away.
 */
static bool is_taken(const struct options *o)
{
	char byte;
	ssize_t n;

	if (o->await < 0)
		return true;
	do {
		n = read(o->await, &byte, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

static int end_container(const struct options *o, struct engine *en, struct ckpt_error *e)
{
	/* who waits for the image's end sees it */
	close(1);
	if (is_taken(o))
		return engine_end(en, &o->report, true, e);
	engine_end(en, &o->report, false, NULL);
	return error_set(e, EPIPE, "the reader of the final image went away, and container %s runs on",
			 en->description.name);
}

static int checkpoint_container(const struct options *o, struct ckpt_error *e)
{
	struct engine en = {
		.pid = o->pid,
		.fd = 1,
		.flags = o->final ? CKPT_FINAL : 0,
		.freeze_timeout_ns = o->freeze_timeout_ns,
		.max_frozen_ns = o->max_frozen_ns,
	};
	struct utsname uts;
	int ret = check_target(o->pid, e);

	if (!ret && isatty(1))
		ret = error_set(e, EINVAL, "the image goes to standard output: send it to a file or a pipe");
	if (!ret)
		ret = report_device(e);
	if (ret < 0)
		return ret;
	report_fact(&o->report, "init", "%d", o->pid);
	if (!uname(&uts))
		report_fact(&o->report, "kernel", "%s", uts.release);
	ret = engine_collect(&en, &o->report, e);
	if (!ret)
		ret = engine_stream(&en, &o->report, e);
	report_outcome(&o->report, &en);
	if (!ret && o->final)
		ret = end_container(o, &en, e);
	description_free(&en.description);
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
		{ "final", OPTION_FINAL, NULL, 0,
		  "The container stands still from the moment of its image, and ends when it is taken", 0 },
		{ "await", OPTION_AWAIT, "FD", 0,
		  "With --final: it is taken when a byte comes from this descriptor; at its end it runs on", 0 },
		{ "freeze-timeout", OPTION_FREEZE_TIMEOUT, "TIME", 0,
		  "How long a task may take to stop (1s)", 0 },
		{ "max-frozen", OPTION_MAX_FROZEN, "TIME", 0,
		  "How long the container may stand still, but for --final (5s)", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		options, parse, "PID > IMAGE",
		"Writes the image of the container whose root task is PID to standard output.",
		children, NULL, NULL,
	};
	struct options o = { .await = -1 };
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
			check_container(&o, &reasons, &e);
		else
			checkpoint_container(&o, &e);
	}
	return report_end(&o.report, &e) || reasons;
}
