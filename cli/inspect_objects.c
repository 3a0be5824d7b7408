// SPDX-License-Identifier: GPL-2.0-only
/* The container, its tree, and files with all that they need. */
#include <string.h>
#include <sys/types.h>
#include <ckpt_image.h>

#include "inspect.h"

#define H(member, fmt) EMIT_FIELD(ckpt_image_header, member, fmt)
static const struct emit_field header_fields[] = {
	H(magic, EMIT_STR), H(version, EMIT_UNS), H(page_size, EMIT_UNS),
	H(time, EMIT_UNS), H(id, EMIT_BYTES), H(parent, EMIT_BYTES), H(marks, EMIT_HEX),
	H(release, EMIT_STR), H(machine, EMIT_STR),
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
	S(boot_id, EMIT_BYTES),
};

static const struct emit_field feature_fields[] = {
	EMIT_FIELD(ckpt_image_feature, word, EMIT_UNS),
	EMIT_FIELD(ckpt_image_feature, bits, EMIT_HEX),
};

#define NS(member, fmt) EMIT_FIELD(ckpt_image_namespace, member, fmt)
static const struct emit_field namespace_fields[] = {
	NS(ref, EMIT_UNS), NS(kind, EMIT_HEX), NS(parent, EMIT_UNS), NS(owner, EMIT_UNS),
};

static const struct emit_field external_fields[] = {
	EMIT_FIELD(ckpt_image_external, ref, EMIT_UNS),
	EMIT_FIELD(ckpt_image_external, kind, EMIT_UNS),
	EMIT_FIELD(ckpt_image_external, side, EMIT_UNS),
};

#define U(member) EMIT_FIELD(ckpt_image_uts, member, EMIT_STR)
static const struct emit_field uts_fields[] = { U(nodename), U(domainname) };

#define I(member) EMIT_FIELD(ckpt_image_ipc, member, EMIT_UNS)
static const struct emit_field ipc_fields[] = {
	I(shmmax), I(shmall), I(shmmni), I(shm_rmid_forced), I(msgmax), I(msgmnb),
	I(msgmni), I(sem[0]), I(sem[1]), I(sem[2]), I(sem[3]), I(mq_queues_max),
	I(mq_msg_max), I(mq_msgsize_max), I(mq_msg_default), I(mq_msgsize_default),
};

#define IDS(member, fmt) EMIT_FIELD(ckpt_image_ipc_ids, member, fmt)
static const struct emit_field ipc_ids_fields[] = {
	IDS(next_id, EMIT_DEC), IDS(last_idx, EMIT_DEC), IDS(cursor, EMIT_UNS), IDS(seq, EMIT_UNS),
};

#define PERM(of)								\
	EMIT_FIELD(of, perm.id, EMIT_DEC), EMIT_FIELD(of, perm.key, EMIT_HEX),	\
	EMIT_FIELD(of, perm.uid, EMIT_UNS), EMIT_FIELD(of, perm.gid, EMIT_UNS),	\
	EMIT_FIELD(of, perm.cuid, EMIT_UNS), EMIT_FIELD(of, perm.cgid, EMIT_UNS), \
	EMIT_FIELD(of, perm.mode, EMIT_OCT)

#define SHM(member, fmt) EMIT_FIELD(ckpt_image_shm, member, fmt)
static const struct emit_field shm_fields[] = {
	PERM(ckpt_image_shm), SHM(size, EMIT_UNS), SHM(atime, EMIT_DEC), SHM(dtime, EMIT_DEC),
	SHM(ctime, EMIT_DEC), SHM(cpid, EMIT_DEC), SHM(lpid, EMIT_DEC), SHM(creator, EMIT_DEC),
	SHM(name, EMIT_HEX), SHM(shmem, EMIT_UNS), SHM(locker, EMIT_UNS), SHM(flags, EMIT_HEX),
};

