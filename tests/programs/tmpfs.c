// SPDX-License-Identifier: GPL-2.0-only
/*
 * File systems of type tmpfs that a container has mounted itself: all that is in them, and
 * what of it is open, mapped, executed and bound to.
 * usage: tmpfs DIR, and by itself "tmpfs child"
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "verdict.h"

#define PAGE 4096UL
#define FAR (2 * 1024 * 1024 + 100)
#define MANY 40

static const struct timespec times[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };

static char *before, *mounts_before;
static struct statvfs room;
static int deleted, opened, listening, reading, half_read, to_program, of_program, program_pid;
static uint8_t *mapped, *locked, *shared_memory;
static int question[2], answer[2];

static void put(int fd, off_t at, size_t len, uint64_t seed)
{
	uint8_t bytes[3 * PAGE];

	pattern(bytes, len, seed);
	need(pwrite(fd, bytes, len, at) == (ssize_t)len);
}

static int made(const char *name)
{
	int fd = open(in_dir(name), O_RDWR | O_CREAT | O_EXCL, 0600);

	need(fd >= 0);
	return fd;
}

static void make_file(const char *name, size_t len, uint64_t seed)
{
	int fd = made(name);

	put(fd, 0, len, seed);
	need(!close(fd));
}

static uint8_t *map(int fd, size_t len, int flags)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	need(p != MAP_FAILED);
	return p;
}

/* ---- what there is, as a text ---- */

static void say_contents(FILE *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_NOATIME | O_NONBLOCK);
	uint8_t bytes[65536];
	uint64_t sum = 0;
	ssize_t n, i;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (i = 0; i < n; i++)
			sum = sum * 1099511628211u + bytes[i];
	fprintf(f, " sum %llx", (unsigned long long)sum);
	close(fd);
}

static void say_xattrs(FILE *f, const char *path)
{
	char names[1000], value[1000], *name;
	ssize_t len = llistxattr(path, names, sizeof(names)), n, i;

	for (name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		n = lgetxattr(path, name, value, sizeof(value));
		fprintf(f, " %s=", name);
		for (i = 0; i < n; i++)
			fprintf(f, "%02x", (uint8_t)value[i]);
	}
}

static void say_file(FILE *f, const char *path, const struct statx *sx)
{
	char link[PATH_MAX];
	ssize_t n;

	fprintf(f, "%s %o %u:%u %llu links %u blocks %llu dev %u:%u", path, sx->stx_mode, sx->stx_uid, sx->stx_gid,
		(unsigned long long)sx->stx_size, sx->stx_nlink, (unsigned long long)sx->stx_blocks,
		sx->stx_rdev_major, sx->stx_rdev_minor);
	/* the file of a socket is made anew */
	if (!S_ISSOCK(sx->stx_mode))
		fprintf(f, " ino %llu", (unsigned long long)sx->stx_ino);
	fprintf(f, " times %lld.%09u %lld.%09u %lld.%09u %lld.%09u", (long long)sx->stx_atime.tv_sec,
		sx->stx_atime.tv_nsec, (long long)sx->stx_mtime.tv_sec, sx->stx_mtime.tv_nsec,
		(long long)sx->stx_ctime.tv_sec, sx->stx_ctime.tv_nsec, (long long)sx->stx_btime.tv_sec,
		sx->stx_btime.tv_nsec);
	if (S_ISREG(sx->stx_mode))
		say_contents(f, path);
	if (S_ISLNK(sx->stx_mode)) {
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = 0;
		fprintf(f, " -> %s", link);
	}
	say_xattrs(f, path);
	fprintf(f, "\n");
}

