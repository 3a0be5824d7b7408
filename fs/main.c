// SPDX-License-Identifier: GPL-2.0-only
/* ckptfs: containers as files. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "attr.h"
#include "cleanup.h"
#include "error.h"
#include "fs.h"
#include "handle.h"
#include "note.h"
#include "place.h"
#include "serial.h"
#include "service.h"
#include "state.h"

#define MAX_THREADS 64
#define IDLE_THREADS 8

struct ckptfs fs;

static int open_store(struct ckpt_error *e)
{
	char dir[PATH_MAX];
	struct store_error se;
	char *slash;
	int rc;

	strcpy(dir, fs.opt.store);
	slash = strrchr(dir, '/');
	*slash = '\0';
	/* images hold secrets: the place for them is nobody else's */
	if (dir[0] && mkdir(dir, 0700) && errno != EEXIST)
		return error_sys(e, errno, "can't make the directory %s for the store", dir);
	rc = store_open(&fs.store, fs.opt.store, STORE_CREATE, &se);
	/* a daemon whose mount has just gone may still be closing it */
	for (int i = 0; rc == -EBUSY && i < 50; i++) {
		usleep(100000);
		rc = store_open(&fs.store, fs.opt.store, STORE_CREATE, &se);
	}
	return rc ? error_set(e, -rc, "%s", se.text) : 0;
}

/* what the kernel says by itself: nobody serves requests yet */
static int find_device(struct ckpt_error *e)
{
	struct statx st;

	if (statx(AT_FDCWD, fs.opt.mountpoint, AT_STATX_DONT_SYNC, STATX_INO, &st))
		return error_sys(e, errno, "can't look at the mount on %s", fs.opt.mountpoint);
	fs.dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	return 0;
}

static int open_session(struct fuse_args *args, struct ckpt_error *e)
{
	fs.session = fuse_session_new(args, &ckptfs_ops, sizeof(ckptfs_ops), NULL);
	if (!fs.session)
		return error_set(e, EINVAL, "libfuse does not take these options");
	if (fuse_set_signal_handlers(fs.session))
		return error_set(e, EIO, "can't set signal handlers");
	if (fuse_session_mount(fs.session, fs.opt.mountpoint))
		return error_set(e, EIO, "can't mount on %s", fs.opt.mountpoint);
	return find_device(e);
}

static int begin(struct fuse_args *args, struct ckpt_error *e)
{
	char known[PATH_MAX + 8];
	int rc;

	/* beside the directory of logs, in which any name may be a container's */
	snprintf(known, sizeof(known), "%s.names", fs.opt.state);

	attr_setup();
	rc = open_store(e);
	if (rc)
		return rc;
	rc = containers_setup("/proc", fs.opt.cgroup, "/", known);
	if (rc)
		return error_sys(e, -rc, "can't look for containers in %s",
				 fs.opt.cgroup[0] ? fs.opt.cgroup : "/proc");
	rc = state_setup();
	if (rc)
		return error_sys(e, -rc, "can't make the directory %s for logs", fs.opt.state);
	places_tidy();
	return open_session(args, e);
}

static int loop(void)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int rc;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
	fuse_loop_cfg_set_idle_threads(config, IDLE_THREADS);
	rc = fuse_session_loop_mt(fs.session, config);
	fuse_loop_cfg_destroy(config);
	/* a signal to end is what a daemon ends with */
	return rc > 0 ? 0 : rc;
}

/*
 * Returns false when a thread is still at work in the store, which a check of it may be
 * for hours: nothing of it can be given back then, but as after a crash nothing is lost.
 */
static bool finish(void)
{
	bool idle = true;

	service_stopping();
	if (fs.session) {
		/* nobody takes requests any more; answer those who wait */
		idle = serials_end();
		fuse_session_unmount(fs.session);
		fuse_remove_signal_handlers(fs.session);
		fuse_session_destroy(fs.session);
	}
	/* files that were open when the mount went keep the store open */
	if (fs.store && idle && !handles_open())
		store_close(fs.store);
	return idle;
}

static int fail(const struct ckpt_error *e)
{
	fprintf(stderr, "ckptfs: %s\n", e->text);
	return 1;
}

/* the child has mounted, or failed and said why: what it sends is our status */
static int await_child(int fd)
{
	char status = 1;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? status : 1;
}

static void leave_terminal(int ready)
{
	char status = 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		note("can't leave the terminal: %s", strerror(errno));
	if (null > 2)
		close(null);
	note_to_syslog();
	if (write(ready, &status, 1) != 1)
		note("nobody waited for the mount");
	close(ready);
}

/*
 * In the parent: its exit status, 0 or 1. In the child: -1, and @ready is where
 * to say that all is well.
 */
static int go_background(int *ready)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) || (pid = fork()) < 0) {
		fprintf(stderr, "ckptfs: can't go into the background: %s\n", strerror(errno));
		return 1;
	}
	if (pid) {
		close(ends[1]);
		return await_child(ends[0]);
	}
	close(ends[0]);
	*ready = ends[1];
	setsid();
	if (chdir("/"))
		note("can't change to /: %s", strerror(errno));
	return -1;
}

static void reload(void)
{
	struct ckpt_error e = { 0 };

	service_reloading();
	if (options_reload(&fs.opt, &e))
		note("the options stay as they were: %s", e.text);
	service_reloaded();
}

static void *await_hangups(void *data)
{
	sigset_t set;
	int sig;

	(void)data;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	while (!sigwait(&set, &sig))
		reload();
	return NULL;
}

/* SIGHUP is blocked in every thread, and this one takes it */
static int start_reloader(struct ckpt_error *e)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, await_hangups, NULL);

	if (rc)
		return error_sys(e, rc, "no thread for SIGHUP");
	pthread_detach(thread);
	return 0;
}

static int serve(struct fuse_args *args)
{
	struct ckpt_error e = { 0 };
	sigset_t set, old;
	int ready = -1, rc;

	if (!fs.opt.foreground) {
		rc = go_background(&ready);
		if (rc >= 0)
			return rc;
	}
	/* threads that begin before the loop leave signals to the main thread */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	rc = begin(args, &e);
	if (!rc)
		rc = start_reloader(&e);
	sigaddset(&old, SIGHUP);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		rc = fail(&e);
	} else {
		if (ready >= 0)
			leave_terminal(ready);
		service_ready(fs.opt.mountpoint);
		rc = loop();
		if (rc)
			note("the loop ended: %s", strerror(-rc));
	}
	if (!finish()) {
		note("work on the store was cut short");
		_exit(rc ? 1 : 0);
	}
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct ckpt_error e = { 0 };
	int rc;

	/* a program or a reader that goes away is an error like others */
	signal(SIGPIPE, SIG_IGN);
	note_setup();
	rc = options_parse(&args, &fs.opt, &e);
	if (rc)
		rc = fail(&e);
	else if (fs.opt.help)
		fputs(options_help, stdout);
	else if (fs.opt.version)
		printf("ckptfs %s\n", CKPT_VERSION);
	else
		rc = serve(&args);
	options_free(&args);
	return rc;
}