#define MQ(member, fmt) EMIT_FIELD(ckpt_image_msg_queue, member, fmt)
static const struct emit_field msg_queue_fields[] = {
	PERM(ckpt_image_msg_queue), MQ(qbytes, EMIT_UNS), MQ(stime, EMIT_DEC), MQ(rtime, EMIT_DEC),
	MQ(ctime, EMIT_DEC), MQ(lspid, EMIT_DEC), MQ(lrpid, EMIT_DEC), MQ(messages, EMIT_UNS),
};

static const struct emit_field msg_fields[] = {
	EMIT_FIELD(ckpt_image_msg, type, EMIT_DEC),
	EMIT_FIELD(ckpt_image_msg, len, EMIT_UNS),
};

static const struct emit_field sem_set_fields[] = {
	PERM(ckpt_image_sem_set),
	EMIT_FIELD(ckpt_image_sem_set, ctime, EMIT_DEC),
	EMIT_FIELD(ckpt_image_sem_set, sems, EMIT_UNS),
};

static const struct emit_field sem_fields[] = {
	EMIT_FIELD(ckpt_image_sem, val, EMIT_DEC),
	EMIT_FIELD(ckpt_image_sem, pid, EMIT_DEC),
	EMIT_FIELD(ckpt_image_sem, otime, EMIT_DEC),
};

#define PMQ(member, fmt) EMIT_FIELD(ckpt_image_mqueue, member, fmt)
static const struct emit_field mqueue_fields[] = {
	PMQ(id, EMIT_UNS), PMQ(flags, EMIT_HEX), PMQ(name_len, EMIT_UNS), PMQ(messages, EMIT_UNS),
	PMQ(maxmsg, EMIT_UNS), PMQ(msgsize, EMIT_UNS), PMQ(mode, EMIT_OCT), PMQ(uid, EMIT_UNS),
	PMQ(gid, EMIT_UNS), PMQ(creator, EMIT_UNS), PMQ(atime_ns, EMIT_DEC), PMQ(mtime_ns, EMIT_DEC),
	PMQ(ctime_ns, EMIT_DEC), PMQ(notified, EMIT_DEC), PMQ(notify, EMIT_UNS), PMQ(value, EMIT_HEX),
	PMQ(signo, EMIT_UNS),
};

#define MQD(member, fmt) EMIT_FIELD(ckpt_image_mq_dir, member, fmt)
static const struct emit_field mq_dir_fields[] = {
	MQD(mode, EMIT_OCT), MQD(uid, EMIT_UNS), MQD(gid, EMIT_UNS), MQD(atime_ns, EMIT_DEC),
	MQD(mtime_ns, EMIT_DEC), MQD(ctime_ns, EMIT_DEC),
};

static const struct emit_field file_mqueue_fields[] = {
	EMIT_FIELD(ckpt_image_file_mqueue, ns, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_mqueue, queue, EMIT_UNS),
};

static const struct emit_field file_shm_fields[] = { EMIT_FIELD(ckpt_image_file_shm, id, EMIT_DEC) };

static const struct emit_field pid_fields[] = {
	EMIT_FIELD(ckpt_image_pid, cursor, EMIT_UNS),
	EMIT_FIELD(ckpt_image_pid, memfd_noexec, EMIT_UNS),
};

#define F(member, fmt) EMIT_FIELD(ckpt_image_file, member, fmt)
static const struct emit_field file_fields[] = {
	F(ref, EMIT_UNS), F(kind, EMIT_UNS), F(flags, EMIT_OCT), F(mode, EMIT_OCT),
	F(pos, EMIT_DEC), F(cred, EMIT_UNS),
};

#define FL(member, fmt) EMIT_FIELD(ckpt_image_lock, member, fmt)
static const struct emit_field lock_fields[] = {
	FL(kind, EMIT_UNS), FL(exclusive, EMIT_UNS), FL(fd, EMIT_DEC), FL(pid, EMIT_DEC),
	FL(start, EMIT_UNS), FL(end, EMIT_UNS),
};

static const struct emit_field lease_fields[] = {
	EMIT_FIELD(ckpt_image_lease, exclusive, EMIT_UNS),
	EMIT_FIELD(ckpt_image_lease, fd, EMIT_DEC),
	EMIT_FIELD(ckpt_image_lease, pid, EMIT_DEC),
};

