// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of everything that an image can have: kinds of files, memory, tasks, signals, sleeps. Run as a container's first
 * program with a directory of its own; creates DIR/ready when all is in place, and sleeps.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void make_pipes(const char *dir)
{
	char path[200];
	int p[2], fd;

	must(pipe2(p, O_NONBLOCK), "pipe");
	must(write(p[1], "what waits in a pipe", 20), "pipe");
	must(pipe2(p, O_DIRECT), "pipe");
	must(write(p[1], "one", 3), "pipe");
	must(write(p[1], "packet", 6), "pipe");
	must(dup(p[0]), "dup");
	must(pipe(p), "pipe");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	must(open(path, O_RDWR), path);
	/* with a name: what waits in it, nobody who has written yet, and the name alone */
	snprintf(path, sizeof(path), "%s/fifo", dir);
	must(mkfifo(path, 0600), path);
	fd = must(open(path, O_RDWR | O_NONBLOCK), path);
	must(write(fd, "what waits in a named one", 25), path);
	must(open(path, O_RDONLY), path);
	must(open(path, O_PATH), path);
	snprintf(path, sizeof(path), "%s/silent", dir);
	must(mkfifo(path, 0600), path);
	must(open(path, O_RDONLY | O_NONBLOCK), path);
	/* and one that has lost it */
	snprintf(path, sizeof(path), "%s/lost", dir);
	must(mkfifo(path, 0600), path);
	must(open(path, O_RDWR), path);
	must(unlink(path), path);
}

static void make_events(void)
{
	struct itimerspec in = { .it_value.tv_sec = 10000, .it_interval.tv_sec = 7 };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.u64 = 42 };
	int event = must(eventfd(3, EFD_SEMAPHORE), "eventfd");
	int timer = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd");
	int ep = must(epoll_create1(EPOLL_CLOEXEC), "epoll");
	sigset_t set;

	must(timerfd_settime(timer, 0, &in, NULL), "timerfd");
	must(epoll_ctl(ep, EPOLL_CTL_ADD, event, &ev), "epoll");
	ev.events = EPOLLOUT | EPOLLONESHOT;
	must(epoll_ctl(ep, EPOLL_CTL_ADD, timer, &ev), "epoll");
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	ev.events = EPOLLIN;
	must(epoll_ctl(ep, EPOLL_CTL_ADD, must(signalfd(-1, &set, 0), "signalfd"), &ev), "epoll");
}

static void make_inotify(const char *dir)
{
	int fd = must(inotify_init1(IN_NONBLOCK), "inotify");
	char path[200], to[200];

	must(inotify_add_watch(fd, dir, IN_CREATE | IN_MOVE | IN_DELETE), "inotify");
	must(inotify_add_watch(fd, "/", IN_DELETE_SELF | IN_ONESHOT), "inotify");
	snprintf(path, sizeof(path), "%s/first-name", dir);
	snprintf(to, sizeof(to), "%s/second", dir);
	close(must(creat(path, 0600), path));
	must(rename(path, to), path);
	must(unlink(to), to);
}

static void make_pidfds(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	must(syscall(SYS_pidfd_open, getpid(), 0), "pidfd");
	must(syscall(SYS_pidfd_open, must(pid, "fork"), 0), "pidfd");
	must(syscall(SYS_pidfd_open, pid, 0), "pidfd");
	must(waitpid(pid, NULL, 0), "waitpid");
}

/* lines and half a line that wait, and what could not be printed any more; a session of its own */
static void make_terminals(void)
{
	int master = must(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), "ptmx"), slave, raw, on = 1;
	char line[64];
	pid_t pid;

	must(unlockpt(master), "ptmx");
	slave = must(open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK), "pts");
	must(write(master, "one\ntwo\nthr", 11), "ptmx");
	must(ioctl(master, TIOCPKT, &on), "TIOCPKT");
	raw = must(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), "ptmx");
	must(unlockpt(raw), "ptmx");
	must(open(ptsname(raw), O_RDWR | O_NOCTTY), "pts");
	memset(line, '.', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	while (write(raw, line, sizeof(line)) > 0)
		usleep(1000);
	pid = must(fork(), "fork");
	if (!pid) {
		must(setsid(), "setsid");
		must(ioctl(slave, TIOCSCTTY, 0), "TIOCSCTTY");
		for (;;)
			pause();
	}
}

