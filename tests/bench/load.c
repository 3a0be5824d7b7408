// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the benchmark checkpoints: a program with much of one thing, all of whose threads and processes look at the clock,
 * so that a stop is seen by those that were stopped; see usage.
 *
 * The lookers take turns: together they look twice a millisecond, however many there are. So a stop shows to half a
 * millisecond, and thousands of them are asleep nearly all the time, as idle ones are.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define HUGE (2 << 20)
#define WORDS 64		/* of a page: its first eighth; the rest is zero */
#define LOOK_US 500
#define GAP_US 1000
#define NR_GAPS 4096

static const char usage[] =
	"usage: load [OPTION...] REPORT\n"
	"\n"
	"  -p MIB   private memory            -H       with huge pages\n"
	"  -s MIB   shared anonymous memory   -m MIB   a memfd    -S MIB   POSIX shared memory\n"
	"  -n N     N processes beside this one, each of which has the private memory\n"
	"  -t N     N threads                 -M N     N mappings of one page\n"
	"  -d N     N descriptors             -w N     N eventfds that an epoll watches\n"
	"  -P N     N pipes                   -1 N     in N of 1,000 pages something is written upon SIGWINCH\n"
	"  -W       a witness: a looker on each processor\n"
	"\n"
	"Ready, and upon SIGUSR1, it writes REPORT: lines 'gap FROM TO CPU' in us for each look at the\n"
	"clock that came a millisecond late or more, 'fork-us N' and 'verified N' (-1 not asked, 0 the\n"
	"memory is not as it was filled, 1 it is). Before that,\n"
	"\n"
	"	SIGUSR2   the gaps are forgotten\n"
	"	SIGHUP    each process forks, one after another; fork-us is the sum of their times\n"
	"	SIGWINCH  memory is written to\n"
	"	SIGURG   memory is verified\n";

static struct {
	unsigned long private, shared, memfd, shm, processes, threads, mappings, descriptors, watches, pipes, dirty;
	bool huge, witness;
} want;

struct gap {
	uint64_t from, to;
	int cpu;
};

/* what all processes share */
struct common {
	atomic_uint nr_gaps;
	struct gap gaps[NR_GAPS];
	atomic_uint order;		/* counts the orders that were given */
	atomic_int signal;		/* the order */
	atomic_uint ready, obeyed;
	atomic_ulong fork_us;
	atomic_uint wrong;		/* processes whose memory is not as it was */
};

static struct common *common;
static unsigned long nr_lookers;

/* of this process */
static struct area {
	uint64_t *start;
	uint64_t nr_pages;
} areas[4];
static unsigned int nr_areas;
static uint64_t writes;		/* how often it was written to */

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void *need(void *p, const char *what)
{
	if (p == MAP_FAILED)
		err(1, "%s", what);
	return p;
}

static int fd_or_die(int fd, const char *what)
{
	if (fd < 0)
		err(1, "%s", what);
	return fd;
}

static void add_area(void *start, unsigned long mib, uint64_t seed)
{
	struct area *a = &areas[nr_areas++];

	a->start = start;
	a->nr_pages = mib * ((1 << 20) / PAGE);
	for (uint64_t i = 0; i < a->nr_pages; i++) {
		uint64_t *page = a->start + i * (PAGE / 8), first = mix(seed << 40 ^ i);

		/* the last of them is the number of times that it was written to */
		for (int j = 0; j < WORDS - 1; j++)
			page[j] = first + j;
	}
}

/* every so-manieth page of the areas has been written to as often as @writes says */
static bool is_dirty(uint64_t i)
{
	return want.dirty && i * want.dirty % 1000 < want.dirty;
}

static bool verify(uint64_t seed)
{
	for (unsigned int n = 0; n < nr_areas; n++)
		for (uint64_t i = 0; i < areas[n].nr_pages; i++) {
			uint64_t *page = areas[n].start + i * (PAGE / 8), first = mix((seed + n) << 40 ^ i);

			for (int j = 0; j < WORDS - 1; j++)
				if (page[j] != first + j)
					return false;
			if (page[WORDS - 1] != (is_dirty(i) ? writes : 0))
				return false;
		}
	return true;
}

static void dirty(void)
{
	writes++;
	for (unsigned int n = 0; n < nr_areas; n++)
		for (uint64_t i = 0; i < areas[n].nr_pages; i++)
			if (is_dirty(i))
				areas[n].start[i * (PAGE / 8) + WORDS - 1] = writes;
}

