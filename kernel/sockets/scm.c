// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes with a message over a unix socket: who has sent it, and files.  The
 * kernel is asked to send it, and judges whether the restarter may.  C6.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>

#include "file.h"
#include "sock.h"
#include "unix.h"

/* a process that has that number in current's namespace and does not run; free_pid() frees the number */
static struct pid *make_dead(pid_t nr)
{
	return k_alloc_pid(task_active_pid_ns(current), &nr, 1);
}

struct pid *ckpt_get_pid(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);

	if (pid || nr <= 0)
		return pid;
	pid = make_dead(nr);
	if (IS_ERR(pid))
		return NULL;
	get_pid(pid);
	k_free_pid(pid);
	return pid;
}

static struct cmsghdr *add(struct ckpt_control *c, int type, size_t len)
{
	struct cmsghdr *head = (void *)(c->data + c->len);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = type;
	head->cmsg_len = CMSG_LEN(len);
	c->len += CMSG_SPACE(len);
	return head;
}

static int add_creds(struct ckpt_control *c, const struct ckpt_image_unix_message *img)
{
	struct ucred creds = { .pid = img->pid, .uid = img->uid, .gid = img->gid };
	struct pid *pid;

	if (!(img->flags & CKPT_UNIX_CREDS))
		return 0;
	/* one from outside has no number here, and none may be sent: see queue.c */
	if (!creds.pid)
		creds.pid = task_tgid_vnr(current);
	pid = find_get_pid(creds.pid);
	if (!pid) {
		pid = make_dead(creds.pid);
		if (IS_ERR(pid))
			return PTR_ERR(pid);
		c->dead = pid;
	} else {
		put_pid(pid);
	}
	memcpy(CMSG_DATA(add(c, SCM_CREDENTIALS, sizeof(creds))), &creds, sizeof(creds));
	return 0;
}

static int unused_fd(void)
{
	int ret, fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd != -EMFILE)
		return fd;
	ret = ckpt_allow_fd(rlimit(RLIMIT_NOFILE));
	return ret ? ret : get_unused_fd_flags(O_CLOEXEC);
}

static int add_files(struct ckpt_restart *rs, struct ckpt_control *c,
		     const struct ckpt_image_unix_message *img, const u32 *refs)
{
	struct file *file;
	int fd;

	for (; c->nr < img->files; c->nr++) {
		file = ckpt_find_restored(rs, refs[c->nr], &ckpt_type_file);
		if (!file)
			return -EINVAL;
		fd = unused_fd();
		if (fd < 0)
			return fd;
		fd_install(fd, get_file(file));
		c->fds[c->nr] = fd;
	}
	if (c->nr)
		memcpy(CMSG_DATA(add(c, SCM_RIGHTS, c->nr * sizeof(int))), c->fds,
		       c->nr * sizeof(int));
	return 0;
}

int ckpt_control_make(struct ckpt_restart *rs, struct ckpt_control *c,
		      const struct ckpt_image_unix_message *img, const u32 *refs)
{
	memset(c, 0, sizeof(*c));
	return add_creds(c, img) ? : add_files(rs, c, img, refs);
}

void ckpt_control_end(struct ckpt_control *c)
{
	/* closing one would release what its table has locked of the file */
	while (c->nr)
		fput(ckpt_take_fd(c->fds[--c->nr]));
	if (c->dead)
		k_free_pid(c->dead);
	c->dead = NULL;
}
