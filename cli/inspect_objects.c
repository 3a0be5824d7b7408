// SPDX-License-Identifier: GPL-2.0-only
/* The container, its tree, and files with all that they need. */
#include <string.h>
#include <sys/types.h>
#include <ckpt_image.h>

#include "inspect.h"

#define H(member, fmt) EMIT_FIELD(ckpt_image_header, member, fmt)
static const struct emit_field header_fields[] = {
	H(magic, EMIT_STR), H(version, EMIT_UNS), H(page_size, EMIT_UNS),
	H(time, EMIT_UNS), H(release, EMIT_STR), H(machine, EMIT_STR),
};

#define T(member, fmt) EMIT_FIELD(ckpt_image_tree_task, member, fmt)
static const struct emit_field tree_fields[] = {
	T(pid, EMIT_DEC), T(tgid, EMIT_DEC), T(ppid, EMIT_DEC), T(pgid, EMIT_DEC),
	T(sid, EMIT_DEC), T(rpid, EMIT_DEC), T(depth, EMIT_UNS), T(flags, EMIT_HEX),
};

#define S(member, fmt) EMIT_FIELD(ckpt_image_system, member, fmt)
static const struct emit_field system_fields[] = {
	S(vdso_sum, EMIT_HEX), S(vdso_size, EMIT_UNS), S(xfeatures, EMIT_HEX),
	S(boottime_ns, EMIT_UNS), S(monotonic_ns, EMIT_UNS), S(realtime_ns, EMIT_UNS),
};

#define U(member) EMIT_FIELD(ckpt_image_uts, member, EMIT_STR)
static const struct emit_field uts_fields[] = { U(nodename), U(domainname) };

#define I(member) EMIT_FIELD(ckpt_image_ipc, member, EMIT_UNS)
static const struct emit_field ipc_fields[] = {
	I(shmmax), I(shmall), I(shmmni), I(shm_rmid_forced), I(msgmax), I(msgmnb),
	I(msgmni), I(sem[0]), I(sem[1]), I(sem[2]), I(sem[3]), I(mq_queues_max),
	I(mq_msg_max), I(mq_msgsize_max),
};

#define F(member, fmt) EMIT_FIELD(ckpt_image_file, member, fmt)
static const struct emit_field file_fields[] = {
	F(ref, EMIT_UNS), F(kind, EMIT_UNS), F(flags, EMIT_OCT), F(mode, EMIT_OCT),
	F(pos, EMIT_DEC),
};

#define FP(member, fmt) EMIT_FIELD(ckpt_image_file_path, member, fmt)
static const struct emit_field path_fields[] = {
	FP(size, EMIT_UNS), FP(mtime_ns, EMIT_UNS), FP(rdev, EMIT_HEX),
};

static const struct emit_field file_pipe_fields[] = {
	EMIT_FIELD(ckpt_image_file_pipe, pipe, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_pipe, end, EMIT_HEX),
};

static const struct emit_field eventfd_fields[] = {
	EMIT_FIELD(ckpt_image_file_eventfd, count, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_eventfd, semaphore, EMIT_UNS),
};

#define TF(member, fmt) EMIT_FIELD(ckpt_image_file_timerfd, member, fmt)
static const struct emit_field timerfd_fields[] = {
	TF(clockid, EMIT_DEC), TF(settime_flags, EMIT_HEX), TF(ticks, EMIT_UNS),
	TF(value, EMIT_UNS), TF(interval, EMIT_UNS),
};

static const struct emit_field file_shmem_fields[] = {
	EMIT_FIELD(ckpt_image_file_shmem, shmem, EMIT_UNS),
};

#define SK(member, fmt) EMIT_FIELD(ckpt_image_file_sock, member, fmt)
static const struct emit_field sock_fields[] = {
	SK(family, EMIT_UNS), SK(type, EMIT_UNS), SK(protocol, EMIT_UNS),
	SK(state, EMIT_HEX), SK(backlog, EMIT_UNS), SK(addr_len, EMIT_UNS),
	SK(sndbuf, EMIT_DEC), SK(rcvbuf, EMIT_DEC), SK(userlocks, EMIT_HEX),
	SK(options, EMIT_HEX), SK(priority, EMIT_DEC), SK(mark, EMIT_HEX),
	SK(rcvlowat, EMIT_DEC), SK(rcvtimeo_ns, EMIT_DEC), SK(sndtimeo_ns, EMIT_DEC),
	SK(linger, EMIT_DEC), SK(keepidle, EMIT_DEC), SK(keepintvl, EMIT_DEC),
	SK(keepcnt, EMIT_DEC), SK(defer_accept, EMIT_DEC), SK(user_timeout, EMIT_DEC),
	SK(mode, EMIT_OCT), SK(uid, EMIT_UNS), SK(gid, EMIT_UNS),
};

