// SPDX-License-Identifier: GPL-2.0-only
/* Unix sockets that are connected, and what waits in them.  usage: unixes DIR */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verdict.h"

#define BIG 150000

static int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
static const char *const type_names[] = { "stream", "datagrams", "packets in sequence" };

static int pairs[3][2], big[2], creds[2], shut[2], gone, gone_unread, gone_dgram, peek[2];
static int listener, relinked, client, server, waiting, named, unnamed;
static int rights[2], kept, locked, locked_over[2], cycle[2], stamped[2], outside;
static pid_t dead;
static long long stamp_from, stamp_to;

static void pair(int type, int *fds)
{
	need(!socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
}

static bool says(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* the next that comes is this, without waiting */
static bool hears(int fd, const char *text)
{
	char got[64];
	ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);

	return n == (ssize_t)strlen(text) && !memcmp(got, text, n);
}

static socklen_t address(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path, in_dir(name));
	return offsetof(struct sockaddr_un, sun_path) + strlen(a->sun_path) + 1;
}

static int bound(int type, const char *name)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	socklen_t len = address(&a, name);

	need(fd >= 0 && !bind(fd, (void *)&a, len));
	return fd;
}

static int connected(int type, const char *name)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	socklen_t len = address(&a, name);

	need(fd >= 0 && !connect(fd, (void *)&a, len));
	return fd;
}

static void give(int over, const int *fds, int nr)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = "";
	struct iovec vec = { "take", 4 };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = CMSG_SPACE(nr * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
	need(sendmsg(over, &msg, 0) == 4);
}

/* one message with what comes along with it, which is copied to @data; false if it is another */
static bool take(int fd, int type, void *data, size_t len)
{
	char control[256] = "", word[16];
	struct iovec vec = { word, sizeof(word) };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &msg, MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == type && c->cmsg_len == CMSG_LEN(len)) {
			memcpy(data, CMSG_DATA(c), len);
			return true;
		}
	return false;
}

static void prepare_pairs(void)
{
	char two[2];

	for (int i = 0; i < 3; i++) {
		pair(types[i], pairs[i]);
		need(says(pairs[i][0], "first") && says(pairs[i][0], "second") && says(pairs[i][1], "back"));
	}
	need(read(pairs[0][1], two, 2) == 2);
	/* a packet without bytes */
	need(!send(pairs[1][0], "", 0, 0) && says(pairs[1][0], "third"));
}

static void check_pairs(void)
{
	for (int i = 0; i < 3; i++) {
		int *p = pairs[i];
		bool good = i ? hears(p[1], "first") && hears(p[1], "second") : hears(p[1], "rstsecond");

		if (i == 1)
			good = good && !recv(p[1], (char[4]){ 0 }, 4, MSG_DONTWAIT) && hears(p[1], "third");
		verdict(good && hears(p[0], "back"), "C6", "unixes: what waits in a pair of %s", type_names[i]);
		verdict(recv(p[1], (char[4]){ 0 }, 4, MSG_DONTWAIT) < 0 && errno == EAGAIN && says(p[1], "new") &&
			hears(p[0], "new") && says(p[0], "old") && hears(p[1], "old"), "C6",
			"unixes: a pair of %s talks on", type_names[i]);
	}
}

