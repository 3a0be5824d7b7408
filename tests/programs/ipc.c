// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of System V IPC of every kind, and who waits at them, which are checked when
 * the program is told to.  usage: ipc DIR [ROLE]
 * ROLE: "attached" and "adjusted" are somebody outside of the container who has the first segment, too, or one of its
 * semaphores; "undoers" are processes that have adjusted the semaphores of one set.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

#define PAGE 4096
#define BIG (16 << 20)
#define LEN (3 * PAGE + 100)
#define LONG_TEXT 6000		/* goes over more than one page of the kernel's */

#define KEY 0x11111
#define REUSED 0x22222
#define QUEUE 0x33333
#define SEMS 0x44444

struct message {
	long type;
	char text[LONG_TEXT];
};

/* what the processes tell each other, in memory of another kind */
static struct shared {
	volatile int got_message, sent, got_sem, got_timed, undone;
	volatile int child_sees, child_may_write;
	volatile int own_segment;
} *s;

static int big, segment, unattached, removed, again, locked, cut, orphan, expected_shm, expected_msg, expected_sem;
static int queue, full, sems;
static char *at, *at_removed, *at_cut;
static pid_t reader, receiver, sender, waiter, timed, undoer;

#define INFO_LEN 8192
static struct info {
	char shm[INFO_LEN], msg[INFO_LEN], sem[INFO_LEN], maps[INFO_LEN];
} before, after;

/* a file's lines with @with in them, without what is behind the @columns-th word; 0: all of it */
static void read_lines(char *to, const char *path, const char *with, int columns)
{
	char line[512];
	FILE *f = fopen(path, "r");
	size_t len = 0;
	int i;

	need(f);
	while (fgets(line, sizeof(line), f)) {
		char *end = line;

		if (with && !strstr(line, with))
			continue;
		for (i = 0; i < columns; i++) {
			end += strspn(end, " ");
			end += strcspn(end, " \n");
		}
		if (columns)
			strcpy(end, "\n");
		len += snprintf(to + len, INFO_LEN - len, "%s", line);
	}
	fclose(f);
}

/* of a segment all but how much of it is in memory: pages that were never written to are not */
static void read_info(struct info *info)
{
	read_lines(info->shm, "/proc/sysvipc/shm", NULL, 14);
	read_lines(info->msg, "/proc/sysvipc/msg", NULL, 0);
	read_lines(info->sem, "/proc/sysvipc/sem", NULL, 0);
	read_lines(info->maps, "/proc/self/maps", "SYSV", 0);
}

static void same(const char *was, const char *is, const char *text)
{
	bool good = !strcmp(was, is);

	if (!good)
		fprintf(stderr, "%s was:\n%sis:\n%s", text, was, is);
	verdict(good, "C8", "ipc: %s", text);
}

static pid_t helper(void (*run)(void))
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		run();
		for (;;)
			pause();
	}
	return pid;
}

static bool within(volatile int *what, int wanted)
{
	long long end = now_ms() + 20000;

	while (*what != wanted && now_ms() < end)
		sleep_ms(10);
	return *what == wanted;
}

/* is the task in a call that sleeps? */
static void wait_until_asleep(pid_t pid)
{
	char path[64], line[256], *state;
	long long end = now_ms() + 20000;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (now_ms() < end) {
		FILE *f = fopen(path, "r");

		need(f && fgets(line, sizeof(line), f));
		fclose(f);
		state = strrchr(line, ')');
		if (state && state[2] == 'S')
			return;
		sleep_ms(10);
	}
	need(!"it sleeps");
}

/* a process of its own attaches the first segment, for reading only */
static void run_reader(void)
{
	volatile char *p = shmat(segment, NULL, SHM_RDONLY);

	need(p != (void *)-1);
	s->own_segment = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	need(s->own_segment >= 0);
	s->child_sees = 1;
	for (;;) {
		if (p[LEN - 1] == 'x' && s->child_sees == 1) {
			s->child_may_write = !mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE);
			s->child_sees = 2;
		}
		sleep_ms(10);
	}
}

