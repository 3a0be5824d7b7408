// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_engine.h"
#include "checkpoint.h"
#include "cleanup.h"
#include "image.h"
#include "names.h"

/* Read an image up to what comes after all refusals; exits with 0 if it got there. */
static _Noreturn void read_collected(int fd)
{
	struct image_reader im;
	int ret;

	image_init(&im, fd);
	do {
		ret = image_next(&im, NULL);
	} while (ret > 0 && im.rec.type != CKPT_REC_MEMORY);
	_exit(ret <= 0);
}

int check_engine(const struct report *report, pid_t pid, const char *name, struct reasons *r)
{
	struct ckpt_checkpoint_args args = { .pid = pid, .logfd = report->log, .flags = CKPT_FREEZE };
	_cleanup_fd_ int read_end = -1, write_end = -1;
	struct ckpt_error why = { 0 };
	char what[NAME_LEN_MAX + 64];
	int ends[2], status, err = 0;
	pid_t reader;

	if (pipe2(ends, O_CLOEXEC))
		return error_sys(r->e, errno, "no pipe can be made");
	read_end = ends[0];
	write_end = ends[1];
	reader = fork();
	if (reader == 0) {
		close(write_end);
		read_collected(read_end);
	}
	if (reader < 0)
		return error_sys(r->e, errno, "no process can be made");
	close(steal_fd(&read_end));
	args.fd = write_end;
	if (ioctl(checkpoint_device(), CKPT_IOC_CHECKPOINT, &args) < 0)
		err = errno;
	close(steal_fd(&write_end));
	while (waitpid(reader, &status, 0) < 0 && errno == EINTR)
		;
	/* it went away because it had seen enough */
	if (!err || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return 0;
	snprintf(what, sizeof(what), "container %s cannot be checkpointed", name);
	report_engine_error(report, err, what, &why);
	return reason(r, "%s", why.text);
}
