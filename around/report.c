// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "report.h"

static int open_log(struct report *r, const char *path, struct ckpt_error *e)
{
	struct stat st;

	if (path)
		r->log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	else
		r->log = memfd_create("log", MFD_CLOEXEC);
	if (r->log < 0)
		return error_sys(e, errno, "the log %s cannot be opened", path ? path : "");
	if (fstat(r->log, &st) == 0 && S_ISREG(st.st_mode))
		r->log_start = st.st_size;
	return 0;
}

static int parse_fd(const char *text, struct ckpt_error *e)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end || fd < 0 || fd > 1000000 || fcntl(fd, F_GETFD) < 0)
		return error_set(e, EBADF, "-r %s is no open descriptor", text);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int report_options(struct report *r, int argc, char **argv, const char *more,
		   void (*option)(int letter, const char *value),
		   struct ckpt_error *e)
{
	const char *log = NULL;
	char letters[32];
	int c;

	r->program = program_invocation_short_name;
	r->log = -1;
	r->log_start = -1;
	r->fd = -1;
	snprintf(letters, sizeof(letters), "+:l:r:%s", more);
	while ((c = getopt(argc, argv, letters)) != -1) {
		switch (c) {
		case 'l':
			log = optarg;
			break;
		case 'r':
			r->fd = parse_fd(optarg, e);
			if (r->fd < 0)
				return r->fd;
			break;
		case ':':
			return error_set(e, EINVAL, "option -%c lacks its value", optopt);
		case '?':
			return error_set(e, EINVAL, "option -%c is not known", optopt);
		default:
			option(c, optarg);
		}
	}
	/* nothing of the caller's may live on in a monitor or a container */
	if (r->fd > 3)
		close_range(3, r->fd - 1, 0);
	close_range(r->fd >= 3 ? r->fd + 1 : 3, ~0U, 0);
	return open_log(r, log, e);
}

void report_log(const struct report *r, const char *line)
{
	char text[600];
	int n = snprintf(text, sizeof(text), "%s\n", line);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (r->log >= 0 && write(r->log, text, n) != n)
		fprintf(stderr, "%s: the log cannot be written\n", r->program);
}

/* The last line in the log that has come since we began; false: none. */
static bool last_line(const struct report *r, char line[400])
{
	char text[4096];
	struct stat st;
	off_t start;
	ssize_t n;
	char *p;

	if (r->log_start < 0 || fstat(r->log, &st))
		return false;
	start = st.st_size - (off_t)sizeof(text) + 1;
	if (start < r->log_start)
		start = r->log_start;
	n = pread(r->log, text, sizeof(text) - 1, start);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, '\n');
	snprintf(line, 400, "%.399s", p ? p + 1 : text);
	return true;
}

int report_engine_error(const struct report *r, int err, const char *what,
			struct ckpt_error *e)
{
	char line[400];

	if (last_line(r, line))
		return error_set(e, err, "%s: %s", what, line);
	return error_sys(e, err, "%s", what);
}

void report_line(const struct report *r, const char *key, const char *fmt, ...)
{
	va_list ap;

	if (r->fd < 0)
		return;
	dprintf(r->fd, "%s: ", key);
	va_start(ap, fmt);
	vdprintf(r->fd, fmt, ap);
	va_end(ap);
	dprintf(r->fd, "\n");
}

int report_end(const struct report *r, const struct ckpt_error *e)
{
	report_line(r, "errno", "%d", e->err);
	if (!e->err)
		return 0;
	report_line(r, "error", "%s", e->text);
	report_log(r, e->text);
	fprintf(stderr, "%s: %s\n", r->program, e->text);
	return 1;
}

int report_device(struct ckpt_error *e)
{
	int fd = checkpoint_device();

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return error_set(e, ENODEV, "the engine is not loaded: insmod ckpt.ko");
	return error_sys(e, errno, "the engine's %s cannot be opened", CKPT_DEVICE);
}
