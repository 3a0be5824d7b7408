// SPDX-License-Identifier: GPL-2.0-only
/* One function for each thing that a process can have and a checkpoint cannot take. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/tty.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "refuse.h"

static int made(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	have(fd >= 0);
	return fd;
}

static void inotify_deleted(void)
{
	int fd = inotify_init1(IN_CLOEXEC);

	/* it stays open, which is refused behind it */
	have(fd >= 0 && made("watched") > fd && inotify_add_watch(fd, "watched", IN_MODIFY) >= 0 && !unlink("watched"));
}

static void fanotify(void)
{
	have(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY) >= 0);
}

static void io_uring(void)
{
	struct io_uring_params params = { 0 };

	have(syscall(SYS_io_uring_setup, 4, &params) >= 0);
}

static void perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK,
	};

	have(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) >= 0);
}

static void bpf(void)
{
	/* BPF_MAP_CREATE of an array of one number: type, key size, value size, entries */
	uint32_t attr[32] = { 2, 4, 8, 1 };

	have(syscall(SYS_bpf, 0, attr, sizeof(attr)) >= 0);
}

static void userfault(void)
{
	have(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) >= 0);
}

/* what would have woken its watch has gone with a child */
static void signalfd_other(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd, epoll = epoll_create1(0), status;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	have(fd >= 0 && epoll >= 0);
	pid = fork();
	if (!pid)
		_exit(!!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev));
	have(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

/* its group has one more */
static void pidfd_group(void)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		if (!fork())
			for (;;)
				pause();
		_exit(0);
	}
	have(pid > 0 && syscall(SYS_pidfd_open, pid, 0) >= 0 && waitpid(pid, NULL, 0) == pid);
}

static void namespace_file(void)
{
	have(open("/proc/self/ns/uts", O_RDONLY) >= 0);
}

static void aio(void)
{
	static aio_context_t context;

	have(!syscall(SYS_io_setup, 4, &context));
}

