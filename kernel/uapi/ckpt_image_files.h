/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The image: open files, what several may share of them, and tables of descriptors.  Included by ckpt_image.h. */
#ifndef _UAPI_CKPT_IMAGE_FILES_H
#define _UAPI_CKPT_IMAGE_FILES_H

#include <linux/types.h>

/* FILE: an open file description; with a path, and the part of its kind */
enum ckpt_file_kind {
	CKPT_FILE_PATH		= 1,	/* regular file, directory, simple device */
	CKPT_FILE_PIPE		= 2,
	CKPT_FILE_EVENTFD	= 3,
	CKPT_FILE_EPOLL		= 4,
	CKPT_FILE_TIMERFD	= 5,
	CKPT_FILE_TCP		= 6,	/* TCP has what it is connected with */
	CKPT_FILE_UDP		= 7,	/* and UDP-Lite; PEER and DATAGRAMS have what it is connected with and what waits */
	CKPT_FILE_UNIX		= 8,	/* UNIX has what it is connected with */
	CKPT_FILE_SHMEM		= 9,	/* memory with no name: shared anonymous, memfd */
	CKPT_FILE_SIGNALFD	= 30,
	CKPT_FILE_INOTIFY	= 31,
	CKPT_FILE_PIDFD		= 32,
	CKPT_FILE_DELETED	= 36,	/* a regular file or directory without a name: INODE has it */
	CKPT_FILE_FIFO		= 37,	/* a named pipe, opened again by its path, or deleted */
	CKPT_FILE_TTY		= 40,	/* an end of a pty */
	CKPT_FILE_SHM		= 41,	/* what shmat(2) maps; in no table */
	CKPT_FILE_MQUEUE	= 50,	/* a POSIX message queue */
};

struct ckpt_image_file {
	__u32 ref;
	__u32 kind;		/* enum ckpt_file_kind */
	__u32 flags;		/* f_flags: O_* */
	__u32 mode;		/* i_mode: S_IFMT must be the same at restart */
	__s64 pos;		/* offset in bytes */
	__u32 cred;		/* ref of the CRED that it was opened with */
	__u32 reserved;
};

/*
 * LOCKS of a FILE: what the open file itself holds; LOCKS of a FILES: what was
 * locked with that table, by fcntl(F_SETLK).
 */
enum ckpt_lock_kind {
	CKPT_LOCK_FLOCK		= 1,	/* flock(2): of the whole file */
	CKPT_LOCK_OFD		= 2,	/* fcntl(F_OFD_SETLK) */
	CKPT_LOCK_POSIX		= 3,	/* of a FILES only */
};

struct ckpt_image_lock {
	__u32 kind;		/* enum ckpt_lock_kind */
	__u32 exclusive;
	__s32 fd;		/* of a FILES: the descriptor of the file */
	__s32 pid;		/* of the process that took it; 0: it has ended */
	__u64 start;		/* bytes; both are inclusive */
	__u64 end;		/* 2^63 - 1: to the end of the file, wherever that is */
};

/* LEASE of a FILE: fcntl(F_SETLEASE) */
struct ckpt_image_lease {
	__u32 exclusive;
	__s32 fd;		/* the descriptor that its signal names */
	__s32 pid;		/* as of a lock */
	__u32 reserved;
};

/* OWNER of a FILE: who is told of input and output, and how */
#define CKPT_OWNER_THREAD	0	/* F_OWNER_TID */
#define CKPT_OWNER_PROCESS	1	/* F_OWNER_PID */
#define CKPT_OWNER_GROUP	2	/* F_OWNER_PGRP */

struct ckpt_image_owner {
	__s32 pid;		/* 0: nobody */
	__u32 type;		/* CKPT_OWNER_* */
	__u32 uid;		/* of who said so, whose right to send signals counts */
	__u32 euid;
	__u32 signum;		/* F_SETSIG; 0: SIGIO */
	__u32 reserved;
};

/* ASYNC of a FILE: its O_ASYNC has somebody told */
struct ckpt_image_async {
	__s32 fd;		/* the descriptor that the signal names */
	__u32 reserved;
};

/* of CKPT_FILE_PATH */
struct ckpt_image_file_path {
	__u64 size;		/* bytes, at checkpoint */
	__u64 mtime_ns;
	__u32 rdev;		/* of a device */
	__u32 reserved;
};

