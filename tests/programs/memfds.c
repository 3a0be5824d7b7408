// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memfds: what their seals allow and forbid, who can be executed, and a child that
 * runs from one.  usage: memfds DIR, and by itself "memfds exit" and "memfds child"
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verdict.h"

#define PAGE 4096UL
#define SIZE (3 * PAGE)
#define WRITE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define FUTURE_SEALS (F_SEAL_SEAL | F_SEAL_FUTURE_WRITE)
#define EXIT_CODE 42

extern char **environ;

/* sealed against writing, and against writing by what is mapped later */
static struct sealed {
	int fd, readonly;
	uint8_t *before, *after;	/* mapped before and after it was sealed; or NULL */
	char flags[2][256];		/* of these mappings */
} writing, future;

/* of programs: as it was made; opened again for reading only; and for writing; sealed */
static int made, reader, writer, sealed_program;
static int question[2], answer[2];
static pid_t child;

static int again(int fd, int flags)
{
	char path[64];
	int new;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	new = open(path, flags | O_CLOEXEC);
	need(new >= 0);
	return new;
}

static uint8_t *map(int fd, int prot, int flags)
{
	uint8_t *p = mmap(NULL, SIZE, prot, flags, fd, 0);

	need(p != MAP_FAILED);
	return p;
}

/* the flags of a mapping, without sd: all that was restored counts as written */
static void flags_of(const uint8_t *p, char *flags, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool here = false;
	char line[256], *sd;

	*flags = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (unsigned long)p && (unsigned long)p < end;
		else if (here && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, size, "%s", line);
	}
	if (f)
		fclose(f);
	sd = strstr(flags, " sd");
	if (sd)
		memmove(sd, sd + 3, strlen(sd + 3) + 1);
}

static void note_flags(struct sealed *s)
{
	if (s->before)
		flags_of(s->before, s->flags[0], sizeof(s->flags[0]));
	flags_of(s->after, s->flags[1], sizeof(s->flags[1]));
	need(s->flags[1][0]);
}

static int filled(const char *name, uint64_t seed)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t bytes[SIZE];

	pattern(bytes, SIZE, seed);
	need(fd >= 0 && write(fd, bytes, SIZE) == (ssize_t)SIZE);
	return fd;
}

static void prepare_sealed(void)
{
	writing.fd = filled("writing", 1);
	need(!fcntl(writing.fd, F_ADD_SEALS, WRITE_SEALS));
	writing.after = map(writing.fd, PROT_READ, MAP_SHARED);
	writing.readonly = again(writing.fd, O_RDONLY);
	future.fd = filled("future", 2);
	future.before = map(future.fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	need(!fcntl(future.fd, F_ADD_SEALS, FUTURE_SEALS));
	future.after = map(future.fd, PROT_READ, MAP_SHARED);
	future.readonly = again(future.fd, O_RDONLY);
	note_flags(&writing);
	note_flags(&future);
}

/* a memfd with this program */
static int program(const char *name)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char buf[65536];
	ssize_t n;

	need(from >= 0 && fd >= 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		need(write(fd, buf, n) == n);
	close(from);
	return fd;
}

static void run(int fd, char *what)
{
	char *args[] = { "memfds", what, NULL };

	syscall(SYS_execveat, fd, "", args, environ, AT_EMPTY_PATH);
}

/* EXIT_CODE when it can be executed, or the negative errno */
static int runs(int fd)
{
	pid_t pid = fork();
	int status;

	need(pid >= 0);
	if (!pid) {
		run(fd, "exit");
		_exit(errno);
	}
	need(waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status))
		return -1000;
	return WEXITSTATUS(status) == EXIT_CODE ? EXIT_CODE : -WEXITSTATUS(status);
}

static void prepare_child(void)
{
	int fd = program("child"), readonly = again(fd, O_RDONLY);

	close(fd);
	need(!pipe(question) && !pipe(answer));
	child = fork();
	need(child >= 0);
	if (!child) {
		dup2(question[0], 0);
		dup2(answer[1], 1);
		run(readonly, "child");
		_exit(1);
	}
	close(readonly);
	close(question[0]);
	close(answer[1]);
}

static void prepare_programs(void)
{
	int fd = program("reader");

	made = program("made");
	reader = again(fd, O_RDONLY);
	close(fd);
	fd = program("writer");
	writer = again(fd, O_RDWR);
	close(fd);
	sealed_program = program("sealed");
	need(!fcntl(sealed_program, F_ADD_SEALS, WRITE_SEALS | F_SEAL_SEAL));
}

static bool cannot_map(int fd)
{
	return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM;
}

static bool cannot_write(int fd)
{
	return pwrite(fd, "x", 1, 0) == -1 && errno == EPERM;
}

