// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
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

static bool ends_by_default(int sig)
{
	return sig != SIGWINCH && sig != SIGCONT && sig != SIGCHLD;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

/*
 * An init is spared every signal that it has no handler for.  One that it blocks may
 * be for sigwait(2) or signalfd(2); but a shell blocks them all, too, while it starts a
 * program, and what has come meanwhile is forgotten afterwards.
 */
static bool is_spared(pid_t pid, int sig)
{
	uint64_t bit = 1ULL << (sig - 1);
	int tries = 100;

	if (proc_init_depth(pid) <= 0 ||
	    (proc_status_mask(pid, "SigCgt:") | proc_status_mask(pid, "SigIgn:")) & bit)
		return false;
	while (proc_status_mask(pid, "SigBlk:") & bit) {
		if (!--tries)
			return false;
		usleep(10000);
	}
	return !has_ended(pid);
}

/* Pass a signal on; returns it if it has ended the container in the child's stead. */
static int pass_on(int sig, pid_t pid, struct terminal *t, const struct cgroup *cgroup)
{
	if (cgroup && ends_by_default(sig) && is_spared(pid, sig)) {
		cgroup_kill(cgroup, 0, NULL);
		return sig;
	}
	/* with a terminal of its own it hears of sizes from that */
	if (sig == SIGWINCH)
		terminal_resize(t);
	if (sig != SIGWINCH || t->master < 0)
		kill(pid, sig);
	return 0;
}

int relay_wait(pid_t pid, struct terminal *t, const struct cgroup *cgroup)
{
	_cleanup_fd_ int signals = -1;
	struct signalfd_siginfo info;
	int status, killed_by = 0, by;
	sigset_t set;

	relay_set(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	terminal_begin(t);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		terminal_poll(t, signals);
		if (read(signals, &info, sizeof(info)) != sizeof(info) ||
		    info.ssi_signo == SIGCHLD)
			continue;
		by = pass_on(info.ssi_signo, pid, t, cgroup);
		if (by)
			killed_by = by;
	}
	terminal_end(t);
	if (WIFSIGNALED(status))
		return 128 + (killed_by ? killed_by : WTERMSIG(status));
	return WEXITSTATUS(status);
}