/* of CKPT_FILE_PIPE */
#define CKPT_PIPE_NOWAIT	0x1	/* takes RWF_NOWAIT, as what pipe(2) gives does on some kernels */

struct ckpt_image_file_pipe {
	__u32 pipe;		/* ref of a PIPE */
	__u32 end;		/* FMODE_READ 1, FMODE_WRITE 2, both 3 */
	__u32 flags;		/* CKPT_PIPE_NOWAIT */
	__u32 reserved;
};

/* of CKPT_FILE_FIFO; what it is open for is in FILE's flags */
#define CKPT_FIFO_NO_WRITER	0x1	/* none was seen yet: poll(2) does not say that they are gone */

struct ckpt_image_file_fifo {
	__u32 pipe;		/* ref of a PIPE; 0 with O_PATH */
	__u32 flags;		/* CKPT_FIFO_* */
	__u32 inode;		/* ref of an INODE, if it is deleted; else NAME is there */
	__u32 reserved;
};

/* of CKPT_FILE_EVENTFD */
struct ckpt_image_file_eventfd {
	__u64 count;
	__u32 semaphore;	/* EFD_SEMAPHORE */
	__u32 reserved;
};

/* of CKPT_FILE_TIMERFD; times in ns */
#define CKPT_TIMERFD_CANCELED	0x1	/* the clock was set: read(2) has still to say so */

struct ckpt_image_file_timerfd {
	__s32 clockid;
	__u32 settime_flags;
	__u64 ticks;		/* expirations not read yet */
	__u64 value;		/* remaining, 0 if disarmed */
	__u64 interval;
	__u32 state;		/* CKPT_TIMERFD_* */
	__u32 reserved;
};

/* of CKPT_FILE_SIGNALFD */
struct ckpt_image_file_signalfd {
	__u64 mask;		/* the signals that it reads, bit by bit */
};

/* of CKPT_FILE_INOTIFY; its watches in ascending order, and what waits to be read */
struct ckpt_image_file_inotify {
	__u32 next_wd;		/* where the search for the next number begins */
	__u32 reserved;
};

struct ckpt_image_inotify_watch {
	__s32 wd;
	__u32 mask;		/* IN_*: what it sees, IN_EXCL_UNLINK, IN_ONESHOT */
	__u32 type;		/* S_IFMT of what is watched */
	__u32 path_len;		/* bytes of WATCH_PATHS, which has all paths behind each other */
};

struct ckpt_image_inotify_event {
	__s32 wd;
	__u32 mask;
	__u32 cookie;
	__u32 name_len;		/* bytes of EVENT_NAMES */
};

/* of CKPT_FILE_SHM: the id of its segment, a SHM of the container's ipc namespace */
struct ckpt_image_file_shm {
	__s32 id;
	__u32 reserved;
};

/* of CKPT_FILE_MQUEUE; NAME is where its file system is mounted, if it was not opened by mq_open(2) */
struct ckpt_image_file_mqueue {
	__u32 ns;		/* ref of the NAMESPACE */
	__u32 queue;		/* id of its MQUEUES */
};

/* of CKPT_FILE_PIDFD */
#define CKPT_PIDFD_THREAD	0x80	/* PIDFD_THREAD: of a thread, and not of its process */

struct ckpt_image_file_pidfd {
	__s32 pid;		/* of the task; 0: it has been reaped */
	__u32 same;		/* ref of the first FILE of the same dead process, 0: this is it */
	__u32 flags;		/* CKPT_PIDFD_* */
	__u32 reserved;
};

/* of CKPT_FILE_TTY; NAME is how a slave was opened */
struct ckpt_image_file_tty {
	__u32 tty;		/* ref of a TTY */
	__u32 end;		/* 1: master, 2: slave */
};

/* of CKPT_FILE_SHMEM */
#define CKPT_SHMEM_WRITER	0x1	/* opened by open(2), so that it may not be executed */

struct ckpt_image_file_shmem {
	__u32 shmem;		/* ref of a SHMEM */
	__u32 flags;		/* CKPT_SHMEM_* */
};

/* of CKPT_FILE_DELETED */
struct ckpt_image_file_deleted {
	__u32 inode;		/* ref of an INODE */
	__u32 reserved;
};