static bool stays_readonly(uint8_t *p)
{
	return mprotect(p, SIZE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES;
}

static bool same_flags(const uint8_t *p, const char *flags, const char *what)
{
	char now[256];

	flags_of(p, now, sizeof(now));
	if (strcmp(now, flags))
		fprintf(stderr, "%s was: %s%s is:  %s", what, flags, what, now);
	return !strcmp(now, flags);
}

static void check_writing(void)
{
	verdict_eq(fcntl(writing.fd, F_GET_SEALS), WRITE_SEALS, "C4 K23", "a memfd sealed against writing has its seals");
	verdict(pattern_is(writing.after, SIZE, 1), "C4 K23", "a memfd sealed against writing has its contents");
	verdict(cannot_write(writing.fd) && cannot_map(writing.fd), "C4 K23",
		"a memfd sealed against writing cannot be written to");
	verdict(stays_readonly(writing.after), "C4 K23",
		"a mapping of a memfd sealed against writing does not become writable");
	verdict(same_flags(writing.after, writing.flags[1], "mapping"), "T8 K23",
		"a mapping of a memfd sealed against writing has its flags");
	verdict(ftruncate(writing.fd, PAGE) == -1 && errno == EPERM, "C4 K23", "a sealed memfd does not shrink");
}

static void check_future(void)
{
	uint8_t byte = 0;

	verdict_eq(fcntl(future.fd, F_GET_SEALS), FUTURE_SEALS, "C4 K23", "F_SEAL_FUTURE_WRITE is there");
	verdict(pattern_is(future.before, SIZE, 2), "C4 K23", "F_SEAL_FUTURE_WRITE: contents");
	future.before[5] ^= 0xff;
	verdict(pread(future.readonly, &byte, 1, 5) == 1 && byte == future.before[5] && future.after[5] == byte,
		"C4 K23", "F_SEAL_FUTURE_WRITE: what was mapped before writes");
	future.before[5] ^= 0xff;
	verdict(cannot_write(future.fd) && cannot_map(future.fd), "C4 K23", "F_SEAL_FUTURE_WRITE: nothing else does");
	verdict(stays_readonly(future.after), "C4 K23", "F_SEAL_FUTURE_WRITE: what was mapped after does not become writable");
	verdict(same_flags(future.before, future.flags[0], "before"), "T8 K23",
		"F_SEAL_FUTURE_WRITE: what was mapped before has its flags");
	verdict(same_flags(future.after, future.flags[1], "after"), "T8 K23",
		"F_SEAL_FUTURE_WRITE: what was mapped after has its flags");
	verdict(fcntl(future.fd, F_ADD_SEALS, F_SEAL_GROW) == -1 && errno == EPERM, "C4 K23", "F_SEAL_SEAL seals");
}

static void check_programs(void)
{
	verdict_eq(runs(made), EXIT_CODE, "C4 K33", "a memfd as it was made can be executed");
	verdict_eq(runs(reader), EXIT_CODE, "C4 K33", "a memfd that is open for reading only can be executed");
	verdict_eq(runs(writer), -ETXTBSY, "C4 K33", "a memfd that was opened for writing cannot");
	verdict_eq(runs(sealed_program), EXIT_CODE, "C4 K33", "a sealed memfd can be executed");
}

static void check_child(void)
{
	struct pollfd p = { .fd = answer[0], .events = POLLIN };
	char path[64], link[64] = "", byte = 0;

	verdict(write(question[1], "?", 1) == 1 && poll(&p, 1, 20000) == 1 && read(answer[0], &byte, 1) == 1 &&
		byte == '!', "S9 K33", "a process that runs from a memfd goes on");
	snprintf(path, sizeof(path), "/proc/%d/exe", child);
	verdict(readlink(path, link, sizeof(link) - 1) > 0 && !strcmp(link, "/memfd:child (deleted)"), "S9 K33",
		"a process that runs from a memfd has it as its executable");
}

static int child_main(void)
{
	char byte;

	while (read(0, &byte, 1) == 1)
		if (write(1, "!", 1) != 1)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	need(argc == 2);
	if (!strcmp(argv[1], "exit"))
		return EXIT_CODE;
	if (!strcmp(argv[1], "child"))
		return child_main();
	verdict_dir(argv[1]);
	prepare_programs();
	prepare_child();
	prepare_sealed();
	/* nothing that is wrong before is proof of anything afterwards */
	need(runs(made) == EXIT_CODE && runs(reader) == EXIT_CODE && runs(writer) == -ETXTBSY);
	ready();
	wait_for_check();
	check_writing();
	check_future();
	check_programs();
	check_child();
	verdict_end();
	for (;;)
		pause();
}
