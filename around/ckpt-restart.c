// SPDX-License-Identifier: GPL-2.0-only
/*
 * ckpt-restart < IMAGE: bring a container back
 *
 * Three kinds of processes: this one, the coordinator, reads the image and
 * hands it to the engine; the monitor is the parent of the new container's
 * init and stays; helpers become the tasks of the image.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_restart.h"
#include "checkpoint.h"
#include "cleanup.h"
#include "console.h"
#include "externals.h"
#include "helper.h"
#include "image.h"
#include "monitor.h"
#include "report.h"

struct restart {
	struct report report;
	struct image_reader image;
	struct description description;
	struct tree tree;
	struct cgroup cgroup;
	const char *wanted_name;	/* NULL: its own */
	char name[PLACE_LEN_MAX + 1];
	struct console console;
	struct externals externals;
	bool check;		/* only say what stands in the way */
	int device;
	int helper_error[2];	/* pipe: a struct ckpt_error of a helper */
};

/* what the coordinator and the monitor tell each other */
enum order { ORDER_KEEP = 'k', ORDER_DROP = 'd' };

struct answer {
	pid_t init;		/* or a negative errno */
	struct ckpt_error error;
};

/* HEADER, CONTAINER and TREE; the engine reads the rest */
static int read_image(struct restart *r, struct ckpt_error *e)
{
	struct image_reader *im = &r->image;
	const struct ckpt_image_tree_task *tasks;
	const char *text;
	uint32_t nr;
	int ret = image_begin(im, e);

	if (!ret)
		ret = image_check_machine(im, e);
	if (!ret)
		ret = image_expect(im, CKPT_REC_CONTAINER, e);
	if (!ret) {
		text = image_part(im, CONTAINER, TEXT, &nr);
		ret = description_parse(&r->description, text ? text : "", nr, e);
	}
	if (!ret)
		ret = image_expect(im, CKPT_REC_TREE, e);
	if (!ret) {
		tasks = image_part(im, TREE, TASKS, &nr);
		ret = tree_parse(&r->tree, tasks, nr, e);
	}
	image_done(im);
	return ret;
}

/* where the container is to live: where it was, unless it gets another name */
static int make_cgroup(struct restart *r, struct ckpt_error *e)
{
	const struct description *d = &r->description;
	char rel[PATH_MAX / 2];
	int ret = 0;

	if (r->wanted_name)
		ret = name_check_place(r->wanted_name, e);
	if (ret)
		return ret;
	strcpy(r->name, r->wanted_name ? r->wanted_name : d->name);
	report_fact(&r->report, "name", "%s", r->name);
	if (strcmp(r->name, d->name))
		snprintf(rel, sizeof(rel), "%s/%s", CGROUP_PARENT, r->name);
	else
		strcpy(rel, d->cgroup);
	report_fact(&r->report, "cgroup", "%s", rel);
	ret = cgroup_make(&r->cgroup, rel, r->name, e);
	if (ret == -EEXIST)
		return error_set(e, EBUSY, "container %s is running: end it with 'ckpt kill %s' first",
				 r->name, r->name);
	return ret;
}

/* a container in the background gets the log of its name, as 'ckpt run' would give it */
static int make_console(struct restart *r, struct ckpt_error *e)
{
	struct mount_entry *m = r->description.mounts;
	size_t i;
	int ret;

	for (i = 0; i < r->description.nr_mounts; i++, m++) {
		if (m->kind != MOUNT_CONSOLE)
			continue;
		ret = r->console.path[0] ? 0 : console_make(&r->console, r->name, &r->cgroup, e);
		if (ret)
			return ret;
		free(m->source);
		m->source = strdup(r->console.path);
		if (!m->source)
			return error_set(e, ENOMEM, "no memory for the container's mounts");
	}
	return 0;
}

static void kill_placeholders(pid_t *pids, size_t nr)
{
	size_t i;

	for (i = 0; i < nr && pids[i]; i++) {
		kill(pids[i], SIGKILL);
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
		pids[i] = 0;
	}
}

/*
 * Wait for the coordinator's order.  A root that dies meanwhile can no more
 * tell the engine so itself.
 */
