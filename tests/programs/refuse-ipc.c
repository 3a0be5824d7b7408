// SPDX-License-Identifier: GPL-2.0-only
/* One function for each thing of System V and POSIX IPC that a checkpoint cannot take. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "refuse.h"

/* an object outlives its process: "remove-..." takes it away again */
#define HUGE 0x5e32
#define POLICY 0x5e33
#define SEM 0x5e31
#define RESIZED 0x5e34

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

static volatile int threads_ready;

static void *leave_and_adjust(void *adjusted)
{
	struct sembuf back = { 0, -1, SEM_UNDO };

	have(!unshare(CLONE_SYSVSEM));
	undo();
	/* what it has adjusted is nothing, then */
	if (!adjusted)
		have(!semop(semget(SEM, 1, 0600), &back, 1));
	threads_ready++;
	for (;;)
		pause();
	return NULL;
}

static void wait_for_threads(int nr)
{
	while (threads_ready < nr)
		sleep_ms(10);
}

/* three lists of adjustments: the first is empty, the second is not, the third is again */
static void sysv_threads_undo(void)
{
	pthread_t thread;

	have(!pthread_create(&thread, NULL, leave_and_adjust, stack));
	wait_for_threads(1);
	have(!pthread_create(&thread, NULL, leave_and_adjust, NULL));
	wait_for_threads(2);
}

static void *leave(void *arg)
{
	have(!unshare(CLONE_SYSVSEM));
	threads_ready++;
	for (;;)
		pause();
	return arg;
}

/* they share nothing now, but would afterwards */
static void sysv_threads_alone(void)
{
	pthread_t thread;

	have(semget(SEM, 1, IPC_CREAT | 0600) >= 0);
	have(!pthread_create(&thread, NULL, leave, NULL));
	wait_for_threads(1);
}

static int open_memory(char *p)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (long)p, (long)p + 4096);
	fd = open(path, O_RDWR);
	have(fd >= 0);
	return fd;
}

static char *attach(void)
{
	char *p = shmat(shmget(RESIZED, 4096, IPC_CREAT | 0600), NULL, 0);

	have(p != (void *)-1);
	return p;
}

/* a descriptor of its memory, which who may look at the mappings of processes gets */
static void sysv_memory(void)
{
	have(open_memory(attach()) >= 0);
}

static void sysv_resized(void)
{
	int fd = open_memory(attach());

	have(!ftruncate(fd, 8192) && !close(fd));
}

static void remove_resized(void)
{
	have(!shmctl(shmget(RESIZED, 0, 0600), IPC_RMID, NULL));
}

static void remove_sem(void)
{
	have(!semctl(semget(SEM, 1, 0600), 0, IPC_RMID));
}

/* as mq_notify(3) registers for SIGEV_THREAD; the queue keeps the socket */
static void mqueue_thread(void)
{
	static char cookie[32];
	int sock = socket(AF_NETLINK, SOCK_RAW, 0);
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD, .sigev_signo = sock,
			       .sigev_value.sival_ptr = cookie };
	mqd_t q = mq_open("/refuse", O_RDWR | O_CREAT, 0600, NULL);

	have(sock >= 0 && q >= 0 && !mq_unlink("/refuse"));
	have(!syscall(SYS_mq_notify, q, &ev) && !close(sock));
}

/* of the namespace whose file system is there, which is not the container's own */
static void mqueue_namespace(void)
{
	have(open("/dev/mqueue/refuse", O_RDWR | O_CREAT, 0600) >= 0 && !unlink("/dev/mqueue/refuse"));
}

static const struct kind kinds[] = {
	{ "sysv-hugetlb", sysv_hugetlb }, { "remove-hugetlb", remove_hugetlb },
	{ "sysv-policy", sysv_policy }, { "remove-policy", remove_policy },
	{ "sysv-namespace", sysv_namespace }, { "sysv-undo", sysv_undo },
	{ "sysv-thread-undo", sysv_thread_undo }, { "sysv-threads-undo", sysv_threads_undo },
	{ "sysv-threads-alone", sysv_threads_alone }, { "remove-sem", remove_sem },
	{ "sysv-memory", sysv_memory }, { "sysv-resized", sysv_resized },
	{ "remove-resized", remove_resized }, { "mqueue-thread", mqueue_thread },
	{ "mqueue-namespace", mqueue_namespace },
};

const struct kind *find_ipc_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