static int pty(void)
{
	int slave, master = posix_openpt(O_RDWR | O_NOCTTY);

	have(master >= 0 && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	have(slave >= 0);
	return slave;
}

static void tty_hung_up(void)
{
	have(!ioctl(pty(), TIOCVHANGUP));
}

static void tty_extproc(void)
{
	struct termios t;
	int slave = pty();

	have(!tcgetattr(slave, &t));
	t.c_lflag |= EXTPROC;
	have(!tcsetattr(slave, TCSANOW, &t));
}

static void tty_locked(void)
{
	struct termios t = { .c_iflag = IXON };

	have(!ioctl(pty(), TIOCSLCKTRMIOS, &t));
}

static void tty_null(void)
{
	int ldisc = N_NULL;

	have(!ioctl(pty(), TIOCSETD, &ldisc));
}

static void urgent(void)
{
	int fds[2];

	have(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	have(send(fds[0], "urgent", 6, MSG_OOB) == 6);
}

static void notification_pipe(void)
{
	int fds[2];

	/* O_NOTIFICATION_PIPE */
	have(!pipe2(fds, O_EXCL));
}

static int udp(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	have(fd >= 0);
	return fd;
}

static int udp6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	have(fd >= 0);
	return fd;
}

/* options that getsockopt(2) does not show, or that mean something of this machine */

static void socket_filter(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog program = { 1, &all };

	have(!setsockopt(udp(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static void bound_device(void)
{
	have(!setsockopt(udp(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
}

static void multicast(void)
{
	struct ip_mreqn group = { .imr_multiaddr.s_addr = htonl(0xe0000105), .imr_ifindex = 1 };

	have(!setsockopt(udp(), SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
}

static void unicast_if(void)
{
	have(!setsockopt(udp(), SOL_IP, IP_UNICAST_IF, &(int){ htonl(1) }, sizeof(int)));
}

static void ip_options(void)
{
	/* no operation, four times */
	have(!setsockopt(udp(), SOL_IP, IP_OPTIONS, "\1\1\1\1", 4));
}

/* one that waits has come with IP options */
static void datagrams(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(6101),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = udp(), from = udp();

	have(!bind(fd, (void *)&a, sizeof(a)) && !setsockopt(from, SOL_IP, IP_OPTIONS, "\1\1\1\1", 4));
	have(sendto(from, "x", 1, 0, (void *)&a, sizeof(a)) == 1 && !close(from));
}

static void ipv6_mtu(void)
{
	have(!setsockopt(udp6(), SOL_IPV6, IPV6_MTU, &(int){ 1300 }, sizeof(int)));
}

static void ipv6_pktinfo(void)
{
	struct in6_pktinfo from = { .ipi6_addr = IN6ADDR_LOOPBACK_INIT };

	have(!setsockopt(udp6(), SOL_IPV6, IPV6_PKTINFO, &from, sizeof(from)));
}

static void ipv6_dstopts(void)
{
	/* a header of 8 bytes that is padding */
	have(!setsockopt(udp6(), SOL_IPV6, IPV6_DSTOPTS, "\0\0\1\4\0\0\0\0", 8));
}

static void udp_encap(void)
{
	/* UDP_ENCAP_L2TPINUDP */
	have(!setsockopt(udp(), IPPROTO_UDP, 100, &(int){ 3 }, sizeof(int)));
}

static void udp_corked(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(6102),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = udp();

	have(!setsockopt(fd, IPPROTO_UDP, 1 /* UDP_CORK */, &(int){ 1 }, sizeof(int)));
	have(sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)) == 1);
}

static void error_queue(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(6103),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = udp();

	/* nobody is there, as ICMP says */
	have(!setsockopt(fd, SOL_IP, IP_RECVERR, &(int){ 1 }, sizeof(int)));
	have(sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)) == 1);
	/* the error itself is read, what it was about is not */
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &(int){ 0 }, &(socklen_t){ sizeof(int) });
}

static void timestamp_ioctl(void)
{
	struct timeval tv;
	int fd = udp();

	/* SIOCGSTAMP: there is none yet, but from now on there will be */
	have(ioctl(fd, 0x8906, &tv) < 0 && errno == ENOENT);
}

static void foreign_socket(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	have(own >= 0 && !unshare(CLONE_NEWNET) && socket(AF_INET, SOCK_STREAM, 0) >= 0);
	have(!setns(own, CLONE_NEWNET) && !close(own));
}

static void foreign_unix_socket(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	have(own >= 0 && !unshare(CLONE_NEWNET) && socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	have(!setns(own, CLONE_NEWNET) && !close(own));
}

static void netlink(void)
{
	have(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) >= 0);
}

static void packet(void)
{
	have(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) >= 0);
}

static void raw(void)
{
	have(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0);
}

/* to read it would break the lease */
static void deleted_leased(void)
{
	have(!fcntl(made("deleted"), F_SETLEASE, F_WRLCK) && !unlink("deleted"));
}

/* a file system that keeps its locks itself, if it wants to */
static void fuse_lock(void)
{
	int fd = open("../asked/d/f", O_RDONLY);

	have(fd >= 0 && !flock(fd, LOCK_SH));
}

static void fuse_range(void)
{
	struct flock lock = { .l_type = F_RDLCK };
	int fd = open("../asked/d/f", O_RDONLY);

	have(fd >= 0 && !fcntl(fd, F_SETLK, &lock));
}

/* somebody wants to write, and waits until it is given back */
static void breaking_lease(void)
{
	int fd = made("leased");

	have(!close(fd) && signal(SIGIO, SIG_IGN) != SIG_ERR);
	fd = open("leased", O_RDONLY);
	have(fd >= 0 && !fcntl(fd, F_SETLEASE, F_RDLCK));
	have(open("leased", O_WRONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK);
}

static void async(void)
{
	int fd = open("/dev/random", O_RDONLY);

	have(fd >= 0 && !fcntl(fd, F_SETFL, O_ASYNC) && fcntl(fd, F_GETFL) & O_ASYNC);
}

static void notify(void)
{
	int fd;

	have(!mkdir("noticed", 0700) || errno == EEXIST);
	fd = open("noticed", O_RDONLY | O_DIRECTORY);
	have(fd >= 0 && !fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
}

/* a timer of another's: glibc's timer_create() has no such */
static void make_timer(clockid_t clock, int notify, pid_t thread)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = SIGUSR1 };
	int timer;

	event._sigev_un._tid = thread;
	have(!syscall(SYS_timer_create, clock, &event, &timer));
}

static void *thread_timer(void *unused)
{
	(void)unused;
	make_timer(CLOCK_MONOTONIC, SIGEV_THREAD_ID, syscall(SYS_gettid));
	return NULL;
}

/* the thread that it is for has ended */
static void timer_thread(void)
{
	pthread_t thread;

	have(!pthread_create(&thread, NULL, thread_timer, NULL) && !pthread_join(thread, NULL));
}

/* the process whose time it counts has ended */
static void timer_cpu(void)
{
	pid_t pid = fork();
	clockid_t clock;

	have(pid >= 0);
	if (!pid) {
		for (;;)
			pause();
	}
	have(!clock_getcpuclockid(pid, &clock));
	make_timer(clock, SIGEV_NONE, 0);
	have(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

/* its descriptor is refused, too */
static void seccomp(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	have(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	     syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) >= 0);
}

static void traced(void)
{
	pid_t pid = fork();

	have(pid >= 0);
	if (!pid) {
		for (;;)
			pause();
	}
	have(!ptrace(PTRACE_SEIZE, pid, 0, 0));
}

static void *pause_forever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void dead_leader(void)
{
	pid_t pid = fork();
	pthread_t thread;
	char path[64];

	have(pid >= 0);
	if (!pid) {
		have(!pthread_create(&thread, NULL, pause_forever, NULL));
		syscall(SYS_exit, 0);
	}
	/* until it is a zombie with a thread */
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	while (!access(path, F_OK))
		sleep_ms(5);
}

static int pause_child(void *unused)
{
	for (;;)
		pause();
	return !unused;
}

static void clone_child(int flags)
{
	static char stack[65536] __attribute__((aligned(16)));

	have(clone(pause_child, stack + sizeof(stack), flags | SIGCHLD, NULL) >= 0);
}

static void shared_vm(void)
{
	clone_child(CLONE_VM);
}

static void pid_namespace(void)
{
	clone_child(CLONE_NEWPID);
}

static void mount_namespace(void)
{
	have(!unshare(CLONE_NEWNS));
}

static void user_namespace(void)
{
	clone_child(CLONE_NEWUSER);
}

static void net_namespace(void)
{
	have(!unshare(CLONE_NEWNET));
}

static void keyring(void)
{
	/* KEYCTL_JOIN_SESSION_KEYRING, then a key in it (-3) */
	have(syscall(SYS_keyctl, 1, "refuse") >= 0);
	have(syscall(SYS_add_key, "user", "secret", "x", 1, -3) >= 0);
}

static void memory_policy(void)
{
	unsigned long nodes = 1;

	/* MPOL_BIND */
	have(!syscall(SYS_set_mempolicy, 2, &nodes, 8 * sizeof(nodes)));
}

static void pkey(void)
{
	/* no mapping has it */
	have(syscall(SYS_pkey_alloc, 0, 0) > 0);
}

static void deadline(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { 48, 6, 0, 0, 0, 1000000, 10000000, 10000000 };

	have(!syscall(SYS_sched_setattr, 0, &attr, 0));
}

static void char_device(void)
{
	have(open("/dev/kmsg", O_RDONLY) >= 0);
}

/* files of the kernel's own that keep something while they are open */

static void pressure_trigger(const char *name)
{
	static const char trigger[] = "some 150000 1000000";
	int fd = open(name, O_RDWR | O_NONBLOCK);

	have(fd >= 0 && write(fd, trigger, sizeof(trigger)) == sizeof(trigger));
}

static void proc_pressure(void)
{
	pressure_trigger("/proc/pressure/memory");
}

static void cgroup_pressure(void)
{
	pressure_trigger("/sys/fs/cgroup/memory.pressure");
}

static void cgroup_peak(void)
{
	int fd = open("/sys/fs/cgroup/memory.peak", O_RDWR);

	have(fd >= 0 && write(fd, "reset", 5) == 5);
}

static void trace_pipe(void)
{
	have(open("../tracing/trace_pipe", O_RDONLY | O_NONBLOCK) >= 0);
}

static void fdinfo_file(void)
{
	have(open("/proc/self/fdinfo/0", O_RDONLY) >= 0);
}

static void mtrr(void)
{
	have(open("/proc/mtrr", O_RDONLY) >= 0);
}

/* the maps of a program that its process does not run any more */
static void old_maps(void)
{
	char path[64], exe[256] = "";
	int ends[2];
	pid_t pid;

	have(!pipe2(ends, O_CLOEXEC));
	pid = fork();
	have(pid >= 0);
	if (!pid) {
		close(ends[1]);
		have(!read(ends[0], path, 1));
		execlp("sleep", "sleep", "100000", NULL);
		_exit(1);
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	have(open(path, O_RDONLY) >= 0 && !close(ends[0]) && !close(ends[1]));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	while (!strstr(exe, "sleep") && !strstr(exe, "coreutils") && !strstr(exe, "busybox")) {
		have(readlink(path, exe, sizeof(exe) - 1) > 0);
		sleep_ms(5);
	}
}

static const struct kind kinds[] = {
	{ "inotify-deleted", inotify_deleted }, { "fanotify", fanotify }, { "io_uring", io_uring }, { "perf", perf }, { "bpf", bpf },
	{ "userfaultfd", userfault }, { "signalfd-other", signalfd_other }, { "pidfd-group", pidfd_group }, { "aio", aio },
	{ "namespace-file", namespace_file },
	{ "tty-hung-up", tty_hung_up }, { "tty-extproc", tty_extproc }, { "tty-locked", tty_locked },
	{ "tty-null", tty_null }, { "urgent", urgent },
	{ "notification-pipe", notification_pipe },
	{ "socket-filter", socket_filter }, { "bound-device", bound_device },
	{ "multicast", multicast }, { "unicast-if", unicast_if }, { "ip-options", ip_options },
	{ "ipv6-mtu", ipv6_mtu }, { "ipv6-pktinfo", ipv6_pktinfo }, { "ipv6-dstopts", ipv6_dstopts },
	{ "udp-encap", udp_encap }, { "udp-corked", udp_corked }, { "error-queue", error_queue },
	{ "timestamp-ioctl", timestamp_ioctl }, { "foreign-socket", foreign_socket },
	{ "foreign-unix-socket", foreign_unix_socket },
	{ "datagrams", datagrams }, { "netlink", netlink }, { "packet", packet }, { "raw", raw },
	{ "pressure-trigger", proc_pressure }, { "cgroup-pressure-trigger", cgroup_pressure },
	{ "cgroup-peak", cgroup_peak }, { "trace-pipe", trace_pipe }, { "fdinfo-file", fdinfo_file },
	{ "mtrr", mtrr }, { "old-maps", old_maps },
	{ "deleted-leased", deleted_leased },
	{ "fuse-lock", fuse_lock }, { "fuse-range", fuse_range }, { "breaking-lease", breaking_lease },
	{ "async", async }, { "notify", notify },
	{ "timer-thread", timer_thread }, { "timer-cpu", timer_cpu },
	{ "seccomp-listener", seccomp }, { "traced", traced }, { "dead-leader", dead_leader },
	{ "shared-vm", shared_vm }, { "pid-namespace", pid_namespace }, { "mount-namespace", mount_namespace },
	{ "user-namespace", user_namespace }, { "net-namespace", net_namespace }, { "keyring", keyring },
	{ "memory-policy", memory_policy }, { "deadline", deadline }, { "device", char_device }, { "pkey", pkey },
};

const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	if (find_task_kind(name))
		return find_task_kind(name);
	return find_ipc_kind(name) ? find_ipc_kind(name) : find_tcp_kind(name);
}
