/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether bytes that come in are an image: its records in order, its checksums
 * right, and nothing behind it. What the records say of tasks is for the engine
 * to judge.
 */
#ifndef CKPT_LIB_CHECK_H
#define CKPT_LIB_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check;
struct ckpt_error;

/* check_begin - 0 or a negative errno; check_end() gives @c back */
int check_begin(struct check **c);

/* check_feed - the next @len bytes, from one thread at a time */
void check_feed(struct check *c, const void *data, size_t len);

/* check_zeros - the same for @len bytes that are zero */
void check_zeros(struct check *c, uint64_t len);

/* check_over - whether what comes now makes no difference any more: it is no image */
bool check_over(const struct check *c);

/*
 * check_end - that was all: what is it?
 * @e: takes the sentence when it is no image, may be NULL
 *
 * Returns 0 for an image, -EINVAL for anything else, or -ENOMEM.
 */
int check_end(struct check *c, struct ckpt_error *e);

#endif
