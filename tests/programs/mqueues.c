// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX message queues: what is in them, attributes, owners, times, names, descriptors of
 * every kind, who waits at one and who is notified.
 *
 * usage: mqueues DIR [ROLE]
 * ROLE: "execed" has called execve(2) since it asked to be notified; "outside" is somebody who
 * is not of the container, and opens one of its queues; "registered" is notified by it, too;
 * "foreign" has mounted queues and left their namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mqueues.h"
#include "verdict.h"

#define USER 1007
#define WAIT_MS 8000

static const unsigned int prios[] = { 3, 0, 32767, 3, 0 };
static const size_t taken_in[] = { 2, 0, 3, 1, 4 };	/* by priority, then by age */
#define NR_MSGS (sizeof(prios) / sizeof(*prios))

static mqd_t named, gone, lost, again, full, waited, timed, notified, silent, execed, theirs, sent[2];
static pid_t receiver, sender, timer, owner;
static long long deadline;
static sigset_t set;
static struct look *before, *after;

static mqd_t queue(const char *name, int flags)
{
	struct mq_attr attr = { .mq_maxmsg = 8, .mq_msgsize = MQ_LEN };
	mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0640, &attr);

	need(q >= 0);
	return q;
}

/* the n-th message is n bytes shorter than can be */
static void fill(mqd_t q, uint64_t seed)
{
	char msg[MQ_LEN];

	for (size_t i = 0; i < NR_MSGS; i++) {
		pattern(msg, sizeof(msg), seed + i);
		need(!mq_send(q, msg, sizeof(msg) - i, prios[i]));
	}
}

static void check_messages(mqd_t q, uint64_t seed, const char *text)
{
	bool good = true;
	unsigned int prio;
	char msg[MQ_LEN];

	for (size_t i = 0; i < NR_MSGS; i++) {
		size_t nth = taken_in[i];
		ssize_t len = mq_receive(q, msg, sizeof(msg), &prio);

		good = good && len == (ssize_t)(MQ_LEN - nth) && prio == prios[nth] &&
		       pattern_is(msg, (size_t)len, seed + nth);
	}
	errno = 0;
	verdict(good && mq_receive(q, msg, sizeof(msg), NULL) < 0 && errno == EAGAIN, "C8",
		"mqueues: %s", text);
}

static pid_t helper(int (*run)(void))
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid)
		_exit(run());
	return pid;
}

static bool ends_well(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && !status;
}

static int receive(void)
{
	char msg[MQ_LEN];

	return mq_receive(waited, msg, sizeof(msg), NULL) != 1 || *msg != 'w';
}

static int send_one_more(void)
{
	return mq_send(full, "more", 4, 1);
}

static int wait_in_vain(void)
{
	struct timespec ts = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };
	char msg[MQ_LEN];

	return mq_timedreceive(timed, msg, sizeof(msg), NULL, &ts) != -1 || errno != ETIMEDOUT ||
	       wall_ms() < deadline;
}

static void ask(mqd_t q, int notify, int value)
{
	struct sigevent ev = { .sigev_notify = notify, .sigev_signo = SIGUSR1,
			       .sigev_value.sival_int = value };

	need(!mq_notify(q, &ev));
}

/* a process that stays registered, as it has not closed the queue, but is another program now */
static int exec_registered(void)
{
	ask(execed, SIGEV_SIGNAL, 43);
	need(!fcntl(execed, F_SETFD, 0));
	execlp("mqueues", "mqueues", in_dir("."), "execed", NULL);
	return 1;
}

static int make_theirs(void)
{
	need(!setuid(USER));
	queue("/theirs", O_NONBLOCK);
	return 0;
}

