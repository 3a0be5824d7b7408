// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kills a task at a certain place in the kernel, which no timing can be sure to meet.
 *
 *	kill-at FUNCTION COMM [NTH]
 *
 * The first (NTH) call of the kernel's FUNCTION by a task of the name COMM gets SIGKILL as it begins.  Says "ready"
 * when it watches, and "killed PID" (the pid as it is seen here) when it has done it, and ends with 0; with 77 and
 * the reason when this kernel cannot be watched.  The work is done by a BPF program of a dozen lines at a kprobe.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNSUPPORTED 77
#define COMM_LEN 16

/* what the BPF program and we share */
struct shared {
	uint64_t calls;
	uint64_t pid_tgid;
};

static _Noreturn void unsupported(const char *what)
{
	printf("this kernel cannot be watched: %s: %s\n", what, strerror(errno));
	exit(UNSUPPORTED);
}

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(struct shared),
		.max_entries = 1,
		.map_flags = BPF_F_MMAPABLE,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		unsupported("a BPF map");
	return fd;
}

static int load(const struct bpf_insn *insns, unsigned int nr)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insns = (uintptr_t)insns,
		.insn_cnt = nr,
		.license = (uintptr_t)"GPL",
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		unsupported("a BPF program");
	return fd;
}

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (int16_t)(o), .imm = (int32_t)(i) }
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##helper)
#define SET(reg, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define AND(reg, with) INSN(BPF_ALU64 | BPF_AND | BPF_X, reg, with, 0, 0)
#define COPY(reg, from) INSN(BPF_ALU64 | BPF_MOV | BPF_X, reg, from, 0, 0)
/* a constant of 64 bits takes two instructions */
#define SET64(reg, value) INSN(BPF_LD | BPF_DW | BPF_IMM, reg, 0, 0, value), INSN(0, 0, 0, 0, (value) >> 32)
#define LOAD(reg, base, off) INSN(BPF_LDX | BPF_MEM | BPF_DW, reg, base, off, 0)
#define STORE(base, off, reg) INSN(BPF_STX | BPF_MEM | BPF_DW, base, reg, off, 0)
/* instruction number @at goes on with number END unless the two are equal */
#define END 29
#define NEED_EQUAL(at, a, b) [at] = INSN(BPF_JMP | BPF_JNE | BPF_X, a, b, END - (at) - 1, 0)

static int make_program(int map, const char *comm, uint64_t nth)
{
	uint64_t name[COMM_LEN / sizeof(uint64_t)] = { 0 }, mask[COMM_LEN / sizeof(uint64_t)] = { 0 };
	size_t len = strnlen(comm, COMM_LEN - 1);

	/* what follows the zero at the name's end may be anything */
	memcpy(name, comm, len);
	memset(mask, 0xff, len + 1);
	const struct bpf_insn insns[] = {
		COPY(1, 10),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -COMM_LEN),
		SET(2, COMM_LEN),
		CALL(get_current_comm),
		LOAD(1, 10, -16),
		SET64(3, mask[0]),
		AND(1, 3),
		SET64(2, name[0]),
		NEED_EQUAL(10, 1, 2),
		LOAD(1, 10, -8),
		SET64(3, mask[1]),
		AND(1, 3),
		SET64(2, name[1]),
		NEED_EQUAL(17, 1, 2),
		/* the map's value, which we share with the reader */
		INSN(BPF_LD | BPF_DW | BPF_IMM, 6, BPF_PSEUDO_MAP_VALUE, 0, map),
		INSN(0, 0, 0, 0, 0),
		SET(1, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 6, 1, offsetof(struct shared, calls), BPF_ADD | BPF_FETCH),
		SET64(2, nth - 1),
		NEED_EQUAL(24, 1, 2),
		SET(1, SIGKILL),
		CALL(send_signal),
		CALL(get_current_pid_tgid),
		STORE(6, offsetof(struct shared, pid_tgid), 0),
		[END] = SET(0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return load(insns, sizeof(insns) / sizeof(insns[0]));
}

static int kprobe_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int type;

	if (!f || fscanf(f, "%d", &type) != 1)
		unsupported("kprobes");
	fclose(f);
	return type;
}

static void attach(int prog, const char *function)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = (unsigned int)kprobe_type(),
		.config1 = (uintptr_t)function,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		unsupported(function);
}

int main(int argc, char **argv)
{
	volatile struct shared *shared;
	int map, prog;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: kill-at FUNCTION COMM [NTH]\n");
		return 2;
	}
	map = make_map();
	shared = mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, map, 0);
	if (shared == MAP_FAILED)
		unsupported("the map's memory");
	prog = make_program(map, argv[2], argc == 4 ? strtoull(argv[3], NULL, 10) : 1);
	attach(prog, argv[1]);
	puts("ready");
	fflush(stdout);
	while (!shared->pid_tgid)
		usleep(10000);
	printf("killed %u\n", (unsigned int)(shared->pid_tgid >> 32));
	return 0;
}
