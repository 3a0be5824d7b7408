// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are deleted and still open, mapped or executed: their contents, what of them
 * is shared, and what programs see of them.
 * usage: deleted DIR SHM, directories on two file systems, of which SHM has O_TMPFILE; and
 * by itself "deleted child"
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "verdict.h"

#define PAGE 4096UL
#define FAR (2 * 1024 * 1024 + 100)
#define SIZE (3 * 1024 * 1024 + 7)
#define PROGRAM "program-whose-name-has-more-than-thirty-letters"

static const char *shm;

/* a log: two descriptions, one of them in two descriptors, and a child's */
static int rdwr, shared, append;
/* what is mapped without a descriptor: by the child, too; and privately */
static uint8_t *mapped, *private, *locked;
static int linkable, unlinkable, in_deleted;
static sem_t *sem;
static uint8_t *shm_mapped;

/* the child answers questions, of a byte each */
static int question[2], answer[2], child_pid;

static char ask(char what)
{
	struct pollfd p = { .fd = answer[0], .events = POLLIN };
	char got = 0;

	if (write(question[1], &what, 1) != 1 || poll(&p, 1, 20000) != 1 || read(answer[0], &got, 1) != 1)
		return '!';
	return got;
}

static bool link_is(const char *link, const char *wanted)
{
	char text[1000], full[1000];
	ssize_t n = readlink(link, text, sizeof(text) - 1);

	snprintf(full, sizeof(full), "%s (deleted)", wanted);
	text[n > 0 ? n : 0] = 0;
	if (strcmp(text, full))
		fprintf(stderr, "%s is: %s was: %s\n", link, text, full);
	return !strcmp(text, full);
}

/* the child's current directory, which is also open */
static int directory;

static void enter_deleted(void)
{
	need(!mkdir(in_dir("cwd"), 0700) && !chdir(in_dir("cwd")) && !chmod(".", 01712));
	directory = open(".", O_RDONLY | O_DIRECTORY);
	need(directory >= 0 && !rmdir(in_dir("cwd")));
}

static bool is_in_deleted(void)
{
	struct stat st, opened;

	return !stat(".", &st) && st.st_mode == (S_IFDIR | 01712) && !st.st_nlink &&
	       !fstat(directory, &opened) && opened.st_ino == st.st_ino &&
	       link_is("/proc/self/cwd", in_dir("cwd")) && open("new", O_RDWR | O_CREAT, 0600) == -1 &&
	       errno == ENOENT;
}