static int make_and_remove(void)
{
	int id = shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600);

	need(id >= 0 && !shmctl(id, IPC_RMID, NULL));
	return id;
}

static void prepare_shm(void)
{
	struct shmid_ds ds;

	make_and_remove();
	segment = shmget(KEY, LEN, IPC_CREAT | 0640);
	need(segment >= 0);
	at = shmat(segment, NULL, 0);
	need(at != (void *)-1);
	pattern(at, LEN, 1);
	/* three parts that are alike again, each of which counts as an attachment */
	need(!mprotect(at + PAGE, PAGE, PROT_READ));
	need(!mprotect(at + PAGE, PAGE, PROT_READ | PROT_WRITE));
	make_and_remove();
	unattached = shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | SHM_NORESERVE | 0600);
	need(unattached >= 0);
	at_cut = shmat(unattached, NULL, 0);
	need(at_cut != (void *)-1);
	pattern(at_cut, 2 * PAGE, 2);
	need(!shmdt(at_cut) && !shmctl(unattached, IPC_STAT, &ds));
	ds.shm_perm.uid = 1234;
	ds.shm_perm.gid = 2345;
	ds.shm_perm.mode = 0604;
	need(!shmctl(unattached, IPC_SET, &ds));
	removed = shmget(REUSED, PAGE, IPC_CREAT | 0600);
	need(removed >= 0);
	at_removed = shmat(removed, NULL, 0);
	need(at_removed != (void *)-1 && !shmctl(removed, IPC_RMID, NULL));
	/* no child is to be another user of it */
	need(!madvise(at_removed, PAGE, MADV_DONTFORK));
	pattern(at_removed, PAGE, 3);
	again = shmget(REUSED, PAGE, IPC_CREAT | IPC_EXCL | 0600);
	locked = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	need(again >= 0 && locked >= 0 && !shmctl(locked, SHM_LOCK, NULL));
	/* of five pages, the second is gone, and the fourth cannot be written to */
	cut = shmget(IPC_PRIVATE, 5 * PAGE, IPC_CREAT | 0600);
	need(cut >= 0);
	at_cut = shmat(cut, NULL, 0);
	need(at_cut != (void *)-1);
	pattern(at_cut, 5 * PAGE, 4);
	need(!munmap(at_cut + PAGE, PAGE) && !mprotect(at_cut + 3 * PAGE, PAGE, PROT_READ));
}

/* enough to be seen in what the container's cgroup has */
static void prepare_big(void)
{
	char *p;

	big = shmget(IPC_PRIVATE, BIG, IPC_CREAT | 0600);
	need(big >= 0);
	p = shmat(big, NULL, 0);
	need(p != (void *)-1);
	pattern(p, BIG, 5);
	need(!shmdt(p));
}

/* one whose creator has ended: it goes when kernel.shm_rmid_forced is set */
static void prepare_orphan(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		s->undone = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
		_exit(0);
	}
	need(waitpid(pid, NULL, 0) == pid && s->undone >= 0);
	orphan = s->undone;
	s->undone = 0;
}

static void put(int id, long type, size_t len)
{
	struct message m = { .type = type };

	pattern(m.text, len, type);
	need(!msgsnd(id, &m, len, IPC_NOWAIT));
}

static bool take(int id, long type, long wanted, size_t len)
{
	struct message m;

	return msgrcv(id, &m, sizeof(m.text), type, IPC_NOWAIT) == (ssize_t)len &&
	       m.type == wanted && pattern_is(m.text, len, wanted);
}

static void run_receiver(void)
{
	struct message m;
	ssize_t len = msgrcv(queue, &m, sizeof(m.text), 77, 0);

	s->got_message = len == 20 && m.type == 77 && pattern_is(m.text, 20, 77) ? 1 : -errno;
}