/* may they make one more, with a limit of @nr of them? */
static bool may_make(unsigned int nr)
{
	const struct rlimit one = { nr * (8 * (MQ_LEN + 200)), nr * (8 * (MQ_LEN + 200)) };
	struct mq_attr attr = { .mq_maxmsg = 8, .mq_msgsize = MQ_LEN };
	pid_t pid = fork();
	int status = -1;

	need(pid >= 0);
	if (!pid) {
		mqd_t q;

		need(!setrlimit(RLIMIT_MSGQUEUE, &one) && !setuid(USER));
		q = mq_open("/one-more", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
		if (q < 0)
			_exit(errno == EMFILE ? 1 : 2);
		_exit(mq_unlink("/one-more") ? 2 : 0);
	}
	need(waitpid(pid, &status, 0) == pid && (!status || status == 1 << 8));
	return !status;
}

static void prepare_queues(void)
{
	fill(lost = queue("/lost", O_NONBLOCK), 20);
	need(!mq_unlink("/lost"));
	fill(gone = queue("/gone", O_NONBLOCK), 30);
	need(!mq_unlink("/gone"));
	fill(named = queue("/named", O_NONBLOCK), 10);
	need(!fchown(named, 7, 8) && !fchmod(named, 02604));
	fill(again = queue("/gone", O_NONBLOCK), 40);
	need(helper(make_theirs) > 0 && wait(NULL) > 0);
	need((theirs = mq_open("/theirs", O_RDWR | O_NONBLOCK)) >= 0);
	fill(theirs, 50);
	sent[0] = queue("/sent", O_NONBLOCK);
	fill(sent[0], 60);
	need(!mq_unlink("/sent"));
	send_away(sent[0]);
}

static void prepare_waiters(void)
{
	receiver = helper((waited = queue("/waited", 0), receive));
	full = queue("/full", 0);
	for (int i = 0; i < 8; i++)
		need(!mq_send(full, "less", 4, 2));
	sender = helper(send_one_more);
	deadline = wall_ms() + WAIT_MS;
	timer = helper((timed = queue("/timed", 0), wait_in_vain));
	ask(notified = queue("/notified", 0), SIGEV_SIGNAL, 42);
	ask(silent = queue("/silent", 0), SIGEV_NONE, 0);
	execed = queue("/execed", 0);
	owner = helper(exec_registered);
	while (access(in_dir("execed"), F_OK))
		sleep_ms(10);
}

static void check_waiters(void)
{
	char msg[MQ_LEN];
	bool good = true;

	need(!mq_send(waited, "w", 1, 0));
	verdict(ends_well(receiver), "C8", "mqueues: who waits for a message gets it");
	for (int i = 0; i < 8; i++)
		good = good && mq_receive(full, msg, sizeof(msg), NULL) == 4 && !memcmp(msg, "less", 4);
	good = good && mq_receive(full, msg, sizeof(msg), NULL) == 4 && !memcmp(msg, "more", 4);
	verdict(good && ends_well(sender), "C8", "mqueues: who waits for room sends his message");
	verdict(ends_well(timer), "C8 N4", "mqueues: who waits for a time waits for no longer and no less");
}

static bool is_pending(pid_t pid, int sig)
{
	unsigned long long pending = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	need((f = fopen(path, "r")));
	while (fgets(line, sizeof(line), f) && sscanf(line, "ShdPnd: %llx", &pending) != 1)
		;
	fclose(f);
	return pending >> (sig - 1) & 1;
}

static void check_notified(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	struct timespec ts = { .tv_sec = 10 };
	siginfo_t info = { 0 };

	verdict(mq_notify(notified, &ev) < 0 && errno == EBUSY, "C8", "mqueues: nobody else can register");
	need(!mq_send(notified, "n", 1, 0));
	verdict(sigtimedwait(&set, &info, &ts) == SIGUSR1 && info.si_code == SI_MESGQ &&
		info.si_value.sival_int == 42 && info.si_pid == getpid(), "C8",
		"mqueues: who is registered is notified of a message");
	verdict(!mq_notify(notified, &ev), "C8", "mqueues: once");
	verdict(mq_notify(silent, &ev) < 0 && errno == EBUSY && !mq_notify(silent, NULL) &&
		!mq_notify(silent, &ev), "C8", "mqueues: who has registered for nothing may take it back");
	verdict(mq_notify(execed, &ev) < 0 && errno == EBUSY && !mq_send(execed, "n", 1, 0) &&
		!is_pending(owner, SIGUSR1) && !mq_notify(execed, &ev), "C8",
		"mqueues: a program that has not registered itself gets no signal");
}

static void check_names(void)
{
	struct mq_attr attr;
	mqd_t q = mq_open("/named", O_RDONLY);

	verdict(q >= 0 && !mq_getattr(q, &attr) && attr.mq_maxmsg == 8 && attr.mq_msgsize == MQ_LEN &&
		attr.mq_curmsgs == NR_MSGS, "C8",
		"mqueues: a queue has its name, limits and number of messages");
	errno = 0;
	verdict(mq_open("/lost", O_RDONLY) < 0 && errno == ENOENT, "C8",
		"mqueues: a queue without a name has none");
	check_messages(q = mq_open("/gone", O_RDWR | O_NONBLOCK), 40, "a name that was another's leads to its queue");
	check_messages(named, 10, "messages come in their order, with priorities, each whole");
	check_messages(lost, 20, "so do those of a queue without a name");
	check_messages(gone, 30, "and of one whose name another has now");
	check_messages(theirs, 50, "and of another's");
	check_messages(sent[1] = receive_back(), 60, "and of one that is only on its way in a socket");
}

/* when nobody else has their queue any more */
static void check_creator(void)
{
	verdict(!may_make(1) && may_make(2), "C8", "mqueues: a queue counts for who has made it (RLIMIT_MSGQUEUE)");
	mq_close(theirs);
	need(!mq_unlink("/theirs"));
	verdict(may_make(1), "C8", "mqueues: and no more when it is gone");
}

static _Noreturn void run_execed(void)
{
	int fd = open(in_dir("execed"), O_WRONLY | O_CREAT, 0600);

	need(fd >= 0);
	close(fd);
	for (;;)
		pause();
}

static _Noreturn void run_outside(bool registers)
{
	mqd_t q = mq_open("/named", O_RDONLY);

	need(q >= 0);
	if (registers)
		ask(q, SIGEV_SIGNAL, 44);
	ready();
	for (;;)
		pause();
}

static _Noreturn void run_foreign(void)
{
	mount_queues();
	need(!unshare(CLONE_NEWIPC));
	ready();
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	need(argc >= 2);
	verdict_dir(argv[1]);
	if (argc == 3 && !strcmp(argv[2], "execed"))
		run_execed();
	if (argc == 3 && !strcmp(argv[2], "foreign"))
		run_foreign();
	if (argc == 3)
		run_outside(!strcmp(argv[2], "registered"));
	umask(0);
	/* more than a restart's own limit */
	need(!setrlimit(RLIMIT_MSGQUEUE, &(struct rlimit) { RLIM_INFINITY, RLIM_INFINITY }));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	lift_limits();
	mount_queues();
	prepare_queues();
	prepare_waiters();
	open_queues(named);
	set_limits();
	look_at(before = new_look(), named, gone);
	ready();
	wait_for_check();

	look_at(after = new_look(), named, gone);
	compare(before, after);
	check_descriptors(named);
	check_limits();
	lift_limits();
	check_names();
	check_waiters();
	check_creator();
	check_notified();
	verdict_end();
	return 0;
}
