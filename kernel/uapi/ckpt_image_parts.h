/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The table of all parts that records may have: CKPT_PARTS(X) is a row each,
 * X(RECORD, PART, tag, type of an element, fewest, most).  Engine, readers and
 * tests are built from it: a new part is a row here.
 */
#ifndef _UAPI_CKPT_IMAGE_PARTS_H
#define _UAPI_CKPT_IMAGE_PARTS_H

#define CKPT_PATH_MAX		4096
#define CKPT_KEY_MAX		256
#define CKPT_MANY		0x40000000U	/* as many as memory is given for */

#define CKPT_PARTS(X)							\
	X(HEADER, BASE, 1, struct ckpt_image_header, 1, 1)		\
	X(CONTAINER, TEXT, 1, char, 0, 1U << 20)			\
	X(TREE, TASKS, 1, struct ckpt_image_tree_task, 1, CKPT_MANY)	\
	X(SYSTEM, BASE, 1, struct ckpt_image_system, 1, 1)		\
	X(SYSTEM, FEATURES, 2, struct ckpt_image_feature, 0, 64)	\
	X(NAMESPACE, BASE, 1, struct ckpt_image_namespace, 1, 1)	\
	X(NAMESPACE, UTS, 2, struct ckpt_image_uts, 0, 1)		\
	X(NAMESPACE, IPC, 3, struct ckpt_image_ipc, 0, 1)		\
	X(NAMESPACE, IPC_IDS, 4, struct ckpt_image_ipc_ids, 0, 3)	\
	X(NAMESPACE, PID, 5, struct ckpt_image_pid, 0, 1)		\
	X(NAMESPACE, SHM, 6, struct ckpt_image_shm, 0, CKPT_MANY)	\
	X(NAMESPACE, MSG_QUEUES, 7, struct ckpt_image_msg_queue, 0, CKPT_MANY) \
	X(NAMESPACE, MSGS, 8, struct ckpt_image_msg, 0, CKPT_MANY)	\
	X(NAMESPACE, MSG_BYTES, 9, __u8, 0, CKPT_MANY)			\
	X(NAMESPACE, SEM_SETS, 10, struct ckpt_image_sem_set, 0, CKPT_MANY) \
	X(NAMESPACE, SEMS, 11, struct ckpt_image_sem, 0, CKPT_MANY)	\
	X(NAMESPACE, MQUEUES, 12, struct ckpt_image_mqueue, 0, CKPT_MANY) \
	X(NAMESPACE, MQ_NAMES, 13, __u8, 0, CKPT_MANY)			\
	X(NAMESPACE, MQ_MSGS, 14, struct ckpt_image_msg, 0, CKPT_MANY)	\
	X(NAMESPACE, MQ_BYTES, 15, __u8, 0, CKPT_MANY)			\
	X(NAMESPACE, MQ_DIR, 16, struct ckpt_image_mq_dir, 0, 1)	\
	X(EXTERNAL, BASE, 1, struct ckpt_image_external, 1, 1)		\
	X(EXTERNAL, KEY, 2, char, 2, CKPT_KEY_MAX)			\
	X(EXTERNAL, WAS, 3, char, 0, CKPT_PATH_MAX)			\
	X(FILE, BASE, 1, struct ckpt_image_file, 1, 1)			\
	X(FILE, NAME, 2, char, 0, CKPT_PATH_MAX)			\
	X(FILE, LOCKS, 4, struct ckpt_image_lock, 0, CKPT_MANY)		\
	X(FILE, LEASE, 5, struct ckpt_image_lease, 0, 1)		\
	X(FILE, OWNER, 6, struct ckpt_image_owner, 0, 1)		\
	X(FILE, ASYNC, 7, struct ckpt_image_async, 0, 1)		\
	X(FILE, PATH, 16, struct ckpt_image_file_path, 0, 1)		\
	X(FILE, PIPE, 17, struct ckpt_image_file_pipe, 0, 1)		\
	X(FILE, EVENTFD, 18, struct ckpt_image_file_eventfd, 0, 1)	\
	X(FILE, TIMERFD, 19, struct ckpt_image_file_timerfd, 0, 1)	\
	X(FILE, SHMEM, 20, struct ckpt_image_file_shmem, 0, 1)		\
	X(FILE, SOCK, 21, struct ckpt_image_file_sock, 0, 1)		\
	X(FILE, OPTIONS, 22, struct ckpt_image_sockopt, 0, 256)		\
	X(FILE, SIGNALFD, 50, struct ckpt_image_file_signalfd, 0, 1)	\
	X(FILE, INOTIFY, 51, struct ckpt_image_file_inotify, 0, 1)	\
	X(FILE, WATCHES, 52, struct ckpt_image_inotify_watch, 0, CKPT_MANY) \
	X(FILE, WATCH_PATHS, 53, __u8, 0, CKPT_MANY)			\
	X(FILE, EVENTS, 54, struct ckpt_image_inotify_event, 0, CKPT_MANY) \
	X(FILE, EVENT_NAMES, 55, __u8, 0, CKPT_MANY)			\
	X(FILE, PIDFD, 56, struct ckpt_image_file_pidfd, 0, 1)		\
	X(FILE, TTY, 60, struct ckpt_image_file_tty, 0, 1)		\
	X(FILE, DELETED, 66, struct ckpt_image_file_deleted, 0, 1)	\
	X(FILE, FIFO, 68, struct ckpt_image_file_fifo, 0, 1)		\
	X(FILE, SHM, 70, struct ckpt_image_file_shm, 0, 1)		\
	X(FILE, PEER, 74, struct ckpt_image_file_peer, 0, 1)		\
	X(FILE, DATAGRAMS, 75, struct ckpt_image_datagram, 0, CKPT_MANY) \
	X(FILE, DATA, 76, __u8, 0, CKPT_MANY)				\
	X(FILE, MQUEUE, 80, struct ckpt_image_file_mqueue, 0, 1)	\
	X(PIPE, BASE, 1, struct ckpt_image_pipe, 1, 1)			\
	X(PIPE, BUFS, 2, struct ckpt_image_pipe_buf, 0, 65536)		\
	X(PIPE, BYTES, 3, __u8, 0, CKPT_MANY)				\
	X(SHMEM, BASE, 1, struct ckpt_image_shmem, 1, 1)		\
	X(SHMEM, NAME, 2, char, 0, 256)					\
	X(INODE, BASE, 1, struct ckpt_image_inode, 1, 1)		\
	X(INODE, NAME, 2, char, 0, CKPT_PATH_MAX)			\
	X(INODE, XATTRS, 3, struct ckpt_image_xattr, 0, 65536)		\
	X(INODE, XATTR_BYTES, 4, __u8, 0, CKPT_MANY)			\
	X(INODE, TARGET, 72, char, 0, CKPT_PATH_MAX)			\
	X(TMPFS, BASE, 1, struct ckpt_image_tmpfs, 1, 1)		\
	X(TMPFS, NAME, 2, char, 2, CKPT_PATH_MAX)			\
	X(TMPFS, ENTRIES, 72, struct ckpt_image_tmpfs_entry, 0, CKPT_MANY) \
	X(TMPFS, NAMES, 73, __u8, 0, CKPT_MANY)				\
	X(FILES, BASE, 1, struct ckpt_image_files, 1, 1)		\
	X(FILES, FDS, 2, struct ckpt_image_fd, 0, CKPT_MANY)		\
	X(FILES, LOCKS, 3, struct ckpt_image_lock, 0, CKPT_MANY)	\
	X(FS, BASE, 1, struct ckpt_image_fs, 1, 1)			\
	X(FS, ROOT, 2, char, 2, CKPT_PATH_MAX)				\
	X(FS, CWD, 3, char, 2, CKPT_PATH_MAX)				\
	X(FS, DELETED, 4, struct ckpt_image_fs_deleted, 0, 1)		\
	X(SIGHAND, BASE, 1, struct ckpt_image_sighand, 1, 1)		\
	X(SIGHAND, ACTIONS, 2, struct ckpt_image_sigaction, 64, 64)	\
	X(MM, BASE, 1, struct ckpt_image_mm, 1, 1)			\
	X(MM, VMAS, 2, struct ckpt_image_vma, 0, CKPT_MANY)		\
	X(MM, AUXV, 3, __u64, 0, 512)					\
	X(MM, LDT, 4, __u64, 0, 8192)					\
	X(MM, LAYOUT, 6, struct ckpt_image_layout, 0, 1)		\
	X(CRED, BASE, 1, struct ckpt_image_cred, 1, 1)			\
	X(CRED, GROUPS, 2, __u32, 0, 65536)				\
	X(EPOLL, BASE, 1, struct ckpt_image_epoll, 1, 1)		\
	X(EPOLL, WATCHES, 2, struct ckpt_image_epoll_watch, 0, CKPT_MANY) \
	X(EPOLL, PARAMS, 3, struct ckpt_image_epoll_params, 0, 1)	\
	X(AUTOGROUP, BASE, 1, struct ckpt_image_autogroup, 1, 1)	\
	X(FILTER, BASE, 1, struct ckpt_image_filter, 1, 1)		\
	X(FILTER, PROGRAM, 2, struct ckpt_image_insn, 1, 4096)		\
	X(UNIX, BASE, 1, struct ckpt_image_unix, 1, 1)			\
	X(UNIX, NAME, 2, char, 0, CKPT_PATH_MAX)			\
	X(UNIX, MESSAGES, 3, struct ckpt_image_unix_message, 0, CKPT_MANY) \
	X(UNIX, BYTES, 4, __u8, 0, CKPT_MANY)				\
	X(UNIX, FILES, 5, __u32, 0, CKPT_MANY)				\
	X(TCP, BASE, 1, struct ckpt_image_tcp, 1, 1)			\
	X(TCP, RECEIVED, 2, __u8, 0, CKPT_MANY)				\
	X(TCP, UNSENT, 3, __u8, 0, CKPT_MANY)				\
	X(TCP, OPTIONS, 4, struct ckpt_image_sockopt, 0, 256)		\
	X(TTY, BASE, 1, struct ckpt_image_tty, 1, 1)			\
	X(TTY, NAME, 2, char, 2, CKPT_PATH_MAX)				\
	X(TTY, ENDS, 3, struct ckpt_image_tty_end, 2, 2)		\
	X(TTY, LINES, 4, __u16, 0, 8192)				\
	X(TTY, BYTES, 5, __u8, 0, 1U << 18)				\
	X(PROCESS, BASE, 1, struct ckpt_image_process, 1, 1)		\
	X(PROCESS, LIMITS, 2, struct ckpt_image_rlimit, 16, 16)		\
	X(PROCESS, ITIMERS, 3, struct ckpt_image_itimer, 3, 3)		\
	X(PROCESS, PENDING, 4, struct ckpt_image_siginfo, 0, CKPT_MANY)	\
	X(PROCESS, OOM, 5, struct ckpt_image_oom, 1, 1)			\
	X(PROCESS, SUBREAPER, 6, struct ckpt_image_subreaper, 1, 1)	\
	X(PROCESS, USAGE, 7, struct ckpt_image_usage, 0, 2)		\
	X(PROCESS, JOB, 8, struct ckpt_image_job, 0, 1)			\
	X(PROCESS, PTRACER, 9, struct ckpt_image_ptracer, 0, 1)		\
	X(PROCESS, AUTOGROUP, 10, struct ckpt_image_in_autogroup, 0, 1)	\
	X(PROCESS, TIMERS, 20, struct ckpt_image_timer, 0, CKPT_MANY)	\
	X(PROCESS, TIMER_SIGNALS, 21, struct ckpt_image_timer_signal, 0, CKPT_MANY) \
	X(PROCESS, NEXT_TIMER, 22, struct ckpt_image_next_timer, 0, 1)	\
	X(PROCESS, CTTY, 30, struct ckpt_image_ctty, 0, 1)		\
	X(PROCESS, SEM_UNDO, 31, struct ckpt_image_sem_undo, 0, CKPT_MANY) \
	X(TASK, BASE, 1, struct ckpt_image_task, 1, 1)			\
	X(TASK, SHARED, 2, struct ckpt_image_shared, 0, 1)		\
	X(TASK, NAMESPACES, 3, struct ckpt_image_namespaces, 0, 1)	\
	X(TASK, ATTRIBUTES, 4, struct ckpt_image_attributes, 0, 1)	\
	X(TASK, SCHED, 5, struct ckpt_image_sched, 0, 1)		\
	X(TASK, CPUS, 6, __u64, 0, 1024)				\
	X(TASK, SIGNALS, 7, struct ckpt_image_signals, 0, 1)		\
	X(TASK, PENDING, 8, struct ckpt_image_siginfo, 0, CKPT_MANY)	\
	X(TASK, REGISTERED, 9, struct ckpt_image_registered, 0, 1)	\
	X(TASK, RESTART, 10, struct ckpt_image_restart_block, 0, 1)	\
	X(TASK, X86, 11, struct ckpt_image_x86, 0, 1)			\
	X(TASK, XSTATE, 12, __u8, 0, 65536)				\
	X(TASK, LOGIN, 13, struct ckpt_image_login, 0, 1)		\
	X(TASK, BORN, 14, struct ckpt_image_born, 0, 1)			\
	X(TASK, USAGE, 15, struct ckpt_image_usage, 0, 3)		\
	X(TASK, SECCOMP, 16, struct ckpt_image_seccomp, 0, 1)		\
	X(PAGES, BASE, 1, struct ckpt_image_pages, 1, 1)		\
	X(PAGES, RUNS, 2, struct ckpt_image_run, 1, CKPT_PAGES_MAX)	\
	X(PAGES, FILL, 3, __u8, 0, 8192)				\
	X(SAME, BASE, 1, struct ckpt_image_same, 1, 1)			\
	X(TRAILER, BASE, 1, struct ckpt_image_trailer, 1, 1)

