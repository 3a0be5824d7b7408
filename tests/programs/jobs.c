// SPDX-License-Identifier: GPL-2.0-only
/*
 * Children that are stopped and continued in every way that a shell meets, and
 * what wait(2) says of them.  usage: jobs DIR
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verdict.h"

/* what the children share with us: that they run, and what they have taken */
static struct shared {
	atomic_int turns[16], taken[16];
} *shared;

struct job {
	const char *name;
	int stop;			/* by that signal; 0: it is not stopped */
	bool asked;			/* the parent has asked about that */
	bool peeked;			/* it has looked, with WNOWAIT */
	bool continued;			/* and it was continued */
	bool asked_again;		/* about which the parent has asked, too */
	bool twice;			/* SIGSTOP comes once more, and waits */
	bool threads;			/* it has several */
	pid_t pid;
};

static struct job jobs[] = {
	{ .name = "stopped, nobody has asked", .stop = SIGSTOP },
	{ .name = "stopped, its parent has asked", .stop = SIGSTOP, .asked = true },
	{ .name = "stopped, its parent has looked", .stop = SIGSTOP, .peeked = true },
	{ .name = "stopped, and once more", .stop = SIGSTOP, .twice = true },
	{ .name = "stopped by SIGTSTP", .stop = SIGTSTP },
	{ .name = "stopped by SIGTTIN, its parent has asked", .stop = SIGTTIN, .asked = true },
	{ .name = "stopped with threads", .stop = SIGTTOU, .threads = true },
	{ .name = "continued, nobody has asked", .stop = SIGSTOP, .continued = true },
	{ .name = "continued, its parent has asked about the stop", .stop = SIGSTOP, .asked = true,
	  .continued = true },
	{ .name = "continued, its parent knows", .stop = SIGSTOP, .asked = true, .continued = true,
	  .asked_again = true },
	{ .name = "never stopped" },
};

#define NR_JOBS (sizeof(jobs) / sizeof(jobs[0]))

static int index_of_child;

static void take(int signo)
{
	(void)signo;
	shared->taken[index_of_child]++;
}

static void *turn(void *unused)
{
	(void)unused;
	for (;;) {
		shared->turns[index_of_child]++;
		usleep(20000);
	}
	return NULL;
}

static void child(int i)
{
	pthread_t thread;

	index_of_child = i;
	/* as a shell does: a group without anybody to continue it cannot be stopped by a terminal */
	need(!setpgid(0, 0));
	signal(SIGUSR1, take);
	if (jobs[i].threads)
		for (int n = 0; n < 3; n++)
			need(!pthread_create(&thread, NULL, turn, NULL));
	turn(NULL);
}

static char state_of(const char *dir, const char *tid)
{
	char path[64], text[1024], *p = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.16s/stat", dir, tid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fgets(text, sizeof(text), f))
		p = strrchr(text, ')');
	fclose(f);
	return p ? p[2] : 0;
}

