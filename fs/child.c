// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "child.h"
#include "cleanup.h"
#include "error.h"
#include "programs.h"

#define REPORT_FD 3

extern char **environ;

static int spawn(pid_t *pid, const char *path, char *const argv[], const int fds[4])
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t set;
	int rc;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	rc = 0;
	for (int fd = 0; !rc && fd < 4; fd++) {
		if (fds[fd] < 0)
			rc = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
		else
			rc = posix_spawn_file_actions_adddup2(&files, fds[fd], fd);
	}
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, 4);
	/* its own session: a terminal's signals are not for it */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
				 POSIX_SPAWN_SETSID);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attr, &set);
	if (!rc)
		rc = posix_spawn(pid, path, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* a copy of @fd that no dup2 to 0 ... 3 in the child can step on */
static int out_of_the_way(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
}

int child_spawn(struct child *c, char *const argv[], int in, int out,
		struct ckpt_error *e)
{
	_cleanup_fd_ int report_in = -1, report_out = -1, errors = -1;
	_cleanup_fd_ int high_in = out_of_the_way(in), high_out = out_of_the_way(out);
	_cleanup_fd_ int high_report = -1, high_errors = -1;
	char path[PATH_MAX];
	int ends[2], rc;

	memset(c, 0, sizeof(*c));
	if (program_find(argv[0], path))
		return error_set(e, ENOENT,
				 "the program %s is missing: install it, or name its directory in CKPTFS_LIBEXEC",
				 argv[0]);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return error_sys(e, errno, "no pipe for %s", argv[0]);
	report_in = ends[0];
	report_out = ends[1];
	errors = memfd_create("errors", MFD_CLOEXEC);
	high_report = out_of_the_way(report_out);
	high_errors = out_of_the_way(errors);
	if (errors < 0 || high_report < 0 || high_errors < 0 || (in >= 0 && high_in < 0) ||
	    (out >= 0 && high_out < 0))
		return error_sys(e, errno, "no descriptors for %s", argv[0]);
	rc = spawn(&c->pid, path, argv, (int[]){ high_in, high_out, high_errors, high_report });
	if (rc)
		return error_sys(e, rc, "can't run %s", path);
	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd < 0) {
		rc = errno;
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		c->pid = 0;
		return error_sys(e, rc, "can't watch %s", path);
	}
	c->report = steal_fd(&report_in);
	c->errors = steal_fd(&errors);
	return 0;
}

/* whether it has ended, within that time */
static int ended(struct child *c, int ms)
{
	struct pollfd fd = { .fd = c->pidfd, .events = POLLIN };
	int rc;

	do
		rc = poll(&fd, 1, ms);
	while (rc < 0 && errno == EINTR);
	return rc > 0;
}

static int wait_for(struct child *c, int grace_ms)
{
	int status = 0;

	if (!ended(c, grace_ms)) {
		kill(c->pid, SIGTERM);
		if (!ended(c, grace_ms < 2000 ? 2000 : grace_ms))
			kill(c->pid, SIGKILL);
	}
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int report_value(const char *report, const char *key, char *value, size_t size)
{
	size_t len = strlen(key), n;

	for (; *report; report += strcspn(report, "\n"), report += *report == '\n') {
		if (strncmp(report, key, len) || strncmp(report + len, ": ", 2))
			continue;
		report += len + 2;
		n = strcspn(report, "\n");
		snprintf(value, size, "%.*s", (int)n, report);
		return 0;
	}
	return -ENOENT;
}

uint64_t report_number(const char *report, const char *key)
{
	char text[32];

	return report_value(report, key, text, sizeof(text)) ? 0 : strtoull(text, NULL, 10);
}

/* what it wrote, up to the last whole line's end */
static void read_text(int fd, char *text, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while (got < size - 1 && (n = read(fd, text + got, size - 1 - got)) > 0)
		got += n;
	text[got] = '\0';
}

static int judge(struct child *c, int status, const char *name, const char *report,
		 struct ckpt_error *e)
{
	char text[400] = "";
	int rc = report_number(report, "errno");

	/* nobody interrupted the one who will hear of it: he would try again, for ever */
	if (rc < 0 || rc > 4095 || rc == EINTR || rc == EAGAIN)
		rc = EIO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !rc)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= c->fine && !rc &&
	    !report_value(report, "errno", text, sizeof(text)))
		return 0;
	text[0] = '\0';
	if (!report_value(report, "error", text, sizeof(text)))
		return error_set(e, rc ? rc : EIO, "%s", text);
	if (WIFSIGNALED(status))
		return error_set(e, rc ? rc : EIO, "%s was ended by signal %d", name,
				 WTERMSIG(status));
	lseek(c->errors, 0, SEEK_SET);
	read_text(c->errors, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	return error_set(e, rc ? rc : EIO, "%s failed with status %d%s%s", name,
			 WEXITSTATUS(status), text[0] ? ": " : "", text);
}

int child_finish(struct child *c, int grace_ms, char report[CHILD_REPORT_MAX],
		 struct ckpt_error *e)
{
	int status, rc;

	/* read when it has ended: what it leaves behind may hold the pipe open */
	status = wait_for(c, grace_ms);
	read_text(c->report, report, CHILD_REPORT_MAX);
	rc = judge(c, status, "the program", report, e);
	close(c->pidfd);
	close(c->report);
	close(c->errors);
	memset(c, 0, sizeof(*c));
	return rc;
}