/* of CKPT_FILE_TCP, _UDP, _UNIX; they have OPTIONS, too */
#define CKPT_SOCK_LISTEN	0x1
#define CKPT_SOCK_BOUND		0x2
#define CKPT_SOCK_PATH		0x4	/* unix: bound to a file, whose path is NAME; addr is what bind(2) got */
#define CKPT_SOCK_ADDR_LOCK	0x8	/* inet: its owner chose the address, the port */
#define CKPT_SOCK_PORT_LOCK	0x10
#define CKPT_SOCK_CONNECTED	0x20	/* TCP: there is a TCP of it, which has its addresses */

struct ckpt_image_file_sock {
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 state;		/* CKPT_SOCK_* */
	__u32 backlog;
	__u32 addr_len;
	__u8 addr[128];		/* struct sockaddr_* */
	__u32 mode;		/* unix path: permissions and owner */
	__u32 uid;
	__u32 gid;
	__u32 drops;		/* packets dropped: SO_RXQ_OVFL */
	__u32 sk_uid;		/* the socket's own owner; its mode is FILE's */
	__u32 sk_gid;
	__u32 peer_cred;	/* SO_PEERCRED: ref of a CRED, 0: none */
	__s32 peer_pid;
};

/* of CKPT_FILE_UDP, if there is something of it */
#define CKPT_PEER_CONNECTED	0x1

struct ckpt_image_file_peer {
	__u32 flags;		/* CKPT_PEER_* */
	__u32 shutdown;		/* 1: does not receive, 2: does not send */
	__u32 error;		/* SO_ERROR, positive */
	__u32 addr_len;
	__u8 addr[128];		/* struct sockaddr_* of the socket's family */
};

/* of CKPT_FILE_UDP: one that waits to be received; its bytes are the next of DATA */
#define CKPT_DATAGRAM_PEEKED	0x1	/* somebody has looked at it */
#define CKPT_DATAGRAM_CSUM	0x2	/* the device has counted csum: IP_CHECKSUM */

struct ckpt_image_datagram {
	__s64 stamp;		/* when it came, CLOCK_REALTIME in ns; 0: nobody has asked */
	__s64 device_stamp;	/* the same of the device */
	__u32 len;
	__u32 flags;		/* CKPT_DATAGRAM_* */
	__u32 ifindex;		/* IP_PKTINFO: by which device it came */
	__u32 spec_dst;		/* IP_PKTINFO; network byte order, as all below to flow */
	__u8 from[16];		/* of IPv4 the first four */
	__u8 to[16];
	__u16 from_port;
	__u16 to_port;
	__u32 flow;		/* of IPv6: traffic class and flow label */
	__u32 mark;		/* SO_RCVMARK */
	__u32 drops;		/* SO_RXQ_OVFL */
	__u32 csum;
	__u16 gso_size;		/* UDP_GRO: several of that size in one; 0: one */
	__u16 frag_size;	/* IP_RECVFRAGSIZE */
	__u8 version;		/* 4 or 6 */
	__u8 tos;		/* of IPv4 */
	__u8 ttl;		/* the same of IPv6: hop limit */
	__u8 reserved[5];
};

/*
 * An option that is not as in a new socket, as setsockopt(2) takes it; in the
 * order in which they are set.
 */
#define CKPT_SOCKOPT_LEN	16

struct ckpt_image_sockopt {
	__s32 level;		/* SOL_* */
	__s32 name;
	__u32 len;		/* bytes of value that count; the rest is zero */
	__u32 reserved;
	__u8 value[CKPT_SOCKOPT_LEN];
};

/* PIPE: its contents are bytes, cut into the buffers that were there */
struct ckpt_image_pipe {
	__u32 ref;
	__u32 size;		/* bytes: F_GETPIPE_SZ */
	__u32 mode;		/* of its inode: permission bits and owner; 0 if it has a name */
	__u32 uid;
	__u32 gid;
	__u32 external;		/* whose other end it has outside, or 0: the container has both */
};

#define CKPT_PIPE_PACKET	0x1
#define CKPT_PIPE_MERGE		0x2	/* what is written next goes behind it, if its page has room */
#define CKPT_PIPE_BUF_FLAGS	(CKPT_PIPE_PACKET | CKPT_PIPE_MERGE)
#define CKPT_PIPE_BUF_MAX	(1U << 20)