/* how many of its threads are not in @state */
static int others(pid_t pid, char state)
{
	char dir[32];
	struct dirent *entry;
	int count = 0;
	DIR *tasks;

	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	tasks = opendir(dir);
	need(tasks);
	while ((entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			count += state_of(dir, entry->d_name) != state;
	closedir(tasks);
	return count;
}

static bool becomes(pid_t pid, bool stopped)
{
	for (int i = 0; i < 2000; i++) {
		if (stopped ? !others(pid, 'T') : others(pid, 'T'))
			return true;
		sleep_ms(5);
	}
	return false;
}

/* what wait(2) has to say of it, without waiting: "stop 19", "cont", "none" */
static const char *asks(pid_t pid)
{
	static char text[32];
	int status;
	pid_t ret = waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED);

	if (!ret)
		return "none";
	if (ret < 0)
		snprintf(text, sizeof(text), "error %d", errno);
	else if (WIFSTOPPED(status))
		snprintf(text, sizeof(text), "stop %d", WSTOPSIG(status));
	else if (WIFCONTINUED(status))
		return "cont";
	else
		snprintf(text, sizeof(text), "status %x", status);
	return text;
}

static void prepare_job(struct job *j, int i)
{
	siginfo_t info;
	int status;

	j->pid = fork();
	if (!j->pid)
		child(i);
	while (shared->turns[i] < (j->threads ? 8 : 1))
		sleep_ms(5);
	if (!j->stop)
		return;
	need(!kill(j->pid, j->stop));
	need(becomes(j->pid, true));
	if (j->asked)
		need(waitpid(j->pid, &status, WUNTRACED) == j->pid && WIFSTOPPED(status));
	if (j->peeked)
		need(!waitid(P_PID, j->pid, &info, WSTOPPED | WNOWAIT) && info.si_code == CLD_STOPPED);
	if (j->twice)
		need(!kill(j->pid, SIGSTOP));
	/* what it gets while it is stopped it takes when it goes on */
	need(!kill(j->pid, SIGUSR1));
	if (j->continued)
		need(!kill(j->pid, SIGCONT) && becomes(j->pid, false));
	if (j->asked_again)
		need(waitpid(j->pid, &status, WCONTINUED) == j->pid && WIFCONTINUED(status));
}

static const char *expected(const struct job *j)
{
	static char text[32];

	if (j->continued)
		return j->asked_again ? "none" : "cont";
	if (!j->stop || j->asked)
		return "none";
	snprintf(text, sizeof(text), "stop %d", j->stop);
	return text;
}

static void check_stopped(const struct job *j, int i)
{
	int turns = shared->turns[i];

	verdict(!others(j->pid, 'T') && !shared->taken[i], "T3", "jobs: %s: it stands", j->name);
	sleep_ms(100);
	verdict(shared->turns[i] == turns, "T3", "jobs: %s: it does nothing", j->name);
}

static bool turns_again(int i)
{
	int turns = shared->turns[i];

	for (int n = 0; n < 2000 && shared->turns[i] < turns + 8; n++)
		sleep_ms(5);
	return shared->turns[i] >= turns + 8;
}

static void check_job(const struct job *j, int i)
{
	bool stopped = j->stop && !j->continued;
	const char *says;

	if (stopped)
		check_stopped(j, i);
	says = asks(j->pid);
	verdict(!strcmp(says, expected(j)), "T3", "jobs: %s: wait says so", j->name);
	verdict(!strcmp(asks(j->pid), "none"), "T3", "jobs: %s: and says it once", j->name);
	if (stopped) {
		kill(j->pid, SIGCONT);
		verdict(becomes(j->pid, false) && !strcmp(asks(j->pid), "cont"), "T3",
			"jobs: %s: wait says that it goes on", j->name);
	}
	verdict(turns_again(i), "T3", "jobs: %s: it goes on", j->name);
	verdict(shared->taken[i] == !!j->stop, "T3", "jobs: %s: it takes what it was sent", j->name);
	if (!stopped)
		return;
	kill(j->pid, SIGSTOP);
	verdict(becomes(j->pid, true) && !strcmp(asks(j->pid), "stop 19"), "T3",
		"jobs: %s: it can be stopped again", j->name);
}

static void check_end(const struct job *j)
{
	int status = 0;

	kill(j->pid, SIGKILL);
	verdict(waitpid(j->pid, &status, 0) == j->pid && WIFSIGNALED(status), "T3",
		"jobs: %s: it can be killed", j->name);
}

int main(int argc, char **argv)
{
	need(argc == 2);
	verdict_dir(argv[1]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(shared != MAP_FAILED);
	for (size_t i = 0; i < NR_JOBS; i++)
		prepare_job(&jobs[i], i);
	ready();
	wait_for_check();
	for (size_t i = 0; i < NR_JOBS; i++)
		check_job(&jobs[i], i);
	for (size_t i = 0; i < NR_JOBS; i++)
		check_end(&jobs[i]);
	verdict_end();
	for (;;)
		pause();
}
