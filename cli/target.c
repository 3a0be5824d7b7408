// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "target.h"

/* signals that end the program unasked */
static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

#define NR_ENDING (sizeof(ending) / sizeof(*ending))

/* the file that must not stay behind */
static const struct target *volatile unfinished;

static void remove_unfinished(int sig)
{
	const struct target *t = unfinished;

	if (t) {
		/* some file systems have no such file before that */
		close(t->fd);
		unlink(t->partial);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void remove_on_signals(const struct target *t)
{
	struct sigaction sa = { .sa_handler = remove_unfinished }, old;
	size_t i;

	unfinished = t;
	for (i = 0; i < NR_ENDING; i++)
		if (!sigaction(ending[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(ending[i], &sa, NULL);
}

/* a name in the same directory that nobody has */
static void other_name(struct target *t)
{
	static unsigned int number;

	snprintf(t->partial, sizeof(t->partial), "%.4000s/.ckpt-save.%d.%u", t->dir, getpid(),
		 number++);
}

static int open_nameless(struct target *t, struct ckpt_error *e)
{
	t->fd = open(t->dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (t->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		snprintf(t->partial, sizeof(t->partial), "%.4000s/.ckpt-save.XXXXXX", t->dir);
		remove_on_signals(t);
		t->fd = mkostemp(t->partial, O_CLOEXEC);
		if (t->fd < 0)
			t->partial[0] = '\0';
	}
	return t->fd < 0 ? error_sys(e, errno, "%s cannot be made", t->path) : 0;
}

int target_open(struct target *t, const char *path, struct ckpt_error *e)
{
	struct stat st;
	char *slash;

	*t = (struct target){ .fd = -1 };
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		t->fd = open(path, O_WRONLY | O_CLOEXEC);
		return t->fd < 0 ? error_sys(e, errno, "%s cannot be opened", path) : 0;
	}
	/* the file behind a symbolic link is what is meant, and not the link */
	if (!realpath(path, t->real) &&
	    snprintf(t->real, sizeof(t->real), "%s", path) >= (int)sizeof(t->real))
		return error_sys(e, ENAMETOOLONG, "%.60s... cannot be made", path);
	t->path = t->real;
	strcpy(t->dir, t->real);
	slash = strrchr(t->dir, '/');
	if (!slash)
		strcpy(t->dir, ".");
	else
		slash[slash == t->dir] = '\0';
	return open_nameless(t, e);
}

/* a name for a file that has none: its own, or another if somebody has that */
static int give_name(struct target *t)
{
	char fd[32];

	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", t->fd);
	if (!linkat(AT_FDCWD, fd, AT_FDCWD, t->path, AT_SYMLINK_FOLLOW))
		return 0;
	while (errno == EEXIST) {
		other_name(t);
		if (!linkat(AT_FDCWD, fd, AT_FDCWD, t->partial, AT_SYMLINK_FOLLOW))
			return 0;
	}
	t->partial[0] = '\0';
	return -errno;
}

static int take_place(struct target *t)
{
	int ret = t->partial[0] ? 0 : give_name(t);

	if (!ret && t->partial[0] && rename(t->partial, t->path)) {
		ret = -errno;
		unlink(t->partial);
	}
	if (!ret)
		t->partial[0] = '\0';
	return ret;
}

static int sync_directory(const struct target *t)
{
	_cleanup_fd_ int fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* not every file system knows how */
	return fd < 0 || (fsync(fd) && errno != EINVAL && errno != EROFS) ? -errno : 0;
}

int target_commit(struct target *t, struct ckpt_error *e)
{
	sigset_t all, old;
	int ret = 0;

	if (!t->path) {
		if (close(steal_fd(&t->fd)))
			return error_sys(e, errno, "the image cannot be written");
		return 0;
	}
	if (fsync(t->fd) && errno != EINVAL)
		ret = error_sys(e, errno, "%s cannot be written", t->path);
	/* some say only at the end what they think of it; without a name it has to be open */
	if (!ret && t->partial[0] && close(steal_fd(&t->fd)))
		ret = error_sys(e, errno, "%s cannot be written", t->path);
	/* between the two names there is nothing that a signal could end */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	if (!ret) {
		ret = take_place(t);
		if (ret)
			error_sys(e, -ret, "%s cannot be made", t->path);
		else
			unfinished = NULL;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (ret) {
		target_drop(t);
		return ret;
	}
	if (t->fd >= 0 && close(steal_fd(&t->fd)))
		ret = -errno;
	if (!ret)
		ret = sync_directory(t);
	return ret ? error_sys(e, -ret, "%s may not be on the disk", t->path) : 0;
}

void target_drop(struct target *t)
{
	if (t->fd >= 0)
		close(steal_fd(&t->fd));
	if (t->partial[0])
		unlink(t->partial);
	t->partial[0] = '\0';
	unfinished = NULL;
}