/* pairs, what waits in them, a connection and one that waits to be accepted */
static void make_connections(const struct sockaddr_un *un)
{
	int pair[2], s, i, one = 1;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
	must(write(pair[0], "what waits in a pair", 20), "pair");
	must(shutdown(pair[0], SHUT_WR), "pair");
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "pair");
	must(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)), "pair");
	must(write(pair[0], "signed", 6), "pair");
	for (i = 0; i < 2; i++) {
		s = must(socket(AF_UNIX, SOCK_STREAM, 0), "connection");
		must(connect(s, (const void *)un, sizeof(*un)), "connection");
		must(write(s, "let me in", 9), "connection");
	}
}

/* one with bytes in both directions, one that waits to be accepted, one whose client has gone, one that is reset */
static void make_tcps(int listener, const struct sockaddr_in *in)
{
	int s[3], a, i;

	for (i = 0; i < 3; i++) {
		s[i] = must(socket(AF_INET, SOCK_STREAM, 0), "tcp client");
		must(connect(s[i], (const void *)in, sizeof(*in)), "tcp client");
		must(write(s[i], "over the wire", 13), "tcp client");
		a = must(accept(listener, NULL, NULL), "tcp server");
		must(write(a, "and back", 8), "tcp server");
		if (i == 1)
			must(shutdown(s[i], SHUT_WR), "tcp client");
		if (i == 2)
			close(s[i]);
	}
	s[0] = must(socket(AF_INET, SOCK_STREAM, 0), "tcp client");
	must(connect(s[0], (const void *)in, sizeof(*in)), "tcp client");
	must(write(s[0], "let me in", 9), "tcp client");
	s[0] = must(socket(AF_INET, SOCK_STREAM, 0), "tcp client");
	must(connect(s[0], (const void *)in, sizeof(*in)), "tcp client");
	must(write(s[0], "gone", 4), "tcp client");
	close(s[0]);
}

static void make_sockets(const char *dir)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(7007) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(7008) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = must(socket(AF_INET, SOCK_STREAM, 0), "tcp"), one = 1;

	must(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "tcp");
	must(bind(s, (void *)&in, sizeof(in)), "tcp");
	must(listen(s, 10), "tcp");
	make_tcps(s, &in);
	s = must(socket(AF_INET6, SOCK_STREAM, 0), "tcp6");
	must(bind(s, (void *)&in6, sizeof(in6)), "tcp6");
	must(listen(s, 10), "tcp6");
	s = must(socket(AF_INET, SOCK_DGRAM, 0), "udp");
	must(bind(s, (void *)&in, sizeof(in)), "udp");
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(sendto(s, "gram", 4, 0, (void *)&in, sizeof(in)), "udp");
	must(sendto(s, "grams", 5, 0, (void *)&in, sizeof(in)), "udp");
	s = must(socket(AF_INET, SOCK_DGRAM, 0), "udp client");
	must(connect(s, (void *)&in, sizeof(in)), "udp client");
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", dir);
	s = must(socket(AF_UNIX, SOCK_STREAM, 0), "unix");
	must(bind(s, (void *)&un, sizeof(un)), "unix");
	must(listen(s, 5), "unix");
	make_connections(&un);
}

static void make_files(const char *dir)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/data", dir);
	fd = must(open(path, O_RDWR | O_CREAT | O_APPEND, 0600), path);
	must(write(fd, "some bytes in a file", 20), path);
	must(lseek(fd, 5, SEEK_SET), path);
	must(dup(fd), path);
	must(open(path, O_RDONLY | O_CLOEXEC), path);
	must(open(dir, O_RDONLY | O_DIRECTORY), dir);
	must(open("/dev/null", O_RDWR), "/dev/null");
}

static void make_deleted(const char *dir)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/deleted", dir);
	fd = must(open(path, O_RDWR | O_CREAT, 0640), path);
	must(write(fd, "what nobody finds any more", 26), path);
	must(fsetxattr(fd, "trusted.note", "note", 4, 0), path);
	must(open(path, O_RDONLY), path);
	must(unlink(path), path);
	snprintf(path, sizeof(path), "%s/deleted-directory", dir);
	must(mkdir(path, 0700), path);
	must(chdir(path), path);
	must(rmdir(path), path);
}

/* what is locked, and who is told of what */
static void make_locks(const char *dir)
{
	struct flock range = { .l_type = F_WRLCK, .l_start = 100, .l_len = 50 };
	char path[200];
	int fd, p[2];

	snprintf(path, sizeof(path), "%s/locked", dir);
	fd = must(open(path, O_RDWR | O_CREAT, 0600), path);
	must(flock(fd, LOCK_EX), path);
	must(fcntl(fd, F_SETLK, &range), path);
	range.l_start = 1000;
	must(fcntl(fd, F_OFD_SETLK, &range), path);
	snprintf(path, sizeof(path), "%s/leased", dir);
	must(close(must(creat(path, 0600), path)), path);
	must(fcntl(must(open(path, O_RDONLY), path), F_SETLEASE, F_RDLCK), path);
	must(pipe(p), "pipe");
	must(fcntl(p[0], F_SETOWN, getpid()), "F_SETOWN");
	must(fcntl(p[0], F_SETSIG, SIGRTMIN + 4), "F_SETSIG");
	must(fcntl(p[0], F_SETFL, O_ASYNC), "O_ASYNC");
}