#define FO(member, fmt) EMIT_FIELD(ckpt_image_owner, member, fmt)
static const struct emit_field owner_fields[] = {
	FO(pid, EMIT_DEC), FO(type, EMIT_UNS), FO(uid, EMIT_UNS), FO(euid, EMIT_UNS),
	FO(signum, EMIT_UNS),
};

static const struct emit_field async_fields[] = { EMIT_FIELD(ckpt_image_async, fd, EMIT_DEC) };

#define FP(member, fmt) EMIT_FIELD(ckpt_image_file_path, member, fmt)
static const struct emit_field path_fields[] = {
	FP(size, EMIT_UNS), FP(mtime_ns, EMIT_UNS), FP(rdev, EMIT_HEX),
};

static const struct emit_field file_pipe_fields[] = {
	EMIT_FIELD(ckpt_image_file_pipe, pipe, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_pipe, end, EMIT_HEX),
	EMIT_FIELD(ckpt_image_file_pipe, flags, EMIT_HEX),
};

static const struct emit_field file_fifo_fields[] = {
	EMIT_FIELD(ckpt_image_file_fifo, pipe, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_fifo, flags, EMIT_HEX),
	EMIT_FIELD(ckpt_image_file_fifo, inode, EMIT_UNS),
};

static const struct emit_field eventfd_fields[] = {
	EMIT_FIELD(ckpt_image_file_eventfd, count, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_eventfd, semaphore, EMIT_UNS),
};

#define TF(member, fmt) EMIT_FIELD(ckpt_image_file_timerfd, member, fmt)
static const struct emit_field timerfd_fields[] = {
	TF(clockid, EMIT_DEC), TF(settime_flags, EMIT_HEX), TF(ticks, EMIT_UNS),
	TF(value, EMIT_UNS), TF(interval, EMIT_UNS), TF(state, EMIT_HEX),
};

static const struct emit_field signalfd_fields[] = {
	EMIT_FIELD(ckpt_image_file_signalfd, mask, EMIT_HEX),
};

static const struct emit_field inotify_fields[] = {
	EMIT_FIELD(ckpt_image_file_inotify, next_wd, EMIT_UNS),
};

#define IW(member, fmt) EMIT_FIELD(ckpt_image_inotify_watch, member, fmt)
static const struct emit_field inotify_watch_fields[] = {
	IW(wd, EMIT_DEC), IW(mask, EMIT_HEX), IW(type, EMIT_OCT), IW(path_len, EMIT_UNS),
};

#define IE(member, fmt) EMIT_FIELD(ckpt_image_inotify_event, member, fmt)
static const struct emit_field inotify_event_fields[] = {
	IE(wd, EMIT_DEC), IE(mask, EMIT_HEX), IE(cookie, EMIT_UNS), IE(name_len, EMIT_UNS),
};

#define PF(member, fmt) EMIT_FIELD(ckpt_image_file_pidfd, member, fmt)
static const struct emit_field pidfd_fields[] = {
	PF(pid, EMIT_DEC), PF(same, EMIT_UNS), PF(flags, EMIT_HEX),
};

static const struct emit_field file_tty_fields[] = {
	EMIT_FIELD(ckpt_image_file_tty, tty, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_tty, end, EMIT_UNS),
};

static const struct emit_field file_shmem_fields[] = {
	EMIT_FIELD(ckpt_image_file_shmem, shmem, EMIT_UNS),
	EMIT_FIELD(ckpt_image_file_shmem, flags, EMIT_HEX),
};

static const struct emit_field file_deleted_fields[] = {
	EMIT_FIELD(ckpt_image_file_deleted, inode, EMIT_UNS),
};

