// SPDX-License-Identifier: GPL-2.0-only
/*
 * fill: reads standard input, a pipe, into new memory. What a restart has to do at least.
 */
#include <err.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM (64ul << 30)
#define PIECE (1 << 20)

int main(void)
{
	char *p = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t at = 0;
	ssize_t n;

	if (p == MAP_FAILED)
		err(1, "mmap");
	while ((n = read(0, p + at, PIECE)) > 0) {
		at += n;
		if (at > ROOM - PIECE)
			errx(1, "more than %lu GiB", ROOM >> 30);
	}
	if (n < 0)
		err(1, "read");
}
