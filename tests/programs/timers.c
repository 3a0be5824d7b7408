// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of timer of timer_create(2), and what else counts CPU time, which
 * the program checks when it is told to.  usage: timers DIR
 *
 * No time is compared with a guess: the program reads the clock before and after
 * whatever it does, and what a timer says must lie between.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

#define MS 1000000LL
#define SECOND (1000 * MS)
#define FAR (1000 * SECOND)
#define OFTEN (10 * MS)

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* the kernel's own: glibc's timer_t hides what number it got */
typedef int ktimer;

static long long clock_ns(clockid_t clock)
{
	struct timespec ts;

	need(!clock_gettime(clock, &ts));
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static struct timespec spec(long long ns)
{
	return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

static long long of_spec(const struct timespec *ts)
{
	return ts->tv_sec * SECOND + ts->tv_nsec;
}

static ktimer make(clockid_t clock, int notify, int signo, long value, pid_t thread)
{
	struct sigevent event = {
		.sigev_notify = notify, .sigev_signo = signo, .sigev_value.sival_ptr = (void *)value,
	};
	ktimer id;

	if (notify & SIGEV_THREAD_ID)
		event.sigev_notify_thread_id = thread;
	return syscall(SYS_timer_create, clock, &event, &id) ? -1 : id;
}

static void set_timer(ktimer id, int flags, long long value, long long interval)
{
	struct itimerspec its = { .it_value = spec(value), .it_interval = spec(interval) };

	need(!syscall(SYS_timer_settime, id, flags, &its, NULL));
}

static long long left(ktimer id, long long *interval)
{
	struct itimerspec its;

	if (syscall(SYS_timer_gettime, id, &its))
		return -1;
	if (interval)
		*interval = of_spec(&its.it_interval);
	return of_spec(&its.it_value);
}

/* Timers that are far away: what is left of them, between two looks at their clock */

struct far {
	const char *name;
	clockid_t clock, counts_on;
	int flags;			/* TIMER_ABSTIME, with which they are set */
	int notify;
	ktimer id;
	long long from, to;		/* between these two it expires */
};

static struct far fars[] = {
	{ "CLOCK_MONOTONIC", CLOCK_MONOTONIC, CLOCK_MONOTONIC, 0, SIGEV_SIGNAL, 0, 0, 0 },
	{ "CLOCK_MONOTONIC, absolute", CLOCK_MONOTONIC, CLOCK_MONOTONIC, TIMER_ABSTIME, SIGEV_SIGNAL, 0, 0, 0 },
	{ "CLOCK_REALTIME", CLOCK_REALTIME, CLOCK_MONOTONIC, 0, SIGEV_SIGNAL, 0, 0, 0 },
	{ "CLOCK_REALTIME, absolute", CLOCK_REALTIME, CLOCK_REALTIME, TIMER_ABSTIME, SIGEV_SIGNAL, 0, 0, 0 },
	{ "CLOCK_BOOTTIME", CLOCK_BOOTTIME, CLOCK_BOOTTIME, 0, SIGEV_SIGNAL, 0, 0, 0 },
	{ "CLOCK_TAI", CLOCK_TAI, CLOCK_TAI, 0, SIGEV_SIGNAL, 0, 0, 0 },
	{ "CLOCK_MONOTONIC, without a signal", CLOCK_MONOTONIC, CLOCK_MONOTONIC, 0, SIGEV_NONE, 0, 0, 0 },
	{ "CLOCK_REALTIME_ALARM", CLOCK_REALTIME_ALARM, CLOCK_REALTIME, TIMER_ABSTIME, SIGEV_SIGNAL, 0, 0, 0 },
	{ "CLOCK_BOOTTIME_ALARM", CLOCK_BOOTTIME_ALARM, CLOCK_BOOTTIME, 0, SIGEV_SIGNAL, 0, 0, 0 },
	{ "the process's CPU time", CLOCK_PROCESS_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID, 0, SIGEV_SIGNAL, 0, 0, 0 },
	{ "the thread's CPU time", CLOCK_THREAD_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, 0, SIGEV_SIGNAL, 0, 0, 0 },
	/* their clocks are filled in */
	{ "another thread's CPU time", 0, 0, TIMER_ABSTIME, SIGEV_SIGNAL, 0, 0, 0 },
	{ "a child's CPU time", 0, 0, 0, SIGEV_SIGNAL, 0, 0, 0 },
};

#define NR_FARS (sizeof(fars) / sizeof(fars[0]))

static void prepare_far(struct far *f)
{
	long long before = clock_ns(f->counts_on);

	f->id = make(f->clock, f->notify, SIGUSR1, 1, 0);
	if (f->id < 0 && (errno == EOPNOTSUPP || errno == EPERM)) {
		fprintf(stderr, "timers: no %s here: %s\n", f->name, strerror(errno));
		return;
	}
	need(f->id >= 0);
	set_timer(f->id, f->flags, f->flags ? before + FAR : FAR, 0);
	f->from = before + FAR;
	f->to = f->flags ? f->from : clock_ns(f->counts_on) + FAR;
}

static void check_far(const struct far *f)
{
	long long before = clock_ns(f->counts_on), interval = -1;
	long long ns = left(f->id, &interval);
	long long after = clock_ns(f->counts_on);

	if (f->id < 0)
		return;
	verdict(ns >= 0 && !interval && before + ns <= f->to && after + ns >= f->from, "T4",
		"timers: %s: as much is left as the clock says", f->name);
}

/* Timers that expire often, whose signals wait */

struct often {
	const char *name;
	clockid_t clock;
	int signo;
	bool thread;			/* for the one thread */
	ktimer id;
	long long from, to;		/* between these it was started */
	long long seen;
};

static struct often oftens[] = {
	{ "CLOCK_MONOTONIC", CLOCK_MONOTONIC, 0, false, 0, 0, 0, 0 },
	{ "CLOCK_REALTIME", CLOCK_REALTIME, 0, false, 0, 0, 0, 0 },
	{ "for a thread", CLOCK_MONOTONIC, 0, true, 0, 0, 0, 0 },
	{ "CLOCK_BOOTTIME_ALARM", CLOCK_BOOTTIME_ALARM, 0, false, 0, 0, 0, 0 },
};

#define NR_OFTENS (sizeof(oftens) / sizeof(oftens[0]))

static sigset_t one(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	return set;
}

static clockid_t of_alarm(clockid_t clock)
{
	return clock == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME :
	       clock == CLOCK_REALTIME ? CLOCK_MONOTONIC : clock;
}

static void prepare_often(struct often *o, size_t nr, pid_t thread)
{
	sigset_t pending;

	o->signo = SIGRTMIN + 2 + nr;
	o->id = make(o->clock, o->thread ? SIGEV_THREAD_ID : SIGEV_SIGNAL, o->signo, 100 + nr, thread);
	if (o->id < 0) {
		need(errno == EOPNOTSUPP || errno == EPERM);
		fprintf(stderr, "timers: no %s here: %s\n", o->name, strerror(errno));
		return;
	}
	o->from = clock_ns(of_alarm(o->clock));
	set_timer(o->id, 0, OFTEN, OFTEN);
	o->to = clock_ns(of_alarm(o->clock));
	/* a thread's own are not seen from here */
	do {
		sleep_ms(20);
		sigpending(&pending);
	} while (!o->thread && !sigismember(&pending, o->signo));
}

/*
 * Each signal stands for one expiry and its overruns; with those of all signals so
 * far there are just as many as intervals have passed.
 */
static void check_often(struct often *o, size_t nr)
{
	const struct timespec wait = { .tv_sec = 20 };
	long long before = 0, after = 0;
	sigset_t set = one(o->signo);
	bool good = true, same = true;
	siginfo_t info;

	if (o->id < 0)
		return;
	for (int i = 0; i < 4 && good; i++) {
		before = clock_ns(of_alarm(o->clock));
		good = sigtimedwait(&set, &info, &wait) == o->signo && info.si_code == SI_TIMER &&
		       info.si_timerid == o->id && info.si_value.sival_ptr == (void *)(100 + nr);
		after = clock_ns(of_alarm(o->clock));
		o->seen += 1 + info.si_overrun;
		same &= syscall(SYS_timer_getoverrun, o->id) == info.si_overrun;
	}
	verdict(good, "T4", "timers: often, %s: its signals come", o->name);
	verdict(same, "T4", "timers: often, %s: timer_getoverrun agrees", o->name);
	verdict(o->seen >= (before - o->to) / OFTEN && o->seen <= (after - o->from) / OFTEN, "T4",
		"timers: often, %s: no expiry is lost or counted twice", o->name);
}

/* The thread, which has a signal queue of its own */

static atomic_bool checking;
static pid_t thread_tid;
static pthread_t thread;

static void *thread_main(void *unused)
{
	(void)unused;
	thread_tid = syscall(SYS_gettid);
	while (!checking)
		sleep_ms(100);
	for (size_t i = 0; i < NR_OFTENS; i++)
		if (oftens[i].thread)
			check_often(&oftens[i], i);
	return NULL;
}

/* A signal that waits between two others */

static ktimer once;

static void prepare_order(void)
{
	const int signo = SIGRTMIN + 1;

	need(!sigqueue(getpid(), signo, (union sigval){ .sival_int = 1 }));
	once = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, signo, 2, 0);
	set_timer(once, 0, 1, 0);
	/* its signal is queued when nothing is left */
	while (left(once, NULL))
		sleep_ms(1);
	need(!sigqueue(getpid(), signo, (union sigval){ .sival_int = 3 }));
}

static void check_order(void)
{
	static const int codes[] = { SI_QUEUE, SI_TIMER, SI_QUEUE };
	sigset_t set = one(SIGRTMIN + 1);
	const struct timespec now = { 0 };
	bool good = true;
	siginfo_t info;

	for (int i = 0; i < 3; i++)
		good &= sigtimedwait(&set, &info, &now) == SIGRTMIN + 1 && info.si_code == codes[i] &&
			info.si_value.sival_int == i + 1;
	verdict(good, "T4", "timers: a signal that waits is in its place between two others");
	verdict(sigtimedwait(&set, &info, &now) < 0 && errno == EAGAIN, "T4",
		"timers: a signal that waits comes once");
	verdict(!left(once, NULL), "T4", "timers: one that has expired does not run");
	set_timer(once, 0, MS, 0);
	verdict(sigtimedwait(&set, &info, &(struct timespec){ .tv_sec = 20 }) == SIGRTMIN + 1, "T4",
		"timers: one that has expired can be set again");
}

/* Ids */

static ktimer next_id, idle;

static void prepare_ids(void)
{
	for (ktimer i = 0; i < 5; i++)
		need(make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0) == i);
	need(!syscall(SYS_timer_delete, 0) && !syscall(SYS_timer_delete, 2) &&
	     !syscall(SYS_timer_delete, 3));
	idle = 4;
}

