/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An error on its way to the one place that reports it: an errno and a
 * sentence that names the object.
 */
#ifndef CKPT_LIB_ERROR_H
#define CKPT_LIB_ERROR_H

struct ckpt_error {
	int err;		/* errno, positive; 0: none */
	char text[512];		/* one sentence, no newline */
};

/*
 * error_set - say what went wrong
 * @e: the error, may be NULL
 * @err: errno, positive
 * @fmt: the sentence, as for printf; it is cut at 511 bytes
 *
 * Returns -err, so that a caller can write 'return error_set(...)'.
 */
int error_set(struct ckpt_error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * error_sys - the same, with ": " and strerror(err) behind the sentence
 */
int error_sys(struct ckpt_error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
