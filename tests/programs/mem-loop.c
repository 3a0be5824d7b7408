// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that changes all the time and is consistent at every single moment, but not when pages of different moments
 * are put together: see usage.
 *
 * Each page has a version, from which all its other words follow, and a balance. A transaction takes four pages, moves
 * an amount between their balances, and rewrites them with their next versions. So at any moment the versions add up
 * to four times the transactions, the balances to what there was in the beginning, and each page's words are those of
 * its version; but for the transaction under way, whose pages the program itself knows and finishes when it goes on.
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define WORDS 64		/* of a page, one in each cache line, besides its own two */
#define STEP (PAGE / WORDS / 8)
#define PAGES_AT_ONCE 4
#define BALANCE 1000000

static const char usage[] =
	"usage: mem-loop [-q|-s] MIB FILE\n"
	"\n"
	"Fills MIB MiB of memory and goes on writing all over it; with -q it only fills it, with -s it\n"
	"naps for a millisecond after every transaction, and leaves the processor to others. FILE gets\n"
	"a line 'KEY VALUE' for each of transactions, gap-us (the longest time between two looks at\n"
	"the clock of a thread that does nothing else) and verified (-1: not asked, 0: the memory is\n"
	"not consistent, 1: it is), and a line 'gap FROM TO' in us for every gap of 2 ms and more, so\n"
	"that those of two of these programs can be compared, as all look on from the first processor:\n"
	"when the memory has been filled, and upon\n"
	"\n"
	"	SIGUSR1  as it is\n"
	"	SIGUSR2  after gap-us has been set to 0, and the gaps have been forgotten\n"
	"	SIGHUP   after a verification of all the memory\n";

struct page {
	uint64_t version;
	int64_t balance;
	uint64_t rest[PAGE / 8 - 2];
};

static struct page *pages;
static uint64_t nr_pages;
static uint64_t transactions;
static pthread_mutex_t between = PTHREAD_MUTEX_INITIALIZER;
#define GAP_US 2000

static struct gap {
	uint64_t from, to;
} gaps[10000];
static unsigned int nr_gaps;

static atomic_bool wanted;	/* somebody waits for 'between' */
static bool slow;

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t word_of(uint64_t page, uint64_t version, int i)
{
	return mix(page * 0x9e3779b97f4a7c15u + version) + i;
}

static void write_page(uint64_t n, uint64_t version)
{
	struct page *p = &pages[n];
	uint64_t first = word_of(n, version, 0);
	int i;

	p->version = version;
	for (i = 0; i < WORDS - 1; i++)
		p->rest[(i + 1) * STEP - 2] = first + i;
}

static bool page_ok(uint64_t n)
{
	const struct page *p = &pages[n];
	uint64_t first = word_of(n, p->version, 0);
	int i;

	for (i = 0; i < WORDS - 1; i++)
		if (p->rest[(i + 1) * STEP - 2] != first + i)
			return false;
	return true;
}

static void transact(void)
{
	uint64_t i, n[PAGES_AT_ONCE], r = mix(transactions + 12345);

	for (i = 0; i < PAGES_AT_ONCE; i++)
		n[i] = (r + i * (nr_pages / PAGES_AT_ONCE)) % nr_pages;
	for (i = 0; i < PAGES_AT_ONCE; i++) {
		pages[n[i]].balance += i % 2 ? (int64_t)(r >> 40) : -(int64_t)(r >> 40);
		write_page(n[i], pages[n[i]].version + 1);
	}
	transactions++;
}

static void *writer(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&between);
		while (!wanted) {
			transact();
			if (slow)
				usleep(1000);
		}
		pthread_mutex_unlock(&between);
		while (wanted)
			usleep(1000);
	}
	return arg;
}

static int verify(void)
{
	uint64_t versions = 0, i;
	int64_t balance = 0;

	for (i = 0; i < nr_pages; i++) {
		if (!page_ok(i))
			return 0;
		versions += pages[i].version;
		balance += pages[i].balance;
	}
	return versions == transactions * PAGES_AT_ONCE && balance == (int64_t)nr_pages * BALANCE;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void report(const char *path, uint64_t gap, int verified)
{
	char temp[200];
	unsigned int i;
	FILE *f;

	snprintf(temp, sizeof(temp), "%s.new", path);
	f = fopen(temp, "w");
	if (!f)
		err(1, "%s", temp);
	fprintf(f, "transactions %llu\ngap-us %llu\nverified %d\n", (unsigned long long)transactions,
		(unsigned long long)gap, verified);
	for (i = 0; i < nr_gaps; i++)
		fprintf(f, "gap %llu %llu\n", (unsigned long long)gaps[i].from, (unsigned long long)gaps[i].to);
	if (fclose(f) || rename(temp, path))
		err(1, "%s", path);
}

static int verify_between(void)
{
	int ok;

	wanted = true;
	pthread_mutex_lock(&between);
	ok = verify();
	wanted = false;
	pthread_mutex_unlock(&between);
	return ok;
}

/* looks at the clock twice a millisecond (a slow one: now and then), and answers signals in between */
static void watch_clock(const char *path, const sigset_t *set)
{
	const struct timespec nap = { .tv_nsec = slow ? 20000000 : 500000 };
	uint64_t last = now_us(), now, gap = 0;

	for (;;) {
		int sig = sigtimedwait(set, NULL, &nap);

		now = now_us();
		if (now - last > gap)
			gap = now - last;
		if (!slow && now - last >= GAP_US && nr_gaps < sizeof(gaps) / sizeof(gaps[0]))
			gaps[nr_gaps++] = (struct gap){ last, now };
		if (sig == SIGUSR2)
			gap = nr_gaps = 0;
		if (sig > 0) {
			report(path, gap, sig == SIGHUP ? verify_between() : -1);
			now = now_us();
		}
		last = now;
	}
}

static void fill(unsigned long mib)
{
	uint64_t i;

	nr_pages = mib * ((1 << 20) / PAGE);
	pages = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		err(1, "there is no memory for %lu MiB", mib);
	for (i = 0; i < nr_pages; i++) {
		pages[i].balance = BALANCE;
		write_page(i, 0);
	}
}

int main(int argc, char **argv)
{
	bool quiet = argc > 1 && !strcmp(argv[1], "-q");
	pthread_t thread;
	cpu_set_t first;
	sigset_t set;

	slow = argc > 1 && !strcmp(argv[1], "-s");
	argv += quiet || slow;
	if (argc - (quiet || slow) != 3) {
		fputs(usage, stderr);
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* or a nap of half a millisecond may last longer */
	prctl(PR_SET_TIMERSLACK, 1);
	fill(strtoul(argv[1], NULL, 0));
	if (!quiet && pthread_create(&thread, NULL, writer, NULL))
		errx(1, "no thread can be made");
	report(argv[2], 0, -1);
	/* the writer has been made, and may run anywhere */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	watch_clock(argv[2], &set);
}
