// SPDX-License-Identifier: GPL-2.0-only
/*
 * A container's init that has, one after the other, what cannot be checkpointed.
 * It reads the names of kinds from DIR/kind, gives itself a child that has them all,
 * and says "KIND... ready" or "KIND... missing: REASON" in DIR/said.  DIR/beat has two
 * numbers that grow while the init and the child run.  usage: refuse DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "refuse.h"

#define MISSING 77
#define KINDS 512		/* bytes of their names */

struct shared {
	volatile int ready;
	volatile unsigned int beats;
	char reason[200];
};

static struct shared *shared;
static pid_t child;
static unsigned int beats;

void have_(bool good, const char *what)
{
	if (good)
		return;
	snprintf(shared->reason, sizeof(shared->reason), "%s: %s", what, strerror(errno));
	_exit(MISSING);
}

static void write_file(const char *name, const char *text)
{
	int fd = open(in_dir("new"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	need(!rename(in_dir("new"), in_dir(name)));
}

static void beat(void)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u\n", ++beats, shared->beats);
	write_file("beat", text);
}

/* nothing before the whole line is there */
static void read_kind(char *kind, size_t size)
{
	int fd = open(in_dir("kind"), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, kind, size - 1);
	char *end;

	kind[n < 0 ? 0 : n] = 0;
	end = strchr(kind, '\n');
	*(end ? end : kind) = 0;
	if (fd >= 0)
		close(fd);
}

static _Noreturn void child_main(const char *names)
{
	char list[KINDS], *name, *rest = list;
	const struct kind *kind;

	setsid();
	strcpy(list, names);
	while ((name = strsep(&rest, " "))) {
		kind = find_kind(name);
		have(kind);
		kind->prepare();
	}
	shared->ready = 1;
	for (;;) {
		sleep_ms(20);
		shared->beats++;
	}
}

/* the child and what it has started */
static void end_child(void)
{
	if (!child)
		return;
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	child = 0;
}

static void start_child(const char *names)
{
	char said[KINDS + 300];

	end_child();
	memset(shared, 0, sizeof(*shared));
	snprintf(said, sizeof(said), "%s ready\n", names);
	if (strcmp(names, "nothing")) {
		child = fork();
		need(child >= 0);
		if (!child)
			child_main(names);
		while (!shared->ready && waitpid(child, NULL, WNOHANG) != child)
			sleep_ms(5);
		if (!shared->ready)
			snprintf(said, sizeof(said), "%s missing: %s\n", names, shared->reason);
	}
	write_file("said", said);
}

int main(int argc, char **argv)
{
	char kind[KINDS], last[KINDS] = "";

	need(argc == 2 && getpid() == 1);
	verdict_dir(argv[1]);
	need(!chdir(argv[1]));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(shared != MAP_FAILED);
	ready();
	for (;;) {
		read_kind(kind, sizeof(kind));
		if (*kind && strcmp(kind, last)) {
			strcpy(last, kind);
			start_child(kind);
		}
		beat();
		sleep_ms(30);
	}
}
