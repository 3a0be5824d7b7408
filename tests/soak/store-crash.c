// SPDX-License-Identifier: GPL-2.0-only
/*
 * store-crash write STORE TOLD SEED: writes and deletes snapshots until it is killed, and
 *	notes in the file TOLD what it was told to be done ("+ NUMBER"), and what may be gone
 *	from now on ("- NUMBER").
 * store-crash check STORE TOLD: after a crash: what was told is there and whole, nothing
 *	else is but what was under way, and what was not finished takes no space. Begins TOLD
 *	anew with what is there.
 * store-crash kill STORE TOLD COUNT: lets the first be killed at COUNT moments, and does
 *	the second after each.
 *
 * D4: a history survives what happens to the machine. The name of a snapshot is a number that
 * says what is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

#define GROUP "crash"
#define BLOCK 4096
#define MAX_BLOCKS 1500
#define KEPT 4		/* snapshots that the writer lets live */
#define MAX_TOLD 100000

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "store-crash: %s: %s\n", what, why);
	exit(1);
}

/* The contents of a number: blocks that others have too, some that compress, zeros, an odd end. */
static uint8_t *contents(uint64_t number, size_t *len)
{
	uint64_t state = number, blocks = 1 + next(&state) % MAX_BLOCKS;
	uint8_t *data = malloc(blocks * BLOCK);

	if (!data)
		die("contents", "no memory");
	for (uint64_t b = 0; b < blocks; b++) {
		uint64_t *word = (uint64_t *)(data + b * BLOCK), kind = next(&state);
		uint64_t common = b, *from = kind % 4 ? &state : &common;

		for (int i = 0; i < BLOCK / 8; i++)
			word[i] = kind % 8 == 7 ? 0 : kind % 2 && i % 4 ? 42 : next(from);
	}
	*len = blocks * BLOCK - next(&state) % BLOCK;
	return data;
}

/* ---- write ---- */

static void tell(int told, char what, uint64_t number)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "%c %llu\n", what, (unsigned long long)number);

	if (write(told, line, (size_t)len) != len)
		die("told", strerror(errno));
}

static void write_one(struct store *st, uint64_t number, int told)
{
	struct store_writer *w;
	struct store_error e;
	uint64_t state = number;
	char name[24];
	size_t len, step;
	uint8_t *data = contents(number, &len);

	snprintf(name, sizeof(name), "%llu", (unsigned long long)number);
	if (store_write_begin(st, GROUP, name, 0, &w, &e))
		die(name, e.text);
	for (size_t at = 0; at < len; at += step) {
		step = 1 + next(&state) % (64 * BLOCK);
		step = step < len - at ? step : len - at;
		if (store_append(w, data + at, step, &e))
			die(name, e.text);
	}
	free(data);
	if (next(&state) % 8 == 0) {
		store_abort(w);
		return;
	}
	if (store_commit(w, 0, NULL, 0, &e))
		die(name, e.text);
	tell(told, '+', number);
}

static void delete_old(struct store *st, int told)
{
	struct store_info *list;
	struct store_error e;
	size_t count;
	int ret = store_list(st, GROUP, &list, &count, &e);

	if (ret == -ENOENT)
		return;
	if (ret)
		die("list", e.text);
	for (size_t i = 0; i + KEPT < count; i++) {
		tell(told, '-', strtoull(list[i].name, NULL, 10));
		if (store_delete(st, GROUP, list[i].name, &e))
			die(list[i].name, e.text);
	}
	free(list);
}

