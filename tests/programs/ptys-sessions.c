// SPDX-License-Identifier: GPL-2.0-only
/* Controlling terminals: of a session with a group in front, and of one whose group has ended. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "ptys.h"

/* what came to leader and foreground; in memory that all share */
static volatile struct counts {
	int hup, winch, intr, cont, ttou, old;
	int asked, answered;
	bool sid, pgrp, devtty, steal;
} *leader, *front;
static volatile struct counts *mine;

static struct pty shell, gone;
static pid_t leader_pid, front_pid, gone_leader, gone_group;

static void count(int sig)
{
	mine->hup += sig == SIGHUP;
	mine->winch += sig == SIGWINCH;
	mine->intr += sig == SIGINT;
	mine->cont += sig == SIGCONT;
	mine->ttou += sig == SIGTTOU;
}

static void count_all(volatile struct counts *c)
{
	static const int signals[] = { SIGHUP, SIGWINCH, SIGINT, SIGCONT, SIGTTOU };

	mine = c;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], count);
}

static pid_t in_front(int tty, volatile struct counts *c)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		setpgid(0, 0);
		count_all(c);
		c->asked = 1;
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	while (!c->asked)
		sleep_ms(10);
	c->asked = 0;
	signal(SIGTTOU, SIG_IGN);
	need(!tcsetpgrp(tty, pid));
	signal(SIGTTOU, SIG_DFL);
	return pid;
}

/* the leader looks at its terminal when it is asked */
static void lead(void)
{
	struct winsize size;
	int devtty, again;
	pid_t pid;

	count_all(leader);
	need(setsid() > 0 && !ioctl(shell.slave, TIOCSCTTY, 0));
	devtty = open("/dev/tty", O_RDWR | O_NONBLOCK);
	need(devtty >= 0);
	pid = in_front(shell.slave, front);
	count_all(leader);
	front->old = pid;
	leader->old = 1;
	while (!leader->asked)
		sleep_ms(20);
	leader->sid = tcgetsid(shell.slave) == getpid();
	leader->pgrp = tcgetpgrp(shell.slave) == pid;
	again = open("/dev/tty", O_RDWR);
	leader->devtty = again >= 0 && !ioctl(devtty, TIOCGWINSZ, &size) && tcgetsid(devtty) == getpid() &&
			 (fcntl(devtty, F_GETFL) & O_NONBLOCK);
	/* that of another session is nobody's to take */
	leader->steal = ioctl(gone.slave, TIOCSCTTY, 0) < 0 && errno == EPERM;
	leader->answered = 1;
	for (;;)
		pause();
}

static void lead_gone(void)
{
	pid_t pid;

	need(setsid() > 0 && !ioctl(gone.slave, TIOCSCTTY, 0));
	pid = in_front(gone.slave, front + 1);
	need(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	front[1].old = pid;
	for (;;)
		pause();
}

static pid_t spawn(void (*run)(void))
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		run();
		_exit(1);
	}
	return pid;
}

static bool becomes(const volatile int *what, int nr)
{
	for (int i = 0; *what != nr && i < 1000; i++)
		sleep_ms(20);
	return *what == nr;
}

void prepare_sessions(void)
{
	volatile struct counts *all = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need(all != MAP_FAILED);
	leader = all;
	front = all + 1;
	shell = pty_open();
	gone = pty_open();
	gone_leader = spawn(lead_gone);
	while (!front[1].old)
		sleep_ms(10);
	gone_group = front[1].old;
	leader_pid = spawn(lead);
	need(becomes(&leader->old, 1));
	front_pid = front->old;
}

static bool nothing_came(volatile struct counts *c)
{
	return !c->hup && !c->winch && !c->intr && !c->cont && !c->ttou;
}

void check_sessions(void)
{
	struct winsize size = { 11, 22, 0, 0 };
	pid_t pid = -1;

	verdict(nothing_came(leader) && nothing_came(front), "C9", "ptys: nobody has got a signal of a terminal");
	leader->asked = 1;
	verdict(becomes(&leader->answered, 1), "C9", "ptys: a session's leader goes on");
	verdict(leader->sid, "C9", "ptys: a session keeps its controlling terminal");
	verdict(leader->pgrp, "C9", "ptys: and the group in its foreground");
	verdict(leader->devtty, "C9", "ptys: /dev/tty that is open is that terminal, and can be opened again");
	verdict(leader->steal, "C9", "ptys: a session's terminal cannot be taken by another");
	put(shell.master, "\003");
	verdict(becomes(&front->intr, 1) && !leader->intr, "C9", "ptys: ^C goes to who is in the foreground, alone");
	need(!ioctl(shell.master, TIOCSWINSZ, &size));
	verdict(becomes(&front->winch, 1) && !leader->winch, "C9", "ptys: so does another size");
	need(!ioctl(gone.master, TIOCGPGRP, &pid));
	verdict_eq(pid, gone_group, "C9", "ptys: a group that has ended in the foreground keeps its number");
	need(!kill(leader_pid, SIGKILL) && waitpid(leader_pid, NULL, 0) == leader_pid);
	verdict(becomes(&front->hup, 1), "C9", "ptys: the end of a leader hangs up who is in the foreground");
}