struct ckpt_image_pipe_buf {
	__u32 len;		/* bytes, 1 ... 4096, or CKPT_PIPE_BUF_MAX if it is no packet */
	__u32 flags;		/* CKPT_PIPE_PACKET, or CKPT_PIPE_MERGE */
	__u32 offset;		/* with CKPT_PIPE_MERGE: where in its page it begins */
	__u32 reserved;
};

/*
 * INODE: what is nowhere outside of the image: a file, directory or named pipe that is deleted and still
 * somebody's, or what lies in a TMPFS, and may then be of any type.  Contents come as PAGES.
 */
#define CKPT_INODE_LINKABLE	0x1	/* linkat(2) may give it a name: O_TMPFILE without O_EXCL */
#define CKPT_INODE_NAMED	0x2	/* a TMPFS has it; it has no NAME of its own */

struct ckpt_image_inode {
	__u32 ref;
	__u32 mode;		/* S_IFMT and permission bits */
	__u32 uid;
	__u32 gid;
	__u64 size;		/* bytes; of a regular file */
	__s64 atime_ns;		/* since 1970 */
	__s64 mtime_ns;
	__u32 flags;		/* CKPT_INODE_* */
	__u32 rdev;		/* of a device */
	/* of one that is NAMED */
	__u64 ino;		/* its number */
	__s64 ctime_ns;
	__s64 btime_ns;
};

/*
 * TMPFS: a tmpfs that is the container's own, behind the INODEs in it; before every FILE.
 * NAME is where all of it is mounted.
 */
#define CKPT_TMPFS_RDONLY	0x1	/* the file system, and not a mount of it */

struct ckpt_image_tmpfs {
	__u32 ref;
	__u32 root;		/* ref of the INODE of its root directory */
	__u64 next_ino;		/* the number that the next file gets */
	__u32 flags;		/* CKPT_TMPFS_* */
	__u32 reserved;
};

/* ENTRIES: the names in it, in the order in which they are made; NAMES has them behind each other, without NULs */
struct ckpt_image_tmpfs_entry {
	__u32 dir;		/* ref of an INODE: the root, or a directory of an entry before */
	__u32 inode;		/* ref of an INODE; a second name of one that had one before */
	__u32 name_len;
	__u32 reserved;
	__u64 offset;		/* its place in the directory, as telldir(3) has it, or 0 */
};

struct ckpt_image_xattr {
	__u32 name_len;		/* bytes of XATTR_BYTES, which has name and value of each behind each other */
	__u32 size;
};

/* SHMEM: memory shared by mappings; contents come as PAGES */
struct ckpt_image_shmem {
	__u32 ref;
	__u32 seals;		/* F_SEAL_* of a memfd */
	__u64 size;		/* bytes */
	__u32 memfd;		/* 1: made by memfd_create, 0: by mmap */
	__u32 mode;		/* permission bits */
	__u32 uid;
	__u32 gid;
};

/* EPOLL: what an epoll file watches; after every FILES table */
struct ckpt_image_epoll_watch {
	__s32 fd;		/* in the FILES table 'files' */
	__u32 events;
	__u64 data;
};

struct ckpt_image_epoll_params {	/* busy polling, ioctl(EPIOCSPARAMS): part PARAMS, if it is set */
	__u32 busy_poll_usecs;
	__u32 busy_poll_budget;
	__u32 prefer_busy_poll;
	__u32 reserved;
};

struct ckpt_image_epoll {
	__u32 file;		/* ref of the epoll FILE */
	__u32 files;		/* ref of a FILES in which it is open */
	__s32 epfd;		/* at this descriptor */
	__u32 reserved;
};

/* UNIX: what a unix socket is connected with, and what waits in it; after every FILES */
#define CKPT_UNIX_CONNECTED	0x1	/* as struct socket has it */
#define CKPT_UNIX_ESTABLISHED	0x2	/* as struct sock has it: of datagrams, also who is sent to */
#define CKPT_UNIX_CLOSED	0x4	/* the other end is gone; its name was addr */
#define CKPT_UNIX_OUTSIDE	0x8	/* datagrams go to one outside, whose name is NAME or addr */
#define CKPT_UNIX_ACCEPTED	0x10	/* its name is that of the one that listened */
#define CKPT_UNIX_FLAGS		0x1f

#define CKPT_UNIX_ADDR		112	/* a sockaddr_un, and the NUL behind the longest path */