static enum order wait_for_order(struct restart *r, pid_t init, int sock)
{
	_cleanup_fd_ int signals = -1;
	struct pollfd p[2];
	sigset_t set;
	siginfo_t info;
	char order;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	p[0] = (struct pollfd){ .fd = sock, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (;;) {
		info.si_pid = 0;
		if (p[1].fd >= 0 &&
		    waitid(P_PID, init, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == init) {
			ioctl(r->device, CKPT_IOC_ABORT, ESRCH);
			p[1].fd = -1;
		}
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents & POLLIN) {
			struct signalfd_siginfo si;

			if (read(signals, &si, sizeof(si)) < 0)
				p[1].fd = -1;
		}
		if (p[0].revents)
			return read(sock, &order, 1) == 1 ? (enum order)order : ORDER_DROP;
	}
}

static _Noreturn void monitor_main(struct restart *r, int sock)
{
	struct helper_context c = {
		.tree = &r->tree,
		.description = &r->description,
		.cgroup = &r->cgroup,
		.device = r->device,
		.report = r->helper_error[1],
	};
	pid_t *placeholders = calloc(r->tree.nr_dead_leaders + 1, sizeof(*placeholders));
	struct answer a = { 0 };
	enum order order = ORDER_DROP;
	pid_t init;

	/* the streams too: the image's other end must see when it is closed */
	monitor_detach();
	init = placeholders ? helper_root(&c, &a.error) :
		error_set(&a.error, ENOMEM, "no memory for the monitor");
	a.init = init;
	if (init > 0 && helper_placeholders(&c, init, placeholders, &a.error))
		a.init = -a.error.err;
	close(r->helper_error[1]);
	if (send(sock, &a, sizeof(a), MSG_NOSIGNAL) == sizeof(a) && a.init > 0)
		order = wait_for_order(r, init, sock);
	kill_placeholders(placeholders, placeholders ? r->tree.nr_dead_leaders : 0);
	close(r->device);
	close(r->report.log);
	if (order != ORDER_KEEP)
		monitor_cleanup(init, &r->cgroup);
	send(sock, &a, sizeof(a), MSG_NOSIGNAL);
	close(sock);
	if (order != ORDER_KEEP || chdir("/"))
		_exit(order != ORDER_KEEP);
	monitor_run(init, &r->cgroup);
}

static int make_monitor(struct restart *r, struct ckpt_error *e)
{
	int socks[2];
	sigset_t all, old;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) ||
	    pipe2(r->helper_error, O_CLOEXEC | O_NONBLOCK))
		return error_sys(e, errno, "no sockets and pipes can be made");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0) {
		close(socks[0]);
		close(r->helper_error[0]);
		if (r->report.fd >= 0)
			close(r->report.fd);
		monitor_main(r, socks[1]);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(socks[1]);
	close(r->helper_error[1]);
	if (pid < 0) {
		close(socks[0]);
		return error_sys(e, errno, "no monitor can be made");
	}
	return socks[0];
}

/* a helper's own sentence, which says more than the engine can know */
static bool helper_said(const struct restart *r, struct ckpt_error *e)
{
	struct ckpt_error said;

	if (read(r->helper_error[0], &said, sizeof(said)) != sizeof(said))
		return false;
	*e = said;
	return true;
}

static int engine_failed(struct restart *r, int err, struct ckpt_error *e)
{
	char what[PLACE_LEN_MAX + 64];

	if (helper_said(r, e))
		return -e->err;
	snprintf(what, sizeof(what), "container %s cannot be restarted", r->name);
	return report_engine_error(&r->report, err, what, e);
}

static int run_engine(struct restart *r, pid_t init, struct ckpt_error *e)
{
	struct ckpt_restart_args args = {
		.pid = init,
		.fd = 0,
		.logfd = r->report.log,
		.offset = r->image.offset,
		.seq = r->image.seq,
		.nr_tasks = r->tree.nr,
	};
	int ret;

	if (ioctl(r->device, CKPT_IOC_RESTART, &args) < 0)
		return engine_failed(r, errno, e);
	/* nothing has run yet, so that nothing is lost when this fails */
	ret = externals_take(&r->externals, r->device, r->name, r->report.log, e);
	if (ret)
		ioctl(r->device, CKPT_IOC_ABORT, -ret);
	else if (ioctl(r->device, CKPT_IOC_GO) < 0)
		ret = engine_failed(r, errno, e);
	else
		externals_go(&r->externals, r->report.log);
	return ret;
}