static void run_sender(void)
{
	struct message m = { .type = 5 };

	pattern(m.text, 90, 5);
	s->sent = msgsnd(full, &m, 90, 0) ? -errno : 1;
}

static void prepare_msg(void)
{
	struct msqid_ds ds;

	queue = msgget(QUEUE, IPC_CREAT | 0620);
	full = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	need(queue >= 0 && full >= 0);
	put(queue, 3, 10);
	put(queue, 1, 0);
	put(queue, 4, LONG_TEXT);
	put(queue, 3, 11);
	put(queue, 9, 1);
	need(take(queue, 9, 9, 1));
	need(!msgctl(full, IPC_STAT, &ds));
	ds.msg_qbytes = 100;
	ds.msg_perm.uid = 1234;
	need(!msgctl(full, IPC_SET, &ds));
	put(full, 6, 60);
	receiver = helper(run_receiver);
	sender = helper(run_sender);
	expected_msg = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	need(expected_msg >= 0 && !msgctl(expected_msg, IPC_RMID, NULL));
}

static int sem_op(int num, int op, int flags)
{
	struct sembuf buf = { num, op, flags };

	return semop(sems, &buf, 1);
}

static void run_waiter(void)
{
	s->got_sem = sem_op(1, -5, 0) ? -errno : 1;
}

static void run_timed(void)
{
	struct sembuf buf = { 2, -1, 0 };
	struct timespec hour = { 3600, 0 };

	s->got_timed = semtimedop(sems, &buf, 1, &hour) ? -errno : 1;
}

static void *add_four(void *arg)
{
	need(!sem_op(3, 4, SEM_UNDO));
	for (;;)
		pause();
	return arg;
}

/* it and a thread of its own, which share what will be undone: 0 gets 3 back, 3 loses 4 */
static void run_undoer(void)
{
	pthread_t thread;

	need(!sem_op(0, -3, SEM_UNDO));
	need(!pthread_create(&thread, NULL, add_four, NULL));
	while (semctl(sems, 3, GETVAL) != 5)
		sleep_ms(10);
	s->undone = 1;
}

static void prepare_sem(void)
{
	unsigned short values[] = { 10, 0, 0, 1, 32767 };

	sems = semget(SEMS, 5, IPC_CREAT | 0606);
	need(sems >= 0 && !semctl(sems, 0, SETALL, values));
	undoer = helper(run_undoer);
	need(within(&s->undone, 1));
	waiter = helper(run_waiter);
	timed = helper(run_timed);
	expected_sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	need(expected_sem >= 0 && !semctl(expected_sem, 0, IPC_RMID));
}

static int pid_of_sem(int num)
{
	return semctl(sems, num, GETPID);
}

static int were_pids[5];
static struct semid_ds sem_was;

static void check_shm(void)
{
	char *p = shmat(unattached, NULL, 0);
	struct shmid_ds ds;
	unsigned char in[3];

	verdict(shmget(KEY, LEN, 0) == segment, "C8", "ipc: a segment has its key");
	verdict(pattern_is(at, LEN, 1), "C8", "ipc: a segment's contents");
	verdict(p != (void *)-1 && pattern_is(p, 2 * PAGE, 2), "C8", "ipc: contents of one that nobody had attached");
	need(!shmdt(p));
	p = shmat(big, NULL, 0);
	verdict(p != (void *)-1 && pattern_is(p, BIG, 5), "C8", "ipc: contents of a large one");
	verdict(pattern_is(at_removed, PAGE, 3), "C8", "ipc: contents of one that was removed");
	verdict(shmget(REUSED, PAGE, 0) == again, "C8", "ipc: the key of one that was removed is another's");
	verdict(!shmctl(locked, IPC_STAT, &ds) && ds.shm_perm.mode & SHM_LOCKED, "C8", "ipc: a segment is locked");
	verdict(pattern_is(at_cut, PAGE, 4) && mincore(at_cut + PAGE, PAGE, in) && errno == ENOMEM,
		"C8", "ipc: an attachment with a hole");
	at[LEN - 1] = 'x';
	verdict(within(&s->child_sees, 2), "C8", "ipc: another process has the same segment");
	verdict_eq(s->child_may_write, 0, "C8", "ipc: which it may only read");
	need(!shmdt(at_removed));
	verdict(shmctl(removed, IPC_STAT, &ds) && (errno == EINVAL || errno == EIDRM), "C8",
		"ipc: the removed one goes with its last user");
	verdict_eq(shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600), expected_shm + 1, "C8", "ipc: the next segment's id");
}