/* in the order of the directory; what is mounted on it has a tree of its own */
static void say_tree(FILE *f, const char *path, dev_t dev)
{
	struct dirent *d;
	struct statx sx;
	char below[PATH_MAX + 256];
	DIR *dir;

	need(!statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_ALL, &sx));
	if (makedev(sx.stx_dev_major, sx.stx_dev_minor) != dev) {
		fprintf(f, "%s is another\n", path);
		return;
	}
	say_file(f, path, &sx);
	if (!S_ISDIR(sx.stx_mode))
		return;
	dir = fdopendir(open(path, O_RDONLY | O_DIRECTORY | O_NOATIME));
	need(dir);
	while ((d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, d->d_name);
		say_tree(f, below, dev);
	}
	closedir(dir);
}

static void say_root(FILE *f, const char *path)
{
	struct stat st;

	need(!stat(path, &st));
	say_tree(f, path, st.st_dev);
}

static char *say_all(void)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	need(f);
	say_root(f, in_dir("a"));
	say_root(f, in_dir("a/run/inner"));
	say_root(f, in_dir("readonly"));
	say_root(f, in_dir("readonly/on"));
	say_root(f, in_dir("dev"));
	say_root(f, "/dev/shm");
	need(!fclose(f));
	return text;
}

/* without the numbers of mounts and devices */
static char *say_mounts(void)
{
	FILE *in = fopen("/proc/self/mountinfo", "r"), *f;
	char line[4096], *text, *rest;
	size_t len;
	int i;

	f = open_memstream(&text, &len);
	need(in && f);
	while (fgets(line, sizeof(line), in)) {
		for (rest = line, i = 0; i < 3; i++)
			rest = strchr(rest, ' ') + 1;
		if (strstr(rest, in_dir("")) || strstr(rest, " - tmpfs own-shm "))
			fputs(rest, f);
	}
	fclose(in);
	need(!fclose(f));
	return text;
}