/*
 * Numbers of which a reader knows some bits, or none yet: one with others says more
 * than it knows, as bytes behind the known end of an element do.
 * X(RECORD, PART, member, known bits)
 */
#define CKPT_BITS(X)							\
	X(NAMESPACE, SHM, flags, CKPT_SHM_NORESERVE)			\
	X(NAMESPACE, SHM, reserved, 0)					\
	X(NAMESPACE, MSG_QUEUES, reserved, 0)				\
	X(NAMESPACE, MSGS, reserved, 0)					\
	X(NAMESPACE, SEM_SETS, reserved, 0)				\
	X(NAMESPACE, MQUEUES, flags, CKPT_MQ_UNLINKED | CKPT_MQ_EXECED)	\
	X(NAMESPACE, MQUEUES, reserved, 0)				\
	X(NAMESPACE, MQ_MSGS, reserved, 0)				\
	X(NAMESPACE, MQ_DIR, reserved, 0)				\
	X(EXTERNAL, BASE, reserved, 0)					\
	X(FILE, BASE, reserved, 0)					\
	X(FILE, LOCKS, exclusive, 1)					\
	X(FILE, LEASE, exclusive, 1)					\
	X(FILE, LEASE, reserved, 0)					\
	X(FILE, OWNER, reserved, 0)					\
	X(FILE, ASYNC, reserved, 0)					\
	X(FILE, PATH, reserved, 0)					\
	X(FILE, PIPE, flags, CKPT_PIPE_NOWAIT)				\
	X(FILE, PIPE, reserved, 0)					\
	X(FILE, FIFO, flags, CKPT_FIFO_NO_WRITER)			\
	X(FILE, FIFO, reserved, 0)					\
	X(FILE, EVENTFD, semaphore, 1)					\
	X(FILE, EVENTFD, reserved, 0)					\
	X(FILE, TIMERFD, state, CKPT_TIMERFD_CANCELED)			\
	X(FILE, TIMERFD, reserved, 0)					\
	X(FILE, SHMEM, flags, CKPT_SHMEM_WRITER)			\
	X(FILE, OPTIONS, reserved, 0)					\
	X(FILE, INOTIFY, reserved, 0)					\
	X(FILE, PIDFD, flags, CKPT_PIDFD_THREAD)			\
	X(FILE, PIDFD, reserved, 0)					\
	X(FILE, DELETED, reserved, 0)					\
	X(FILE, SHM, reserved, 0)					\
	X(FILE, PEER, flags, CKPT_PEER_CONNECTED)			\
	X(FILE, PEER, shutdown, 3)					\
	X(FILE, DATAGRAMS, flags, CKPT_DATAGRAM_PEEKED | CKPT_DATAGRAM_CSUM) \
	X(PIPE, BUFS, flags, CKPT_PIPE_BUF_FLAGS)			\
	X(PIPE, BUFS, reserved, 0)					\
	X(SHMEM, BASE, memfd, 1)					\
	X(INODE, BASE, flags, CKPT_INODE_LINKABLE | CKPT_INODE_NAMED)	\
	X(TMPFS, BASE, flags, CKPT_TMPFS_RDONLY)			\
	X(TMPFS, BASE, reserved, 0)					\
	X(TMPFS, ENTRIES, reserved, 0)					\
	X(FILES, BASE, reserved, 0)					\
	X(FILES, FDS, flags, CKPT_FD_CLOEXEC)				\
	X(FILES, FDS, reserved, 0)					\
	X(FILES, LOCKS, exclusive, 1)					\
	X(FS, DELETED, reserved, 0)					\
	X(SIGHAND, BASE, reserved, 0)					\
	X(MM, BASE, def_flags, CKPT_VMA_LOCKED | CKPT_VMA_LOCKONFAULT)	\
	X(MM, BASE, dump_filter, CKPT_DUMP_FILTER)			\
	X(MM, BASE, membarrier, CKPT_MEMBARRIERS)			\
	X(MM, BASE, thp_disable, 1)					\
	X(MM, BASE, reserved, 0)					\
	X(MM, VMAS, flags, CKPT_VMA_FLAGS)				\
	X(MM, VMAS, advice, CKPT_ADVICES)				\
	X(MM, LAYOUT, legacy, 1)					\
	X(MM, LAYOUT, reserved, 0)					\
	X(CRED, BASE, reserved, 0)					\
	X(EPOLL, BASE, reserved, 0)					\
	X(EPOLL, PARAMS, prefer_busy_poll, 1)				\
	X(EPOLL, PARAMS, reserved, 0)					\
	X(FILTER, BASE, flags, CKPT_FILTER_LOG)				\
	X(FILTER, BASE, reserved, 0)					\
	X(UNIX, BASE, flags, CKPT_UNIX_FLAGS)				\
	X(UNIX, BASE, shutdown, 3)					\
	X(UNIX, MESSAGES, flags, CKPT_UNIX_CREDS)			\
	X(TCP, BASE, flags, CKPT_TCP_FLAGS)				\
	X(TCP, BASE, shutdown, 3)					\
	X(TCP, OPTIONS, reserved, 0)					\
	X(TTY, BASE, hung_up, 1)					\
	X(TTY, ENDS, flags, CKPT_TTY_FLAGS)				\
	X(PROCESS, BASE, reserved, 0)					\
	X(PROCESS, JOB, flags, CKPT_JOB_FLAGS)				\
	X(PROCESS, PTRACER, reserved, 0)				\
	X(PROCESS, AUTOGROUP, reserved, 0)				\
	X(PROCESS, TIMERS, flags, CKPT_TIMER_FLAGS)			\
	X(PROCESS, NEXT_TIMER, reserved, 0)				\
	X(PROCESS, SEM_UNDO, reserved, 0)				\
	X(TASK, BASE, reserved, 0)					\
	X(TASK, SHARED, reserved, 0)					\
	X(TASK, NAMESPACES, time, 0)					\
	X(TASK, NAMESPACES, time_for_children, 0)			\
	X(TASK, NAMESPACES, user, 0)					\
	X(TASK, ATTRIBUTES, no_new_privs, 1)				\
	X(TASK, ATTRIBUTES, flags, CKPT_ATTR_FLAGS)			\
	X(TASK, LOGIN, reserved, 0)					\
	X(TASK, SECCOMP, reserved, 0)					\
	X(TASK, SCHED, reset_on_fork, 1)				\
	X(TASK, SCHED, reserved, 0)					\
	X(TASK, SIGNALS, sas_flags, CKPT_SAS_FLAGS)			\
	X(TASK, SIGNALS, restore_sigmask, 1)				\
	X(TASK, RESTART, flags, CKPT_FUTEX_SHARED | CKPT_FUTEX_CLOCKRT | CKPT_FUTEX_TIMEOUT) \
	X(TASK, RESTART, has_timeout, 1)

/* CKPT_TAG_FILE_BASE and so on, and ckpt_part_FILE_BASE, the type of an element */
#define CKPT_PART_TAG(rec, part, tag, type, min, max) CKPT_TAG_##rec##_##part = (tag),
enum ckpt_part_tag { CKPT_PARTS(CKPT_PART_TAG) };
#define CKPT_PART_TYPE(rec, part, tag, type, min, max) typedef type ckpt_part_##rec##_##part;
CKPT_PARTS(CKPT_PART_TYPE)

#endif
