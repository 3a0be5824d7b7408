// SPDX-License-Identifier: GPL-2.0-only
/* Makes images that are to be refused, and sees whether they are: see usage(). */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bad-image.h"

#define GROUP "/sys/fs/cgroup/ckpt/"

static const char usage[] =
	"usage: bad-image make IMAGE CASE              a changed image to standard output\n"
	"       bad-image damage|hostile|unsound|bits|sound|segments [-a] IMAGE\n"
	"                                              cases, one a line; -a: every place\n"
	"       bad-image random [-s SEED] [-c COUNT]  cases\n"
	"       bad-image try [-m|-y] [-v] [-n NAME] [-t SECONDS] IMAGE\n"
	"                                              restarts with each case of standard input\n"
	"\n"
	"try prints each case that was not refused with a reason, or left something behind, and\n"
	"at the end 'N refused, N accepted, N wrong'. -m: a container may come out of it, which is\n"
	"then killed, and not only a refusal. -y: a container must come out of it.\n";

struct options {
	const char *name;
	bool all, may_run, must_run, verbose;
	int seconds;
	unsigned long long seed, count;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			err(2, "cannot write");
		p += n;
		len -= n;
	}
}

static int make_memfd(const char *name, const struct bytes *b)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		err(2, "memfd");
	if (b)
		write_all(fd, b->p, b->len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static pid_t start(const struct options *o, int image, int log)
{
	char path[64];
	pid_t pid = fork();

	if (pid)
		return pid;
	/* its log is opened by name, the sentence on standard error goes there as well */
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getppid(), log);
	dup2(image, 0);
	dup2(open(path, O_WRONLY | O_APPEND), 2);
	execlp("ckpt-restart", "ckpt-restart", "-n", o->name, "-l", path, NULL);
	_exit(126);
}

/* the exit status, -1 for death by a signal, -2 when it took too long */
static int finish(const struct options *o, pid_t pid)
{
	double end = now() + o->seconds;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return -2;
		}
		nap();
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool group_gone(const struct options *o, double seconds)
{
	double end = now() + seconds;
	char path[256];

	snprintf(path, sizeof(path), GROUP "%s", o->name);
	while (!access(path, F_OK)) {
		if (now() > end)
			return false;
		nap();
	}
	return true;
}

static void kill_group(const struct options *o)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), GROUP "%s/cgroup.kill", o->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) != 1)
		warn("%s", path);
	if (fd >= 0)
		close(fd);
}

static void show_log(int log)
{
	char text[2000];
	ssize_t n = pread(log, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	printf("    %s\n", text);
}

/* what is wrong with the outcome, or NULL */
static const char *judge(const struct options *o, int status, int log)
{
	struct stat st;

	if (status == -2)
		return "hangs";
	if (status == -1)
		return "ckpt-restart has crashed";
	if (status == 0 && !o->may_run)
		return "was accepted";
	if (status > 1)
		return "has a strange exit status";
	if (status == 1 && o->must_run)
		return "was refused";
	if (status == 1 && (fstat(log, &st) || !st.st_size))
		return "was refused without a reason";
	if (status == 0)
		kill_group(o);
	if (!group_gone(o, status ? 5 : o->seconds))
		return "leaves a cgroup";
	return NULL;
}

struct tally {
	unsigned long refused, accepted, wrong;
};

/* what one case has left behind must not spoil the next */
static void next_name(struct options *o)
{
	static char name[32];
	static int nr;

	snprintf(name, sizeof(name), "bad%d", ++nr);
	o->name = name;
}

static void try_case(struct options *o, const struct image *im, const char *what, struct tally *t)
{
	struct bytes changed = image_change(im, what);
	const char *problem;
	int image, log, status;

	if (!changed.p)
		return;
	if (changed.len == im->raw.len && !memcmp(changed.p, im->raw.p, changed.len)) {
		free(changed.p);
		return;
	}
	if (o->verbose) {
		printf("%.2f %s\n", now(), what);
		fflush(stdout);
	}
	image = make_memfd("image", &changed);
	log = make_memfd("log", NULL);
	free(changed.p);
	status = finish(o, start(o, image, log));
	close(image);
	problem = judge(o, status, log);
	if (problem) {
		t->wrong++;
		printf("%s: %s\n", what, problem);
		show_log(log);
		kill_group(o);
		if (!group_gone(o, 5))
			next_name(o);
	} else if (status) {
		t->refused++;
		if (o->verbose)
			show_log(log);
	} else {
		t->accepted++;
		if (o->verbose)
			printf("    accepted\n");
	}
	close(log);
}

static int try_all(struct options *o, const struct image *im)
{
	struct tally t = { 0 };
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		try_case(o, im, line, &t);
	}
	printf("%lu refused, %lu accepted, %lu wrong\n", t.refused, t.accepted, t.wrong);
	return t.wrong != 0;
}

static int make(const struct image *im, const char *what)
{
	struct bytes changed = image_change(im, what);

	if (!changed.p)
		errx(2, "the case %s has no meaning for this image", what);
	write_all(1, changed.p, changed.len);
	return 0;
}

static int print_random(const struct options *o)
{
	unsigned long long i;

	for (i = 0; i < o->count; i++)
		printf("random@%llu\n", o->seed + i);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .name = "bad", .seconds = 30, .seed = 1, .count = 100 };
	const char *verb = argc > 1 ? argv[1] : "";
	struct image im;
	int c;

	while ((c = getopt(argc - 1, argv + 1, "amvyn:t:s:c:")) != -1) {
		switch (c) {
		case 'a': o.all = true; break;
		case 'm': o.may_run = true; break;
		case 'y': o.may_run = o.must_run = true; break;
		case 'v': o.verbose = true; break;
		case 'n': o.name = optarg; break;
		case 't': o.seconds = atoi(optarg); break;
		case 's': o.seed = strtoull(optarg, NULL, 0); break;
		case 'c': o.count = strtoull(optarg, NULL, 0); break;
		default: fputs(usage, stderr); return 2;
		}
	}
	argv += optind + 1;
	if (!strcmp(verb, "random"))
		return print_random(&o);
	if (argc < 2 || !argv[0]) {
		fputs(usage, stderr);
		return 2;
	}
	image_load(&im, argv[0]);
	if (!strcmp(verb, "make") && argv[1])
		return make(&im, argv[1]);
	if (!strcmp(verb, "try"))
		return try_all(&o, &im);
	if (!strcmp(verb, "damage"))
		cases_damage(&im, o.all, stdout);
	else if (!strcmp(verb, "hostile"))
		cases_hostile(&im, o.all, stdout);
	else if (!strcmp(verb, "unsound"))
		cases_unsound(&im, o.all, stdout);
	else if (!strcmp(verb, "bits"))
		cases_bits(&im, o.all, stdout);
	else if (!strcmp(verb, "segments"))
		cases_segments(&im, stdout);
	else if (!strcmp(verb, "sound"))
		cases_sound(&im, o.all, stdout);
	else
		errx(2, "there is no %s", verb);
	return 0;
}