static const struct {
	const char *name;
	struct emit_fields data;
	size_t size;		/* bytes of data, 0: none */
} file_kinds[] = {
	[CKPT_FILE_PATH] = { "path", EMIT_FIELDS(path_fields), sizeof(struct ckpt_image_file_path) },
	[CKPT_FILE_PIPE] = { "pipe", EMIT_FIELDS(file_pipe_fields), sizeof(struct ckpt_image_file_pipe) },
	[CKPT_FILE_EVENTFD] = { "eventfd", EMIT_FIELDS(eventfd_fields), sizeof(struct ckpt_image_file_eventfd) },
	[CKPT_FILE_EPOLL] = { "epoll" },
	[CKPT_FILE_TIMERFD] = { "timerfd", EMIT_FIELDS(timerfd_fields), sizeof(struct ckpt_image_file_timerfd) },
	[CKPT_FILE_TCP] = { "tcp", EMIT_FIELDS(sock_fields), sizeof(struct ckpt_image_file_sock) },
	[CKPT_FILE_UDP] = { "udp", EMIT_FIELDS(sock_fields), sizeof(struct ckpt_image_file_sock) },
	[CKPT_FILE_UNIX] = { "unix", EMIT_FIELDS(sock_fields), sizeof(struct ckpt_image_file_sock) },
	[CKPT_FILE_SHMEM] = { "shmem", EMIT_FIELDS(file_shmem_fields), sizeof(struct ckpt_image_file_shmem) },
};

#define NR_FILE_KINDS (sizeof(file_kinds) / sizeof(*file_kinds))

#define P(member, fmt) EMIT_FIELD(ckpt_image_pipe, member, fmt)
static const struct emit_field pipe_fields[] = {
	P(ref, EMIT_UNS), P(size, EMIT_UNS), P(nr_bufs, EMIT_UNS),
};

static const struct emit_field pipe_buf_fields[] = {
	EMIT_FIELD(ckpt_image_pipe_buf, len, EMIT_UNS),
	EMIT_FIELD(ckpt_image_pipe_buf, flags, EMIT_HEX),
};

static const struct emit_field fd_fields[] = {
	EMIT_FIELD(ckpt_image_fd, fd, EMIT_DEC),
	EMIT_FIELD(ckpt_image_fd, file, EMIT_UNS),
	EMIT_FIELD(ckpt_image_fd, flags, EMIT_HEX),
};

#define EP(member, fmt) EMIT_FIELD(ckpt_image_epoll, member, fmt)
static const struct emit_field epoll_fields[] = {
	EP(file, EMIT_UNS), EP(files, EMIT_UNS), EP(epfd, EMIT_DEC),
};

static const struct emit_field watch_fields[] = {
	EMIT_FIELD(ckpt_image_epoll_watch, fd, EMIT_DEC),
	EMIT_FIELD(ckpt_image_epoll_watch, events, EMIT_HEX),
	EMIT_FIELD(ckpt_image_epoll_watch, data, EMIT_HEX),
};

static bool print_header(struct emit *m, struct cursor *c)
{
	return inspect_plain(m, c, EMIT_FIELDS(header_fields), sizeof(struct ckpt_image_header));
}

/* 'key value' lines: people read them as they are */
static bool print_container(struct emit *m, struct cursor *c)
{
	const char *end, *p = c->p, *stop = c->p + strnlen(c->p, c->left);

	emit_list(m, "description");
	for (; p < stop; p = end + 1) {
		end = memchr(p, '\n', stop - p);
		if (!end)
			end = stop;
		emit_group(m);
		emit_string(m, "line", p, end - p);
		emit_group_end(m);
	}
	emit_list_end(m);
	return true;
}

