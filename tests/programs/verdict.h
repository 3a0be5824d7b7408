/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs that are checkpointed have in common: they prepare state, say
 * that they are ready, wait until they are told to check, and give verdicts.
 *
 * All of it goes through files in a directory, DIR: the program makes DIR/ready,
 * the scenario DIR/check, and the program at last DIR/verdict, with one line for
 * each thing checked: "ok ROW TEXT" or "BAD ROW TEXT | DETAIL".
 */
#ifndef TESTS_VERDICT_H
#define TESTS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* verdict_dir - name DIR, before anything else */
void verdict_dir(const char *dir);

/* in_dir - the path of @name in DIR; the last eight answers stay valid */
const char *in_dir(const char *name);

/* verdict - one thing checked; from any process or thread */
__attribute__((format(printf, 3, 4)))
void verdict(bool good, const char *row, const char *text, ...);
/* verdict_eq - the same for two numbers, both of which go into the detail */
void verdict_eq(long long got, long long wanted, const char *row, const char *text);

/* ready - make DIR/ready */
void ready(void);
/* wait_for_check - sleep until there is DIR/check */
void wait_for_check(void);
/* verdict_end - all verdicts are given: make DIR/verdict */
void verdict_end(void);

/* need - a step of the preparation: end the program with errno's reason unless @good */
#define need(good) need_(!!(good), #good, __FILE__, __LINE__)
void need_(bool good, const char *what, const char *file, int line);

/* sleep_ms - sleep that long, signals or not */
void sleep_ms(unsigned int ms);
/* now_ms - CLOCK_MONOTONIC in ms; wall_ms - CLOCK_REALTIME */
long long now_ms(void);
long long wall_ms(void);

/* pattern - fill @len bytes with numbers that depend on @seed; pattern_is - are they these? */
void pattern(void *p, size_t len, uint64_t seed);
bool pattern_is(const void *p, size_t len, uint64_t seed);

#endif