struct ckpt_image_unix {
	__u32 ref;
	__u32 file;		/* ref of its FILE; 0: it waits to be accepted */
	__u32 peer;		/* ref of the UNIX that it sends to, or 0 */
	__u32 listener;		/* ref of the UNIX where it waits, or whose name it has, or 0 */
	__u32 flags;		/* CKPT_UNIX_* */
	__u32 shutdown;		/* RCV_SHUTDOWN 1, SEND_SHUTDOWN 2 */
	__u32 error;		/* errno that its owner has still to be told */
	__u32 peer_cred;	/* of one that waits to be accepted, as in SOCK */
	__s32 peer_pid;
	__u32 addr_len;
	__u8 addr[CKPT_UNIX_ADDR];
};

#define CKPT_UNIX_CREDS		0x1	/* it tells who has sent it */

struct ckpt_image_unix_message {
	__u32 len;		/* bytes of BYTES; what was read already is left out */
	__u32 files;		/* how many of FILES */
	__u32 flags;		/* CKPT_UNIX_CREDS */
	__s32 pid;		/* 0: of a process outside */
	__u32 uid;
	__u32 gid;
	__s64 stamp;		/* when it came, ns since 1970; 0: nobody asked */
	__u32 from;		/* datagrams: ref of the UNIX that sent it; 0: one that is not here, addr was its name */
	__u32 addr_len;
	__u8 addr[CKPT_UNIX_ADDR];
};

/*
 * TCP: an end of a connection whose other end is in the container, too; after every FILES.
 * Of both ends it is told at the same moment, and as if everything that was on its way had
 * come: RECEIVED is what has not been read here, and UNSENT what has not come there, in
 * order.  OPTIONS are those of one that waits to be accepted; of others they are FILE's.
 */
#define CKPT_TCP_WSCALE		0x1	/* window scaling, SACK, timestamps, ECN: what both ends can do */
#define CKPT_TCP_SACK		0x2
#define CKPT_TCP_TIMESTAMPS	0x4
#define CKPT_TCP_ECN		0x8
#define CKPT_TCP_ADDR_LOCK	0x10	/* its owner chose the address, the port */
#define CKPT_TCP_PORT_LOCK	0x20
#define CKPT_TCP_CONNECTED	0x40	/* as struct socket has it; neither: not connected */
#define CKPT_TCP_CONNECTING	0x80
#define CKPT_TCP_DONE		0x100	/* nothing will come any more */
#define CKPT_TCP_FIN		0x200	/* of one that has ended: a FIN comes behind RECEIVED */
#define CKPT_TCP_FLAGS		0x3ff

struct ckpt_image_tcp {
	__u32 ref;
	__u32 file;		/* ref of its FILE; 0: its owner has closed it, or it waits to be accepted */
	__u32 listener;		/* ref of the FILE at which it waits */
	__u32 peer;		/* ref of the other end's TCP; 0: gone */
	__u32 state;		/* as TCP_INFO counts: 1 established, 4 FIN_WAIT1, 5, 7 closed, 8 CLOSE_WAIT, 9, 11 */
	__u32 flags;		/* CKPT_TCP_* */
	__u32 family;		/* AF_INET, AF_INET6: of the socket */
	__u32 port;
	__u32 peer_port;
	__u8 addr[16];		/* of IPv6; one of IPv4 as ::ffff:a.b.c.d */
	__u8 peer_addr[16];
	__u32 shutdown;		/* RCV_SHUTDOWN 1, SEND_SHUTDOWN 2 */
	__u32 error;		/* SO_ERROR: of one that has ended */
	__u32 received_seq;	/* sequence number of the first byte of RECEIVED */
	__u32 unsent_seq;	/* of UNSENT */
	__u32 rcv_wnd;		/* bytes behind RECEIVED that the other end may send */
	__u32 rcv_ssthresh;
	__u32 max_window;	/* the largest that the other end has offered */
	__u32 window_clamp;
	__u32 mss_clamp;	/* the longest segments that the other end takes, and this one */
	__u32 advmss;
	__u32 snd_mss;		/* what they have come to be */
	__u32 rcv_mss;
	__u32 scaling_ratio;	/* bytes of window for 256 bytes of memory; 0: not told */
	__u32 header_len;	/* bytes of a packet's header: 20, or 32 with timestamps */
	__u32 snd_wscale;
	__u32 rcv_wscale;
	__u32 timestamp;	/* the last that it could have sent, and the last that came */
	__u32 peer_timestamp;
	__u32 mcast_if;		/* what the first packet has left behind: IPV6_MULTICAST_IF and so on */
	__u32 mcast_ttl;
	__s32 mcast6_if;
	__s32 mcast6_hops;
	__u32 tos;
	__u32 flowinfo;
};