static bool print_tree(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_tree *t = cursor_take(c, sizeof(*t));

	return t && inspect_list(m, c, "tasks", t->nr_tasks, EMIT_FIELDS(tree_fields),
				 sizeof(struct ckpt_image_tree_task));
}

static bool print_system(struct emit *m, struct cursor *c)
{
	return inspect_plain(m, c, EMIT_FIELDS(system_fields), sizeof(struct ckpt_image_system));
}

static bool print_uts(struct emit *m, struct cursor *c)
{
	return inspect_plain(m, c, EMIT_FIELDS(uts_fields), sizeof(struct ckpt_image_uts));
}

static bool print_ipc(struct emit *m, struct cursor *c)
{
	return inspect_plain(m, c, EMIT_FIELDS(ipc_fields), sizeof(struct ckpt_image_ipc));
}

static bool print_file(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_file *f = cursor_take(c, sizeof(*f));
	const char *path = f ? cursor_take_padded(c, f->path_len) : NULL;
	struct cursor data = { 0 };

	if (!path)
		return false;
	emit_struct(m, EMIT_FIELDS(file_fields), f);
	if (f->kind < NR_FILE_KINDS && file_kinds[f->kind].name)
		emit_string(m, "kind_name", file_kinds[f->kind].name, 32);
	if (f->path_len)
		emit_string(m, "path", path, f->path_len);
	data.left = f->data_len;
	data.p = cursor_take_padded(c, f->data_len);
	if (!data.p)
		return false;
	if (f->kind >= NR_FILE_KINDS || !file_kinds[f->kind].size)
		return true;
	return inspect_plain(m, &data, file_kinds[f->kind].data, file_kinds[f->kind].size);
}

static bool print_pipe(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_pipe *p = cursor_take(c, sizeof(*p));
	const struct ckpt_image_pipe_buf *b;
	bool whole = true;
	uint32_t i;

	if (!p)
		return false;
	emit_struct(m, EMIT_FIELDS(pipe_fields), p);
	emit_list(m, "bufs");
	for (i = 0; i < p->nr_bufs && whole; i++) {
		b = cursor_take(c, sizeof(*b));
		whole = b && cursor_take_padded(c, b->len);
		if (!whole)
			break;
		emit_group(m);
		emit_struct(m, EMIT_FIELDS(pipe_buf_fields), b);
		emit_group_end(m);
	}
	emit_list_end(m);
	return whole;
}

static bool print_files(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_files *f = cursor_take(c, sizeof(*f));

	if (!f)
		return false;
	emit_number(m, "ref", EMIT_UNS, f->ref);
	return inspect_list(m, c, "fds", f->nr, EMIT_FIELDS(fd_fields),
			    sizeof(struct ckpt_image_fd));
}

static bool print_fs(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_fs *f = cursor_take(c, sizeof(*f));
	const char *root = f ? cursor_take_padded(c, f->root_len) : NULL;
	const char *cwd = root ? cursor_take_padded(c, f->cwd_len) : NULL;

	if (!cwd)
		return false;
	emit_number(m, "ref", EMIT_UNS, f->ref);
	emit_number(m, "umask", EMIT_OCT, f->umask);
	emit_string(m, "root", root, f->root_len);
	emit_string(m, "cwd", cwd, f->cwd_len);
	return true;
}

static bool print_epoll(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_epoll *ep = cursor_take(c, sizeof(*ep));

	if (!ep)
		return false;
	emit_struct(m, EMIT_FIELDS(epoll_fields), ep);
	return inspect_list(m, c, "watches", ep->nr, EMIT_FIELDS(watch_fields),
			    sizeof(struct ckpt_image_epoll_watch));
}

const struct inspect_type inspect_objects[] = {
	{ CKPT_REC_HEADER, print_header },
	{ CKPT_REC_CONTAINER, print_container },
	{ CKPT_REC_TREE, print_tree },
	{ CKPT_REC_SYSTEM, print_system },
	{ CKPT_REC_UTS, print_uts },
	{ CKPT_REC_IPC, print_ipc },
	{ CKPT_REC_FILE, print_file },
	{ CKPT_REC_PIPE, print_pipe },
	{ CKPT_REC_FILES, print_files },
	{ CKPT_REC_FS, print_fs },
	{ CKPT_REC_EPOLL, print_epoll },
};

const size_t inspect_nr_objects = sizeof(inspect_objects) / sizeof(*inspect_objects);