static void touch(char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += 512)
		p[i] = i / 512 + 1;
}

static char *map(size_t len, int prot, int flags, int fd)
{
	char *p = mmap(NULL, len, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void make_memory(const char *dir)
{
	const int rw = PROT_READ | PROT_WRITE;
	char path[200];
	int fd = must(memfd_create("zoo", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd");

	must(ftruncate(fd, 40000), "memfd");
	touch(map(40000, rw, MAP_SHARED, fd), 40000);
	must(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), "memfd");
	touch(map(50000, rw, MAP_SHARED | MAP_ANONYMOUS, -1), 50000);
	touch(map(4096 * 300, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1), 4096 * 300);
	madvise(map(8192, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1), 8192, MADV_DONTFORK);
	mlock(map(8192, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1), 8192);
	map(1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(8192, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1);
	snprintf(path, sizeof(path), "%s/mapped", dir);
	fd = must(open(path, O_RDWR | O_CREAT, 0600), path);
	must(ftruncate(fd, 10000), path);
	map(10000, rw, MAP_SHARED, fd);
	touch(map(10000, rw, MAP_PRIVATE, fd), 10000);
	close(fd);
}

/* a segment that is attached and one that waits for its last user, messages, semaphores and what is undone */
static void make_ipc(void)
{
	struct { long type; char text[5000]; } msg = { 7, "a message" };
	int id = must(shmget(0x5e41, 9000, IPC_CREAT | 0640), "shmget");
	struct sembuf undo = { 1, 3, SEM_UNDO };

	touch(shmat(id, NULL, 0), 9000);
	id = must(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600), "shmget");
	touch(shmat(id, NULL, 0), 4096);
	must(shmctl(id, IPC_RMID, NULL), "shmctl");
	id = must(msgget(0x5e42, IPC_CREAT | 0600), "msgget");
	must(msgsnd(id, &msg, 10, 0), "msgsnd");
	must(msgsnd(id, &msg, sizeof(msg.text), 0), "msgsnd");
	id = must(semget(0x5e43, 3, IPC_CREAT | 0600), "semget");
	must(semop(id, &undo, 1), "semop");
}

/* one with a name, messages and somebody to notify, and one without a name */
static void make_mqueues(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 5000 };
	char msg[5000] = "a message";
	mqd_t q;

	q = must(mq_open("/zoo", O_RDWR | O_CREAT, 0640, &attr), "mq_open");
	must(mq_send(q, msg, 10, 1), "mq_send");
	must(mq_send(q, msg, sizeof(msg), 7), "mq_send");
	must(mq_notify(q, &ev), "mq_notify");
	q = must(mq_open("/deleted", O_RDONLY | O_CREAT, 0600, &attr), "mq_open");
	must(mq_unlink("/deleted"), "mq_unlink");
}

/* with names of one and of two bytes, and two of the same length; something is mounted in it, and a file mapped */
static void make_tmpfs(const char *dir)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/own", dir);
	must(mkdir(path, 0700), path);
	must(mount("own", path, "tmpfs", 0, "size=8m,mode=750"), path);
	must(chdir(path), path);
	must(mkdir("d", 0700), path);
	must(mkdir("on", 0700), path);
	must(mount("inner", "on", "tmpfs", 0, "size=1m"), path);
	must(symlink("on", "ab"), path);
	must(mknod("null", S_IFCHR | 0600, makedev(1, 3)), path);
	must(mkfifo("d/fifo", 0600), path);
	fd = must(open("d/file", O_RDWR | O_CREAT, 0640), path);
	must(ftruncate(fd, 10000), path);
	touch(map(10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 10000);
	must(link("d/file", "link"), path);
	must(fsetxattr(fd, "trusted.note", "note", 4, 0), path);
	must(chdir(dir), dir);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void make_signals(void)
{
	struct itimerval in = { .it_value.tv_sec = 100000, .it_interval.tv_sec = 1 };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };
	stack_t stack = { .ss_size = 65536 };
	union sigval value = { .sival_int = 4711 };
	struct rlimit lim = { 500, 1000 };
	sigset_t set;

	stack.ss_sp = map(stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(sigaltstack(&stack, NULL), "sigaltstack");
	must(sigaction(SIGUSR1, &sa, NULL), "sigaction");
	must(sigaction(SIGALRM, &sa, NULL), "sigaction");
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	must(raise(SIGUSR2), "raise");
	must(sigqueue(getpid(), SIGRTMIN + 3, value), "sigqueue");
	must(setitimer(ITIMER_REAL, &in, NULL), "setitimer");
	must(setrlimit(RLIMIT_NOFILE, &lim), "setrlimit");
}

/* one whose signal waits, one for a thread, one of CPU time, one that has never been set */
static void make_timers(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3 };
	struct itimerspec in = { .it_value.tv_nsec = 1, .it_interval.tv_sec = 3 };
	struct itimerval virtual = { .it_value.tv_sec = 100000, .it_interval.tv_sec = 1 };
	timer_t timer;

	must(timer_create(CLOCK_MONOTONIC, &event, &timer), "timer_create");
	must(timer_settime(timer, 0, &in, NULL), "timer_settime");
	in.it_value.tv_sec = 100000;
	event.sigev_notify = SIGEV_THREAD_ID;
	event._sigev_un._tid = getpid();
	must(timer_create(CLOCK_REALTIME, &event, &timer), "timer_create");
	must(timer_settime(timer, 0, &in, NULL), "timer_settime");
	must(timer_create(CLOCK_PROCESS_CPUTIME_ID, NULL, &timer), "timer_create");
	must(timer_settime(timer, 0, &in, NULL), "timer_settime");
	event.sigev_notify = SIGEV_NONE;
	must(timer_create(CLOCK_BOOTTIME, &event, &timer), "timer_create");
	must(setitimer(ITIMER_VIRTUAL, &virtual, NULL), "setitimer");
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *sleeper(void *arg)
{
	sleep(1000000);
	return arg;
}

static void *poller(void *arg)
{
	for (;;)
		poll(NULL, 0, 1000000000);
	return arg;
}

static void *waiter(void *arg)
{
	struct timespec until = { .tv_sec = 4000000000 };

	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_timedwait(&cond, &mutex, &until);
	return arg;
}

static void *cpu_sleeper(void *arg)
{
	struct timespec long_time = { .tv_sec = 100000 };

	clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &long_time, NULL);
	return arg;
}

static void make_threads(void)
{
	void *(*const run[])(void *) = { sleeper, poller, waiter, cpu_sleeper };
	pthread_t thread;
	size_t i;

	for (i = 0; i < sizeof(run) / sizeof(*run); i++)
		if (pthread_create(&thread, NULL, run[i], NULL))
			errx(1, "pthread_create");
}

/* two, of which one is behind the other */
static void set_filters(void)
{
	struct sock_filter allow[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 2, allow };

	must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
	must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program), "seccomp");
}