/* says what it sees: a byte, or whether something is so */
static void child(void)
{
	char what, got;

	while (read(question[0], &what, 1) == 1) {
		if (what == 'l')
			got = pread(rdwr, &got, 1, 9) == 1 ? got : '!';
		else if (what == 'o')
			got = lseek(shared, 0, SEEK_CUR) == 123 ? 'y' : 'n';
		else if (what == 'm')
			got = mapped[PAGE + 3];
		else if (what == 's')
			got = sem_post(sem) ? 'n' : 'y';
		else if (what == 'c')
			got = is_in_deleted() ? 'y' : 'n';
		else if (what == 'h')
			got = shm_mapped[7];
		else
			got = '?';
		if (write(answer[1], &got, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static int made(const char *name, int flags)
{
	int fd = open(in_dir(name), O_RDWR | O_CREAT | O_EXCL | flags, 0600);

	need(fd >= 0);
	return fd;
}

static void put(int fd, off_t at, size_t len, uint64_t seed)
{
	uint8_t bytes[3 * PAGE];

	pattern(bytes, len, seed);
	need(pwrite(fd, bytes, len, at) == (ssize_t)len);
}

static bool has(int fd, off_t at, size_t len, uint64_t seed)
{
	uint8_t bytes[3 * PAGE];

	return pread(fd, bytes, len, at) == (ssize_t)len && pattern_is(bytes, len, seed);
}

static const struct timespec times[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };

static void prepare_log(void)
{
	rdwr = made("log", O_CLOEXEC);
	put(rdwr, 0, 100, 1);
	put(rdwr, FAR, 2 * PAGE, 2);
	need(!ftruncate(rdwr, SIZE));
	append = open(in_dir("log"), O_WRONLY | O_APPEND);
	shared = open(in_dir("log"), O_RDONLY | O_NONBLOCK);
	need(append >= 0 && shared >= 0 && lseek(shared, 123, SEEK_SET) == 123);
	need(!fsetxattr(rdwr, "trusted.note", "a note\0with a NUL", 17, 0));
	need(!fchown(rdwr, 7, 8) && !fchmod(rdwr, 04751) && !unlink(in_dir("log")));
	need(!futimens(rdwr, times));
}

static uint8_t *map(int fd, size_t len, int flags)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	need(p != MAP_FAILED);
	return p;
}

static void prepare_mapped(void)
{
	int fd = made("mapped", 0);

	put(fd, 0, PAGE, 3);
	/* locked before there was more of the file: the rest comes when it is touched */
	locked = map(fd, 3 * PAGE, MAP_PRIVATE);
	need(mlock(locked, 3 * PAGE) < 0 && errno == ENOMEM);
	put(fd, 0, 3 * PAGE, 3);
	mapped = map(fd, 3 * PAGE, MAP_SHARED);
	mapped[5] = 'm';
	private = map(fd, 3 * PAGE, MAP_PRIVATE);
	private[PAGE] = 'p';
	need(!unlink(in_dir("mapped")) && !close(fd));
}

static void prepare_unnamed(void)
{
	need((linkable = open(shm, O_TMPFILE | O_RDWR, 0600)) >= 0);
	need((unlinkable = open(shm, O_TMPFILE | O_RDWR | O_EXCL, 0600)) >= 0);
	put(linkable, 0, 50, 4);
	put(unlinkable, 0, 50, 5);
	need(!mkdir(in_dir("gone"), 0700) && !mkdir(in_dir("gone/too"), 0700));
	in_deleted = made("gone/too/file", 0);
	put(in_deleted, 0, 50, 6);
	need(!unlink(in_dir("gone/too/file")) && !rmdir(in_dir("gone/too")) && !rmdir(in_dir("gone")));
}

static void prepare_shm(void)
{
	int fd;

	sem = sem_open("/deleted-sem", O_CREAT | O_EXCL, 0600, 3);
	need(sem != SEM_FAILED && !sem_unlink("/deleted-sem"));
	fd = shm_open("/deleted-shm", O_CREAT | O_EXCL | O_RDWR, 0600);
	need(fd >= 0 && !ftruncate(fd, 70 << 20) && !shm_unlink("/deleted-shm"));
	shm_mapped = map(fd, 70 << 20, MAP_SHARED);
	shm_mapped[(70 << 20) - 1] = 'e';
	need(!close(fd));
}

static void prepare_child(void)
{
	need(!pipe(question) && !pipe(answer));
	child_pid = fork();
	need(child_pid >= 0);
	if (!child_pid) {
		enter_deleted();
		child();
	}
}

/* a copy of this program runs, and another file takes its place */
static int to_program, of_program, program_pid;

static void prepare_program(void)
{
	int in = open("/proc/self/exe", O_RDONLY), out = made(PROGRAM, 0), q[2], a[2];
	char buf[65536];
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		need(write(out, buf, n) == n);
	need(in >= 0 && !n && !fchmod(out, 0755) && !close(out) && !close(in) && !pipe(q) && !pipe(a));
	program_pid = fork();
	need(program_pid >= 0);
	if (!program_pid) {
		dup2(q[0], 0);
		dup2(a[1], 1);
		close(q[1]);
		close(a[0]);
		execl(in_dir(PROGRAM), "program", "child", NULL);
		_exit(1);
	}
	close(q[0]);
	close(a[1]);
	to_program = q[1];
	of_program = a[0];
	need(write(to_program, "?", 1) == 1 && read(of_program, buf, 1) == 1);
	close(made("new", 0));
	need(!rename(in_dir("new"), in_dir(PROGRAM)));
}

static int child_main(void)
{
	char byte;

	while (read(0, &byte, 1) == 1)
		if (write(1, "!", 1) != 1)
			return 1;
	return 0;
}

static bool fd_is(int fd, const char *wanted)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return link_is(link, wanted);
}

static void check_log(void)
{
	struct stat st, other;
	char note[32];
	char byte = 0;

	need(!fstat(rdwr, &st));
	verdict(st.st_mode == (S_IFREG | 04751) && st.st_uid == 7 && st.st_gid == 8 && !st.st_nlink, "C2",
		"a deleted file has its mode and owner");
	verdict(st.st_mtim.tv_sec == times[1].tv_sec && st.st_mtim.tv_nsec == times[1].tv_nsec &&
		st.st_atim.tv_sec == times[0].tv_sec, "C2", "and its times");
	verdict_eq(st.st_size, SIZE, "C2", "and its size");
	verdict(st.st_blocks * 512 < 100000, "C2", "and its holes");
	verdict(lseek(rdwr, 100000, SEEK_DATA) >= 1024 * 1024, "C2", "and lseek(2) finds them");
	verdict_eq(fgetxattr(rdwr, "trusted.note", note, sizeof(note)), 17, "C2", "and its extended attribute");
	verdict(!memcmp(note, "a note\0with a NUL", 17), "C2", "with its value");
	verdict(has(rdwr, 0, 100, 1) && has(rdwr, FAR, 2 * PAGE, 2), "C2", "a deleted file has its contents");
	verdict(fd_is(rdwr, in_dir("log")), "C2", "/proc shows its name, and that it is deleted");
	verdict(!fstat(append, &other) && other.st_ino == st.st_ino && other.st_dev == st.st_dev &&
		!fstat(shared, &other) && other.st_ino == st.st_ino, "C2", "all of its descriptions are one file");
	verdict((fcntl(append, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK)) == (O_WRONLY | O_APPEND) &&
		(fcntl(shared, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK)) == (O_RDONLY | O_NONBLOCK), "C1 C2", "which have their flags");
	verdict(lseek(shared, 0, SEEK_CUR) == 123 && ask('o') == 'y', "C1 C2", "and their offset");
	verdict(pwrite(rdwr, "w", 1, 9) == 1 && ask('l') == 'w', "C2", "what is written another task reads");
	verdict(write(append, "end", 3) == 3 && pread(rdwr, &byte, 1, SIZE) == 1 && byte == 'e', "C2",
		"what is appended is in the same file");
}

static void check_mapped(void)
{
	uint8_t good[3 * PAGE];

	pattern(good, sizeof(good), 3);
	verdict(!memcmp(locked, good, sizeof(good)), "C2 T8", "a deleted file that is mapped private and locked has its contents");
	good[5] = 'm';
	verdict(!memcmp(mapped, good, sizeof(good)), "C2 T8", "so has one that is shared");
	good[PAGE] = 'p';
	verdict(!memcmp(private, good, sizeof(good)), "C2 T8", "so has a private mapping, and what was written to it");
	mapped[PAGE + 3] = 'x';
	verdict(ask('m') == 'x', "C2 T8", "a deleted file that two tasks map is one");
	verdict(private[PAGE + 3] == good[PAGE + 3], "C2 T8", "a private page of it stays private");
	mapped[2 * PAGE] = 'z';
	verdict(private[2 * PAGE] == 'z', "C2 T8", "a page that nobody wrote to is still the file's");
}

static void check_unnamed(void)
{
	char link[64], name[200];
	struct stat st, new;

	verdict(has(linkable, 0, 50, 4) && has(unlinkable, 0, 50, 5), "C2", "files of O_TMPFILE have their contents");
	verdict(has(in_deleted, 0, 50, 6), "C2", "so has a file whose directory is gone, too");
	snprintf(name, sizeof(name), "%s/deleted-link-%d", shm, getpid());
	snprintf(link, sizeof(link), "/proc/self/fd/%d", unlinkable);
	verdict(linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == -1 && errno == ENOENT, "C2",
		"one of O_EXCL gets no name");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", linkable);
	verdict(!linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) && !fstat(linkable, &st) &&
		!stat(name, &new) && st.st_ino == new.st_ino, "C2", "one without gets one");
	unlink(name);
}

static void check_directory(void)
{
	verdict(ask('c') == 'y', "C2 T7", "a task is in a directory that is deleted, and has it open");
}

static void check_shm(void)
{
	int value = -1;

	verdict(!sem_getvalue(sem, &value) && value == 3 && ask('s') == 'y' && !sem_getvalue(sem, &value) && value == 4,
		"C2", "an unlinked semaphore is one, and has its value");
	verdict(shm_mapped[(70 << 20) - 1] == 'e', "C2", "unlinked shared memory has its contents");
	shm_mapped[7] = 'q';
	verdict(ask('h') == 'q', "C2", "and is shared");
}

static void check_program(void)
{
	struct pollfd p = { .fd = of_program, .events = POLLIN };
	char link[64], byte = 0;

	verdict(write(to_program, "?", 1) == 1 && poll(&p, 1, 20000) == 1 && read(of_program, &byte, 1) == 1 &&
		byte == '!', "C2 S9", "a program that was replaced runs on");
	snprintf(link, sizeof(link), "/proc/%d/exe", program_pid);
	byte = 0;
	p.fd = open(link, O_RDONLY);
	verdict(p.fd >= 0 && read(p.fd, link, 4) == 4 && !memcmp(link, "\177ELF", 4), "C2 S9",
		"and has what it was made of as its executable");
	close(p.fd);
	snprintf(link, sizeof(link), "/proc/%d/exe", program_pid);
	p.fd = open(link, O_WRONLY);
	verdict(p.fd == -1 && errno == ETXTBSY, "C2 S9", "which nobody may write to");
	if (p.fd >= 0)
		close(p.fd);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "child"))
		return child_main();
	need(argc == 3);
	verdict_dir(argv[1]);
	shm = argv[2];
	prepare_log();
	prepare_mapped();
	prepare_unnamed();
	prepare_shm();
	prepare_child();
	prepare_program();
	need(ask('c') == 'y');
	ready();
	wait_for_check();
	check_log();
	check_mapped();
	check_unnamed();
	check_directory();
	check_shm();
	check_program();
	verdict_end();
	for (;;)
		pause();
}
