// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eight threads: two spin with values in all AVX registers, two sleep in the
 * kernel with them, two hold mutexes while they wait on a condition variable,
 * and two wait for these mutexes.  usage: threads DIR
 */
#include <errno.h>
#include <fenv.h>
#include <immintrin.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

#define NR_THREADS 8
#define NR_YMM 16

struct worker {
	pthread_t thread;
	int nr;
	pid_t tid;
	pthread_t self;
	int rounding;
	uint8_t *stack;			/* an address on it */
	unsigned long turns;		/* of spinners and sleepers */
	unsigned long wrong;		/* turns after which a register had changed */
	int result;
	bool tls_ok;
};

static struct worker workers[NR_THREADS];
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, robust, gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t checking_cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t started;
static volatile bool checking;
static int under_plain = 1, under_robust = 1;

static _Thread_local int tls_number = 4711;
static _Thread_local char tls_text[100];

struct vectors {
	__m256i ymm[NR_YMM];
};

#define YMM_ALL(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) \
	op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define YMM_LOAD(n) "vmovdqu " #n "*32(%[in]), %%ymm" #n "\n\t"
#define YMM_STORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%[out])\n\t"
#define YMM_CLOBBERS "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", \
	"ymm8", "ymm9", "ymm10", "ymm11", "ymm12", "ymm13", "ymm14", "ymm15"

/* go round @turns times in user space with @in in the registers; @out: what they have then */
__attribute__((target("avx")))
static void spin(const struct vectors *in, struct vectors *out, unsigned long turns)
{
	asm volatile(YMM_ALL(YMM_LOAD)
		     "1:\n\t"
		     "pause\n\t"
		     "dec %[turns]\n\t"
		     "jnz 1b\n\t"
		     YMM_ALL(YMM_STORE)
		     : [turns] "+r"(turns)
		     : [in] "r"(in), [out] "r"(out)
		     : "memory", "cc", YMM_CLOBBERS);
}

/* the same with a sleep in the kernel */
__attribute__((target("avx")))
static long doze(const struct vectors *in, struct vectors *out, const struct timespec *ts)
{
	long ret = SYS_nanosleep;

	asm volatile(YMM_ALL(YMM_LOAD)
		     "syscall\n\t"
		     YMM_ALL(YMM_STORE)
		     : "+a"(ret)
		     : [in] "r"(in), [out] "r"(out), "D"(ts), "S"(NULL)
		     : "memory", "cc", "rcx", "r11", YMM_CLOBBERS);
	return ret;
}

static void keep_registers(struct worker *w)
{
	static const int rounding[] = { FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };
	struct timespec ts = { 0, 300000000 };
	struct vectors in, out;

	w->rounding = rounding[w->nr];
	fesetround(w->rounding);
	pattern(&in, sizeof(in), 100 + w->nr);
	pthread_barrier_wait(&started);
	while (!checking) {
		memset(&out, 0, sizeof(out));
		if (w->nr < 2)
			spin(&in, &out, 200000);
		else if (doze(&in, &out, &ts))
			w->result++;
		if (!pattern_is(&out, sizeof(out), 100 + w->nr) || fegetround() != w->rounding)
			w->wrong++;
		w->turns++;
	}
}

/* 4 holds a plain mutex and gives it back; 5 a robust one, and ends with it */
static void hold(struct worker *w)
{
	pthread_mutex_t *mutex = w->nr == 4 ? &plain : &robust;

	w->result = pthread_mutex_lock(mutex);
	pthread_barrier_wait(&started);
	pthread_mutex_lock(&gate);
	while (!checking)
		pthread_cond_wait(&checking_cond, &gate);
	pthread_mutex_unlock(&gate);
	if (w->nr == 4) {
		under_plain = 2;
		w->result |= pthread_mutex_unlock(mutex);
	} else {
		under_robust = 2;
	}
}