/* the first line that differs goes to the log */
static bool same_text(const char *was, const char *is)
{
	const char *a = was, *b = is;

	if (!strcmp(was, is))
		return true;
	while (*a && !strncmp(a, b, strcspn(a, "\n") + 1)) {
		b += strcspn(a, "\n") + 1;
		a += strcspn(a, "\n") + 1;
	}
	fprintf(stderr, " was: %.*s\n is: %.*s\n", (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
	return false;
}

/* ---- preparation ---- */

static void mount_own(const char *source, const char *path, const char *options, unsigned long flags)
{
	need(!mkdir(path, 0700) || errno == EEXIST);
	need(!mount(source, path, "tmpfs", flags, options));
}

static void mount_all(void)
{
	mount_own("first", in_dir("a"), "size=16m,nr_inodes=300,mode=02751,uid=7,gid=8", MS_NOATIME | MS_NOSUID);
	need(!mkdir(in_dir("a/tree"), 0755) && !mkdir(in_dir("a/tree/sub"), 0700) && !mkdir(in_dir("a/run"), 0710));
	mount_own("nested", in_dir("a/run/inner"), "", MS_NOATIME);
	mount_own("readonly", in_dir("readonly"), "size=1m", MS_NOATIME);
	mount_own("devices", in_dir("dev"), "mode=0755", MS_NOATIME | MS_NOEXEC);
	mount_own("own-shm", "/dev/shm", "", MS_NOATIME);
	make_file("a/tree/sub/one", 2 * PAGE + 17, 1);
	need(!mkdir(in_dir("bound"), 0700) && !mount(in_dir("a/tree/sub"), in_dir("bound"), NULL, MS_BIND, NULL));
	close(made("file"));
	need(!mount(in_dir("a/tree/sub/one"), in_dir("file"), NULL, MS_BIND, NULL));
	need(!mount(NULL, in_dir("file"), NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOATIME, NULL));
	/* a file that a file is mounted on */
	make_file("a/run/inner/place", 100, 2);
	need(!mount("/proc/version", in_dir("a/run/inner/place"), NULL, MS_BIND, NULL));
}

static void fill_tree(void)
{
	char name[300], text[400];
	int i, fd;

	need(!lsetxattr(in_dir("a/tree/sub/one"), "trusted.note", "a note\0with a NUL", 17, 0));
	need(!link(in_dir("a/tree/sub/one"), in_dir("a/tree/two")) && !link(in_dir("a/tree/two"), in_dir("a/run/three")));
	need(!chown(in_dir("a/tree/two"), 7, 8) && !chmod(in_dir("a/tree/two"), 06751));
	fd = made("a/tree/hole");
	put(fd, FAR, 2 * PAGE, 3);
	need(!ftruncate(fd, 3 * 1024 * 1024 + 7) && !close(fd));
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "a/tree/number-%d", i);
		make_file(name, i, i);
	}
	/* gaps in the directory, one of them in the place of another's end */
	for (i = 0; i < MANY; i += 7) {
		snprintf(name, sizeof(name), "a/tree/number-%d", i);
		need(!unlink(in_dir(name)));
	}
	strcpy(name, "a/deep");
	for (i = 0; i < 20; i++) {
		need(!mkdir(in_dir(name), 0750));
		strcat(name, "/deeper");
	}
	make_file(name, 10, 4);
	memset(text, 't', sizeof(text));
	text[300] = 0;
	need(!symlink(text, in_dir("a/tree/long-link")) && !symlink("../nowhere", in_dir("a/tree/link")));
	need(!lchown(in_dir("a/tree/link"), 9, 10));
	memset(text, 'n', sizeof(text));
	memcpy(text, "a/", 2);
	text[2 + 255] = 0;
	text[50] = '\n';
	make_file(text, 5, 5);
	need(!mkdir(in_dir("a/empty"), 0) && !chmod(in_dir("a/empty"), 01733) && !chown(in_dir("a/empty"), 1, 2));
	need(!mkfifo(in_dir("a/fifo"), 0640) && !mknod(in_dir("dev/null"), S_IFCHR | 0666, makedev(1, 3)));
	need(!mknod(in_dir("dev/loop"), S_IFBLK | 0660, makedev(7, 300)));
	need(!mknod(in_dir("dev/whiteout"), S_IFCHR, makedev(0, 0)) && !mknod(in_dir("dev/sock"), S_IFSOCK | 0700, 0));
	need(!chown(in_dir("dev/loop"), 0, 6));
	make_file("readonly/file", 100, 6);
	mount_own("on-readonly", in_dir("readonly/on"), "nr_inodes=20", MS_NOATIME | MS_NODEV);
	make_file("readonly/on/file", 3, 7);
	need(!mount(NULL, in_dir("readonly"), NULL, MS_REMOUNT | MS_RDONLY | MS_NOATIME, "size=1m"));
}

/* how many names come at once; the C library would read all */
static int read_some(void)
{
	char entries[500];
	long n = syscall(SYS_getdents64, reading, entries, sizeof(entries)), at;
	int nr = 0;

	for (at = 0; at < n; at += ((struct dirent64 *)(entries + at))->d_reclen)
		nr++;
	return nr;
}

static void prepare_open(void)
{
	int fd;

	opened = open(in_dir("a/tree/sub/one"), O_RDWR | O_APPEND);
	need(opened >= 0 && lseek(opened, 1234, SEEK_SET) == 1234);
	fd = made("a/mapped");
	put(fd, 0, 3 * PAGE, 7);
	mapped = map(fd, 3 * PAGE, MAP_SHARED);
	mapped[5] = 'm';
	locked = map(fd, 3 * PAGE, MAP_PRIVATE);
	need(!mlock(locked, 3 * PAGE) && !close(fd));
	deleted = made("a/deleted");
	put(deleted, 0, 2 * PAGE, 8);
	need(!unlink(in_dir("a/deleted")));
	fd = shm_open("/segment", O_CREAT | O_EXCL | O_RDWR, 0600);
	need(fd >= 0 && !ftruncate(fd, 5 * PAGE));
	shared_memory = map(fd, 5 * PAGE, MAP_SHARED);
	shared_memory[4 * PAGE] = 's';
	need(!close(fd) && !chdir(in_dir("a/tree/sub")));
	reading = open(in_dir("a/tree"), O_RDONLY | O_DIRECTORY | O_NOATIME);
	half_read = read_some();
	need(half_read > 0 && half_read < 30);
}