#define IN(member, fmt) EMIT_FIELD(ckpt_image_inode, member, fmt)
static const struct emit_field inode_fields[] = {
	IN(ref, EMIT_UNS), IN(mode, EMIT_OCT), IN(uid, EMIT_UNS), IN(gid, EMIT_UNS),
	IN(size, EMIT_UNS), IN(atime_ns, EMIT_DEC), IN(mtime_ns, EMIT_DEC), IN(flags, EMIT_HEX),
	IN(rdev, EMIT_HEX), IN(ino, EMIT_UNS), IN(ctime_ns, EMIT_DEC), IN(btime_ns, EMIT_DEC),
};

#define TM(member, fmt) EMIT_FIELD(ckpt_image_tmpfs, member, fmt)
static const struct emit_field tmpfs_fields[] = {
	TM(ref, EMIT_UNS), TM(root, EMIT_UNS), TM(next_ino, EMIT_UNS), TM(flags, EMIT_HEX),
};

#define EN(member, fmt) EMIT_FIELD(ckpt_image_tmpfs_entry, member, fmt)
static const struct emit_field tmpfs_entry_fields[] = {
	EN(dir, EMIT_UNS), EN(inode, EMIT_UNS), EN(name_len, EMIT_UNS), EN(offset, EMIT_UNS),
};

static const struct emit_field xattr_fields[] = {
	EMIT_FIELD(ckpt_image_xattr, name_len, EMIT_UNS),
	EMIT_FIELD(ckpt_image_xattr, size, EMIT_UNS),
};

#define SK(member, fmt) EMIT_FIELD(ckpt_image_file_sock, member, fmt)
static const struct emit_field sock_fields[] = {
	SK(family, EMIT_UNS), SK(type, EMIT_UNS), SK(protocol, EMIT_UNS),
	SK(state, EMIT_HEX), SK(backlog, EMIT_UNS), SK(addr_len, EMIT_UNS),
	SK(addr, EMIT_BYTES),
	SK(mode, EMIT_OCT), SK(uid, EMIT_UNS), SK(gid, EMIT_UNS),
	SK(drops, EMIT_UNS), SK(sk_uid, EMIT_UNS), SK(sk_gid, EMIT_UNS),
	SK(peer_cred, EMIT_UNS), SK(peer_pid, EMIT_DEC),
};

#define SO(member, fmt) EMIT_FIELD(ckpt_image_sockopt, member, fmt)
static const struct emit_field sockopt_fields[] = {
	SO(level, EMIT_DEC), SO(name, EMIT_DEC), SO(len, EMIT_UNS), SO(value, EMIT_BYTES),
};

static const char *const file_kinds[] = {
	[CKPT_FILE_PATH] = "path",
	[CKPT_FILE_PIPE] = "pipe",
	[CKPT_FILE_EVENTFD] = "eventfd",
	[CKPT_FILE_EPOLL] = "epoll",
	[CKPT_FILE_TIMERFD] = "timerfd",
	[CKPT_FILE_TCP] = "tcp",
	[CKPT_FILE_UDP] = "udp",
	[CKPT_FILE_UNIX] = "unix",
	[CKPT_FILE_SHMEM] = "shmem",
	[CKPT_FILE_SIGNALFD] = "signalfd",
	[CKPT_FILE_INOTIFY] = "inotify",
	[CKPT_FILE_PIDFD] = "pidfd",
	[CKPT_FILE_FIFO] = "fifo",
	[CKPT_FILE_TTY] = "terminal",
	[CKPT_FILE_DELETED] = "deleted",
	[CKPT_FILE_SHM] = "shm",
	[CKPT_FILE_MQUEUE] = "mqueue",
};

#define NR_FILE_KINDS (sizeof(file_kinds) / sizeof(*file_kinds))

#define P(member, fmt) EMIT_FIELD(ckpt_image_pipe, member, fmt)
static const struct emit_field pipe_fields[] = {
	P(ref, EMIT_UNS), P(size, EMIT_UNS), P(mode, EMIT_OCT), P(uid, EMIT_UNS), P(gid, EMIT_UNS),
	P(external, EMIT_UNS),
};