/* kernel.shm_rmid_forced: a segment goes with its creator if nobody has it attached */
static void check_forced(void)
{
	int fd = open("/proc/sys/kernel/shm_rmid_forced", O_WRONLY);
	struct shmid_ds ds;

	need(fd >= 0 && write(fd, "1", 1) == 1);
	close(fd);
	verdict(shmctl(orphan, IPC_STAT, &ds), "C8", "ipc: a segment has outlived its creator");
	verdict(!shmctl(again, IPC_STAT, &ds), "C8", "ipc: another's creator is the first process");
	verdict(!shmctl(s->own_segment, IPC_STAT, &ds), "C8", "ipc: another's creator is a child");
	kill(reader, SIGKILL);
	need(waitpid(reader, NULL, 0) == reader);
	verdict(shmctl(s->own_segment, IPC_STAT, &ds), "C8", "ipc: with which it goes");
}

static void check_msg(void)
{
	struct message m;

	verdict(msgget(QUEUE, 0) == queue, "C8", "ipc: a message queue has its key");
	verdict(take(queue, 4, 4, LONG_TEXT) && take(queue, 0, 3, 10) && take(queue, 0, 1, 0) &&
		take(queue, 0, 3, 11), "C8", "ipc: messages with their types, in their order");
	verdict(msgrcv(queue, &m, sizeof(m.text), 0, IPC_NOWAIT) < 0 && errno == ENOMSG, "C8",
		"ipc: and no others");
	verdict_eq(s->got_message, 0, "C8", "ipc: who waits for a message still waits");
	put(queue, 77, 20);
	verdict(within(&s->got_message, 1), "C8", "ipc: and gets it");
	verdict_eq(s->sent, 0, "C8", "ipc: who waits for room in a queue still waits");
	verdict(take(full, 0, 6, 60) && within(&s->sent, 1) && take(full, 0, 5, 90), "C8",
		"ipc: and gets rid of its message");
	verdict_eq(msgget(IPC_PRIVATE, IPC_CREAT | 0600), expected_msg + 1, "C8", "ipc: the next queue's id");
}

static void check_sem(void)
{
	unsigned short v[5] = {};
	struct semid_ds ds;
	bool good = true;
	int i;

	verdict(semget(SEMS, 5, 0) == sems, "C8", "ipc: a set of semaphores has its key");
	need(!semctl(sems, 0, IPC_STAT, &ds) && !semctl(sems, 0, GETALL, v));
	verdict(v[0] == 7 && !v[1] && !v[2] && v[3] == 5 && v[4] == 32767, "C8", "ipc: semaphores have their values");
	for (i = 0; i < 5; i++)
		good &= pid_of_sem(i) == were_pids[i];
	verdict(good, "C8", "ipc: and who has changed them last");
	verdict(ds.sem_otime == sem_was.sem_otime && ds.sem_ctime == sem_was.sem_ctime, "C8",
		"ipc: and when");
	verdict(!s->got_sem && !s->got_timed, "C8", "ipc: who waits for a semaphore still waits");
	need(!sem_op(1, 5, 0) && !sem_op(2, 1, 0));
	verdict(within(&s->got_sem, 1), "C8", "ipc: and gets it");
	verdict(within(&s->got_timed, 1), "C8", "ipc: with a timeout, too");
	kill(undoer, SIGKILL);
	need(waitpid(undoer, NULL, 0) == undoer);
	need(!semctl(sems, 0, GETALL, v));
	verdict_eq(v[0], 10, "C8", "ipc: what a process has taken comes back when it ends");
	verdict_eq(v[3], 1, "C8", "ipc: and what a thread of its has given goes");
	verdict_eq(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600), expected_sem + 1, "C8", "ipc: the next set's id");
}