static void check_ids(void)
{
	ktimer id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);

	verdict_eq(id, next_id, "T4", "timers: the next one gets the id that it would have got");
	verdict(left(0, NULL) < 0 && left(2, NULL) < 0 && !left(1, NULL), "T4",
		"timers: the ids of those that were deleted are free");
	verdict(!left(idle, NULL), "T4", "timers: one that was never set does not run");
}

/* What /proc tells of all of them: ids, clocks, notifications, values, in the order of the kernel's list */

static char told[16384];

static void read_told(char *to)
{
	int fd = open("/proc/self/timers", O_RDONLY);
	ssize_t n, len = 0;

	while (fd >= 0 && len < 16383 && (n = read(fd, to + len, 16383 - len)) > 0)
		len += n;
	to[len] = 0;
	close(fd);
}

static void check_told(void)
{
	static char now[sizeof(told)];

	read_told(now);
	verdict(*told && !strcmp(told, now), "T4", "timers: /proc/PID/timers");
}

/* Without a signal, and with an interval */

static ktimer silent;
static long long silent_from, silent_to;

static void prepare_silent(void)
{
	silent = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	silent_from = clock_ns(CLOCK_MONOTONIC);
	set_timer(silent, 0, 7 * MS, 7 * MS);
	silent_to = clock_ns(CLOCK_MONOTONIC);
}