static const struct emit_field pipe_buf_fields[] = {
	EMIT_FIELD(ckpt_image_pipe_buf, len, EMIT_UNS),
	EMIT_FIELD(ckpt_image_pipe_buf, flags, EMIT_HEX),
	EMIT_FIELD(ckpt_image_pipe_buf, offset, EMIT_UNS),
};

static const struct emit_field fd_fields[] = {
	EMIT_FIELD(ckpt_image_fd, fd, EMIT_DEC),
	EMIT_FIELD(ckpt_image_fd, file, EMIT_UNS),
	EMIT_FIELD(ckpt_image_fd, flags, EMIT_HEX),
};

static const struct emit_field files_fields[] = { EMIT_FIELD(ckpt_image_files, ref, EMIT_UNS) };

static const struct emit_field fs_fields[] = {
	EMIT_FIELD(ckpt_image_fs, ref, EMIT_UNS),
	EMIT_FIELD(ckpt_image_fs, umask, EMIT_OCT),
};

static const struct emit_field fs_deleted_fields[] = { EMIT_FIELD(ckpt_image_fs_deleted, cwd, EMIT_UNS) };

#define EP(member, fmt) EMIT_FIELD(ckpt_image_epoll, member, fmt)
static const struct emit_field epoll_fields[] = {
	EP(file, EMIT_UNS), EP(files, EMIT_UNS), EP(epfd, EMIT_DEC),
};

static const struct emit_field watch_fields[] = {
	EMIT_FIELD(ckpt_image_epoll_watch, fd, EMIT_DEC),
	EMIT_FIELD(ckpt_image_epoll_watch, events, EMIT_HEX),
	EMIT_FIELD(ckpt_image_epoll_watch, data, EMIT_HEX),
};

static const struct emit_field epoll_params_fields[] = {
	EMIT_FIELD(ckpt_image_epoll_params, busy_poll_usecs, EMIT_UNS),
	EMIT_FIELD(ckpt_image_epoll_params, busy_poll_budget, EMIT_UNS),
	EMIT_FIELD(ckpt_image_epoll_params, prefer_busy_poll, EMIT_UNS),
};

#define UX(member, fmt) EMIT_FIELD(ckpt_image_unix, member, fmt)
static const struct emit_field unix_fields[] = {
	UX(ref, EMIT_UNS), UX(file, EMIT_UNS), UX(peer, EMIT_UNS), UX(listener, EMIT_UNS),
	UX(flags, EMIT_HEX), UX(shutdown, EMIT_HEX), UX(error, EMIT_UNS),
	UX(peer_cred, EMIT_UNS), UX(peer_pid, EMIT_DEC), UX(addr_len, EMIT_UNS),
	UX(addr, EMIT_BYTES),
};

#define PE(member, fmt) EMIT_FIELD(ckpt_image_file_peer, member, fmt)
static const struct emit_field file_peer_fields[] = {
	PE(flags, EMIT_HEX), PE(shutdown, EMIT_HEX), PE(error, EMIT_UNS), PE(addr_len, EMIT_UNS), PE(addr, EMIT_BYTES),
};

#define DG(member, fmt) EMIT_FIELD(ckpt_image_datagram, member, fmt)
static const struct emit_field datagram_fields[] = {
	DG(len, EMIT_UNS), DG(flags, EMIT_HEX), DG(version, EMIT_UNS), DG(from, EMIT_BYTES), DG(to, EMIT_BYTES),
	DG(from_port, EMIT_HEX), DG(to_port, EMIT_HEX), DG(stamp, EMIT_DEC), DG(device_stamp, EMIT_DEC),
	DG(ifindex, EMIT_UNS), DG(spec_dst, EMIT_HEX), DG(tos, EMIT_HEX), DG(ttl, EMIT_UNS), DG(flow, EMIT_HEX),
	DG(mark, EMIT_HEX), DG(drops, EMIT_UNS), DG(csum, EMIT_HEX), DG(gso_size, EMIT_UNS), DG(frag_size, EMIT_UNS),
};

