// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
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
#include "cleanup.h"
#include "report.h"
#include "text.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		*r = (struct report){ .program = program_invocation_short_name, .log = -1,
				      .log_start = -1, .fd = -1 };
		return 0;
	case 'l':
		r->log_path = arg;
		return 0;
	case 'r':
		r->fd_text = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "log", 'l', "FILE", 0, "Append to FILE what the engine has to say", 0 },
	{ "result", 'r', "FD", 0, "Write the outcome to this descriptor, as lines 'key: value'", 0 },
	{ 0 },
};

const struct argp report_argp = { options, parse, NULL, NULL, NULL, NULL, NULL };

static int open_log(struct report *r, struct ckpt_error *e)
{
	struct stat st;

	if (r->log_path)
		r->log = open(r->log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	else
		r->log = memfd_create("log", MFD_CLOEXEC);
	if (r->log < 0)
		return error_sys(e, errno, "the log %s cannot be opened",
				 r->log_path ? r->log_path : "");
	if (fstat(r->log, &st) == 0 && S_ISREG(st.st_mode))
		r->log_start = st.st_size;
	return 0;
}

static int parse_fd(const char *text, struct ckpt_error *e)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end || fd < 0 || fd > 1000000 || fcntl(fd, F_GETFD) < 0)
		return error_set(e, EBADF, "--result %s is no open descriptor", text);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int report_begin(struct report *r, struct ckpt_error *e)
{
	if (r->fd_text) {
		r->fd = parse_fd(r->fd_text, e);
		if (r->fd < 0)
			return r->fd;
		r->facts = open_memstream(&r->text, &r->size);
		if (!r->facts)
			return error_set(e, ENOMEM, "no memory for the result");
	}
	/* nothing of the caller's may live on in a monitor or a container */
	if (r->fd > 3)
		close_range(3, r->fd - 1, 0);
	close_range(r->fd >= 3 ? r->fd + 1 : 3, ~0U, 0);
	return open_log(r, e);
}

static void append_to_log(const struct report *r, const char *line)
{
	char text[600];
	int n = snprintf(text, sizeof(text), "%s\n", line);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (r->log >= 0 && write(r->log, text, n) != n)
		fprintf(stderr, "%s: the log cannot be written\n", r->program);
}

bool report_is_note(const char *line)
{
	return !strncmp(line, "external ", strlen("external "));
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
	/* what stays outside is told, and stands in nobody's way */
	while ((p = strrchr(text, '\n')) && report_is_note(p + 1))
		*p = '\0';
	if (!p && report_is_note(text))
		return false;
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

void report_fact(const struct report *r, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;
	char *p;
	int n;

	if (!r->facts)
		return;
	va_start(ap, fmt);
	n = vasprintf(&value, fmt, ap);
	va_end(ap);
	if (n < 0) {
		value = NULL;
		return;
	}
	/* a line is a fact, whatever a name has in it */
	for (p = value; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	fprintf(r->facts, "%s: %s\n", key, value);
}

static void write_result(struct report *r)
{
	size_t done = 0;
	ssize_t n;

	if (!r->facts || fclose(r->facts))
		return;
	while (done < r->size) {
		n = write(r->fd, r->text + done, r->size - done);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			done += n;
	}
	free(r->text);
	r->facts = NULL;
}

int report_end(struct report *r, const struct ckpt_error *e)
{
	report_fact(r, "result", "%s", e->err ? "failed" : "ok");
	report_fact(r, "errno", "%d", e->err);
	if (e->err)
		report_fact(r, "error", "%s", e->text);
	write_result(r);
	if (!e->err)
		return 0;
	append_to_log(r, e->text);
	fprintf(stderr, "%s: ", r->program);
	text_put(stderr, e->text);
	fputc('\n', stderr);
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