static void *map_shared(int fd, unsigned long mib)
{
	if (fd >= 0 && ftruncate(fd, (off_t)mib << 20))
		err(1, "ftruncate");
	return need(mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0),
		    "shared memory");
}

static void make_private(uint64_t seed)
{
	size_t len = (want.private << 20) + (want.huge ? HUGE : 0);
	uintptr_t start = (uintptr_t)need(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
					  "private memory");

	if (want.huge) {
		start = (start + HUGE - 1) & ~(uintptr_t)(HUGE - 1);
		if (madvise((void *)start, want.private << 20, MADV_HUGEPAGE))
			err(1, "huge pages");
	} else if (madvise((void *)start, len, MADV_NOHUGEPAGE)) {
		err(1, "small pages");
	}
	add_area((void *)start, want.private, seed);
}

/* the seed of an area is its process's number times 16, and its own number */
static void make_memory(uint64_t seed)
{
	if (want.private)
		make_private(seed + nr_areas);
	if (want.shared)
		add_area(map_shared(-1, want.shared), want.shared, seed + nr_areas);
	if (want.memfd)
		add_area(map_shared(fd_or_die(memfd_create("load", 0), "memfd"), want.memfd), want.memfd,
			 seed + nr_areas);
	if (want.shm) {
		char name[64];

		snprintf(name, sizeof(name), "/load-%d", getpid());
		add_area(map_shared(fd_or_die(shm_open(name, O_RDWR | O_CREAT, 0600), "POSIX shared memory"), want.shm),
			 want.shm, seed + nr_areas);
	}
}

static void raise_limits(void)
{
	struct rlimit files = { want.descriptors + want.watches + 2 * want.pipes + 100, 0 };

	files.rlim_max = files.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "%lu descriptors", (unsigned long)files.rlim_cur);
}

static void make_things(void)
{
	int epoll = want.watches ? fd_or_die(epoll_create1(0), "epoll") : -1, ends[2];

	for (unsigned long i = 0; i < want.mappings; i++) {
		/* neighbours that differ stay apart */
		char *p = need(mmap(NULL, PAGE, PROT_READ | (i % 2 ? PROT_WRITE : 0), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			       "mappings");

		if (i % 2)
			*p = i;
	}
	for (unsigned long i = 0; i < want.descriptors; i++)
		fd_or_die(open("/dev/null", O_RDONLY), "descriptors");
	for (unsigned long i = 0; i < want.watches; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd_or_die(eventfd(0, 0), "eventfd"), &event))
			err(1, "watches");
	}
	for (unsigned long i = 0; i < want.pipes; i++)
		fd_or_die(pipe(ends), "pipes");
}

static uint64_t time_fork(void)
{
	uint64_t begin = now_us();
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	begin = now_us() - begin;
	if (pid < 0)
		err(1, "fork");
	waitpid(pid, NULL, 0);
	return begin;
}

/* what a process does when it is told to; in the others it is a look that finds it */
static void obey(int sig, uint64_t seed)
{
	if (sig == SIGHUP)
		common->fork_us += time_fork();
	if (sig == SIGWINCH)
		dirty();
	if (sig == SIGURG && !verify(seed))
		common->wrong++;
}

/* the look that was due at @due comes now; returns when the next is due */
static uint64_t look(uint64_t due)
{
	uint64_t now = now_us();

	if (now >= due + GAP_US) {
		unsigned int n = common->nr_gaps++;

		if (n < NR_GAPS)
			common->gaps[n] = (struct gap){ due, now, sched_getcpu() };
	}
	return now + nr_lookers * LOOK_US;
}

static void nap_until(uint64_t due)
{
	uint64_t now = now_us(), us = due > now ? due - now : 0;
	struct timespec nap = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&nap, NULL);
}

/* @nr: which of the lookers this is, so that they begin one after another */
static void look_on(unsigned long nr, bool process)
{
	uint64_t due = now_us() + nr * LOOK_US;
	unsigned int order = 0;

	if (process)
		common->ready++;
	for (;;) {
		nap_until(due);
		due = look(due);
		if (process && common->order != order) {
			order = common->order;
			obey(common->signal, nr * 16);
			common->obeyed++;
			due = now_us() + nr_lookers * LOOK_US;
		}
	}
}