__attribute__((noreturn))
static void write_until_killed(const char *path, const char *told_path, uint64_t seed)
{
	int told = open(told_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct store_error e;
	struct store *st;

	if (told < 0)
		die(told_path, strerror(errno));
	if (store_open(&st, path, STORE_CREATE, &e))
		die(path, e.text);
	for (uint64_t i = 0;; i++) {
		write_one(st, seed * 100000 + i, told);
		delete_old(st, told);
	}
}

/* ---- check ---- */

static struct told {
	uint64_t number;
	bool deleted;
	bool there;
} told_list[MAX_TOLD];
static size_t nr_told;

static struct told *find_told(uint64_t number)
{
	for (size_t i = 0; i < nr_told; i++)
		if (told_list[i].number == number)
			return &told_list[i];
	return NULL;
}

static void read_told(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned long long number;
	struct told *t;
	char what;

	nr_told = 0;
	while (f && fscanf(f, " %c %llu", &what, &number) == 2) {
		t = find_told(number);
		if (!t && nr_told < MAX_TOLD) {
			t = &told_list[nr_told++];
			*t = (struct told){ .number = number };
		}
		if (t)
			t->deleted = what == '-';
	}
	if (f)
		fclose(f);
}

static void check_contents(struct store *st, const char *name)
{
	struct store_reader *r;
	struct store_error e;
	size_t len, at = 0;
	uint8_t *data = contents(strtoull(name, NULL, 10), &len), *buf = malloc(len + 1);
	ssize_t n;

	if (!buf || store_read_open(st, GROUP, name, &r, &e))
		die(name, e.text);
	while ((n = store_pread(r, buf + at, len + 1 - at, at, &e)) > 0)
		at += (size_t)n;
	if (n < 0)
		die(name, e.text);
	if (at != len || memcmp(buf, data, len))
		die(name, "it is not what was written");
	store_read_close(r);
	free(data);
	free(buf);
}

/* What is there is what was told, but for one that was about to come, one about to go. */
static void compare(struct store *st, const struct store_info *list, size_t count)
{
	unsigned int coming = 0, going = 0;
	char name[24];

	for (size_t i = 0; i < count; i++) {
		struct told *t = find_told(strtoull(list[i].name, NULL, 10));

		check_contents(st, list[i].name);
		if (t)
			t->there = true;
		coming += !t;
		going += t && t->deleted;
	}
	for (size_t i = 0; i < nr_told; i++) {
		snprintf(name, sizeof(name), "%llu", (unsigned long long)told_list[i].number);
		if (!told_list[i].deleted && !told_list[i].there)
			die(name, "it was told to be complete, and is not there");
	}
	if (coming > 1 || going > 1)
		die("list", "there are some that should not be");
}

static int hear(void *arg, const char *line)
{
	(void)arg;
	if (!strncmp(line, "damaged", 7))
		fprintf(stderr, "store-crash: %s\n", line);
	return 0;
}

/* Nothing but the snapshots takes space. */
static void check_space(struct store *st)
{
	struct store_check sums;
	struct store_usage all, *groups;
	struct store_stats stats;
	struct store_error e;
	size_t count;

	if (store_gc(st, NULL, NULL, &e) || store_fsck(st, hear, NULL, NULL, &sums, &e))
		die("fsck", e.text);
	if (sums.bad_pages || sums.bad_blocks || sums.bad_snapshots || sums.others)
		die("fsck", "there is damage");
	if (store_stats(st, NULL, &stats, &e) || store_usage(st, NULL, &groups, &count, &all, &e))
		die("stats", e.text);
	free(groups);
	/* packs of which less than a quarter is needed no more stay as they are */
	if (stats.file > all.stored + all.stored / 2 + (2U << 20))
		die("stats", "what was not finished takes space");
}

static int check(const char *path, const char *told_path)
{
	struct store_info *list = NULL;
	struct store_stats stats;
	struct store_error e;
	struct store *st;
	size_t count = 0;
	bool clear;
	int told, ret;

	if (store_open(&st, path, STORE_CREATE, &e))
		die(path, e.text);
	read_told(told_path);
	ret = store_list(st, GROUP, &list, &count, &e);
	if (ret && ret != -ENOENT)
		die("list", e.text);
	compare(st, list, count);
	check_space(st);
	/* now and then from the beginning: then not a block is left */
	clear = nr_told % 7 == 0;
	for (size_t i = 0; clear && i < count; i++)
		if (store_delete(st, GROUP, list[i].name, &e))
			die(list[i].name, e.text);
	if (clear && (store_gc(st, NULL, NULL, &e) || store_stats(st, NULL, &stats, &e)))
		die("gc", e.text);
	if (clear && stats.blocks)
		die("gc", "blocks are left of what is gone");
	store_close(st);
	told = open(told_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (told < 0)
		die(told_path, strerror(errno));
	for (size_t i = 0; !clear && i < count; i++)
		tell(told, '+', strtoull(list[i].name, NULL, 10));
	close(told);
	free(list);
	printf("whole: %zu told, %zu there\n", nr_told, count);
	return 0;
}

/* ---- kill ---- */

static int kill_often(const char *path, const char *told, unsigned int count)
{
	uint64_t state = (uint64_t)time(NULL);
	int status;

	printf("seed %llu\n", (unsigned long long)state);
	for (unsigned int i = 0; i < count; i++) {
		struct timespec delay = { 0, (long)(next(&state) % 400000000) };
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid)
			write_until_killed(path, told, i + 1);
		nanosleep(&delay, NULL);
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			die("write", "it ended by itself");
		printf("%u: ", i + 1);
		check(path, told);
	}
	printf("killed %u times, whole each time\n", count);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "write"))
		write_until_killed(argv[2], argv[3], strtoull(argv[4], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "check"))
		return check(argv[2], argv[3]);
	if (argc == 5 && !strcmp(argv[1], "kill"))
		return kill_often(argv[2], argv[3], (unsigned int)strtoul(argv[4], NULL, 10));
	fputs("usage: store-crash write STORE TOLD SEED | check STORE TOLD | "
	      "kill STORE TOLD COUNT\n", stderr);
	return 2;
}