static long long floor_div(long long a, long long b)
{
	return a / b - (a % b < 0);
}

static void check_silent(void)
{
	long long before = clock_ns(CLOCK_MONOTONIC), interval;
	long long ns = left(silent, &interval);
	long long after = clock_ns(CLOCK_MONOTONIC);
	long long least = before + ns - silent_to, most = after + ns - silent_from;

	/* a whole number of intervals lies between */
	verdict(ns > 0 && interval == 7 * MS && floor_div(most, 7 * MS) * 7 * MS >= least, "T4",
		"timers: one without a signal goes from interval to interval");
}

/* Those of which a signal is ignored run on */

static ktimer ignored;

static void prepare_ignored(void)
{
	signal(SIGUSR2, SIG_IGN);
	ignored = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR2, 0, 0);
	set_timer(ignored, 0, OFTEN, OFTEN);
}

static volatile sig_atomic_t usr2s, profs;

static void count_usr2(int signo)
{
	(void)signo;
	usr2s++;
}

static void count_prof(int signo)
{
	(void)signo;
	profs++;
}

static void check_ignored(void)
{
	sigset_t set = one(SIGUSR2);

	usr2s = 0;
	signal(SIGUSR2, count_usr2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; i < 2000 && !usr2s; i++)
		sleep_ms(10);
	signal(SIGUSR2, SIG_IGN);
	verdict(usr2s > 0, "T4", "timers: one whose signal is ignored runs on");
}

