// SPDX-License-Identifier: GPL-2.0-only
/* What a checkpoint says of a container's mounts; U23, T10. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "describe.h"

/* the mount of this program's own root, so that a path leads to it */
static int root_id, root_major, root_minor;
static char root_of[4096];

/* of the containers that are described */
static bool has_console;

static void put_file(char path[32], const char *text)
{
	FILE *f;
	int fd;

	strcpy(path, "/tmp/mountinfo.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/*
 * Describe a container whose root is the host's, the optional fields of which
 * are @host, and its own @fields and @options; @more: further lines.
 */
static int describe_root(struct description *d, const char *host, const char *options,
			 const char *fields, const char *more, struct ckpt_error *e)
{
	char text[16384], host_file[32], own_file[32];
	struct reasons reasons = { .to = tmpfile(), .e = e };
	int ret;

	memset(d, 0, sizeof(*d));
	memset(e, 0, sizeof(*e));
	strcpy(d->name, "test");
	strcpy(d->cgroup, "ckpt/test");
	snprintf(text, sizeof(text), "%d 1 %d:%d %s / rw,relatime %s - ext4 /dev/x rw\n", root_id,
		 root_major, root_minor, root_of, host);
	put_file(host_file, text);
	snprintf(text, sizeof(text), "900 899 %d:%d %s / %s %s - ext4 /dev/x rw\n%s", root_major,
		 root_minor, root_of, options, fields, more);
	put_file(own_file, text);
	ret = describe_mounts_in(d, host_file, own_file, has_console, &reasons);
	unlink(host_file);
	unlink(own_file);
	fclose(reasons.to);
	if (ret || !reasons.nr)
		return ret;
	*e = reasons.first;
	return -EOPNOTSUPP;
}

static void refused(const char *host, const char *options, const char *fields, const char *more,
		    const char *word)
{
	struct description d;
	struct ckpt_error e;

	assert_int_equal(describe_root(&d, host, options, fields, more, &e), -EOPNOTSUPP);
	if (!strstr(e.text, word))
		fail_msg("'%s' does not name %s", e.text, word);
	description_free(&d);
}

static void taken(const char *host, const char *options, const char *fields,
		  enum mount_propagation propagation)
{
	struct description d, again;
	struct ckpt_error e;
	size_t len;
	char *text;

	if (describe_root(&d, host, options, fields, "", &e))
		fail_msg("%s", e.text);
	assert_int_equal(d.nr_mounts, 1);
	assert_int_equal(d.mounts[0].propagation, propagation);
	/* and the image brings it back */
	text = description_text(&d, &len);
	assert_non_null(text);
	assert_int_equal(description_parse(&again, text, len, &e), 0);
	assert_int_equal(again.mounts[0].propagation, propagation);
	assert_true(again.mounts[0].attr == d.mounts[0].attr);
	free(text);
	description_free(&again);
	description_free(&d);
}

static void what_a_mount_has_is_kept(void **state)
{
	(void)state;
	taken("", "rw,relatime", "", PROPAGATION_PRIVATE);
	taken("shared:1", "ro,nosuid,nodev,noexec,nosymfollow,noatime,nodiratime", "", PROPAGATION_PRIVATE);
	taken("shared:7", "rw", "master:7", PROPAGATION_SLAVE);
	taken("shared:7 master:2", "rw", "master:7 propagate_from:2", PROPAGATION_SLAVE);
	taken("shared:7", "rw", "unbindable", PROPAGATION_UNBINDABLE);
}

static void what_cannot_be_kept_is_refused_by_name(void **state)
{
	(void)state;
	refused("shared:7", "rw", "shared:7", "", "/ is shared");
	refused("shared:7", "rw", "shared:8 master:7", "", "/ is shared");
	/* it follows another than the host's */
	refused("shared:7", "rw", "master:9", "", "follows mounts of another");
	refused("", "rw", "master:9", "", "follows mounts of another");
	refused("", "rw,relatime,idmapped", "", "", "option idmapped");
	refused("", "rw,new,relatime", "", "", "option new,");
	refused("", "rw", "new:5", "", "property new:5");
}

static void of_fresh_file_systems_too(void **state)
{
	(void)state;
	refused("", "rw", "", "901 900 0:77 / /proc rw,relatime - proc proc rw,hidepid=invisible,new=1\n", "option new=1");
	refused("", "rw", "", "901 900 0:77 / /proc rw,relatime master:5 - proc proc rw\n", "/proc follows mounts");
	refused("", "rw", "", "901 900 0:77 / /sys rw,relatime,idmapped - sysfs sysfs rw\n", "option idmapped");
}

static void the_options_of_proc_are_kept(void **state)
{
	struct description d;
	struct ckpt_error e;

	(void)state;
	assert_int_equal(describe_root(&d, "", "rw", "",
		"901 900 0:77 / /proc rw,relatime - proc proc ro,gid=5,hidepid=invisible,subset=pid\n", &e), 0);
	assert_int_equal(d.nr_mounts, 2);
	assert_string_equal(d.mounts[1].data, "ro,gid=5,hidepid=invisible,subset=pid");
	description_free(&d);
}

/* with a number that no host has */
#define OWN(id, parent, root, target, rest) #id " " #parent " 0:9999 " root " " target " " rest "\n"

static void a_tmpfs_of_its_own_is_described(void **state)
{
	static const char mounts[] =
		OWN(901, 900, "/", "/run", "rw,nosuid,noatime - tmpfs a\\040name rw,size=1024k,mode=755,inode64")
		OWN(902, 900, "/", "/again", "ro,relatime - tmpfs a\\040name rw,size=1024k,mode=755,inode64")
		OWN(903, 900, "/d/e", "/part", "rw,relatime - tmpfs a\\040name rw,size=1024k,mode=755,inode64")
		"904 901 0:9998 / /run/lock rw,relatime - tmpfs none ro,nr_inodes=100,uid=7,gid=8,huge=always\n";
	static const enum mount_kind kinds[] = { MOUNT_BIND, MOUNT_TMPFS, MOUNT_INNER, MOUNT_INNER, MOUNT_TMPFS };
	static const char *const sources[] = { NULL, "a name", "/run", "/run/d/e", "none" };
	struct description d, again;
	struct ckpt_error e;
	char *text;
	size_t len, i;

	(void)state;
	if (describe_root(&d, "", "rw", "", mounts, &e))
		fail_msg("%s", e.text);
	text = description_text(&d, &len);
	assert_non_null(text);
	assert_int_equal(description_parse(&again, text, len, &e), 0);
	assert_int_equal(again.nr_mounts, 5);
	for (i = 1; i < 5; i++) {
		assert_int_equal(again.mounts[i].kind, kinds[i]);
		assert_string_equal(again.mounts[i].source, sources[i]);
	}
	/* what the engine counts */
	assert_non_null(strstr(text, "\nmount tmpfs a\\040name /run "));
	assert_string_equal(again.mounts[1].data, "size=1024k,mode=755,inode64");
	assert_string_equal(again.mounts[4].data, "nr_inodes=100,uid=7,gid=8,huge=always");
	free(text);
	description_free(&again);
	description_free(&d);
}

static void or_what_it_lacks_is_named(void **state)
{
	(void)state;
	refused("", "rw", "", OWN(901, 900, "/", "/run", "rw - tmpfs x rw,mpol=interleave:0"), "option mpol=interleave:0");
	refused("", "rw", "", OWN(901, 900, "/", "/run", "rw - tmpfs x rw,usrquota"), "option usrquota");
	refused("", "rw", "", OWN(901, 900, "/d", "/run", "rw - tmpfs x rw"), "only /d of a tmpfs");
	refused("", "rw", "", OWN(901, 900, "/", "/run", "rw shared:9 - tmpfs x rw"), "/run is shared");
	/* nobody sees it, but who takes away what is on it would */
	refused("", "rw", "", OWN(901, 900, "/", "/run", "rw - tmpfs x rw")
		"902 901 0:77 / /run rw - proc proc rw\n", "/run, over which something else is mounted");
	/* the path of what it shows leads elsewhere by now */
	refused("", "rw", "", OWN(901, 900, "/", "/run", "rw - tmpfs x rw")
		"902 901 0:77 / /run/d rw - proc proc rw\n" OWN(903, 900, "/d/e", "/part", "rw - tmpfs x rw"),
		"/part lies below its mount on /run/d");
	refused("", "rw", "", "901 900 0:77 / /run rw - ramfs x rw\n", "ramfs file system of its own on /run");
}

static void the_console_is_one_wherever_its_log_is(void **state)
{
	static const char *const logs[] = { "/var/log/ckpt/a.log", "/old/a.log.1", "/x//deleted" };
	struct description d;
	struct ckpt_error e;
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++) {
		snprintf(line, sizeof(line), "901 900 0:77 %s /dev/console rw,relatime - ext4 /dev/y rw\n", logs[i]);
		has_console = true;
		assert_int_equal(describe_root(&d, "", "rw", "", line, &e), 0);
		assert_int_equal(d.nr_mounts, 2);
		assert_int_equal(d.mounts[1].kind, MOUNT_CONSOLE);
		assert_string_equal(d.mounts[1].source, "");
		description_free(&d);
		/* any other file there is one like any other */
		has_console = false;
		refused("", "rw", "", line, i == 2 ? "has been deleted" : "of its own on /dev/console");
	}
}

static void words_that_contradict_each_other_are_damage(void **state)
{
	static const char *const bad[] = { "shared", "rw,shared", "rw,slave,slave", "slave,rw", "" };
	struct description d;
	struct ckpt_error e;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "name a\ncgroup ckpt/a\nnet host\nmount bind / / %s none\n", bad[i]);
		assert_int_equal(description_parse(&d, text, strlen(text), &e), -EINVAL);
		description_free(&d);
	}
}

static int find_root(void **state)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[8192], target[4096];

	(void)state;
	/* the last one on it is on top */
	while (f && fgets(line, sizeof(line), f)) {
		int id, major, minor;
		char root[4096];

		if (sscanf(line, "%d %*d %d:%d %4095s %4095s", &id, &major, &minor, root, target) == 5 &&
		    !strcmp(target, "/")) {
			root_id = id;
			root_major = major;
			root_minor = minor;
			strcpy(root_of, root);
		}
	}
	if (f)
		fclose(f);
	return root_id ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_mount_has_is_kept),
		cmocka_unit_test(what_cannot_be_kept_is_refused_by_name),
		cmocka_unit_test(of_fresh_file_systems_too),
		cmocka_unit_test(the_options_of_proc_are_kept),
		cmocka_unit_test(a_tmpfs_of_its_own_is_described),
		cmocka_unit_test(or_what_it_lacks_is_named),
		cmocka_unit_test(the_console_is_one_wherever_its_log_is),
		cmocka_unit_test(words_that_contradict_each_other_are_damage),
	};

	return cmocka_run_group_tests(tests, find_root, NULL);
}
