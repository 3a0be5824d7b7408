// SPDX-License-Identifier: GPL-2.0-only
/* Handlers, masks, pending signals, alternate stacks, the interval timer. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "state.h"

#define NR_QUEUED 5

static volatile sig_atomic_t handled, on_altstack, alarms;
static uint8_t altstack[65536];
static struct sigaction dispositions[_NSIG];

static void handler(int sig, siginfo_t *info, void *context)
{
	uint8_t here;

	(void)context;
	handled = sig + 1000 * info->si_value.sival_int;
	on_altstack = &here >= altstack && &here < altstack + sizeof(altstack);
}

static void alarm_handler(int sig)
{
	(void)sig;
	alarms++;
}

static void prepare_handlers(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	stack_t stack = { .ss_sp = altstack, .ss_size = sizeof(altstack) };

	sigaddset(&sa.sa_mask, SIGHUP);
	need(!sigaction(SIGUSR2, &sa, NULL) && !sigaltstack(&stack, NULL));
	sa.sa_flags = SA_NODEFER | SA_RESETHAND;
	need(!sigaction(SIGRTMAX - 1, &sa, NULL));
	signal(SIGWINCH, SIG_IGN);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = alarm_handler;
	sa.sa_flags = SA_RESTART;
	need(!sigaction(SIGALRM, &sa, NULL));
}

/* by the kernel's call: the C library keeps these two for itself, and passes them to nobody */
static const int kept[] = { __SIGRTMIN, __SIGRTMIN + 1 };

static uint64_t bit(int sig)
{
	return 1ull << (sig - 1);
}

/* ignored, and with a default that ends the process */
static void prepare_kept(void)
{
	/* handler, flags, restorer, mask, as the kernel takes them */
	const uint64_t ignore[4] = { (uintptr_t)SIG_IGN };
	uint64_t set = bit(kept[0]) | bit(kept[1]);

	need(!syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8));
	need(!syscall(SYS_rt_sigaction, kept[0], ignore, NULL, 8));
	for (int i = 0; i < 2; i++)
		need(!syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), kept[i]));
}

static void prepare_pending(void)
{
	prepare_kept();
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < NR_QUEUED; i++)
		need(!sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 100 + i }));
	need(!kill(getpid(), SIGUSR1));
	need(!syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGTERM));
}

void prepare_signals(void)
{
	struct itimerval it = { { 0, 300000 }, { 0, 300000 } };

	prepare_handlers();
	prepare_pending();
	for (int i = 1; i < _NSIG; i++)
		sigaction(i, NULL, &dispositions[i]);
	need(!setitimer(ITIMER_REAL, &it, NULL));
}

/* take a pending signal */
static bool take(int sig, siginfo_t *info)
{
	struct timespec now = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	memset(info, 0, sizeof(*info));
	/* glibc's sigtimedwait() makes SI_USER of SI_TKILL */
	return syscall(SYS_rt_sigtimedwait, &set, info, &now, 8) == sig;
}

static bool take_kept(int sig)
{
	struct timespec now = { 0, 0 };
	uint64_t set = bit(sig);

	return syscall(SYS_rt_sigtimedwait, &set, NULL, &now, 8) == sig;
}

static void check_pending(void)
{
	bool good = true;
	siginfo_t info;

	verdict(take_kept(kept[0]) && take_kept(kept[1]), "T3", "state: signals of the C library's own that are blocked");

	for (int i = 0; i < NR_QUEUED; i++)
		good &= take(SIGRTMIN + 3, &info) && info.si_code == SI_QUEUE && info.si_pid == getpid() &&
			info.si_uid == getuid() && info.si_value.sival_int == 100 + i;
	verdict(good, "T3", "state: queued real-time signals in their order, with their values");
	verdict(!take(SIGRTMIN + 3, &info), "T3", "state: no signal is queued twice");
	verdict(take(SIGUSR1, &info) && info.si_code == SI_USER && info.si_pid == getpid(), "T3",
		"state: a signal pending for the process");
	verdict(take(SIGTERM, &info) && info.si_code == SI_TKILL, "T3", "state: a signal pending for the thread");
}

static bool same_disposition(const struct sigaction *a, const struct sigaction *b)
{
	return a->sa_handler == b->sa_handler && a->sa_flags == b->sa_flags &&
		!memcmp(&a->sa_mask, &b->sa_mask, 8) && a->sa_restorer == b->sa_restorer;
}

static void check_handlers(void)
{
	struct sigaction sa;
	bool same = true;
	stack_t stack;

	/* the check of pipes has changed that of SIGPIPE */
	for (int i = 1; i < _NSIG; i++)
		same &= i == SIGPIPE || sigaction(i, NULL, &sa) || same_disposition(&sa, &dispositions[i]);
	verdict(same, "T3", "state: dispositions of all signals");
	verdict(!sigaltstack(NULL, &stack) && stack.ss_sp == altstack && stack.ss_size == sizeof(altstack) &&
		!stack.ss_flags, "T3", "state: the alternate stack");
	need(!sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 9 }));
	verdict_eq(handled, SIGUSR2 + 9000, "T3", "state: a handler is called with its value");
	verdict(on_altstack, "T3", "state: a handler runs on the alternate stack");
}

static void check_itimer(void)
{
	long long end = now_ms() + 3000;
	struct itimerval it;
	int before = alarms;

	need(!getitimer(ITIMER_REAL, &it));
	verdict_eq(it.it_interval.tv_usec, 300000, "T4", "state: interval of ITIMER_REAL");
	while (alarms < before + 2 && now_ms() < end)
		sleep_ms(50);
	verdict(alarms >= before + 2, "T4", "state: ITIMER_REAL goes on to send SIGALRM");
}

void check_signals(void)
{
	check_pending();
	check_handlers();
	check_itimer();
}