/* glibc's own, which calls a function in a thread */

static atomic_llong calls;
static long long calls_from;
static timer_t calling;

static void called(union sigval value)
{
	(void)value;
	calls++;
}

static void prepare_calls(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = called };
	struct itimerspec its = { .it_value = spec(50 * MS), .it_interval = spec(50 * MS) };

	need(!timer_create(CLOCK_MONOTONIC, &event, &calling));
	calls_from = clock_ns(CLOCK_MONOTONIC);
	need(!timer_settime(calling, 0, &its, NULL));
	while (!calls)
		sleep_ms(10);
}

static void check_calls(void)
{
	long long had = calls;

	for (int i = 0; i < 2000 && calls == had; i++)
		sleep_ms(10);
	verdict(calls > had, "T4", "timers: SIGEV_THREAD: the function is called again");
	verdict(calls <= (clock_ns(CLOCK_MONOTONIC) - calls_from) / (50 * MS), "T4",
		"timers: SIGEV_THREAD: no more often than intervals have passed");
}

/* CPU time: a timer that expires of it, interval timers, a sleep on it */

static ktimer burning;
static pthread_t sleeper;
static atomic_llong slept_ns;

#define CPU_SLEEP SECOND

static void *sleeper_main(void *unused)
{
	const struct timespec ts = spec(CPU_SLEEP);
	long long began = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	int ret = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL);

	(void)unused;
	slept_ns = ret ? -ret : clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
	return NULL;
}

static pthread_t alarm_sleeper;
static atomic_llong alarm_slept_ns;

static void *alarm_sleeper_main(void *unused)
{
	const struct timespec ts = spec(2 * SECOND);
	long long began;
	int ret;

	(void)unused;
	do {
		began = clock_ns(CLOCK_BOOTTIME);
		ret = clock_nanosleep(CLOCK_BOOTTIME_ALARM, 0, &ts, NULL);
		alarm_slept_ns = ret ? -ret : clock_ns(CLOCK_BOOTTIME) - began;
	} while (!ret && alarm_slept_ns >= 2 * SECOND && !checking);
	return NULL;
}

