// SPDX-License-Identifier: GPL-2.0-only
/* One function for each thing of System V IPC that a checkpoint cannot take. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "refuse.h"

/* an object outlives its process: "remove-..." takes it away again */
#define HUGE 0x5e32
#define POLICY 0x5e33
#define SEM 0x5e31

static void sysv_hugetlb(void)
{
	have(shmget(HUGE, 2 << 20, IPC_CREAT | SHM_HUGETLB | SHM_NORESERVE | 0600) >= 0);
}

static void remove_hugetlb(void)
{
	have(!shmctl(shmget(HUGE, 0, 0600), IPC_RMID, NULL));
}

/* of memory that is not attached any more */
static void sysv_policy(void)
{
	int id = shmget(POLICY, 4096, IPC_CREAT | 0600);
	unsigned long nodes = 1;
	char *p = shmat(id, NULL, 0);

	have(id >= 0 && p != (void *)-1);
	have(!syscall(SYS_mbind, p, 4096, MPOL_BIND, &nodes, 8, 0));
	have(!shmdt(p));
}

static void remove_policy(void)
{
	have(!shmctl(shmget(POLICY, 0, 0600), IPC_RMID, NULL));
}

/* attached elsewhere, and come back with it */
static void sysv_namespace(void)
{
	int own = open("/proc/self/ns/ipc", O_RDONLY), id;

	have(own >= 0 && !unshare(CLONE_NEWIPC));
	id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	have(id >= 0 && shmat(id, NULL, 0) != (void *)-1);
	have(!setns(own, CLONE_NEWIPC) && !close(own));
}

static char stack[65536] __attribute__((aligned(16)));

static void undo(void)
{
	struct sembuf op = { 0, 1, SEM_UNDO };
	int id = semget(SEM, 1, IPC_CREAT | 0600);

	have(id >= 0 && !semop(id, &op, 1));
}

static int child(void *adjusts)
{
	if (adjusts)
		undo();
	while (pause())
		continue;
	return 0;
}

static void sysv_undo(void)
{
	undo();
	have(clone(child, stack + sizeof(stack), CLONE_SYSVSEM | SIGCHLD, NULL) >= 0);
}

static void sysv_thread_undo(void)
{
	int id = semget(SEM, 1, IPC_CREAT | 0600), before = semctl(id, 0, GETVAL);

	have(clone(child, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		   stack) >= 0);
	while (semctl(id, 0, GETVAL) == before)
		sleep_ms(10);
}

static void remove_sem(void)
{
	have(!semctl(semget(SEM, 1, 0600), 0, IPC_RMID));
}

static const struct kind kinds[] = {
	{ "sysv-hugetlb", sysv_hugetlb }, { "remove-hugetlb", remove_hugetlb },
	{ "sysv-policy", sysv_policy }, { "remove-policy", remove_policy },
	{ "sysv-namespace", sysv_namespace }, { "sysv-undo", sysv_undo },
	{ "sysv-thread-undo", sysv_thread_undo }, { "remove-sem", remove_sem },
};

const struct kind *find_ipc_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
