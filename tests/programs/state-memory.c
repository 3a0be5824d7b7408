// SPDX-License-Identifier: GPL-2.0-only
/* Mappings of many kinds with known contents. */
#include <asm/ldt.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

#define PAGE 4096UL
#define BIG (8UL << 20)
#define SPARSE (1UL << 30)
#define HOLE 1000UL			/* pages between those that were touched */

#ifndef MAP_GROWSDOWN
#define MAP_GROWSDOWN 0x0100
#endif

static uint8_t *heap, *broken, *big, *none, *readable, *unforked, *wiped, *sparse, *growing, *locked;
static uint8_t *private_file, *shared_file, *memfd_shared, *memfd_private;
static int memfd, sealed;
static uint8_t in_data[3 * PAGE] = { 1 };
static uint8_t in_bss[3 * PAGE];
static uint8_t ldt[LDT_ENTRIES * LDT_ENTRY_SIZE];
static int ldt_len;

static uint8_t *map(size_t len, int flags, uint64_t seed)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	need(p != MAP_FAILED);
	if (seed)
		pattern(p, len, seed);
	return p;
}

static uint8_t *map_file(int fd, size_t len, int flags)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	need(p != MAP_FAILED);
	return p;
}

static void fill_file(int fd, size_t len, uint64_t seed)
{
	uint8_t buf[PAGE];

	for (size_t pos = 0; pos < len; pos += PAGE) {
		pattern(buf, PAGE, seed + pos / PAGE);
		need(pwrite(fd, buf, PAGE, pos) == (ssize_t)PAGE);
	}
}

static void prepare_anonymous(void)
{
	heap = malloc(100000);
	need(heap);
	pattern(heap, 100000, 1);
	broken = sbrk(5 * PAGE);
	need(broken != (void *)-1);
	pattern(broken, 5 * PAGE, 2);
	big = map(BIG, 0, 3);
	none = map(4 * PAGE, 0, 4);
	need(!mprotect(none, 4 * PAGE, PROT_NONE));
	readable = map(4 * PAGE, 0, 5);
	need(!mprotect(readable + PAGE, 2 * PAGE, PROT_READ));
	unforked = map(2 * PAGE, 0, 6);
	need(!madvise(unforked, 2 * PAGE, MADV_DONTFORK));
	wiped = map(2 * PAGE, 0, 7);
	need(!madvise(wiped, 2 * PAGE, MADV_WIPEONFORK));
	sparse = map(SPARSE, MAP_NORESERVE, 0);
	for (size_t pos = 0; pos < SPARSE; pos += HOLE * PAGE)
		pattern(sparse + pos, 16, 8);
	growing = map(16 * PAGE, MAP_GROWSDOWN, 9);
	locked = map(2 * PAGE, 0, 10);
	need(!mlock(locked, 2 * PAGE));
	pattern(in_data, sizeof(in_data), 11);
	pattern(in_bss, sizeof(in_bss), 12);
}

