/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the engine would load an image: it loads and checks it, pages too, and
 * makes nothing of it.  It reads what its caller reads, at the same time, so
 * that an image from a pipe is read once.
 */
#ifndef CKPT_AROUND_CHECK_LOAD_H
#define CKPT_AROUND_CHECK_LOAD_H

#include <stdint.h>

#include "image.h"
#include "reasons.h"

struct load;

/*
 * load_begin - from here on the engine reads, too
 * @im: behind the TREE
 * @nr_tasks: of the TREE
 *
 * That there is no engine is a reason, and then it does nothing.  Returns what
 * load_end() gives back, or NULL with the error in r->e.
 */
struct load *load_begin(struct image_reader *im, uint32_t nr_tasks, struct reasons *r);

/*
 * load_end - nothing more comes
 * @r: takes what the engine said against it, NULL: nobody wants to know
 *
 * Returns 0 or a negative errno.
 */
int load_end(struct load *l, struct image_reader *im, struct reasons *r);

#endif
