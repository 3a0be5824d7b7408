// SPDX-License-Identifier: GPL-2.0-only
/* Makes a sound image of a container that never was: for tests of the history, which need no engine. */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>
#include <ckpt_image.h>

#define TASKS_MAX 1000

static const char usage[] =
	"usage: make-image [-z] [-p PAGES] [-s SEED] [-n TASKS] > IMAGE\n"
	"\n"
	"An image of PAGES (16) pages, whose contents SEED (1) determines, and of TASKS (1)\n"
	"tasks with the pids 1 to TASKS. With -z three of four pages are zero. Its records are in order and its sums right; it cannot be\n"
	"restarted, as nothing says what the tasks do.\n";

static uint64_t offset, nr_pages;
static uint32_t seq;
static bool zeros;

static void put(const void *data, size_t len)
{
	if (fwrite(data, 1, len, stdout) != len)
		err(1, "the image cannot be written");
	offset += len;
}

/* a record that is being made */
static struct {
	char bytes[4 * CKPT_PAGE_SIZE + TASKS_MAX * sizeof(struct ckpt_image_tree_task)];
	uint32_t len;
} body;

/* 'nr' elements of 'size' bytes */
static void *add_part(uint16_t tag, uint32_t size, uint32_t nr)
{
	struct ckpt_part head = { .tag = tag, .size = size, .len = (uint64_t)size * nr };
	char *data = body.bytes + body.len + sizeof(head);

	memcpy(body.bytes + body.len, &head, sizeof(head));
	memset(data, 0, (head.len + 7) & ~7ULL);
	body.len += sizeof(head) + ((head.len + 7) & ~7ULL);
	return data;
}

#define ADD_PARTS(record, part, nr) \
	((ckpt_part_##record##_##part *)add_part(CKPT_TAG_##record##_##part, \
						 sizeof(ckpt_part_##record##_##part), nr))
#define ADD_PART(record, part) ADD_PARTS(record, part, 1)

static void put_record(uint16_t type)
{
	struct ckpt_rec rec = { .magic = CKPT_REC_MAGIC, .type = type, .len = body.len, .seq = seq++ };
	XXH64_state_t *state = XXH64_createState();

	if (!state)
		errx(1, "no memory");
	XXH64_reset(state, 0);
	XXH64_update(state, &rec, sizeof(rec));
	XXH64_update(state, body.bytes, body.len);
	rec.sum = XXH64_digest(state);
	XXH64_freeState(state);
	put(&rec, sizeof(rec));
	put(body.bytes, body.len);
	body.len = 0;
}

static void put_head(uint32_t tasks)
{
	static const char text[] = "name made\ncgroup made\nnet host\nmount bind / / rw none\n";
	struct ckpt_image_header *h = ADD_PART(HEADER, BASE);
	struct ckpt_image_tree_task *task;
	struct utsname uts;

	uname(&uts);
	memcpy(h->magic, CKPT_IMAGE_MAGIC, sizeof(h->magic));
	h->version = CKPT_IMAGE_VERSION;
	h->page_size = CKPT_PAGE_SIZE;
	strcpy(h->machine, uts.machine);
	strcpy(h->release, uts.release);
	put_record(CKPT_REC_HEADER);
	memcpy(ADD_PARTS(CONTAINER, TEXT, strlen(text)), text, strlen(text));
	put_record(CKPT_REC_CONTAINER);
	task = ADD_PARTS(TREE, TASKS, tasks);
	for (uint32_t i = 0; i < tasks; i++)
		task[i] = (struct ckpt_image_tree_task){
			.pid = i + 1, .tgid = i + 1, .ppid = i ? 1 : 0, .pgid = 1, .sid = 1,
			.rpid = i + 1000, .flags = CKPT_TASK_LEADER,
		};
	put_record(CKPT_REC_TREE);
	put_record(CKPT_REC_MEMORY);
}

static void fill(uint64_t page[CKPT_PAGE_SIZE / 8], uint64_t *state)
{
	for (size_t i = 0; i < CKPT_PAGE_SIZE / 8; i++) {
		/* xorshift64: fast, and no two pages alike */
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		page[i] = *state;
	}
}

/* in one run */
static void put_pages(uint32_t nr, uint64_t *state)
{
	static uint64_t pages[CKPT_PAGES_MAX][CKPT_PAGE_SIZE / 8];

	for (uint32_t i = 0; i < nr; i++) {
		if (zeros && (nr_pages + i) % 4)
			memset(pages[i], 0, sizeof(pages[i]));
		else
			fill(pages[i], state);
	}
	*ADD_PART(PAGES, BASE) = (struct ckpt_image_pages){ .ref = 1, .nr = nr };
	*ADD_PART(PAGES, RUNS) = (struct ckpt_image_run){
		.addr = nr_pages * CKPT_PAGE_SIZE,
		.count = nr,
		.sum = XXH64(pages, (size_t)nr * CKPT_PAGE_SIZE, 0),
	};
	ADD_PARTS(PAGES, FILL, -(offset + sizeof(struct ckpt_rec) + body.len +
				 sizeof(struct ckpt_part)) % CKPT_PAGE_SIZE);
	put_record(CKPT_REC_PAGES);
	put(pages, (size_t)nr * CKPT_PAGE_SIZE);
	nr_pages += nr;
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || n > max)
		errx(2, "'%s' is no number from 0 to %lu", text, max);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long pages = 16, tasks = 1, nr;
	struct ckpt_image_trailer *t;
	uint64_t state = 1;
	int c;

	while ((c = getopt(argc, argv, "n:p:s:z")) != -1) {
		if (c == 'n')
			tasks = number(optarg, TASKS_MAX);
		else if (c == 'p')
			pages = number(optarg, 1UL << 40);
		else if (c == 's')
			state = number(optarg, 1UL << 40);
		else if (c == 'z')
			zeros = true;
		else
			optind = argc + 1;
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	/* zero would stay zero */
	state = state * 0x9e3779b97f4a7c15ULL | 1;
	put_head(tasks);
	for (; pages; pages -= nr) {
		nr = pages < CKPT_PAGES_MAX ? pages : CKPT_PAGES_MAX;
		put_pages(nr, &state);
	}
	t = ADD_PART(TRAILER, BASE);
	t->nr_records = seq + 1;
	t->nr_pages = nr_pages;
	t->bytes = offset + sizeof(struct ckpt_rec) + body.len;
	put_record(CKPT_REC_TRAILER);
	if (fflush(stdout))
		err(1, "the image cannot be written");
	return 0;
}