static void prepare_socket(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", "listening");
	need(listening >= 0 && !bind(listening, (void *)&un, sizeof(un)) && !listen(listening, 5));
	need(!chmod("listening", 0721) && !chown("listening", 11, 12));
}

static void prepare_child(void)
{
	char what, got;

	need(!pipe(question) && !pipe(answer));
	if (fork())
		return;
	while (read(question[0], &what, 1) == 1) {
		got = what == 'm' ? mapped[PAGE + 3] : shared_memory[7];
		if (write(answer[1], &got, 1) != 1)
			break;
	}
	_exit(0);
}

static int child_main(void)
{
	char byte;

	while (read(0, &byte, 1) == 1)
		if (write(1, "!", 1) != 1)
			return 1;
	return 0;
}

static void prepare_program(void)
{
	int in[2], out[2], from = open("/proc/self/exe", O_RDONLY), to = made("a/run/inner/program");
	char bytes[PAGE];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		need(write(to, bytes, n) == n);
	need(!n && !fchmod(to, 0755) && !close(to) && !close(from));
	need(!pipe(in) && !pipe(out));
	program_pid = fork();
	if (!program_pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(in_dir("a/run/inner/program"), "program", "child", NULL);
		_exit(1);
	}
	to_program = in[1];
	of_program = out[0];
}

static void set_times(void)
{
	static const char *const names[] = {
		"a", "a/tree", "a/tree/sub", "a/tree/sub/one", "a/tree/hole", "a/tree/link", "a/empty", "a/fifo",
		"dev", "dev/null", "a/tree/sub/listening", "a/run/inner",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		need(!utimensat(AT_FDCWD, in_dir(names[i]), times, AT_SYMLINK_NOFOLLOW));
}

/* ---- checks ---- */

static char reply(int to, int from, char what)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	char got = 0;

	if (write(to, &what, 1) != 1 || poll(&p, 1, 20000) != 1 || read(from, &got, 1) != 1)
		return '!' + 1;
	return got;
}

static void check_tree(void)
{
	char *now = say_all(), *mounts = say_mounts();
	struct statvfs st;

	verdict(same_text(before, now), "T10 C1",
		"a tmpfs of its own has all that was in it: names in their order, contents, owners, modes, times, numbers");
	verdict(same_text(mounts_before, mounts), "T10", "its mounts have their options, and so have those of parts of it");
	verdict(!statvfs(in_dir("a"), &st) && st.f_blocks == room.f_blocks && st.f_files == room.f_files, "T10",
		"it has the size that it was given");
	verdict_eq(st.f_bfree, room.f_bfree, "T10", "and as much room, as holes are holes");
	verdict_eq(st.f_ffree, room.f_ffree, "T10", "for as many files");
	free(now);
	free(mounts);
}

static void check_open(void)
{
	uint8_t bytes[3 * PAGE];
	struct stat st, other;
	char link[100] = "";
	int n = half_read, more;

	verdict(lseek(opened, 0, SEEK_CUR) == 1234 && pread(opened, bytes, 100, 0) == 100 && pattern_is(bytes, 100, 1),
		"T10 C1", "a file in it that is open is open");
	verdict(write(opened, "end", 3) == 3 && !stat("one", &st) && st.st_size == 2 * PAGE + 20 &&
		!stat(in_dir("file"), &other) && other.st_ino == st.st_ino && other.st_size == st.st_size &&
		!stat(in_dir("a/run/three"), &other) && other.st_ino == st.st_ino, "T10 C1",
		"by all its names, and where it is mounted, it is the same");
	verdict(!fstat(deleted, &st) && !stat(in_dir("a"), &other) && st.st_dev == other.st_dev && !st.st_nlink &&
		pread(deleted, bytes, 2 * PAGE, 0) == 2 * PAGE && pattern_is(bytes, 2 * PAGE, 8), "T10 C2",
		"a deleted file is in it, and nowhere else");
	while ((more = read_some()) > 0)
		n += more;
	verdict_eq(n, 2 + MANY - (MANY + 6) / 7 + 5, "T10 C1", "a directory that is half read has the other half");
	verdict(readlink("/proc/self/cwd", link, sizeof(link) - 1) > 0 && strstr(link, "/a/tree/sub"), "T10 T7",
		"it is the current directory");
	verdict(open(in_dir("readonly/file"), O_WRONLY) == -1 && errno == EROFS, "T10", "one for reading only is so");
	verdict(open(in_dir("file"), O_WRONLY) == -1 && errno == EROFS, "T10", "and a mount of a part for reading only");
}

