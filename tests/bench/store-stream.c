// SPDX-License-Identifier: GPL-2.0-only
/*
 * store-stream [-c CHANGE] [-r] SEED MIB: a stream as the image of a container is one, on
 *	standard output.
 *
 * Its pages of 4 KiB are all different; they depend on SEED alone. A quarter of them is random,
 * a quarter like a heap (pointers, small numbers), a quarter text, a quarter half empty; with
 * -r all are random. With -c every hundredth page, at a random place in its hundred, depends on
 * CHANGE as well.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define CHUNK 256	/* pages written at once */

static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void random_page(uint64_t *p)
{
	for (int i = 0; i < PAGE / 8; i++)
		p[i] = next();
}

/* Objects of four words: a pointer to near by, one to a class, a number, a length. */
static void heap_page(uint64_t *p)
{
	uint64_t base = 0x7f0000000000 + (next() & 0xfffff000);

	for (int i = 0; i < PAGE / 8; i += 4) {
		uint64_t r = next();

		p[i] = base + (r & 0xfff0);
		p[i + 1] = 0x5500000000 + (r >> 16 & 15) * 0x140;
		p[i + 2] = r >> 32 & 0xffff;
		p[i + 3] = r >> 48 & 63;
	}
}

static void text_page(uint64_t *p)
{
	static const char syllables[] = "ta ri no sel me kor in de la vu ter an os mi pe gra ";
	char *c = (char *)p;

	for (int i = 0; i < PAGE;) {
		uint64_t r = next();

		for (int n = 0; n < 10 && i < PAGE; n++, r >>= 5)
			for (const char *s = syllables + (r & 15) * 3; i < PAGE && *s && *s != ' ';)
				c[i++] = *s++;
		if (i < PAGE)
			c[i++] = ' ';
	}
}

static void half_page(uint64_t *p)
{
	memset(p, 0, PAGE);
	for (int i = 0; i < PAGE / 16; i++)
		p[i] = next() & 0xffffffffff;
}

static void make_page(uint64_t *p, uint64_t number, uint64_t seed, bool random)
{
	static void (*const kinds[])(uint64_t *) = { random_page, heap_page, text_page, half_page };

	state = seed * 0x2545f4914f6cdd1d + number * 0xd1342543de82ef95;
	kinds[random ? 0 : next() & 3](p);
	/* whatever the kind, no two are the same */
	p[number % 64] = number ^ seed << 40;
}

static bool changes(uint64_t number, uint64_t change)
{
	state = number / 100 + change * 0x9e3779b97f4a7c15;
	return change && number % 100 == next() % 100;
}

static int write_all(const void *data, size_t len)
{
	for (const char *p = data; len;) {
		ssize_t n = write(1, p, len);

		if (n < 0 && errno != EINTR)
			return -1;
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static uint64_t pages[CHUNK][PAGE / 8];
	uint64_t change = 0, seed, total;
	bool random = false;
	int option;

	while ((option = getopt(argc, argv, "c:r")) != -1) {
		if (option == 'c')
			change = strtoull(optarg, NULL, 10);
		else if (option == 'r')
			random = true;
		else
			return 2;
	}
	if (argc - optind != 2) {
		fputs("usage: store-stream [-c CHANGE] [-r] SEED MIB\n", stderr);
		return 2;
	}
	seed = strtoull(argv[optind], NULL, 10);
	total = strtoull(argv[optind + 1], NULL, 10) * CHUNK;
	for (uint64_t n = 0; n < total; n += CHUNK) {
		for (uint64_t i = 0; i < CHUNK; i++)
			make_page(pages[i], n + i,
				  changes(n + i, change) ? seed ^ change << 32 : seed, random);
		if (write_all(pages, sizeof(pages))) {
			perror("store-stream");
			return 1;
		}
	}
	return 0;
}
