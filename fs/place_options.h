/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /ckpt/NAME/options: "key: value" lines, what a command line would say where
 * there is none. They are kept as they were written, in STATE/NAME/options.
 */
#ifndef FS_PLACE_OPTIONS_H
#define FS_PLACE_OPTIONS_H

#include <stddef.h>

struct ckpt_error;
struct words;

#define PLACE_OPTIONS "options"	/* the name of both files */
#define PLACE_OPTIONS_MAX 65536	/* bytes */

/* which program an option is for */
#define FOR_CHECKPOINT 0x1
#define FOR_RESTART 0x2

/*
 * place_options_check - whether a text is good
 * @whole: also what is behind its last newline
 * @programs: FOR_*, whose options its writer may give: a restart has root's rights
 *
 * Returns 0, or -EINVAL, -EPERM, -E2BIG or -ENOMEM and the sentence, which names the line.
 */
int place_options_check(const char *text, size_t len, int whole, unsigned int programs,
			struct ckpt_error *e);

/*
 * place_options_arguments - the options of a place, as words
 * @program: FOR_*
 *
 * Returns 0 or a negative errno.
 */
int place_options_arguments(const char *place, unsigned int program, struct words *words);

#endif
