// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process has set for itself and few ask for: PR_MCE_KILL, its slice, a
 * default timer slack, keyrings, its login, its autogroup, the legacy layout.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traits.h"

#define LEGACY_SIZE (64UL << 20)

/* keyctl(2) */
#define SET_REQKEY_KEYRING 14
#define NO_CHANGE (-1)
#define SESSION_KEYRING 3

struct sched {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static pid_t layout;
static void *looked_at;		/* where mmap(2) finds room */

static struct sched get_sched(void)
{
	struct sched s = { .size = sizeof(s) };

	need(!syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0));
	return s;
}

static void set_sched(int policy, int nice, int priority, uint64_t runtime)
{
	struct sched s = { sizeof(s), policy, 0, nice, priority, runtime, 0, 0 };

	need(!syscall(SYS_sched_setattr, 0, &s, 0));
}

/* real-time now, with the nice value and slice of later */
static void real_time(void)
{
	struct sched before, now;

	set_sched(SCHED_OTHER, 6, 0, 7000000);
	before = get_sched();
	set_sched(SCHED_FIFO, 0, 3, 0);
	traits_ready();
	traits_wait();
	now = get_sched();
	verdict(now.policy == SCHED_FIFO && now.priority == 3, "T7", "traits: a real-time task's policy and priority");
	verdict_eq(getpriority(PRIO_PROCESS, 0), 6, "T7", "traits: the nice value that it has beside (K24)");
	need(!sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 }));
	now = get_sched();
	verdict_eq(now.nice, before.nice, "T7", "traits: and that counts when it is none any more");
	traits_done();
}

/* a slice of its own choice; a kernel that has none shows none */
static void sliced(void)
{
	struct sched before;

	set_sched(SCHED_BATCH, 2, 0, 9000000);
	before = get_sched();
	traits_ready();
	traits_wait();
	verdict_eq(get_sched().runtime, before.runtime, "T7", "traits: a slice that sched_setattr() has set (K20)");
	verdict(before.runtime == 0 || before.runtime == 9000000, "T7", "traits: which the kernel knows, or not");
	traits_done();
}

static int mce_kill(void)
{
	return prctl(PR_MCE_KILL_GET, 0, 0, 0, 0);
}

static void set_mce_kill(int how)
{
	need(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET, how, 0, 0));
}

static void early(void)
{
	set_mce_kill(PR_MCE_KILL_EARLY);
	traits_ready();
	traits_wait();
	verdict_eq(mce_kill(), PR_MCE_KILL_EARLY, "C10", "traits: PR_MCE_KILL, early (K20)");
	traits_done();
}

static void late(void)
{
	set_mce_kill(PR_MCE_KILL_LATE);
	traits_ready();
	traits_wait();
	verdict_eq(mce_kill(), PR_MCE_KILL_LATE, "C10", "traits: PR_MCE_KILL, late (K20)");
	traits_done();
}

/* forked with a slack of 70000, it has another one now */
static void slack(void)
{
	need(!prctl(PR_SET_TIMERSLACK, 1234));
	traits_ready();
	traits_wait();
	verdict_eq(prctl(PR_GET_TIMERSLACK), 1234, "T7", "traits: timer slack");
	prctl(PR_SET_TIMERSLACK, 0);
	verdict_eq(prctl(PR_GET_TIMERSLACK), 70000, "T7", "traits: the slack that PR_SET_TIMERSLACK goes back to (K20)");
	traits_done();
}

static void keyring(void)
{
	need(syscall(SYS_keyctl, SET_REQKEY_KEYRING, SESSION_KEYRING) >= 0);
	traits_ready();
	traits_wait();
	verdict_eq(syscall(SYS_keyctl, SET_REQKEY_KEYRING, NO_CHANGE), SESSION_KEYRING, "T6",
		   "traits: KEYCTL_SET_REQKEY_KEYRING (K20)");
	traits_done();
}

/* one that has logged in; a kernel without audit has no such file */
static void login(void)
{
	char uid[32], session[32];
	bool has = put_text("/proc/self/loginuid", "4711");

	snprintf(uid, sizeof(uid), "%.20s", text_of("/proc/self/loginuid"));
	snprintf(session, sizeof(session), "%.20s", text_of("/proc/self/sessionid"));
	traits_ready();
	traits_wait();
	verdict(!has || !strcmp(uid, "4711"), "T6", "traits: /proc/self/loginuid has been written");
	verdict(!strcmp(text_of("/proc/self/loginuid"), uid), "T6", "traits: /proc/self/loginuid (K34)");
	verdict(!strcmp(text_of("/proc/self/sessionid"), session), "T6", "traits: /proc/self/sessionid (K34)");
	traits_done();
}

