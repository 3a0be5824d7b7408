// SPDX-License-Identifier: GPL-2.0-only
/*
 * Child processes with unlike properties: each compares itself before and after
 * and ends with a status that says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state.h"

#define STATUS_SAME 42
#define PAGE 4096UL

enum { DROPPED, ODD, SHARER, FORKED, NR_CHILDREN };

static pid_t children[NR_CHILDREN];
static int go[2], told[2];
static uint8_t *shared;			/* with SHARER */
static uint8_t *cow;			/* both have it, each changed a page */
static struct utsname uts;

/* what /proc/self does not tell */
struct properties {
	int dumpable, subreaper, keepcaps, securebits, pdeath, policy, nice, ioprio, tsc;
	int uid[3], gid[3];
	struct rlimit core;
};

static struct properties properties(void)
{
	struct properties p;

	memset(&p, 0, sizeof(p));
	p.dumpable = prctl(PR_GET_DUMPABLE);
	prctl(PR_GET_CHILD_SUBREAPER, &p.subreaper);
	p.keepcaps = prctl(PR_GET_KEEPCAPS);
	p.securebits = prctl(PR_GET_SECUREBITS);
	prctl(PR_GET_PDEATHSIG, &p.pdeath);
	p.policy = sched_getscheduler(0);
	errno = 0;
	p.nice = getpriority(PRIO_PROCESS, 0);
	p.ioprio = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	need(!getresuid((uid_t *)&p.uid[0], (uid_t *)&p.uid[1], (uid_t *)&p.uid[2]));
	need(!getresgid((gid_t *)&p.gid[0], (gid_t *)&p.gid[1], (gid_t *)&p.gid[2]));
	need(!getrlimit(RLIMIT_CORE, &p.core));
	return p;
}

/* sleep until the parent closes the pipe, then compare */
static _Noreturn void be(bool (*check)(void))
{
	struct properties before = properties(), after;
	unsigned int differ;
	char c;

	close(go[1]);
	capture();
	need(write(told[1], ".", 1) == 1);
	need(read(go[0], &c, 1) == 0);
	differ = capture_same();
	after = properties();
	if (differ || (check && !check()))
		_exit(1);
	_exit(memcmp(&before, &after, sizeof(after)) ? 2 : STATUS_SAME);
}

/* user 1000 with a few capabilities: in all sets, in the permitted one alone, or ambient */
static _Noreturn void dropped(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2] = {
		{ .effective = 1 << CAP_KILL,
		  .permitted = 1 << CAP_KILL | 1 << CAP_NET_RAW | 1 << CAP_NET_BIND_SERVICE,
		  .inheritable = 1 << CAP_NET_BIND_SERVICE },
	};
	gid_t groups[] = { 1001, 1002, 70000 };

	need(!setgroups(3, groups) && !setresgid(1000, 1000, 1001));
	need(!prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE, 0, 0, 0) && !prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0));
	need(!prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NOROOT));
	need(!setresuid(1000, 1000, 1000));
	need(!syscall(SYS_capset, &header, caps));
	need(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0));
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(!prctl(PR_SET_DUMPABLE, 0));
	be(NULL);
}

static void write_proc(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);

	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* everything that can be set is set to something unusual */
static _Noreturn void odd(void)
{
	struct rlimit core = { 12345, 67890 }, files = { 100, 200 };
	struct sched_param param = { 0 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	need(!sched_setaffinity(0, sizeof(cpus), &cpus));
	need(!sched_setscheduler(0, SCHED_BATCH, &param) && !setpriority(PRIO_PROCESS, 0, 7));
	need(!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6)));
	need(!setrlimit(RLIMIT_CORE, &core) && !setrlimit(RLIMIT_NOFILE, &files));
	need(!prctl(PR_SET_NAME, "odd ) name (") && !prctl(PR_SET_TIMERSLACK, 123456));
	need(!prctl(PR_SET_PDEATHSIG, SIGUSR1) && !prctl(PR_SET_CHILD_SUBREAPER, 1));
	write_proc("/proc/self/oom_score_adj", "123");
	write_proc("/proc/self/coredump_filter", "0x2f");
	need(personality(ADDR_NO_RANDOMIZE) >= 0);
	umask(0137);
	be(NULL);
}

static bool check_sharer(void)
{
	/* the parent asks */
	for (int i = 0; i < 100 && shared[PAGE] != 1; i++)
		sleep_ms(20);
	if (shared[PAGE] != 1 || !pattern_is(shared, PAGE, 80))
		return false;
	shared[PAGE] = 2;
	return true;
}

static bool check_forked(void)
{
	return pattern_is(cow, PAGE, 91) && pattern_is(cow + PAGE, PAGE, 92);
}

static _Noreturn void forked(void)
{
	pattern(cow + PAGE, PAGE, 92);
	be(check_forked);
}

static void start(int nr)
{
	char c;

	children[nr] = fork();
	need(children[nr] >= 0);
	if (!children[nr]) {
		signal(SIGALRM, SIG_IGN);
		if (nr == DROPPED)
			dropped();
		else if (nr == ODD)
			odd();
		else if (nr == SHARER)
			be(check_sharer);
		else
			forked();
	}
	need(read(told[0], &c, 1) == 1);
}

void prepare_processes(void)
{
	need(!pipe2(go, O_CLOEXEC) && !pipe2(told, O_CLOEXEC));
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cow = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(shared != MAP_FAILED && cow != MAP_FAILED);
	pattern(shared, PAGE, 80);
	pattern(cow, PAGE, 91);
	pattern(cow + PAGE, PAGE, 90);
	need(!sethostname("state-host", 10) && !setdomainname("state-domain", 12) && !uname(&uts));
	for (int i = 0; i < NR_CHILDREN; i++)
		start(i);
}

/* the kernel keeps the number of the processor where glibc has registered it */
static bool rseq_works(void)
{
	const struct rseq *rseq = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	bool good = __rseq_size > 0;
	cpu_set_t cpus, old;

	need(!sched_getaffinity(0, sizeof(old), &old));
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		CPU_ZERO(&cpus);
		CPU_SET(cpu, &cpus);
		need(!sched_setaffinity(0, sizeof(cpus), &cpus));
		sched_yield();
		good &= *(volatile uint32_t *)&rseq->cpu_id == cpu;
	}
	need(!sched_setaffinity(0, sizeof(old), &old));
	return good;
}

void check_processes(void)
{
	static const char * const names[NR_CHILDREN] = {
		"state: a child of user 1000 with some capabilities is what it was",
		"state: a child with unusual properties is what it was",
		"state: a child that shares memory is what it was",
		"state: a child of fork() has its own pages and the common ones",
	};
	static const char * const rows[NR_CHILDREN] = { "T6", "T7", "T8", "T8" };
	struct utsname now;
	int status;

	verdict(!uname(&now) && !memcmp(&now, &uts, sizeof(uts)), "T10", "state: host name and domain name");
	verdict(rseq_works(), "T5", "state: rseq tells the processor");
	verdict(pattern_is(cow, PAGE, 91) && pattern_is(cow + PAGE, PAGE, 90), "T8",
		"state: the parent has its own pages and the common ones");
	verdict(pattern_is(shared, PAGE, 80), "T8", "state: contents of shared memory");
	shared[PAGE] = 1;
	close(go[1]);
	for (int i = 0; i < NR_CHILDREN; i++) {
		status = 0;
		while (waitpid(children[i], &status, 0) < 0 && errno == EINTR)
			;
		verdict_eq(status, STATUS_SAME << 8, rows[i], names[i]);
	}
	verdict_eq(shared[PAGE], 2, "T8", "state: memory is shared with the child");
}