static void check_mapped(void)
{
	uint8_t good[3 * PAGE], got;
	int fd = open(in_dir("a/mapped"), O_RDWR);

	pattern(good, sizeof(good), 7);
	good[5] = 'm';
	verdict(!memcmp(locked, good, 5) && !memcmp(locked + 6, good + 6, sizeof(good) - 6), "T10 T8",
		"a file in it that is mapped private and locked has its contents");
	verdict(!memcmp(mapped, good, sizeof(good)), "T10 T8", "so has one that is shared");
	mapped[PAGE + 3] = 'x';
	verdict(reply(question[1], answer[0], 'm') == 'x' && pread(fd, &got, 1, PAGE + 3) == 1 && got == 'x', "T10 T8",
		"which is one for all who map it and who open it");
	close(fd);
	shared_memory[7] = 'q';
	verdict(shared_memory[4 * PAGE] == 's' && reply(question[1], answer[0], 's') == 'q', "T10 T8",
		"shared memory in a /dev/shm of its own is shared");
	fd = shm_open("/segment", O_RDWR, 0);
	verdict(fd >= 0 && pread(fd, &got, 1, 7) == 1 && got == 'q', "T10 T8", "and has its name");
	close(fd);
}

static void check_socket(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat st;

	snprintf(un.sun_path, sizeof(un.sun_path), "../sub/listening");
	verdict(!connect(s, (void *)&un, sizeof(un)), "T10 C6", "a socket whose name lies in it is found");
	close(s);
	close(accept(listening, NULL, NULL));
	verdict(!stat("listening", &st) && st.st_mode == (S_IFSOCK | 0721) && st.st_uid == 11 && st.st_gid == 12, "T10 C6",
		"and its file is as it was");
}

static void check_program(void)
{
	char link[100], path[300];
	ssize_t n;

	verdict(reply(to_program, of_program, '?') == '!', "T10 S9", "a program in it runs on");
	snprintf(link, sizeof(link), "/proc/%d/exe", program_pid);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	verdict(!strcmp(path, in_dir("a/run/inner/program")), "T10 S9", "and is what it was made of");
	verdict(open(path, O_WRONLY) == -1 && errno == ETXTBSY, "T10 S9", "which nobody may write to");
}

static void check_new(void)
{
	struct stat st, other;

	close(made("a/new"));
	verdict(!stat(in_dir("a/new"), &st) && !fstat(deleted, &other) && st.st_ino != other.st_ino &&
		!stat(in_dir("a/tree"), &other) && st.st_ino != other.st_ino, "T10", "a new file has a number of its own");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "child"))
		return child_main();
	need(argc == 2);
	verdict_dir(argv[1]);
	mount_all();
	fill_tree();
	prepare_open();
	prepare_socket();
	prepare_child();
	prepare_program();
	need(reply(to_program, of_program, '?') == '!');
	set_times();
	before = say_all();
	mounts_before = say_mounts();
	need(!statvfs(in_dir("a"), &room));
	ready();
	wait_for_check();
	check_tree();
	check_open();
	check_mapped();
	check_socket();
	check_program();
	check_new();
	verdict_end();
	for (;;)
		pause();
}
