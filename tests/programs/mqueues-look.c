// SPDX-License-Identifier: GPL-2.0-only
/* What mqueues sees of its queues from outside: their files, the directory, descriptors, limits. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mqueues.h"
#include "verdict.h"

static const struct limit {
	const char *path, *value;
} limits[] = {
	{ "/proc/sys/fs/mqueue/queues_max", "2" },
	{ "/proc/sys/fs/mqueue/msg_max", "5" },
	{ "/proc/sys/fs/mqueue/msgsize_max", "256" },
};
#define NR_LIMITS (sizeof(limits) / sizeof(*limits))

static int twin, reader, writer, by_path, deleted, name_only, epoll, pair[2];

static const char *in_fs(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "fs/%s", name);
	return in_dir(path);
}

void mount_queues(void)
{
	need(!mkdir(in_dir("fs"), 0755));
	need(!mount("queues", in_dir("fs"), "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
}

void open_queues(mqd_t named)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 5 };
	char c;

	need((twin = dup(named)) >= 0);
	need((reader = mq_open("/named", O_RDONLY | O_CLOEXEC)) >= 0);
	need((writer = mq_open("/named", O_WRONLY | O_NONBLOCK)) >= 0);
	need((by_path = open(in_fs("named"), O_RDWR)) >= 0 && read(by_path, &c, 1) == 1 && c == 'Q');
	need((deleted = open(in_fs("short"), O_RDWR | O_CREAT | O_EXCL, 0600)) >= 0);
	need(!mq_send(deleted, "short", 5, 9) && !unlink(in_fs("short")));
	need((name_only = open(in_fs("named"), O_PATH)) >= 0);
	need((epoll = epoll_create1(0)) >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, reader, &event));
	need(!chown(in_fs("."), 5, 6) && !chmod(in_fs("."), 0777));
}

void check_descriptors(mqd_t named)
{
	static char msg[1 << 16];
	struct epoll_event event = { 0 };
	unsigned int prio = 0;
	char text[4] = "";

	need(!fcntl(named, F_SETFL, 0));
	verdict(!(fcntl(twin, F_GETFL) & O_NONBLOCK), "C8", "mqueues: two descriptors are of one description");
	need(!fcntl(named, F_SETFL, O_NONBLOCK));
	verdict(mq_send(reader, "x", 1, 0) < 0 && errno == EBADF && mq_receive(writer, msg, sizeof(msg), NULL) < 0 &&
		errno == EBADF, "C8", "mqueues: one for reading reads, and one for writing writes");
	verdict(read(by_path, text, 3) == 3 && !memcmp(text, "SIZ", 3), "C8",
		"mqueues: a file that is read goes on where it was");
	verdict(mq_receive(deleted, msg, sizeof(msg), &prio) == 5 && !memcmp(msg, "short", 5) && prio == 9, "C8",
		"mqueues: one that was opened by a path is of its queue, which has no name");
	verdict(read(name_only, text, 1) < 0 && errno == EBADF, "C8", "mqueues: O_PATH is the name alone");
	verdict(epoll_wait(epoll, &event, 1, 0) == 1 && event.data.u32 == 5, "C8 C4",
		"mqueues: epoll sees that there are messages");
}

static size_t add(char *to, size_t len, const char *name, const char *text)
{
	len += (size_t)snprintf(to + len, LOOK_LEN - len, "%s %s\n", name, text);
	need(len < LOOK_LEN);
	return len;
}

static void read_files(struct look *look)
{
	size_t names = 0, states = 0;
	DIR *dir = opendir(in_fs("."));
	struct dirent *e;

	need(dir);
	while ((e = readdir(dir))) {
		char text[128] = "";
		int fd;

		names = add(look->names, names, e->d_name, "");
		if (*e->d_name == '.')
			continue;
		need((fd = open(in_fs(e->d_name), O_RDONLY)) >= 0);
		need(read(fd, text, sizeof(text) - 1) > 0);
		close(fd);
		states = add(look->states, states, e->d_name, text);
	}
	closedir(dir);
}

/* by a process of its own, as who closes a queue is not notified by it any more */
static void look_at_files(struct look *look)
{
	pid_t pid = fork();
	int status = -1;

	need(pid >= 0);
	if (!pid) {
		read_files(look);
		_exit(0);
	}
	need(waitpid(pid, &status, 0) == pid && !status);
}