#define UM(member, fmt) EMIT_FIELD(ckpt_image_unix_message, member, fmt)
static const struct emit_field unix_message_fields[] = {
	UM(len, EMIT_UNS), UM(files, EMIT_UNS), UM(flags, EMIT_HEX), UM(pid, EMIT_DEC),
	UM(uid, EMIT_UNS), UM(gid, EMIT_UNS), UM(stamp, EMIT_DEC), UM(from, EMIT_UNS),
	UM(addr_len, EMIT_UNS), UM(addr, EMIT_BYTES),
};

#define TT(member, fmt) EMIT_FIELD(ckpt_image_tty, member, fmt)
static const struct emit_field tty_fields[] = {
	TT(ref, EMIT_UNS), TT(index, EMIT_UNS), TT(flags, EMIT_HEX), TT(cred, EMIT_UNS),
	TT(mode, EMIT_OCT), TT(uid, EMIT_UNS), TT(gid, EMIT_UNS),
	TT(session, EMIT_DEC), TT(pgrp, EMIT_DEC), TT(hung_up, EMIT_UNS),
};

#define TE(member, fmt) EMIT_FIELD(ckpt_image_tty_end, member, fmt)
static const struct emit_field tty_end_fields[] = {
	TE(flags, EMIT_HEX), TE(pktstatus, EMIT_HEX),
	TE(rows, EMIT_UNS), TE(cols, EMIT_UNS), TE(xpixel, EMIT_UNS), TE(ypixel, EMIT_UNS),
	TE(iflag, EMIT_HEX), TE(oflag, EMIT_HEX), TE(cflag, EMIT_HEX), TE(lflag, EMIT_HEX), TE(line, EMIT_UNS),
	TE(ispeed, EMIT_UNS), TE(ospeed, EMIT_UNS), TE(cc, EMIT_BYTES),
	TE(column, EMIT_UNS), TE(canon_column, EMIT_UNS),
	TE(queued, EMIT_UNS), TE(canon, EMIT_UNS), TE(committed, EMIT_UNS), TE(lines, EMIT_UNS),
	TE(echo, EMIT_UNS), TE(echo_commit, EMIT_UNS), TE(echo_mark, EMIT_UNS),
	TE(input, EMIT_UNS), TE(lookahead, EMIT_UNS),
};

/* 'key value' lines: people read them as they are */
static void print_lines(struct emit *m, const char *name, const struct part *part)
{
	const char *end, *p = part->data, *stop = p + strnlen(p, part->nr);

	emit_list(m, name);
	for (; p < stop; p = end + 1) {
		end = memchr(p, '\n', stop - p);
		if (!end)
			end = stop;
		emit_group(m);
		emit_string(m, "line", p, end - p);
		emit_group_end(m);
	}
	emit_list_end(m);
}

static void print_file(struct emit *m, const char *name, const struct part *part)
{
	const struct ckpt_image_file *f = part->data;

	(void)name;
	emit_struct(m, EMIT_FIELDS(file_fields), f);
	if (f->kind < NR_FILE_KINDS && file_kinds[f->kind])
		emit_string(m, "kind_name", file_kinds[f->kind],
			    strlen(file_kinds[f->kind]));
}

static void print_external(struct emit *m, const char *name, const struct part *part)
{
	const struct ckpt_image_external *x = part->data;
	const char *kind = record_name(x->kind < UINT16_MAX ? x->kind : UINT16_MAX);

	(void)name;
	emit_struct(m, EMIT_FIELDS(external_fields), x);
	if (kind)
		emit_string(m, "kind_name", kind, strlen(kind));
}