static void prepare_cpu(void)
{
	struct itimerval prof = { { 0, 20000 }, { 0, 20000 } }, virt = { { 5, 0 }, { 1000, 0 } };

	signal(SIGPROF, count_prof);
	burning = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGRTMIN, 7, 0);
	set_timer(burning, 0, OFTEN, OFTEN);
	need(!setitimer(ITIMER_PROF, &prof, NULL) && !setitimer(ITIMER_VIRTUAL, &virt, NULL));
	need(!pthread_create(&sleeper, NULL, sleeper_main, NULL));
	need(!pthread_create(&alarm_sleeper, NULL, alarm_sleeper_main, NULL));
}

static void check_virtual(void)
{
	struct itimerval it;
	long long us, used = clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000;

	getitimer(ITIMER_VIRTUAL, &it);
	us = it.it_value.tv_sec * 1000000LL + it.it_value.tv_usec;
	/* the kernel adds a tick when it is set */
	verdict(it.it_interval.tv_sec == 5 && us <= 1000020000 && us >= 1000000000 - used, "T4",
		"timers: ITIMER_VIRTUAL has as much left as the time that was used says");
}

static void check_cpu(void)
{
	sigset_t set = one(SIGRTMIN), prof = one(SIGPROF);
	long long began = clock_ns(CLOCK_MONOTONIC);
	int burnt = 0, had = profs;
	siginfo_t info;

	check_virtual();
	pthread_sigmask(SIG_UNBLOCK, &prof, NULL);
	while ((burnt < 3 || profs < had + 3 || !slept_ns) &&
	       clock_ns(CLOCK_MONOTONIC) - began < 25 * SECOND)
		if (sigtimedwait(&set, &info, &(struct timespec){ 0 }) == SIGRTMIN)
			burnt += info.si_code == SI_TIMER && info.si_timerid == burning;
	pthread_sigmask(SIG_BLOCK, &prof, NULL);
	verdict(burnt >= 3, "T4", "timers: one of CPU time expires again and again");
	verdict(profs >= had + 3, "T4", "timers: ITIMER_PROF expires again and again");
	verdict(slept_ns >= CPU_SLEEP, "T4", "timers: a sleep on a clock of CPU time takes its time, and ends");
	pthread_join(alarm_sleeper, NULL);
	verdict(alarm_slept_ns >= 2 * SECOND || alarm_slept_ns == -EOPNOTSUPP || alarm_slept_ns == -EPERM,
		"T4", "timers: a sleep on an alarm clock takes its time");
}

static void prepare(void)
{
	pid_t child;

	prepare_ids();
	prepare_calls();
	child = fork();
	if (!child)
		for (;;)
			pause();
	need(!pthread_create(&thread, NULL, thread_main, NULL));
	while (!thread_tid)
		sleep_ms(1);
	need(!pthread_getcpuclockid(thread, &fars[NR_FARS - 2].clock));
	need(!clock_getcpuclockid(child, &fars[NR_FARS - 1].clock));
	for (size_t i = NR_FARS - 2; i < NR_FARS; i++)
		fars[i].counts_on = fars[i].clock;
	for (size_t i = 0; i < NR_FARS; i++)
		prepare_far(&fars[i]);
	prepare_silent();
	prepare_ignored();
	prepare_order();
	for (size_t i = 0; i < NR_OFTENS; i++)
		prepare_often(&oftens[i], i, thread_tid);
	prepare_cpu();
	next_id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	need(!syscall(SYS_timer_delete, next_id));
	next_id++;
	read_told(told);
}

int main(int argc, char **argv)
{
	sigset_t all;

	need(argc == 2);
	verdict_dir(argv[1]);
	sigfillset(&all);
	need(!pthread_sigmask(SIG_SETMASK, &all, NULL));
	prepare();
	ready();
	wait_for_check();
	check_told();
	check_ids();
	for (size_t i = 0; i < NR_FARS; i++)
		check_far(&fars[i]);
	check_silent();
	check_order();
	for (size_t i = 0; i < NR_OFTENS; i++)
		if (!oftens[i].thread)
			check_often(&oftens[i], i);
	checking = true;
	pthread_join(thread, NULL);
	check_ignored();
	check_calls();
	check_cpu();
	verdict_end();
	for (;;)
		pause();
}