struct look *new_look(void)
{
	struct look *look = mmap(NULL, sizeof(*look), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need(look != MAP_FAILED);
	return look;
}

static void look_at_links(struct look *look)
{
	const int fds[] = { twin, reader, writer, by_path, deleted, name_only };
	char path[64], link[512], text[640];
	size_t len = 0;

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
		need((n = readlink(path, link, sizeof(link) - 1)) > 0);
		link[n] = '\0';
		snprintf(text, sizeof(text), "%o %s", (unsigned int)fcntl(fds[i], F_GETFL), link);
		len = add(look->links, len, "", text);
	}
}

/* what is looked at before the times has changed them by then */
void look_at(struct look *look, mqd_t named, mqd_t gone)
{
	static const struct timespec times[] = { { 1000000, 7 }, { 2000000, 9 } };
	static bool set;

	/* the first look sets them, and each looks at them before it reads */
	if (!set) {
		look_at_files(look);
		need(!futimens(named, times));
	}
	set = true;
	need(!fstat(named, &look->named) && !fstat(gone, &look->gone) && !stat(in_fs("."), &look->dir));
	if (!*look->names)
		look_at_files(look);
	look_at_links(look);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_times(const struct stat *a, const struct stat *b)
{
	return same_time(a->st_atim, b->st_atim) && same_time(a->st_mtim, b->st_mtim) &&
	       same_time(a->st_ctim, b->st_ctim);
}

static bool same_owner(const struct stat *a, const struct stat *b)
{
	return a->st_uid == b->st_uid && a->st_gid == b->st_gid && a->st_mode == b->st_mode &&
	       a->st_nlink == b->st_nlink && a->st_size == b->st_size;
}

static void same(const char *was, const char *is, const char *text)
{
	bool good = !strcmp(was, is);

	if (!good)
		fprintf(stderr, "%s was:\n%sis:\n%s", text, was, is);
	verdict(good, "C8", "mqueues: %s", text);
}

void compare(const struct look *was, const struct look *is)
{
	verdict(same_owner(&was->named, &is->named), "C8", "mqueues: a queue has its owner, group and mode");
	verdict(same_times(&was->named, &is->named), "C8", "mqueues: a queue has its times");
	verdict(same_owner(&was->gone, &is->gone) && same_times(&was->gone, &is->gone), "C8",
		"mqueues: so has one without a name");
	verdict(same_owner(&was->dir, &is->dir) && same_times(&was->dir, &is->dir), "C8",
		"mqueues: the directory of all has its owner, mode and times");
	same(was->names, is->names, "names come in their order, in a file system that is mounted again");
	same(was->states, is->states, "sizes, and who is notified how, are as they were");
	same(was->links, is->links, "descriptors have their flags and paths");
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	need(fd >= 0 && write(fd, value, strlen(value)) > 0);
	close(fd);
}

void set_limits(void)
{
	for (size_t i = 0; i < NR_LIMITS; i++)
		set(limits[i].path, limits[i].value);
}

void lift_limits(void)
{
	for (size_t i = 0; i < NR_LIMITS; i++)
		set(limits[i].path, "10000");
}

void check_limits(void)
{
	bool good = true;

	for (size_t i = 0; i < NR_LIMITS; i++) {
		int fd = open(limits[i].path, O_RDONLY);
		char text[32] = "";

		need(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
		good = good && atoi(text) == atoi(limits[i].value);
		close(fd);
	}
	verdict(good, "C8 T10", "mqueues: the limits that queues are above are what they were");
}

void send_away(mqd_t q)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char c = 'q';
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control.room) };

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &q, sizeof(q));
	need(sendmsg(pair[0], &msg, 0) == 1 && !close(q));
}

mqd_t receive_back(void)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control.room) };
	mqd_t q = -1;

	if (recvmsg(pair[1], &msg, 0) == 1 && control.head.cmsg_type == SCM_RIGHTS)
		memcpy(&q, CMSG_DATA(&control.head), sizeof(q));
	return q;
}