static void child_main(int n)
{
	gid_t groups[] = { 7, 65534 };

	if (n == 0)
		exit(33);
	if (n == 1) {
		must(setsid(), "setsid");
		if (fork())
			_exit(0);
	}
	if (n == 2) {
		must(setpgid(0, 0), "setpgid");
		must(nice(5), "nice");
		set_filters();
		must(setgroups(2, groups), "setgroups");
		must(setresgid(65534, 65534, 7), "setresgid");
		must(setresuid(65534, 65534, 0), "setresuid");
	}
	if (n == 3)
		raise(SIGSTOP);
	for (;;)
		pause();
}

/* a zombie, an orphan in a session whose leader is gone, one with other credentials, one that is stopped */
static void make_children(void)
{
	siginfo_t info;
	pid_t pid;
	int n;

	for (n = 0; n < 4; n++) {
		pid = must(fork(), "fork");
		if (!pid)
			child_main(n);
		if (n < 2)
			must(waitid(P_PID, pid, &info, WEXITED | (n ? 0 : WNOWAIT)), "waitid");
	}
}

int main(int argc, char **argv)
{
	char path[200];

	if (argc != 2)
		errx(2, "usage: bad-zoo DIR");
	must(chdir(argv[1]), argv[1]);
	make_children();
	make_files(argv[1]);
	make_tmpfs(argv[1]);
	make_deleted(argv[1]);
	make_locks(argv[1]);
	make_pipes(argv[1]);
	make_events();
	make_inotify(argv[1]);
	make_pidfds();
	make_terminals();
	make_sockets(argv[1]);
	make_memory(argv[1]);
	make_ipc();
	make_mqueues();
	make_signals();
	make_timers();
	make_threads();
	usleep(300000);
	snprintf(path, sizeof(path), "%s/ready", argv[1]);
	close(must(creat(path, 0600), path));
	for (;;)
		pause();
}
