// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call that waits, again and again, each in a thread of its own; see usage.
 *
 * A thread does nothing but look at the clock: what it misses is when the
 * program stood still, or the machine had something better to do.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

static const char usage[] =
	"usage: waits DIR [all]\n"
	"\n"
	"Makes DIR/ready when it runs, and DIR/report when there is DIR/stop: a line for each call,\n"
	"\n"
	"	NAME calls N eintr N early N late N wrong N most MS\n"
	"\n"
	"how often it was made, answered EINTR, ended before its timeout, ended later than 1.2 times\n"
	"its timeout and half a second and the time in which the program stood still, returned\n"
	"something else than it should, and the most that it was late. With \"all\" it also has\n"
	"calls on what cannot be saved yet.\n";

#define MS 1000000LL
#define SLACK_NS (500 * MS)
/* a look at the clock that took longer is a gap */
#define GAP_NS (8 * MS)

static const int timeouts_ms[] = { 50, 130, 400, 1000, 2000 };

struct wait;

/* a call: makes its files, and waits for so long, or for an event if 0; -errno or what it returns */
struct kind {
	const char *name;
	long (*run)(struct wait *w, long ms);
	void (*prepare)(struct wait *w);
	long wanted;
	/* without a timeout: the feeder calls it now and then */
	void (*event)(struct wait *w);
	bool refused;			/* what it waits on cannot be saved yet */
};

struct wait {
	const struct kind *kind;
	pthread_t thread;
	int fd, other, epfd;
	aio_context_t aio;
	uint32_t word;
	atomic_bool waiting;
	unsigned long calls, eintr, early, late, wrong;
	long last_wrong;
	long long most_ns, least_ns;
};

static atomic_llong gaps_ns, looks;
static atomic_bool stop;

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

/*
 * As of the last tick, by which sockets count their timeouts: where a machine is
 * late with its ticks they end early by the other clock, frozen or not.
 */
static long long tick_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static struct timespec in_ns(long long ns)
{
	return (struct timespec){ .tv_sec = ns / (1000 * MS), .tv_nsec = ns % (1000 * MS) };
}

static struct timespec after_ms(long ms)
{
	return in_ns(now_ns() + ms * MS);
}

static struct timespec in_ms(long ms)
{
	return in_ns(ms * MS);
}

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* epoll */

static void with_epoll(struct wait *w)
{
	struct epoll_event ev = { .events = EPOLLIN };

	need((w->epfd = epoll_create1(0)) >= 0);
	need((w->fd = eventfd(0, EFD_NONBLOCK)) >= 0);
	need(!epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->fd, &ev));
}

static void post_eventfd(struct wait *w)
{
	uint64_t one = 1;

	need(write(w->fd, &one, sizeof(one)) == sizeof(one));
}

static long run_epoll_wait(struct wait *w, long ms)
{
	struct epoll_event ev;
	uint64_t count;
	long ret = result(epoll_wait(w->epfd, &ev, 1, ms ? ms : -1));

	if (ret == 1)
		need(read(w->fd, &count, sizeof(count)) == sizeof(count));
	return ret;
}

static long run_epoll_pwait(struct wait *w, long ms)
{
	struct epoll_event ev;
	sigset_t set, is;
	long ret;

	sigfillset(&set);
	ret = result(epoll_pwait(w->epfd, &ev, 1, ms, &set));
	need(!pthread_sigmask(SIG_BLOCK, NULL, &is));
	return sigismember(&is, SIGTERM) ? -EDOM : ret;
}

static long run_epoll_pwait2(struct wait *w, long ms)
{
	struct timespec ts = in_ms(ms);
	struct epoll_event ev;

	return result(syscall(SYS_epoll_pwait2, w->epfd, &ev, 1, &ts, NULL, 0));
}

/* poll and select */

static void with_eventfd(struct wait *w)
{
	need((w->fd = eventfd(0, 0)) >= 0);
}

static long run_poll(struct wait *w, long ms)
{
	struct pollfd fd = { .fd = w->fd, .events = POLLIN };

	return result(poll(&fd, 1, ms));
}

static long run_ppoll(struct wait *w, long ms)
{
	struct pollfd fd = { .fd = w->fd, .events = POLLIN };
	struct timespec ts = in_ms(ms);

	return result(ppoll(&fd, 1, &ts, NULL));
}