static void run_attached(void)
{
	int id = shmget(KEY, 0, 0);

	need(id >= 0 && shmat(id, NULL, 0) != (void *)-1);
}

static void run_adjusted(void)
{
	sems = semget(SEMS, 0, 0);
	need(sems >= 0 && !sem_op(0, -1, SEM_UNDO));
}

#define UNDOERS 6
#define UNDOER_SEMS 10

static void adjust_all(void)
{
	int i;

	for (i = 0; i < UNDOER_SEMS; i++)
		need(!sem_op(i, i % 2 ? 2 : -1, SEM_UNDO));
	__sync_fetch_and_add(&s->undone, 1);
}

/* the semaphores are as before when all have ended */
static void run_undoers(void)
{
	unsigned short v[UNDOER_SEMS];
	bool had = true, has = true;
	pid_t pids[UNDOERS];
	int i;

	sems = semget(SEMS, UNDOER_SEMS, IPC_CREAT | 0600);
	for (i = 0; i < UNDOER_SEMS; i++)
		v[i] = 100;
	need(sems >= 0 && !semctl(sems, 0, SETALL, v));
	for (i = 0; i < UNDOERS; i++)
		pids[i] = helper(adjust_all);
	need(within(&s->undone, UNDOERS));
	ready();
	wait_for_check();
	need(!semctl(sems, 0, GETALL, v));
	for (i = 0; i < UNDOER_SEMS; i++)
		had &= v[i] == 100 + (i % 2 ? 2 : -1) * UNDOERS;
	for (i = 0; i < UNDOERS; i++)
		need(!kill(pids[i], SIGKILL) && waitpid(pids[i], NULL, 0) == pids[i]);
	need(!semctl(sems, 0, GETALL, v));
	for (i = 0; i < UNDOER_SEMS; i++)
		has &= v[i] == 100;
	verdict(had, "C8", "undoers: semaphores as several processes have adjusted them");
	verdict(has, "C8", "undoers: and without that when these have ended");
	verdict_end();
}

static void play(const char *role)
{
	if (!strcmp(role, "undoers")) {
		run_undoers();
	} else {
		if (!strcmp(role, "attached"))
			run_attached();
		else
			run_adjusted();
		ready();
	}
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int i;

	need(argc == 2 || argc == 3);
	verdict_dir(argv[1]);
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(s != MAP_FAILED);
	if (argc == 3)
		play(argv[2]);
	prepare_shm();
	prepare_big();
	prepare_orphan();
	reader = helper(run_reader);
	need(within(&s->child_sees, 1));
	prepare_msg();
	prepare_sem();
	wait_until_asleep(receiver);
	wait_until_asleep(sender);
	wait_until_asleep(waiter);
	wait_until_asleep(timed);
	expected_shm = make_and_remove();
	for (i = 0; i < 5; i++)
		were_pids[i] = pid_of_sem(i);
	need(!semctl(sems, 0, IPC_STAT, &sem_was));
	/* so that a time that is taken anew is another */
	sleep_ms(1500);
	read_info(&before);
	ready();
	wait_for_check();
	read_info(&after);
	same(before.shm, after.shm, "segments in /proc/sysvipc");
	same(before.msg, after.msg, "queues in /proc/sysvipc");
	same(before.sem, after.sem, "sets in /proc/sysvipc");
	same(before.maps, after.maps, "attachments in /proc/self/maps");
	check_shm();
	check_msg();
	check_sem();
	check_forced();
	verdict_end();
	for (;;)
		pause();
}
