// SPDX-License-Identifier: GPL-2.0-only
/* Which containers there are and what they are called, in a /proc and a cgroup2 made of files. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "container.h"
#include "fs.h"
#include "proc.h"

struct ckptfs fs;

struct world {
	char dir[64];
	char known[80];
};

static void put(const struct world *w, const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", w->dir, path);
	for (slash = full + strlen(w->dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(full, 0755);
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* a task: its pids from the outermost namespace on, its cgroup, its start */
static void add_task(const struct world *w, int pid, const char *pids, const char *cgroup,
		     int start)
{
	char path[128], text[512], ns[64];

	snprintf(path, sizeof(path), "proc/%d/status", pid);
	snprintf(text, sizeof(text), "Name:\tx\nNSpid:\t%s\n", pids);
	put(w, path, text);
	snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	put(w, path, text);
	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	snprintf(text, sizeof(text),
		 "%d (x) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 1 2\n", pid, start);
	put(w, path, text);
	snprintf(path, sizeof(path), "proc/%d/ns/x", pid);
	put(w, path, "");
	snprintf(path, sizeof(path), "%s/proc/%d/ns/pid", w->dir, pid);
	snprintf(ns, sizeof(ns), "pid:[%s]", strchr(pids, '\t') ? strchr(pids, '\t') : "0");
	assert_int_equal(symlink(ns, path), 0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_below(const struct world *w, const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", w->dir, path);
	nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char proc[128], cgroup[128];

	strcpy(w->dir, "/tmp/test_containers.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->known, sizeof(w->known), "%s/known", w->dir);
	put(w, "proc/self/ns/x", "");
	snprintf(proc, sizeof(proc), "%s/proc/self/ns/pid", w->dir);
	assert_int_equal(symlink("pid:[0]", proc), 0);
	put(w, "cgroup/cgroup.procs", "1\n");
	add_task(w, 1, "1", "/", 1);
	snprintf(proc, sizeof(proc), "%s/proc", w->dir);
	snprintf(cgroup, sizeof(cgroup), "%s/cgroup", w->dir);
	assert_int_equal(containers_setup(proc, cgroup, w->dir, w->known), 0);
	*state = w;
	return 0;
}

static int end_world(void **state)
{
	struct world *w = *state;

	remove_below(w, "");
	free(w);
	return 0;
}

static void finds_inits_only(void **state)
{
	struct world *w = *state;
	struct container c, *list;
	size_t count;

	/* a service of the machine, a container whose root task has children */
	put(w, "cgroup/system/ssh/cgroup.procs", "20\n");
	add_task(w, 20, "20", "/system/ssh", 20);
	put(w, "cgroup/ckpt/web/cgroup.procs", "31\n30\n0\n");
	add_task(w, 30, "30\t1", "/ckpt/web", 30);
	add_task(w, 31, "31\t2", "/ckpt/web", 31);
	put(w, "cgroup/ckpt/web/worker/cgroup.procs", "32\n");
	add_task(w, 32, "32\t3", "/ckpt/web/worker", 32);

	assert_int_equal(container_list(&list, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, "web");
	assert_string_equal(list[0].cgroup, "/ckpt/web");
	assert_int_equal(list[0].init, 30);
	assert_int_equal(list[0].start, 30);
	free(list);
	assert_int_equal(container_find("ssh", &c), -ENOENT);
	assert_int_equal(container_find("worker", &c), -ENOENT);
	assert_int_equal(container_find("web", &c), 0);
}

static void comes_and_goes_at_once(void **state)
{
	struct world *w = *state;
	struct container c;

	assert_int_equal(container_find("db", &c), -ENOENT);
	put(w, "cgroup/db/cgroup.procs", "40\n");
	add_task(w, 40, "40\t1", "/db", 40);
	assert_int_equal(container_find("db", &c), 0);
	assert_true(container_alive(&c));
	remove_below(w, "proc/40");
	assert_false(container_alive(&c));
	assert_int_equal(container_find("db", &c), -ENOENT);
	/* the same pid again, another process */
	add_task(w, 40, "40\t1", "/db", 41);
	assert_false(container_alive(&c));
	assert_int_equal(container_find("db", &c), 0);
	assert_int_equal(c.start, 41);
}

struct looker {
	pthread_t thread;
	_Atomic pid_t tid;
};

static void *look_for_nothing(void *arg)
{
	struct looker *l = arg;
	struct container c;

	l->tid = (pid_t)syscall(SYS_gettid);
	return container_find("nothing", &c) == -ENOENT ? NULL : "wrong";
}

/* in the look, or waiting for one */
static void start_looker(struct looker *l)
{
	char path[64], text[512], state;
	int asleep = 0;
	FILE *f;

	l->tid = 0;
	assert_int_equal(pthread_create(&l->thread, NULL, look_for_nothing, l), 0);
	while (!l->tid)
		usleep(1000);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", l->tid);
	while (asleep < 5) {
		f = fopen(path, "r");
		assert_non_null(f);
		assert_non_null(fgets(text, sizeof(text), f));
		fclose(f);
		assert_int_equal(sscanf(strrchr(text, ')'), ") %c", &state), 1);
		asleep = state == 'S' ? asleep + 1 : 0;
		usleep(2000);
	}
}

static void one_look_at_all_serves_many(void **state)
{
	struct world *w = *state;
	struct looker lookers[8];
	unsigned long before;
	struct container c;
	char slow[128];
	int writer;
	void *wrong;

	put(w, "cgroup/web/cgroup.procs", "40\n");
	add_task(w, 40, "40\t1", "/web", 40);
	assert_int_equal(container_find("nothing", &c), -ENOENT);
	before = containers_scans();
	/* what is known and lives needs none */
	assert_int_equal(container_find("web", &c), 0);
	/* nor what may be an hour old */
	assert_int_equal(container_glance("nothing", 3600 * 1000000000LL, &c), -ENOENT);
	assert_int_equal(containers_scans(), before);
	assert_int_equal(container_find("nothing", &c), -ENOENT);
	assert_int_equal(containers_scans(), before + 1);
	/* a look that takes long: it waits for who writes what is in a cgroup */
	put(w, "cgroup/slow/x", "");
	snprintf(slow, sizeof(slow), "%s/cgroup/slow/cgroup.procs", w->dir);
	assert_int_equal(mkfifo(slow, 0600), 0);
	for (int i = 0; i < 8; i++)
		start_looker(&lookers[i]);
	writer = open(slow, O_WRONLY);
	assert_true(writer >= 0);
	unlink(slow);
	close(writer);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(lookers[i].thread, &wrong), 0);
		assert_null(wrong);
	}
	/* all who came while it was under way have shared the next one */
	assert_int_equal(containers_scans(), before + 1 + 2);
}

static void nested_init_is_not_the_root_task(void **state)
{
	struct world *w = *state;
	struct container c;

	put(w, "cgroup/outer/cgroup.procs", "51\n50\n");
	add_task(w, 50, "50\t1", "/outer", 50);
	add_task(w, 51, "51\t9\t1", "/outer", 51);
	put(w, "cgroup/outer/inner/cgroup.procs", "52\n");
	add_task(w, 52, "52\t10\t1", "/outer/inner", 52);
	assert_int_equal(container_find("outer", &c), 0);
	assert_int_equal(c.init, 50);
	/* with a cgroup of its own it is a container of its own */
	assert_int_equal(container_find("inner", &c), 0);
	assert_int_equal(c.init, 52);
}

static void one_name_is_told_apart_and_kept(void **state)
{
	struct world *w = *state;
	struct container *list, c;
	char second[CONTAINER_NAME_MAX + 1];
	size_t count;

	put(w, "cgroup/b/web/cgroup.procs", "60\n");
	add_task(w, 60, "60\t1", "/b/web", 60);
	put(w, "cgroup/a/web/cgroup.procs", "61\n");
	add_task(w, 61, "61\t1", "/a/web", 61);
	assert_int_equal(container_list(&list, &count), 0);
	assert_int_equal(count, 2);
	/* the older has the plain name */
	assert_string_equal(list[0].name, "web");
	assert_int_equal(list[0].init, 60);
	assert_int_equal(strncmp(list[1].name, "web@", 4), 0);
	assert_int_equal(strlen(list[1].name), 8);
	strcpy(second, list[1].name);
	free(list);
	/* and the other keeps its own when the older ends */
	remove_below(w, "proc/60");
	assert_int_equal(container_find("web", &c), -ENOENT);
	assert_int_equal(container_find(second, &c), 0);
	assert_int_equal(c.init, 61);
	/* so that a third may have the plain one again */
	add_task(w, 60, "60\t1", "/b/web", 99);
	assert_int_equal(container_find("web", &c), 0);
	assert_int_equal(c.start, 99);
}

/* the daemon is started anew */
static void forget(const struct world *w)
{
	char proc[128], cgroup[128];

	snprintf(proc, sizeof(proc), "%s/proc", w->dir);
	snprintf(cgroup, sizeof(cgroup), "%s/cgroup", w->dir);
	assert_int_equal(containers_setup(proc, cgroup, w->dir, w->known), 0);
}

static void suffixes_outlive_the_daemon(void **state)
{
	struct world *w = *state;
	struct container c;

	put(w, "cgroup/a/web/cgroup.procs", "60\n");
	add_task(w, 60, "60\t1", "/a/web", 60);
	put(w, "cgroup/crun-web.scope/cgroup.procs", "61\n");
	add_task(w, 61, "61\t1", "/crun-web.scope", 61);
	assert_int_equal(container_find("web@crun", &c), 0);
	assert_int_equal(c.init, 61);
	remove_below(w, "proc/60");
	assert_int_equal(container_find("web", &c), -ENOENT);
	forget(w);
	assert_int_equal(container_find("web@crun", &c), 0);
	assert_int_equal(container_find("web", &c), -ENOENT);
	/* when all of them have gone there is nothing to remember */
	remove_below(w, "proc/61");
	assert_int_equal(container_find("web@crun", &c), -ENOENT);
	assert_int_equal(access(w->known, F_OK), -1);
}

/* a process in a user namespace that is not root's, and whose; 0: there can be none here */
static pid_t start_user(uid_t *uid)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		if ((getuid() || !setuid(65534)) && !unshare(CLONE_NEWUSER) &&
		    !prctl(PR_SET_PDEATHSIG, SIGKILL) && write(ends[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	*uid = getuid() ? getuid() : 65534;
	if (read(ends[0], &byte, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ends[0]);
	return pid;
}

static void set_user(const struct world *w, int pid, pid_t user)
{
	char path[128], ns[64];

	snprintf(path, sizeof(path), "%s/proc/%d/ns/user", w->dir, pid);
	snprintf(ns, sizeof(ns), "/proc/%d/ns/user", user);
	assert_int_equal(symlink(ns, path), 0);
}

static void names_of_others_say_whose_they_are(void **state)
{
	struct world *w = *state;
	char theirs[64];
	struct container c;
	uid_t uid;
	pid_t user = start_user(&uid);

	if (!user) {
		print_message("no user namespaces for users here\n");
		skip();
	}
	put(w, "cgroup/user/web/cgroup.procs", "60\n");
	add_task(w, 60, "60\t1", "/user/web", 60);
	set_user(w, 60, user);
	snprintf(theirs, sizeof(theirs), "web@%u", uid);
	/* also when no other has the name */
	assert_int_equal(container_find("web", &c), -ENOENT);
	assert_int_equal(container_find(theirs, &c), 0);
	assert_int_equal(c.owner, uid);
	/* the root's comes first, although it comes later */
	put(w, "cgroup/web/cgroup.procs", "61\n");
	add_task(w, 61, "61\t1", "/web", 61);
	assert_int_equal(container_find("web", &c), 0);
	assert_int_equal(c.init, 61);
	/* also under such a name, and the other keeps the uid */
	snprintf(theirs, sizeof(theirs), "cgroup/web@%u/cgroup.procs", uid);
	put(w, theirs, "62\n");
	snprintf(theirs, sizeof(theirs), "/web@%u", uid);
	add_task(w, 62, "62\t1", theirs, 62);
	/* somebody looks anew for what he does not know */
	assert_int_equal(container_find("nothing", &c), -ENOENT);
	assert_int_equal(container_find(theirs + 1, &c), 0);
	assert_int_equal(c.init, 62);
	kill(user, SIGKILL);
	waitpid(user, NULL, 0);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void runtimes_are_told_by_their_cgroups(void **state)
{
	static const struct {
		const char *cgroup, *top, *name, *runtime;
	} cases[] = {
		{ "/ckpt/web", "/ckpt/web", "web", "ckpt" },
		{ "/made-by-hand", "/made-by-hand", "made-by-hand", "" },
		{ "/system.slice/runc-web.scope", NULL, "web", "runc" },
		{ "/user.slice/crun-my-db.scope", NULL, "my-db", "crun" },
		{ "/noted", "/noted", "noted", "runc" },
		{ "/machine.slice/machine-my\\x2dbox.scope/payload", "/machine.slice/machine-my\\x2dbox.scope",
		  "my-box", "nspawn" },
		{ "/machine.slice/machine-box.scope/payload/init.scope", "/machine.slice/machine-box.scope",
		  "box", "nspawn" },
		{ "/machine.slice/systemd-nspawn@b.service/payload", "/machine.slice/systemd-nspawn@b.service",
		  "b", "nspawn" },
		{ "/x/payload", NULL, "payload", "" },
		{ "/machine.slice/libpod-" ID ".scope/container", "/machine.slice/libpod-" ID ".scope",
		  "0123456789ab", "podman" },
		{ "/libpod_parent/libpod-" ID, NULL, "0123456789ab", "podman" },
		{ "/system.slice/docker-" ID ".scope", NULL, "shop", "docker" },
		{ "/docker/" ID "/init.scope", "/docker/" ID, "shop", "docker" },
		{ "/kubepods/cri-containerd-" ID ".scope", NULL, "0123456789ab", "cri-containerd" },
		{ "/x/" ID, NULL, "0123456789ab", "" },
		{ "/runc-...scope", NULL, "runc-...scope", "" },
		{ "/crun-.scope", NULL, "crun-.scope", "" },
		{ "/machine-..scope", NULL, "machine-..scope", "" },
		{ "/systemd-nspawn@.service", NULL, "systemd-nspawn@.service", "" },
	};
	struct world *w = *state;
	struct container *list;
	char path[256];
	size_t count;

	put(w, "run/runc/noted/state.json", "{}");
	put(w, "var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"State\":{\"Name\":\"no\"},\"ID\":\"Name\",\"Name\" : \"\\/shop\",\"x\":[\"Name\"]}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(path, sizeof(path), "cgroup%s/cgroup.procs", cases[i].cgroup);
		put(w, path, "70\n");
		add_task(w, 70, "70\t1", cases[i].cgroup, 1000 + i);
		assert_int_equal(container_list(&list, &count), 0);
		assert_int_equal(count, 1);
		assert_string_equal(list[0].name, cases[i].name);
		assert_string_equal(list[0].runtime, cases[i].runtime);
		assert_string_equal(list[0].cgroup, cases[i].cgroup);
		list[0].cgroup[list[0].top] = '\0';
		assert_string_equal(list[0].cgroup, cases[i].top ? cases[i].top : cases[i].cgroup);
		free(list);
		remove_below(w, "proc/70");
		put(w, path, "");
	}
}

static void podman_and_nspawn_are_asked_by_their_processes(void **state)
{
	static const char conmon[] = "/usr/bin/conmon\0-c\0x\0-n\0shop\0--full-attach";
	struct world *w = *state;
	struct container c;
	char path[128];
	FILE *f;

	put(w, "cgroup/libpod-" ID "/cgroup.procs", "80\n");
	add_task(w, 80, "80\t1", "/libpod-" ID, 80);
	put(w, "proc/80/stat", "80 (x) S 81 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 80 0\n");
	put(w, "proc/81/comm", "conmon\n");
	snprintf(path, sizeof(path), "%s/proc/81/cmdline", w->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(conmon, sizeof(conmon), 1, f);
	fclose(f);
	assert_int_equal(container_find("shop", &c), 0);
	assert_string_equal(c.runtime, "podman");

	put(w, "cgroup/payload/cgroup.procs", "82\n");
	add_task(w, 82, "82\t1", "/payload", 82);
	put(w, "proc/82/stat", "82 (x) S 83 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 82 0\n");
	put(w, "proc/83/comm", "systemd-nspawn\n");
	put(w, "proc/83/cmdline", "--machine=box");
	assert_int_equal(container_find("box", &c), 0);
	assert_string_equal(c.runtime, "nspawn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_inits_only, make_world, end_world),
		cmocka_unit_test_setup_teardown(comes_and_goes_at_once, make_world, end_world),
		cmocka_unit_test_setup_teardown(one_look_at_all_serves_many, make_world, end_world),
		cmocka_unit_test_setup_teardown(nested_init_is_not_the_root_task, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(one_name_is_told_apart_and_kept, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(names_of_others_say_whose_they_are, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(suffixes_outlive_the_daemon, make_world, end_world),
		cmocka_unit_test_setup_teardown(runtimes_are_told_by_their_cgroups, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(podman_and_nspawn_are_asked_by_their_processes,
						make_world, end_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
