// SPDX-License-Identifier: GPL-2.0-only
/* Regular files and directories. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

#define NR_ENTRIES 40

static int file, duplicate, twin, appending, directory, null_device, path_only, cloexec, nofollow;
static unsigned int seen;		/* entries before the checkpoint */
static bool entries[NR_ENTRIES];

static int open_in(const char *name, int flags)
{
	int fd = open(in_dir(name), flags, 0600);

	need(fd >= 0);
	return fd;
}

/* read entries of the directory into a buffer of @size bytes; how many were ours */
static int read_entries(size_t size)
{
	char buf[4096] __attribute__((aligned(8)));
	long n = syscall(SYS_getdents64, directory, buf, size);
	int found = 0, i;

	for (long pos = 0; pos < n;) {
		struct dirent64 *entry = (void *)(buf + pos);

		if (sscanf(entry->d_name, "entry-%d", &i) == 1 && i >= 0 && i < NR_ENTRIES) {
			found += entries[i] ? 1000 : 1;
			entries[i] = true;
		}
		pos += entry->d_reclen;
	}
	return n > 0 ? found : -1;
}

static void prepare_directory(void)
{
	char name[32];

	need(!mkdir(in_dir("directory"), 0700));
	for (int i = 0; i < NR_ENTRIES; i++) {
		snprintf(name, sizeof(name), "directory/entry-%d", i);
		close(open_in(name, O_WRONLY | O_CREAT));
	}
	directory = open_in("directory", O_RDONLY | O_DIRECTORY);
	seen = read_entries(300);
	need(seen > 0 && seen < NR_ENTRIES);
}

void prepare_files(void)
{
	file = open_in("file", O_RDWR | O_CREAT);
	need(write(file, "0123456789abcdefghij", 20) == 20);
	need(lseek(file, 5, SEEK_SET) == 5);
	duplicate = dup(file);
	need(duplicate >= 0);
	twin = open_in("file", O_RDONLY);
	need(lseek(twin, 10, SEEK_SET) == 10);
	appending = open_in("appended", O_WRONLY | O_CREAT | O_APPEND);
	need(write(appending, "first\n", 6) == 6);
	null_device = open("/dev/null", O_RDWR);
	need(null_device >= 0);
	path_only = open_in(".", O_PATH);
	cloexec = open_in("file", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* F_GETFL shows it ever after, and so does fdinfo */
	nofollow = open_in("file", O_RDONLY | O_NOFOLLOW);
	prepare_directory();
}

static bool reads(int fd, const char *wanted)
{
	char buf[64] = "";

	return read(fd, buf, strlen(wanted)) == (ssize_t)strlen(wanted) && !strcmp(buf, wanted);
}

static void check_appending(void)
{
	char buf[64] = "";
	int fd;

	/* what another generation may have added */
	need(!truncate(in_dir("appended"), 6));
	need(write(appending, "second\n", 7) == 7);
	need(lseek(appending, 0, SEEK_SET) == 0);
	need(write(appending, "third\n", 6) == 6);
	fd = open_in("appended", O_RDONLY);
	verdict(read(fd, buf, sizeof(buf) - 1) == 19 && !strcmp(buf, "first\nsecond\nthird\n"), "C1",
		"state: O_APPEND appends");
	close(fd);
}

static void check_directory(void)
{
	unsigned int more = 0;
	int n;

	while ((n = read_entries(300)) >= 0)
		more += n;
	verdict_eq(seen + more, NR_ENTRIES, "C1", "state: a directory is read on from where it was, nothing twice");
}

void check_files(void)
{
	struct stat st;

	verdict(reads(file, "567") && reads(duplicate, "89a") && reads(file, "bc"), "C1",
		"state: a duplicate shares its offset");
	verdict(reads(twin, "abc"), "C1", "state: a file opened twice has two offsets");
	verdict(pwrite(file, "Z", 1, 19) == 1 && pread(twin, &(char){ 0 }, 1, 19) == 1 && pwrite(file, "j", 1, 19) == 1,
		"C1", "state: a file is written to");
	check_appending();
	check_directory();
	verdict(write(null_device, "x", 1) == 1 && read(null_device, &(char){ 0 }, 1) == 0, "C1", "state: /dev/null");
	verdict(!fstatat(path_only, "file", &st, 0) && st.st_size == 20, "C1", "state: O_PATH");
	verdict_eq(fcntl(cloexec, F_GETFD), FD_CLOEXEC, "C1", "state: close-on-exec");
	verdict((fcntl(cloexec, F_GETFL) & (O_NONBLOCK | O_ACCMODE)) == (O_NONBLOCK | O_RDONLY), "C1",
		"state: flags of a file");
	verdict(fcntl(nofollow, F_GETFL) & O_NOFOLLOW, "C1", "state: O_NOFOLLOW");
}