static void want(struct worker *w)
{
	pthread_barrier_wait(&started);
	/* the holders were here before: see main() */
	w->result = pthread_mutex_lock(w->nr == 6 ? &plain : &robust);
	w->turns = w->nr == 6 ? under_plain : under_robust;
	if (w->result == EOWNERDEAD)
		pthread_mutex_consistent(&robust);
	pthread_mutex_unlock(w->nr == 6 ? &plain : &robust);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint8_t on_stack[1000];

	pattern(on_stack, sizeof(on_stack), 200 + w->nr);
	asm volatile("" : : "r"(on_stack) : "memory");
	w->stack = on_stack;
	w->tid = syscall(SYS_gettid);
	w->self = pthread_self();
	tls_number += w->nr;
	pattern(tls_text, sizeof(tls_text), 300 + w->nr);
	if (w->nr < 4)
		keep_registers(w);
	else if (w->nr < 6)
		hold(w);
	else
		want(w);
	w->tls_ok = tls_number == 4711 + w->nr &&
		pattern_is(tls_text, sizeof(tls_text), 300 + w->nr) &&
		pattern_is(on_stack, sizeof(on_stack), 200 + w->nr) &&
		w->tid == syscall(SYS_gettid) && w->self == pthread_self();
	return (void *)(long)(w->nr * 3 + 1);
}

static void start(struct worker *w, int nr)
{
	w->nr = nr;
	need(!pthread_create(&w->thread, NULL, work, w));
}

static void check(unsigned long *turns)
{
	bool joined = true, tls = true, right = true, on = true, sleeps = true;
	void *value;

	for (int i = 0; i < NR_THREADS; i++) {
		joined &= !pthread_join(workers[i].thread, &value) && value == (void *)(i * 3L + 1);
		tls &= workers[i].tls_ok;
		if (i < 4) {
			right &= !workers[i].wrong;
			on &= workers[i].turns > turns[i];
			sleeps &= !workers[i].result;
		}
	}
	verdict(joined, "T5", "threads: all 8 end and are joined with their values");
	verdict(tls, "T2", "threads: every thread has its TLS, stack, tid and pthread_self()");
	verdict(right, "T2", "threads: AVX registers and rounding modes never changed");
	verdict(on, "T1", "threads: they went on spinning and sleeping");
	verdict(sleeps, "S4", "threads: no nanosleep was cut short");
	verdict_eq(workers[4].result, 0, "T5", "threads: a mutex held over the checkpoint is released");
	verdict_eq(workers[6].result, 0, "T5", "threads: the waiter for a mutex gets it");
	verdict_eq(workers[6].turns, 2, "T5", "threads: the waiter gets a mutex after its holder");
	verdict_eq(workers[7].result, EOWNERDEAD, "T5", "threads: a robust mutex tells of its holder's end");
	verdict_eq(workers[7].turns, 2, "T5", "threads: the waiter gets a robust mutex after its holder");
}

int main(int argc, char **argv)
{
	unsigned long turns[4];
	pthread_mutexattr_t attr;

	need(argc == 2);
	verdict_dir(argv[1]);
	need(__builtin_cpu_supports("avx"));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	pthread_barrier_init(&started, NULL, NR_THREADS + 1);
	for (int i = 0; i < NR_THREADS; i++)
		start(&workers[i], i);
	pthread_barrier_wait(&started);
	while (workers[2].turns < 2 || workers[0].turns < 2)
		sleep_ms(20);
	ready();
	wait_for_check();
	for (int i = 0; i < 4; i++)
		turns[i] = workers[i].turns;
	while (workers[0].turns == turns[0] || workers[1].turns == turns[1] ||
	       workers[2].turns == turns[2] || workers[3].turns == turns[3])
		sleep_ms(20);
	pthread_mutex_lock(&gate);
	checking = true;
	pthread_cond_broadcast(&checking_cond);
	pthread_mutex_unlock(&gate);
	check(turns);
	verdict_end();
	for (;;)
		pause();
}