/* the answer of the monitor; it dies only with the container */
static int hear(int sock, struct answer *a, struct ckpt_error *e)
{
	ssize_t n;

	do {
		n = recv(sock, a, sizeof(*a), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(*a))
		return error_set(e, EIO, "the monitor of the container has died");
	return 0;
}

static int restart_container(struct restart *r, struct ckpt_error *e)
{
	struct answer a = { 0 };
	struct ckpt_error lost;
	_cleanup_fd_ int sock = make_monitor(r, e);
	char order = ORDER_DROP;
	int ret;

	if (sock < 0) {
		cgroup_remove(&r->cgroup, NULL);
		return sock;
	}
	ret = hear(sock, &a, e);
	if (ret) {
		monitor_cleanup(0, &r->cgroup);
		return ret;
	}
	if (a.init < 0) {
		if (!helper_said(r, e))
			*e = a.error;
		ret = -e->err;
	} else {
		ret = run_engine(r, a.init, e);
		if (!ret)
			order = ORDER_KEEP;
		if (send(sock, &order, 1, MSG_NOSIGNAL) != 1 && !ret)
			ret = error_sys(e, errno, "the monitor of container %s has died",
					r->name);
	}
	/* after this all placeholders, or all tasks, are gone */
	if (hear(sock, &a, ret ? &lost : e) && !ret)
		ret = -EIO;
	if (!ret)
		report_fact(&r->report, "init", "%d", a.init);
	return ret;
}

static int restart_all(struct restart *r, struct ckpt_error *e)
{
	int ret;

	if (isatty(0))
		return error_set(e, EINVAL, "the image comes from standard input: give it a file or a pipe");
	r->device = report_device(e);
	if (r->device < 0)
		return r->device;
	ret = read_image(r, e);
	if (!ret)
		report_fact(&r->report, "tasks", "%u", r->tree.nr);
	if (!ret)
		ret = make_cgroup(r, e);
	if (ret)
		return ret;
	ret = make_console(r, e);
	if (ret)
		cgroup_remove(&r->cgroup, NULL);
	else
		ret = restart_container(r, e);
	if (ret)
		console_undo(&r->console);
	return ret;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct restart *r = state->input;
	struct ckpt_error e;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->report;
		return 0;
	case 'c':
		r->check = true;
		return 0;
	case 'n':
		r->wanted_name = arg;
		return 0;
	case 'x':
		if (externals_choose(&r->externals, arg, &e))
			argp_error(state, "%s", e.text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "check", 'c', NULL, 0,
	  "Print a line for each thing that stands in the way, and exit with 1 if there is any", 0 },
	{ "external", 'x', "pipe[KEY]=PATH", 0,
	  "What is to be at the other end of a pipe that was outside; KEY as 'ckpt check' prints it", 0 },
	{ "name", 'n', "NAME", 0, "Bring it back under this name", 0 },
	{ 0 },
};

const char *argp_program_version = "ckpt-restart " CKPT_VERSION;

int main(int argc, char **argv)
{
	static const struct argp_child children[] = { { .argp = &report_argp }, { 0 } };
	static const struct argp argp = {
		options, parse, "< IMAGE",
		"Brings the container back whose image comes from standard input.",
		children, NULL, NULL,
	};
	struct restart r = { .cgroup.fd = -1, .helper_error = { -1, -1 } };
	struct ckpt_error e = { 0 };
	int reasons = 0;

	setlocale(LC_CTYPE, "");
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &r);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	image_init(&r.image, 0);
	if (!report_begin(&r.report, &e) && r.check)
		reasons = check_restart(&r.report, r.wanted_name, &r.externals, &e);
	else if (!e.err)
		restart_all(&r, &e);
	tree_free(&r.tree);
	description_free(&r.description);
	cgroup_close(&r.cgroup);
	externals_free(&r.externals);
	return report_end(&r.report, &e) || reasons > 0;
}