static void prepare_file_mappings(void)
{
	int fd = open(in_dir("mapped"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	need(fd >= 0);
	fill_file(fd, 4 * PAGE, 20);
	private_file = map_file(fd, 4 * PAGE, MAP_PRIVATE);
	shared_file = map_file(fd, 4 * PAGE, MAP_SHARED);
	pattern(private_file + PAGE, PAGE, 30);
	memset(private_file + 3 * PAGE, 0, PAGE);
	close(fd);
	memfd = memfd_create("state", MFD_CLOEXEC);
	need(memfd >= 0);
	fill_file(memfd, 4 * PAGE, 40);
	memfd_shared = map_file(memfd, 4 * PAGE, MAP_SHARED);
	memfd_private = map_file(memfd, 4 * PAGE, MAP_PRIVATE);
	pattern(memfd_private + 2 * PAGE, PAGE, 50);
	sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	need(sealed >= 0);
	fill_file(sealed, PAGE, 60);
	need(!fchmod(sealed, 0640) && !fchown(sealed, 1000, 1001));
	need(!fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
}

static void prepare_ldt(void)
{
	struct user_desc desc = {
		.entry_number = 3, .base_addr = 0x12345000, .limit = 0x42, .seg_32bit = 1,
		.limit_in_pages = 0, .useable = 1,
	};

	need(!syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc)));
	ldt_len = syscall(SYS_modify_ldt, 0, ldt, sizeof(ldt));
	need(ldt_len > 0);
}

void prepare_memory(void)
{
	prepare_anonymous();
	prepare_file_mappings();
	prepare_ldt();
}

static void check_anonymous(void)
{
	bool good = true;

	verdict(pattern_is(heap, 100000, 1), "S10", "state: heap of malloc()");
	verdict(pattern_is(broken, 5 * PAGE, 2), "S10", "state: heap of brk()");
	verdict((uint8_t *)sbrk(0) >= broken + 5 * PAGE && sbrk(PAGE) != (void *)-1, "S10", "state: brk() goes on");
	verdict(pattern_is(big, BIG, 3), "S10", "state: 8 MiB of a private mapping");
	good = !mprotect(none, 4 * PAGE, PROT_READ);
	verdict(good && pattern_is(none, 4 * PAGE, 4), "S10", "state: contents behind PROT_NONE");
	verdict(pattern_is(readable, 4 * PAGE, 5), "S10", "state: a mapping that is read-only in its middle");
	verdict(pattern_is(unforked, 2 * PAGE, 6), "T8", "state: contents behind MADV_DONTFORK");
	verdict(pattern_is(wiped, 2 * PAGE, 7), "T8", "state: contents behind MADV_WIPEONFORK");
	good = true;
	for (size_t pos = 0; pos < SPARSE && good; pos += HOLE * PAGE)
		good = pattern_is(sparse + pos, 16, 8) && !sparse[pos + PAGE];
	verdict(good, "T9", "state: a sparse mapping of 1 GiB");
	verdict(pattern_is(growing, 16 * PAGE, 9), "T8", "state: a mapping that grows down");
	verdict(pattern_is(locked, 2 * PAGE, 10), "T8", "state: a locked mapping");
	verdict(pattern_is(in_data, sizeof(in_data), 11) && pattern_is(in_bss, sizeof(in_bss), 12), "S10",
		"state: data and bss");
}

static bool file_has(int fd, size_t page, uint64_t seed)
{
	uint8_t buf[PAGE];

	return pread(fd, buf, PAGE, page * PAGE) == (ssize_t)PAGE && pattern_is(buf, PAGE, seed);
}

static bool all_zero(const uint8_t *p, size_t len)
{
	return !*p && !memcmp(p, p + 1, len - 1);
}

static void check_file_mappings(void)
{
	int fd = open(in_dir("mapped"), O_RDWR | O_CLOEXEC);
	uint8_t was;

	verdict(pattern_is(private_file, PAGE, 20) && pattern_is(private_file + PAGE, PAGE, 30) &&
		pattern_is(private_file + 2 * PAGE, PAGE, 22), "T8", "state: a private mapping of a file, in part written");
	verdict(all_zero(private_file + 3 * PAGE, PAGE) && file_has(fd, 3, 23), "T9",
		"state: zeroes written into a private mapping of a file that has others there");
	verdict(file_has(fd, 1, 21) && pattern_is(shared_file + PAGE, PAGE, 21), "T8",
		"state: the file has nothing of what was written privately");
	was = shared_file[0];
	shared_file[0] = ~was;
	verdict(!file_has(fd, 0, 20), "T8", "state: a shared mapping of a file writes to the file");
	shared_file[0] = was;
	verdict(file_has(fd, 0, 20), "T8", "state: contents of a shared mapping of a file");
	close(fd);
}

static void check_memfds(void)
{
	struct stat st;

	memfd_shared[3 * PAGE] ^= 0xff;
	verdict(!file_has(memfd, 3, 43), "C4", "state: a shared mapping of a memfd writes to the memfd");
	memfd_shared[3 * PAGE] ^= 0xff;
	verdict(file_has(memfd, 0, 40) && file_has(memfd, 1, 41) && file_has(memfd, 2, 42) && file_has(memfd, 3, 43),
		"C4", "state: contents of a memfd");
	verdict(pattern_is(memfd_private, PAGE, 40) && pattern_is(memfd_private + 2 * PAGE, PAGE, 50), "T8",
		"state: a private mapping of a memfd, in part written");
	verdict_eq(fcntl(sealed, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW, "C4", "state: seals of a memfd");
	verdict(file_has(sealed, 0, 60), "C4", "state: contents of a sealed memfd");
	verdict(!fstat(sealed, &st) && st.st_uid == 1000 && st.st_gid == 1001 && (st.st_mode & 07777) == 0640, "C4",
		"state: owner and mode of a memfd");
}

static void check_ldt(void)
{
	static uint8_t here[sizeof(ldt)];
	unsigned long limit = 0;
	uint8_t ok = 0;

	verdict(syscall(SYS_modify_ldt, 0, here, sizeof(here)) == ldt_len && !memcmp(ldt, here, ldt_len), "S11",
		"state: the LDT has the same entries");
	asm volatile("lsl %2, %0; setz %1" : "=r"(limit), "=q"(ok) : "r"(3UL << 3 | 7));
	verdict(ok && limit == 0x42, "S11", "state: the processor uses the LDT");
}

void check_memory(void)
{
	check_anonymous();
	check_file_mappings();
	check_memfds();
	check_ldt();
}