static void *thread(void *arg)
{
	prctl(PR_SET_TIMERSLACK, 1);
	common->ready++;
	look_on((unsigned long)arg, false);
	return NULL;
}

static void start_threads(void)
{
	unsigned long n = want.witness ? (unsigned long)sysconf(_SC_NPROCESSORS_ONLN) : want.threads;
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (unsigned long i = 0; i < n; i++) {
		if (want.witness) {
			cpu_set_t cpu;

			CPU_ZERO(&cpu);
			CPU_SET(i, &cpu);
			pthread_attr_setaffinity_np(&attr, sizeof(cpu), &cpu);
		}
		if (pthread_create(&id, &attr, thread, (void *)(i + 1)))
			errx(1, "thread %lu cannot be made", i);
	}
	while (common->ready < n)
		usleep(1000);
}

static void start_processes(void)
{
	for (unsigned long i = 0; i < want.processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "process %lu", i);
		if (pid == 0) {
			make_memory((i + 1) * 16);
			look_on(i + 1, true);
		}
	}
	while (common->ready < want.processes)
		usleep(1000);
}

/* everybody does it; the others see it when their turn comes */
static void order(int sig)
{
	common->fork_us = common->wrong = common->obeyed = 0;
	common->signal = sig;
	common->order++;
	obey(sig, 0);
	while (common->obeyed < want.processes)
		usleep(1000);
}

static void report(const char *path, int sig)
{
	unsigned int n = common->nr_gaps < NR_GAPS ? common->nr_gaps : NR_GAPS;
	char temp[256];
	FILE *f;

	snprintf(temp, sizeof(temp), "%s.new", path);
	f = fopen(temp, "w");
	if (!f)
		err(1, "%s", temp);
	fprintf(f, "fork-us %lu\nverified %d\n", common->fork_us, sig == SIGURG ? !common->wrong : -1);
	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "gap %llu %llu %d\n", (unsigned long long)common->gaps[i].from,
			(unsigned long long)common->gaps[i].to, common->gaps[i].cpu);
	if (fclose(f) || rename(temp, path))
		err(1, "%s", path);
}

static void command(const char *path, const sigset_t *set)
{
	const struct timespec nap = { .tv_nsec = nr_lookers * LOOK_US % 1000000 * 1000,
				      .tv_sec = nr_lookers * LOOK_US / 1000000 };
	uint64_t due = now_us() + nr_lookers * LOOK_US;

	for (;;) {
		int sig = sigtimedwait(set, NULL, &nap);

		/* a signal that comes earlier is no look */
		if (sig < 0 || now_us() > due)
			due = look(due);
		if (sig < 0)
			continue;
		if (sig == SIGUSR2)
			common->nr_gaps = 0;
		else if (sig != SIGUSR1)
			order(sig);
		report(path, sig);
		due = now_us() + nr_lookers * LOOK_US;
	}
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "p:Hs:m:S:n:t:M:d:w:P:1:W")) >= 0) {
		unsigned long n = optarg ? strtoul(optarg, NULL, 0) : 0;

		switch (option) {
		case 'p': want.private = n; break;
		case 'H': want.huge = true; break;
		case 's': want.shared = n; break;
		case 'm': want.memfd = n; break;
		case 'S': want.shm = n; break;
		case 'n': want.processes = n; break;
		case 't': want.threads = n; break;
		case 'M': want.mappings = n; break;
		case 'd': want.descriptors = n; break;
		case 'w': want.watches = n; break;
		case 'P': want.pipes = n; break;
		case '1': want.dirty = n; break;
		case 'W': want.witness = true; break;
		default: fputs(usage, stderr); exit(2);
		}
	}
	if (argc - optind != 1) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct common own;
	sigset_t set;

	parse(argc, argv);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGURG);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* or a nap of half a millisecond may last longer */
	prctl(PR_SET_TIMERSLACK, 1);
	common = want.processes ? map_shared(-1, 1) : &own;
	nr_lookers = 1 + want.processes + (want.witness ? 0 : want.threads);
	raise_limits();
	start_processes();
	if (!want.processes)
		make_memory(0);
	make_things();
	start_threads();
	common->nr_gaps = 0;
	report(argv[optind], -1);
	command(argv[optind], &set);
}