const struct inspect_part inspect_objects[] = {
	INSPECT_PART(HEADER, BASE, header_fields),
	INSPECT_PRINT(CONTAINER, TEXT, print_lines),
	INSPECT_PART(TREE, TASKS, tree_fields),
	INSPECT_PART(SYSTEM, BASE, system_fields),
	INSPECT_PART(SYSTEM, FEATURES, feature_fields),
	INSPECT_PART(NAMESPACE, BASE, namespace_fields),
	INSPECT_PART(NAMESPACE, UTS, uts_fields),
	INSPECT_PART(NAMESPACE, IPC, ipc_fields),
	INSPECT_PART(NAMESPACE, IPC_IDS, ipc_ids_fields),
	INSPECT_PART(NAMESPACE, PID, pid_fields),
	INSPECT_PART(NAMESPACE, SHM, shm_fields),
	INSPECT_PART(NAMESPACE, MSG_QUEUES, msg_queue_fields),
	INSPECT_PART(NAMESPACE, MSGS, msg_fields),
	INSPECT_PART(NAMESPACE, SEM_SETS, sem_set_fields),
	INSPECT_PART(NAMESPACE, SEMS, sem_fields),
	INSPECT_PART(NAMESPACE, MQUEUES, mqueue_fields),
	INSPECT_PART(NAMESPACE, MQ_MSGS, msg_fields),
	INSPECT_PART(NAMESPACE, MQ_DIR, mq_dir_fields),
	INSPECT_PRINT(EXTERNAL, BASE, print_external),
	INSPECT_PRINT(FILE, BASE, print_file),
	INSPECT_PART(FILE, LOCKS, lock_fields),
	INSPECT_PART(FILE, LEASE, lease_fields),
	INSPECT_PART(FILE, OWNER, owner_fields),
	INSPECT_PART(FILE, ASYNC, async_fields),
	INSPECT_PART(FILE, PATH, path_fields),
	INSPECT_PART(FILE, PIPE, file_pipe_fields),
	INSPECT_PART(FILE, EVENTFD, eventfd_fields),
	INSPECT_PART(FILE, TIMERFD, timerfd_fields),
	INSPECT_PART(FILE, SHMEM, file_shmem_fields),
	INSPECT_PART(FILE, SOCK, sock_fields),
	INSPECT_PART(FILE, OPTIONS, sockopt_fields),
	INSPECT_PART(FILE, SIGNALFD, signalfd_fields),
	INSPECT_PART(FILE, INOTIFY, inotify_fields),
	INSPECT_PART(FILE, WATCHES, inotify_watch_fields),
	INSPECT_PART(FILE, EVENTS, inotify_event_fields),
	INSPECT_PART(FILE, PIDFD, pidfd_fields),
	INSPECT_PART(FILE, TTY, file_tty_fields),
	INSPECT_PART(FILE, DELETED, file_deleted_fields),
	INSPECT_PART(FILE, FIFO, file_fifo_fields),
	INSPECT_PART(FILE, SHM, file_shm_fields),
	INSPECT_PART(FILE, PEER, file_peer_fields),
	INSPECT_PART(FILE, DATAGRAMS, datagram_fields),
	INSPECT_PART(FILE, MQUEUE, file_mqueue_fields),
	INSPECT_PART(PIPE, BASE, pipe_fields),
	INSPECT_PART(PIPE, BUFS, pipe_buf_fields),
	INSPECT_PART(INODE, BASE, inode_fields),
	INSPECT_PART(INODE, XATTRS, xattr_fields),
	INSPECT_PART(TMPFS, BASE, tmpfs_fields),
	INSPECT_PART(TMPFS, ENTRIES, tmpfs_entry_fields),
	INSPECT_PART(FILES, BASE, files_fields),
	INSPECT_PART(FILES, FDS, fd_fields),
	INSPECT_PART(FILES, LOCKS, lock_fields),
	INSPECT_PART(FS, BASE, fs_fields),
	INSPECT_PART(FS, DELETED, fs_deleted_fields),
	INSPECT_PART(EPOLL, BASE, epoll_fields),
	INSPECT_PART(EPOLL, WATCHES, watch_fields),
	INSPECT_PART(EPOLL, PARAMS, epoll_params_fields),
	INSPECT_PART(UNIX, BASE, unix_fields),
	INSPECT_PART(UNIX, MESSAGES, unix_message_fields),
	INSPECT_PART(TTY, BASE, tty_fields),
	INSPECT_PART(TTY, ENDS, tty_end_fields),
};

const size_t inspect_nr_objects = sizeof(inspect_objects) / sizeof(*inspect_objects);
