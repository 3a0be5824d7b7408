// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"
#include "relay.h"

static const int passed[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT,
};

#define NR_PASSED (sizeof(passed) / sizeof(*passed))

static void relay_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (i = 0; i < NR_PASSED; i++)
		sigaddset(set, passed[i]);
}

void relay_block(sigset_t *old)
{
	sigset_t set;

	/* an ignored SIGCHLD would take the exit status away */
	signal(SIGCHLD, SIG_DFL);
	relay_set(&set);
	sigprocmask(SIG_BLOCK, &set, old);
}

void relay_reset(const sigset_t *mask)
{
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

void relay_session(void)
{
	if (!isatty(0) && !isatty(1) && !isatty(2))
		setsid();
}

static bool ends_by_default(int sig)
{
	return sig != SIGWINCH && sig != SIGCONT && sig != SIGCHLD;
}

/* An init is spared every signal that it has no handler for. */
static bool is_spared(pid_t pid, int sig)
{
	uint64_t bit = 1ULL << (sig - 1);

	return proc_init_depth(pid) > 0 &&
	       !((proc_status_mask(pid, "SigCgt:") | proc_status_mask(pid, "SigIgn:") |
		  proc_status_mask(pid, "SigBlk:")) & bit);
}

int relay_wait(pid_t pid, const struct cgroup *cgroup)
{
	int status, killed_by = 0;
	siginfo_t info;
	sigset_t set;

	relay_set(&set);
	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		if (sigwaitinfo(&set, &info) < 0 || info.si_signo == SIGCHLD)
			continue;
		if (cgroup && ends_by_default(info.si_signo) &&
		    is_spared(pid, info.si_signo)) {
			killed_by = info.si_signo;
			cgroup_kill(cgroup, 0, NULL);
		} else if (info.si_code != SI_KERNEL) {
			/* the terminal's go to the program without our help */
			kill(pid, info.si_signo);
		}
	}
	if (WIFSIGNALED(status))
		return 128 + (killed_by ? killed_by : WTERMSIG(status));
	return WEXITSTATUS(status);
}