/*
 * TTY: a pty, master and slave; after every FILES.  NAME is the path of the ptmx that
 * it came from.  ENDS are two, the master's first; BYTES has what is queued in them,
 * of each end what may be read, what is to be echoed, and what has no room yet.
 */
struct ckpt_image_tty {
	__u32 ref;
	__u32 index;		/* its number in its devpts */
	__u32 flags;		/* with which the master was opened: O_* */
	__u32 cred;		/* ref of a CRED: of who opened it */
	__u32 mode;		/* of the slave's inode: permission bits and owner */
	__u32 uid;
	__u32 gid;
	__s32 session;		/* whose controlling terminal it is, or 0 */
	__s32 pgrp;		/* which group is in the foreground, or 0 */
	__u32 hung_up;		/* its master is closed; of ENDS nothing counts then */
};

#define CKPT_TTY_THROTTLED	0x1	/* as in the kernel's TTY_* */
#define CKPT_TTY_IO_ERROR	0x2
#define CKPT_TTY_OTHER_CLOSED	0x4
#define CKPT_TTY_EXCLUSIVE	0x8
#define CKPT_TTY_WRITE_WAKEUP	0x10
#define CKPT_TTY_LOCK		0x20
#define CKPT_TTY_STOPPED	0x40	/* by a key */
#define CKPT_TTY_TCO_STOPPED	0x80	/* by ioctl(TCXONC) */
#define CKPT_TTY_PACKET		0x100
#define CKPT_TTY_LNEXT		0x200	/* the next byte is taken as it is */
#define CKPT_TTY_ERASING	0x400
#define CKPT_TTY_PUSH		0x800
#define CKPT_TTY_NO_ROOM	0x1000	/* the reader is to fetch what has no room */
#define CKPT_TTY_FLAGS		0x1fff

#define CKPT_TTY_QUEUE		4096	/* bytes that may be read, or are to be echoed */
#define CKPT_TTY_INPUT		65536	/* bytes that have no room yet */

struct ckpt_image_tty_end {
	__u32 flags;		/* CKPT_TTY_* */
	__u32 pktstatus;	/* TIOCPKT_* that the master is still to be told */
	__u16 rows;
	__u16 cols;
	__u16 xpixel;
	__u16 ypixel;
	__u32 iflag;		/* as struct termios2 has them */
	__u32 oflag;
	__u32 cflag;
	__u32 lflag;
	__u32 ispeed;
	__u32 ospeed;
	__u8 cc[24];
	__u32 column;
	__u32 canon_column;
	__u32 queued;		/* bytes of BYTES that may be read */
	__u32 canon;		/* of them, in whole lines; without ICANON 0 */
	__u32 committed;	/* of them, readable without ICANON; with it 0 */
	__u32 lines;		/* elements of LINES: positions of ends of lines */
	__u32 echo;		/* bytes of BYTES that are to be echoed, in the line discipline's form */
	__u32 echo_commit;
	__u32 echo_mark;
	__u32 input;		/* bytes of BYTES that have no room yet */
	__u32 lookahead;	/* of them, looked at for START and STOP */
	__u32 line;		/* as struct termios2 has it: what somebody has written there */
};

/* FILES: a descriptor table */
#define CKPT_FD_CLOEXEC		0x1

struct ckpt_image_fd {
	__s32 fd;
	__u32 file;		/* ref of a FILE */
	__u32 flags;		/* CKPT_FD_* */
	__u32 reserved;
};

struct ckpt_image_files {
	__u32 ref;
	__u32 reserved;
};

/* FS: root is a path in the container's own root; cwd too, if it is not deleted */
struct ckpt_image_fs {
	__u32 ref;
	__u32 umask;
};

struct ckpt_image_fs_deleted {
	__u32 cwd;		/* ref of an INODE */
	__u32 reserved;
};

#endif
