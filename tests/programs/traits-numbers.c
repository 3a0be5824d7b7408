// SPDX-License-Identifier: GPL-2.0-only
/* Which numbers come next, and what sysctls say of namespaces that are the container's. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traits.h"

/* of the ipc namespace and of the pid namespace; "" for as it is */
static const struct {
	const char *path, *value, *row;
} sysctls[] = {
	{ "/proc/sys/fs/mqueue/msg_default", "7", "T10" },
	{ "/proc/sys/fs/mqueue/msgsize_default", "4096", "T10" },
	{ "/proc/sys/kernel/sem_next_id", "12345", "T10" },
	{ "/proc/sys/kernel/msg_next_id", "", "T10" },
	{ "/proc/sys/kernel/shm_next_id", "", "T10" },
	{ "/proc/sys/vm/memfd_noexec", "1", "T10" },
};

#define NR_SYSCTLS (sizeof(sysctls) / sizeof(sysctls[0]))

static char were[NR_SYSCTLS][64];
static pid_t last_pid;
static int last_queue;

/* the number of one that is gone again */
static pid_t next_pid(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid)
		_exit(0);
	need(waitpid(pid, NULL, 0) == pid);
	return pid;
}

static int next_queue(void)
{
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	need(id >= 0 && !msgctl(id, IPC_RMID, NULL));
	return id;
}

void prepare_numbers(void)
{
	for (size_t i = 0; i < NR_SYSCTLS; i++) {
		if (*sysctls[i].value && !access(sysctls[i].path, F_OK))
			need(put_text(sysctls[i].path, sysctls[i].value));
		snprintf(were[i], sizeof(were[i]), "%.60s", text_of(sysctls[i].path));
	}
	for (int i = 0; i < 40; i++)
		last_pid = next_pid();
	for (int i = 0; i < 5; i++)
		last_queue = next_queue();
}

void check_numbers(void)
{
	for (size_t i = 0; i < NR_SYSCTLS; i++)
		verdict(!strcmp(were[i], text_of(sysctls[i].path)), sysctls[i].row, "traits: %s (K34)", sysctls[i].path);
	verdict(next_pid() > last_pid, "S13", "traits: the number of a process that has just gone is not the next");
	verdict_eq(next_queue(), last_queue + 1, "C8", "traits: nor that of a message queue (K34)");
}
