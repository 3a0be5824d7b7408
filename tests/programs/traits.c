// SPDX-License-Identifier: GPL-2.0-only
/*
 * A container's init whose processes have what is rarely looked at: who their
 * parents are, how much they have used, which numbers come next.  usage: traits DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "traits.h"

struct traits *traits;
const char *traits_program;

void traits_ready(void)
{
	__atomic_add_fetch(&traits->ready, 1, __ATOMIC_SEQ_CST);
}

void traits_wait(void)
{
	while (!traits->check)
		sleep_ms(20);
}

void traits_done(void)
{
	__atomic_add_fetch(&traits->done, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static pid_t start(void (*main)(void))
{
	pid_t pid;

	__atomic_add_fetch(&traits->started, 1, __ATOMIC_SEQ_CST);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		main();
		_exit(0);
	}
	return pid;
}

pid_t child(void (*main)(void))
{
	pid_t pid = start(main);

	while (traits->ready < traits->started)
		sleep_ms(5);
	return pid;
}

void grandchild(void (*main)(void))
{
	start(main);
}

const char *text_of(const char *path)
{
	static _Thread_local char texts[4][4096];
	static _Thread_local unsigned int next;
	char *text = texts[next++ % 4];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(texts[0]) - 1);

	text[n < 0 ? 0 : n] = 0;
	text[strcspn(text, "\n")] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

void burn(unsigned int ms)
{
	struct timespec t;
	volatile unsigned int n = 0;

	do {
		for (int i = 0; i < 100000; i++)
			n++;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	} while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms);
}

int end_of(pid_t pid)
{
	int status = -1;

	for (int i = 0; i < 400; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sleep_ms(25);
	}
	return -1;
}

int main(int argc, char **argv)
{
	need(argc >= 2);
	traits_program = argv[0];
	verdict_dir(argv[1]);
	if (argc > 2 && !strcmp(argv[2], "layout"))
		layout_exec();
	if (argc > 2)
		family_exec(argv);
	need(!chdir(argv[1]));
	traits = mmap(NULL, sizeof(*traits), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(traits != MAP_FAILED);
	prepare_family();
	prepare_settings();
	prepare_tracers();
	prepare_numbers();
	prepare_usage();
	look_for_room();
	ready();
	wait_for_check();
	check_room();
	check_usage();
	check_numbers();
	traits->check = 1;
	for (int i = 0; i < 800 && traits->done < traits->started; i++)
		sleep_ms(25);
	verdict_eq(traits->done, traits->started, "S3", "traits: all children have checked themselves");
	check_settings();
	check_family();
	verdict_end();
	for (;;)
		pause();
}