static void *sleep_in_thread(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* dumpable by its own word, which each change of a thread's credentials takes back */
static void dumpable(void)
{
	pthread_t thread;

	need(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	for (int i = 0; i < 3; i++)
		need(!pthread_create(&thread, NULL, sleep_in_thread, NULL));
	need(!prctl(PR_SET_DUMPABLE, 1));
	traits_ready();
	traits_wait();
	verdict_eq(prctl(PR_GET_DUMPABLE), 1, "T6", "traits: a user's process with threads is dumpable (K21)");
	traits_done();
}

static volatile int *autogroups;	/* numbers: of the init, the leader, its child, one of another session */

static int autogroup(void)
{
	int nr = 0;

	sscanf(text_of("/proc/self/autogroup"), "/autogroup-%d", &nr);
	return nr;
}

static int autogroup_nice(void)
{
	const char *text = text_of("/proc/self/autogroup"), *nice = strstr(text, "nice ");

	return nice ? atoi(nice + 5) : 0;
}

static void note_autogroup(int which)
{
	autogroups[which] = autogroup();
}

static void same_session(void)
{
	traits_ready();
	traits_wait();
	note_autogroup(2);
	traits_done();
}

static void other_session(void)
{
	need(setsid() == getpid());
	traits_ready();
	traits_wait();
	note_autogroup(3);
	verdict_eq(autogroup_nice(), 0, "T7", "traits: and of another session's");
	traits_done();
}

/* with a child in its session */
static void session(void)
{
	bool has;

	need(setsid() == getpid());
	has = put_text("/proc/self/autogroup", "5");
	grandchild(same_session);
	traits_ready();
	traits_wait();
	note_autogroup(1);
	verdict_eq(autogroup_nice(), has ? 5 : 0, "T7", "traits: the nice value of a session's autogroup (K20)");
	traits_done();
}

static void *room(void)
{
	void *p = mmap(NULL, LEGACY_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need(p != MAP_FAILED && !munmap(p, LEGACY_SIZE));
	return p;
}

/* in the legacy layout mmap(2) looks upwards, from a third of the address space */
void layout_exec(void)
{
	void *p = room();

	if ((uintptr_t)p >> 46)
		_exit(2);
	need(fopen(in_dir("layout-ready"), "w"));
	while (access(in_dir("layout-check"), F_OK))
		sleep_ms(20);
	_exit(room() == p ? 0 : 1);
}

static pid_t start_layout(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (pid)
		return pid;
	need(personality(ADDR_COMPAT_LAYOUT) >= 0);
	execl("/proc/self/exe", traits_program, in_dir(""), "layout", NULL);
	_exit(3);
}

void prepare_settings(void)
{
	autogroups = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(autogroups != MAP_FAILED);
	child(real_time);
	child(sliced);
	child(early);
	child(late);
	need(!prctl(PR_SET_TIMERSLACK, 70000));
	child(slack);
	need(!prctl(PR_SET_TIMERSLACK, 0));
	child(keyring);
	child(dumpable);
	child(login);
	child(session);
	child(other_session);
	layout = start_layout();
	while (access(in_dir("layout-ready"), F_OK) && !waitpid(layout, NULL, WNOHANG))
		sleep_ms(10);
}

/* at the last, as whatever is mapped meanwhile takes the room */
void look_for_room(void)
{
	looked_at = room();
}

void check_room(void)
{
	verdict(room() == looked_at, "S10", "traits: mmap() finds room where it found it");
}

void check_settings(void)
{
	int status;

	note_autogroup(0);
	verdict(autogroups[1] == autogroups[2], "T7", "traits: a session's processes are in one autogroup (K20)");
	verdict(!autogroups[1] || (autogroups[1] != autogroups[3] && autogroups[1] != autogroups[0]), "T7",
		"traits: and another session's in another");
	verdict_eq(mce_kill(), PR_MCE_KILL_DEFAULT, "C10", "traits: PR_MCE_KILL, default");
	unlink(in_dir("layout-check"));
	need(fopen(in_dir("layout-check"), "w"));
	status = end_of(layout);
	unlink(in_dir("layout-check"));
	verdict_eq(status, 0, "S10", "traits: and upwards in the legacy layout (K20)");
}