static long run_select(struct wait *w, long ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(w->fd, &set);
	return result(select(w->fd + 1, &set, NULL, NULL, &tv));
}

static long run_pselect(struct wait *w, long ms)
{
	struct timespec ts = in_ms(ms);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(w->fd, &set);
	return result(pselect(w->fd + 1, &set, NULL, NULL, &ts, NULL));
}

/* sleeps and futexes */

static long run_nanosleep(struct wait *w, long ms)
{
	struct timespec ts = in_ms(ms);

	(void)w;
	return result(nanosleep(&ts, NULL));
}

static long run_sleep_until(struct wait *w, long ms)
{
	struct timespec ts = after_ms(ms);

	(void)w;
	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static long run_futex(struct wait *w, long ms)
{
	struct timespec ts = in_ms(ms);

	return result(syscall(SYS_futex, &w->word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0));
}

static long run_futex_until(struct wait *w, long ms)
{
	struct timespec ts = after_ms(ms);

	return result(syscall(SYS_futex, &w->word, FUTEX_WAIT_BITSET_PRIVATE, 0, &ts, NULL,
			      FUTEX_BITSET_MATCH_ANY));
}

/* signals, which are blocked everywhere */

static long run_sigtimedwait(struct wait *w, long ms)
{
	struct timespec ts = in_ms(ms);
	sigset_t set;

	(void)w;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	return result(sigtimedwait(&set, NULL, &ts));
}

static long run_sigwaitinfo(struct wait *w, long ms)
{
	sigset_t set;

	(void)w;
	(void)ms;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return result(sigwaitinfo(&set, NULL));
}

static void send_signal(struct wait *w)
{
	need(!pthread_kill(w->thread, SIGUSR2));
}

/* the event of a call that ends without the feeder */
static void by_itself(struct wait *w)
{
	(void)w;
}

static long run_wait(struct wait *w, long ms)
{
	pid_t pid = fork();
	int status;

	(void)w;
	(void)ms;
	if (!pid) {
		sleep_ms(300);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid ? 0 : -errno;
}

/* files */

static long run_read(struct wait *w, long ms)
{
	uint64_t count;

	(void)ms;
	return result(read(w->fd, &count, sizeof(count)));
}

static void with_pipe(struct wait *w)
{
	int fds[2];

	need(!pipe(fds));
	w->fd = fds[0];
	w->other = fds[1];
}

static void post_pipe(struct wait *w)
{
	uint64_t one = 1;

	need(write(w->other, &one, sizeof(one)) == sizeof(one));
}

static void with_memfd(struct wait *w)
{
	need((w->fd = memfd_create("waits", 0)) >= 0);
}

static long run_fallocate(struct wait *w, long ms)
{
	long ret;

	(void)ms;
	ret = result(fallocate(w->fd, 0, 0, 4 << 20));
	need(!ftruncate(w->fd, 0));
	sleep_ms(5);
	return ret;
}

static void with_inotify(struct wait *w)
{
	need((w->fd = inotify_init1(0)) >= 0);
	need(inotify_add_watch(w->fd, in_dir("."), IN_ATTRIB) >= 0);
}

static long run_inotify(struct wait *w, long ms)
{
	char events[4096];

	(void)ms;
	return result(read(w->fd, events, sizeof(events))) > 0 ? 0 : -errno;
}

static void touch_dir(struct wait *w)
{
	(void)w;
	need(!utimensat(AT_FDCWD, in_dir("."), NULL, 0));
}

/* sockets */

static void set_timeout(int fd, long ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	need(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	need(!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
}

static void with_inet(struct wait *w, int type)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	need((w->fd = socket(AF_INET, type, 0)) >= 0);
	need(!bind(w->fd, (struct sockaddr *)&sin, sizeof(sin)));
}

static void with_udp(struct wait *w)
{
	with_inet(w, SOCK_DGRAM);
}

static void with_tcp(struct wait *w)
{
	with_inet(w, SOCK_STREAM);
	need(!listen(w->fd, 5));
}

static void with_unix(struct wait *w)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "\0waits" };

	need((w->fd = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
	need(!bind(w->fd, (struct sockaddr *)&sun, sizeof(sun)));
	need(!listen(w->fd, 5));
}

static void with_pair(struct wait *w)
{
	int fds[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	w->fd = fds[0];
	w->other = fds[1];
}

/* a pair that takes no more */
static void with_full_pair(struct wait *w)
{
	static char page[4096];

	with_pair(w);
	while (send(w->fd, page, sizeof(page), MSG_DONTWAIT) > 0)
		;
	while (send(w->fd, page, 1, MSG_DONTWAIT) > 0)
		;
	need(errno == EAGAIN);
}

static long run_recv(struct wait *w, long ms)
{
	char c[16];

	set_timeout(w->fd, ms);
	return result(recv(w->fd, c, sizeof(c), 0));
}

static long run_recvmsg(struct wait *w, long ms)
{
	char c[16];
	struct iovec iov = { c, sizeof(c) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	set_timeout(w->fd, ms);
	return result(recvmsg(w->fd, &msg, 0));
}

static long run_recvmmsg(struct wait *w, long ms)
{
	char c[16];
	struct iovec iov = { c, sizeof(c) };
	struct mmsghdr msg = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };

	set_timeout(w->fd, ms);
	return result(recvmmsg(w->fd, &msg, 1, 0, NULL));
}

static long run_read_socket(struct wait *w, long ms)
{
	char c[16];

	set_timeout(w->fd, ms);
	return result(read(w->fd, c, sizeof(c)));
}

static long run_accept(struct wait *w, long ms)
{
	set_timeout(w->fd, ms);
	return result(accept(w->fd, NULL, NULL));
}

static long run_accept4(struct wait *w, long ms)
{
	set_timeout(w->fd, ms);
	return result(accept4(w->fd, NULL, NULL, SOCK_CLOEXEC));
}

static long run_send(struct wait *w, long ms)
{
	set_timeout(w->fd, ms);
	return result(send(w->fd, "x", 1, 0));
}

static long run_write_socket(struct wait *w, long ms)
{
	set_timeout(w->fd, ms);
	return result(write(w->fd, "x", 1));
}

/* System V and POSIX ipc, asynchronous I/O */

static void with_sem(struct wait *w)
{
	need((w->fd = semget(IPC_PRIVATE, 1, 0600)) >= 0);
}

static long run_semtimedop(struct wait *w, long ms)
{
	struct sembuf op = { .sem_op = -1 };
	struct timespec ts = in_ms(ms);

	return result(semtimedop(w->fd, &op, 1, &ts));
}

static long run_semop(struct wait *w, long ms)
{
	struct sembuf op = { .sem_op = -1 };

	(void)ms;
	return result(semop(w->fd, &op, 1));
}

static void post_sem(struct wait *w)
{
	struct sembuf op = { .sem_op = 1 };

	need(!semop(w->fd, &op, 1));
}

struct message {
	long type;
	char text[8];
};

static void with_queue(struct wait *w)
{
	need((w->fd = msgget(IPC_PRIVATE, 0600)) >= 0);
}

static long run_msgrcv(struct wait *w, long ms)
{
	struct message m;

	(void)ms;
	return result(msgrcv(w->fd, &m, sizeof(m.text), 0, 0));
}

static void post_queue(struct wait *w)
{
	struct message m = { .type = 1 };

	need(!msgsnd(w->fd, &m, sizeof(m.text), 0));
}

static void with_mq(struct wait *w)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 8 };

	need((w->fd = mq_open("/waits", O_RDWR | O_CREAT, 0600, &attr)) >= 0);
	mq_unlink("/waits");
}

static long run_mq(struct wait *w, long ms)
{
	struct timespec ts;
	char c[8];

	clock_gettime(CLOCK_REALTIME, &ts);
	ts = in_ns(ts.tv_sec * 1000 * MS + ts.tv_nsec + ms * MS);
	return result(mq_timedreceive(w->fd, c, sizeof(c), NULL, &ts));
}

static void with_aio(struct wait *w)
{
	need(!syscall(SYS_io_setup, 1, &w->aio));
}

static long run_io_getevents(struct wait *w, long ms)
{
	struct timespec ts = in_ms(ms);
	struct io_event ev;

	return result(syscall(SYS_io_getevents, w->aio, 1, 1, &ev, &ts));
}

static long run_io_pgetevents(struct wait *w, long ms)
{
	struct timespec ts = in_ms(ms);
	struct io_event ev;

	return result(syscall(SYS_io_pgetevents, w->aio, 1, 1, &ev, &ts, NULL));
}

/* a call with a timeout; a call without one, which ends when @what has been */
#define TIMED(text, fn, ...) { .name = text, .run = fn, __VA_ARGS__ }
#define EVENT(text, fn, what, ...) { .name = text, .run = fn, .event = what, __VA_ARGS__ }

static const struct kind kinds[] = {
	TIMED("epoll_wait", run_epoll_wait, .prepare = with_epoll),
	TIMED("epoll_pwait", run_epoll_pwait, .prepare = with_epoll),
	TIMED("epoll_pwait2", run_epoll_pwait2, .prepare = with_epoll),
	TIMED("poll", run_poll, .prepare = with_eventfd),
	TIMED("ppoll", run_ppoll, .prepare = with_eventfd),
	TIMED("select", run_select, .prepare = with_eventfd),
	TIMED("pselect", run_pselect, .prepare = with_eventfd),
	TIMED("nanosleep", run_nanosleep, .wanted = 0),
	TIMED("clock_nanosleep", run_sleep_until, .wanted = 0),
	TIMED("futex", run_futex, .wanted = -ETIMEDOUT),
	TIMED("futex-bitset", run_futex_until, .wanted = -ETIMEDOUT),
	TIMED("sigtimedwait", run_sigtimedwait, .wanted = -EAGAIN),
	TIMED("recv-udp", run_recv, .prepare = with_udp, .wanted = -EAGAIN),
	TIMED("recvmsg-udp", run_recvmsg, .prepare = with_udp, .wanted = -EAGAIN),
	TIMED("recvmmsg-udp", run_recvmmsg, .prepare = with_udp, .wanted = -EAGAIN),
	TIMED("read-udp", run_read_socket, .prepare = with_udp, .wanted = -EAGAIN),
	TIMED("accept-tcp", run_accept, .prepare = with_tcp, .wanted = -EAGAIN),
	TIMED("accept4-unix", run_accept4, .prepare = with_unix, .wanted = -EAGAIN),
	EVENT("epoll_wait-event", run_epoll_wait, post_eventfd, .prepare = with_epoll, .wanted = 1),
	EVENT("sigwaitinfo-event", run_sigwaitinfo, send_signal, .wanted = SIGUSR2),
	EVENT("read-eventfd-event", run_read, post_eventfd, .prepare = with_eventfd, .wanted = 8),
	EVENT("read-pipe-event", run_read, post_pipe, .prepare = with_pipe, .wanted = 8),
	EVENT("wait-event", run_wait, by_itself, .wanted = 0),
	EVENT("fallocate-memfd", run_fallocate, by_itself, .prepare = with_memfd),

	TIMED("recv-unix", run_recv, .prepare = with_pair, .wanted = -EAGAIN, .refused = true),
	TIMED("read-unix", run_read_socket, .prepare = with_pair, .wanted = -EAGAIN,
	      .refused = true),
	TIMED("send-unix", run_send, .prepare = with_full_pair, .wanted = -EAGAIN, .refused = true),
	TIMED("write-unix", run_write_socket, .prepare = with_full_pair, .wanted = -EAGAIN,
	      .refused = true),
	TIMED("semtimedop", run_semtimedop, .prepare = with_sem, .wanted = -EAGAIN),
	EVENT("semop-event", run_semop, post_sem, .prepare = with_sem),
	EVENT("msgrcv-event", run_msgrcv, post_queue, .prepare = with_queue, .wanted = 8),
	TIMED("mq_timedreceive", run_mq, .prepare = with_mq, .wanted = -ETIMEDOUT,
	      .refused = true),
	TIMED("io_getevents", run_io_getevents, .prepare = with_aio, .refused = true),
	TIMED("io_pgetevents", run_io_pgetevents, .prepare = with_aio, .refused = true),
	EVENT("inotify-event", run_inotify, touch_dir, .prepare = with_inotify),
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct wait waits[NR_KINDS];

/* until the thread that looks at the clock has seen all gaps up to now */
static void settle(void)
{
	long long then = looks;

	while (looks < then + 2)
		sleep_ms(1);
}

static void once(struct wait *w, long ms)
{
	long long gaps = gaps_ns, from = now_ns(), from_tick = tick_ns(), took, ticks, late;
	long ret;

	w->waiting = true;
	ret = w->kind->run(w, ms);
	took = now_ns() - from;
	ticks = tick_ns() - from_tick;
	w->waiting = false;
	w->calls++;
	if (ret == -EINTR) {
		w->eintr++;
		return;
	}
	if (ret != w->kind->wanted) {
		w->wrong++;
		w->last_wrong = ret;
		return;
	}
	if (!ms)
		return;
	if (took < ms * MS && ticks < ms * MS) {
		w->early++;
		if (ms * MS - took > w->least_ns)
			w->least_ns = ms * MS - took;
	}
	settle();
	late = took - ms * MS - (gaps_ns - gaps);
	if (late > w->most_ns)
		w->most_ns = late;
	if (late > ms * MS / 5 + SLACK_NS)
		w->late++;
}

static void *waiter(void *arg)
{
	struct wait *w = arg;
	unsigned int turn = w - waits;

	while (!stop)
		once(w, w->kind->event ? 0 : timeouts_ms[turn++ %
		     (sizeof(timeouts_ms) / sizeof(timeouts_ms[0]))]);
	return NULL;
}

/* ends the calls without a timeout, each now and then */
static void *feeder(void *arg)
{
	unsigned int turn = 0;
	size_t i;

	for (;; turn++) {
		sleep_ms(150);
		for (i = 0; i < NR_KINDS; i++) {
			struct wait *w = &waits[i];

			if (w->kind && w->kind->event && w->waiting && (stop || (turn + i) % 4 == 0))
				w->kind->event(w);
		}
	}
	return arg;
}

static void *clock_watcher(void *arg)
{
	long long last = now_ns(), now;

	for (;;) {
		sleep_ms(2);
		now = now_ns();
		if (now - last > GAP_NS)
			gaps_ns += now - last;
		last = now;
		looks++;
	}
	return arg;
}

static void report(void)
{
	FILE *f = fopen(in_dir("report.new"), "w");
	size_t i;

	need(f);
	for (i = 0; i < NR_KINDS; i++) {
		struct wait *w = &waits[i];

		if (!w->kind)
			continue;
		fprintf(f, "%s calls %lu eintr %lu early %lu late %lu wrong %lu most %lld",
			w->kind->name, w->calls, w->eintr, w->early, w->late, w->wrong,
			w->most_ns / MS);
		if (w->early)
			fprintf(f, " by-us %lld", w->least_ns / 1000);
		if (w->wrong)
			fprintf(f, " returned %ld", w->last_wrong);
		fprintf(f, "\n");
	}
	need(!fclose(f));
	need(!rename(in_dir("report.new"), in_dir("report")));
}

int main(int argc, char **argv)
{
	bool all = argc == 3 && !strcmp(argv[2], "all");
	pthread_t thread;
	sigset_t set;
	size_t i;

	if (argc < 2 || argc > 3 || (argc == 3 && !all))
		return fputs(usage, stderr), 2;
	verdict_dir(argv[1]);
	sigfillset(&set);
	sigdelset(&set, SIGTERM);
	need(!pthread_sigmask(SIG_SETMASK, &set, NULL));
	for (i = 0; i < NR_KINDS; i++) {
		if (kinds[i].refused && !all)
			continue;
		waits[i].kind = &kinds[i];
		if (kinds[i].prepare)
			kinds[i].prepare(&waits[i]);
	}
	need(!pthread_create(&thread, NULL, clock_watcher, NULL));
	for (i = 0; i < NR_KINDS; i++)
		if (waits[i].kind)
			need(!pthread_create(&waits[i].thread, NULL, waiter, &waits[i]));
	need(!pthread_create(&thread, NULL, feeder, NULL));
	ready();
	while (access(in_dir("stop"), F_OK))
		sleep_ms(50);
	stop = true;
	for (i = 0; i < NR_KINDS; i++)
		if (waits[i].kind)
			pthread_join(waits[i].thread, NULL);
	report();
	pause();
	return 0;
}