static void prepare_big(void)
{
	static char bytes[BIG];
	int size = 4 * BIG;

	pair(SOCK_STREAM, big);
	need(!setsockopt(big[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	pattern(bytes, BIG, 7);
	need(write(big[0], bytes, BIG) == BIG);
}

static void check_big(void)
{
	static char bytes[BIG];

	verdict(recv(big[1], bytes, BIG, MSG_WAITALL) == BIG && pattern_is(bytes, BIG, 7), "C6",
		"unixes: many bytes that wait");
}

static void prepare_creds(void)
{
	int one = 1;

	pair(SOCK_DGRAM, creds);
	need(says(creds[0], "without"));
	need(!setsockopt(creds[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	dead = fork();
	need(dead >= 0);
	if (!dead)
		_exit(setresgid(77, 77, 77) || setresuid(33, 33, 33) || !says(creds[0], "with"));
	need(waitpid(dead, NULL, 0) == dead);
	need(says(creds[0], "mine"));
}

static void check_creds(void)
{
	struct ucred c[3];

	verdict(take(creds[1], SCM_CREDENTIALS, &c[0], sizeof(*c)) && !c[0].pid && c[0].uid == 65534, "C6",
		"unixes: a message that nobody asked to be signed");
	verdict(take(creds[1], SCM_CREDENTIALS, &c[1], sizeof(*c)) && c[1].pid == dead && c[1].uid == 33 &&
		c[1].gid == 77, "C6", "unixes: a message of a process that has ended");
	verdict(take(creds[1], SCM_CREDENTIALS, &c[2], sizeof(*c)) && c[2].pid == getpid() && !c[2].uid, "C6",
		"unixes: a message of a process that runs");
}

static void prepare_ends(void)
{
	int p[2];

	pair(SOCK_STREAM, shut);
	need(says(shut[0], "last") && !shutdown(shut[0], SHUT_WR));
	pair(SOCK_STREAM, p);
	need(says(p[1], "left") && !close(p[1]));
	gone = p[0];
	pair(SOCK_STREAM, p);
	need(says(p[0], "unread") && says(p[1], "left") && !close(p[1]));
	gone_unread = p[0];
	pair(SOCK_DGRAM, p);
	need(says(p[1], "left") && !close(p[1]));
	gone_dgram = p[0];
}

static void check_ends(void)
{
	verdict(hears(shut[1], "last") && hears(shut[1], "") && !says(shut[0], "x") && errno == EPIPE &&
		says(shut[1], "answer") && hears(shut[0], "answer"), "C6", "unixes: one direction is shut down");
	verdict(hears(gone, "left") && hears(gone, "") && !says(gone, "x") && errno == EPIPE, "C6",
		"unixes: the other end is closed");
	verdict(hears(gone_unread, "left") && !hears(gone_unread, "") && errno == ECONNRESET &&
		hears(gone_unread, ""), "C6", "unixes: the other end was closed before it had read all");
	verdict(hears(gone_dgram, "left") && !says(gone_dgram, "x") && errno == ECONNREFUSED, "C6",
		"unixes: the other end of datagrams is closed");
}

static void prepare_peek(void)
{
	char got[3];
	int at = 0;

	pair(SOCK_STREAM, peek);
	need(says(peek[0], "abcdef") && !setsockopt(peek[1], SOL_SOCKET, SO_PEEK_OFF, &at, sizeof(at)));
	need(recv(peek[1], got, 3, MSG_PEEK) == 3);
}

static void check_peek(void)
{
	char got[3] = "";

	verdict(recv(peek[1], got, 2, MSG_PEEK) == 2 && !strcmp(got, "de") && hears(peek[1], "abcdef"), "C6",
		"unixes: SO_PEEK_OFF");
}

static void prepare_connections(void)
{
	int closed;

	listener = bound(SOCK_STREAM, "listener");
	need(!listen(listener, 10));
	client = connected(SOCK_STREAM, "listener");
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	need(server >= 0 && says(client, "question") && says(server, "answer"));
	waiting = connected(SOCK_STREAM, "listener");
	closed = connected(SOCK_STREAM, "listener");
	need(says(waiting, "let me in") && says(closed, "too late") && !close(closed));
	need(!shutdown(waiting, SHUT_WR));
}

/* bound to one name, found by another that was linked to it */
static void prepare_relinked(void)
{
	relinked = bound(SOCK_STREAM, "relinked.new");
	need(!link(in_dir("relinked.new"), in_dir("relinked")) && !unlink(in_dir("relinked.new")));
	need(!listen(relinked, 10));
}

static bool has_name(int fd, int (*get)(int, struct sockaddr *, socklen_t *), const char *name)
{
	struct sockaddr_un a, want;
	socklen_t len = sizeof(a), want_len = address(&want, name);

	return !get(fd, (void *)&a, &len) && len == want_len && !memcmp(&a, &want, len);
}

static bool is_peer_of_me(int fd)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) && c.pid == getpid() && !c.uid && !c.gid;
}

static void check_connections(void)
{
	int a, b, c;

	verdict(has_name(server, getsockname, "listener") && has_name(client, getpeername, "listener"), "C6",
		"unixes: a connection has the name of the one that listens");
	verdict(is_peer_of_me(server) && is_peer_of_me(client), "C6", "unixes: SO_PEERCRED of a connection");
	verdict(hears(server, "question") && hears(client, "answer") && says(client, "again") &&
		hears(server, "again"), "C6", "unixes: a connection talks on");
	a = accept(listener, NULL, NULL);
	verdict(a >= 0 && is_peer_of_me(a) && has_name(a, getsockname, "listener") && hears(a, "let me in") &&
		hears(a, "") && says(a, "come in") && hears(waiting, "come in"), "C6",
		"unixes: a connection that waited to be accepted");
	b = accept(listener, NULL, NULL);
	verdict(b >= 0 && hears(b, "too late") && hears(b, ""), "C6",
		"unixes: one that was closed while it waited to be accepted");
	c = connected(SOCK_STREAM, "listener");
	verdict(c >= 0 && accept(listener, NULL, NULL) >= 0, "C6", "unixes: a new connection");
}

static void check_relinked(void)
{
	int fd = connected(SOCK_STREAM, "relinked"), over = accept(relinked, NULL, NULL);

	verdict(says(fd, "in") && hears(over, "in") && access(in_dir("relinked.new"), F_OK), "C6",
		"unixes: one whose file was linked to another name and lost its own is found by that");
	verdict(has_name(relinked, getsockname, "relinked.new"), "C6", "unixes: and still says the first name");
	close(fd);
	close(over);
}

static void prepare_datagrams(void)
{
	int other = bound(SOCK_DGRAM, "other");
	struct sockaddr_un a;
	socklen_t len;

	named = bound(SOCK_DGRAM, "named");
	unnamed = connected(SOCK_DGRAM, "named");
	len = address(&a, "named");
	need(says(unnamed, "one") && sendto(other, "two", 3, 0, (void *)&a, len) == 3);
	close(other);
	need(!unlink(in_dir("other")));
}

static bool came_from(int fd, const char *text, const char *name)
{
	struct sockaddr_un a = { 0 }, want;
	socklen_t len = sizeof(a), want_len = name ? address(&want, name) : 0;
	char got[16];
	ssize_t n = recvfrom(fd, got, sizeof(got), MSG_DONTWAIT, (void *)&a, &len);

	return n == (ssize_t)strlen(text) && !memcmp(got, text, n) && len == want_len && !memcmp(&a, &want, len);
}

static void check_datagrams(void)
{
	verdict(came_from(named, "one", NULL) && came_from(named, "two", "other"), "C6",
		"unixes: datagrams have the name of their sender, also when he is gone");
	verdict(says(unnamed, "more") && hears(named, "more"), "C6", "unixes: datagrams still go to a name");
}

static void prepare_rights(void)
{
	int in[2], p[2], q[2], both[2];

	need(!pipe2(p, O_CLOEXEC) && write(p[1], "in a pipe", 9) == 9);
	pair(SOCK_STREAM, rights);
	pair(SOCK_STREAM, in);
	need(says(in[0], "through"));
	both[0] = p[0];
	both[1] = in[1];
	give(rights[0], both, 2);
	close(p[0]);
	close(p[1]);
	close(in[1]);
	kept = in[0];
	/* the lock is its table's, whatever becomes of the file on its way */
	locked = open(in_dir("locked"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	need(locked >= 0 && !fcntl(locked, F_SETLK, &(struct flock){ .l_type = F_WRLCK }));
	pair(SOCK_STREAM, locked_over);
	give(locked_over[0], &locked, 1);
	/* each of two is on its way to the other */
	pair(SOCK_DGRAM, p);
	pair(SOCK_DGRAM, q);
	give(p[0], &q[1], 1);
	give(q[0], &p[1], 1);
	close(q[1]);
	cycle[0] = p[1];
	cycle[1] = q[0];
	close(p[0]);
}

/* as somebody else sees it */
static bool has_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK };
	int status;
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid)
		_exit(fcntl(fd, F_GETLK, &lock) || lock.l_type != F_WRLCK || lock.l_pid != getppid());
	return waitpid(pid, &status, 0) == pid && !status;
}

static void check_rights(void)
{
	int got[2] = { -1, -1 }, other = -1, back = -1;
	char word[16] = "";

	verdict(take(rights[1], SCM_RIGHTS, got, sizeof(got)) && read(got[0], word, 16) == 9 &&
		!memcmp(word, "in a pipe", 9) && !read(got[0], word, 16), "C6", "unixes: a pipe that was on its way");
	verdict(hears(got[1], "through") && says(kept, "still") && hears(got[1], "still"), "C6",
		"unixes: a socket that was on its way");
	verdict(has_lock(locked), "C5 C6", "unixes: a lock on a file that is on its way");
	verdict(take(cycle[0], SCM_RIGHTS, &other, sizeof(other)) && take(other, SCM_RIGHTS, &back, sizeof(back)) &&
		says(cycle[1], "round") && hears(other, "round"), "C6",
		"unixes: two that were on their way to each other");
}

static long long real_us(void)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	return t.tv_sec * 1000000LL + t.tv_usec;
}

static void prepare_stamps(void)
{
	int one = 1;

	pair(SOCK_DGRAM, stamped);
	need(!setsockopt(stamped[1], SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one)));
	stamp_from = real_us();
	need(says(stamped[0], "now"));
	stamp_to = real_us();
}

static void check_stamps(void)
{
	struct timeval t = { 0 };
	bool good = take(stamped[1], SO_TIMESTAMP, &t, sizeof(t));
	long long us = t.tv_sec * 1000000LL + t.tv_usec;

	verdict(good && us >= stamp_from && us <= stamp_to, "C6", "unixes: when a datagram came");
}

static void check_outside(void)
{
	verdict(has_name(outside, getpeername, "outside") && says(outside, "hello from inside\n"), "C6",
		"unixes: datagrams go to a name outside");
}

int main(int argc, char **argv)
{
	need(argc == 2);
	verdict_dir(argv[1]);
	prepare_pairs();
	prepare_big();
	prepare_creds();
	prepare_ends();
	prepare_peek();
	prepare_connections();
	prepare_relinked();
	prepare_datagrams();
	prepare_rights();
	prepare_stamps();
	outside = connected(SOCK_DGRAM, "outside");
	ready();
	wait_for_check();
	check_pairs();
	check_big();
	check_creds();
	check_ends();
	check_peek();
	check_connections();
	check_relinked();
	check_datagrams();
	check_rights();
	check_stamps();
	check_outside();
	verdict_end();
	for (;;)
		pause();
}
