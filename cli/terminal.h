/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A terminal for a program in a container.  It never gets the host's own, into
 * which it could type: a pty stands between them.
 */
#ifndef CKPT_CLI_TERMINAL_H
#define CKPT_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "error.h"

struct terminal {
	int master, slave;	/* of the pty, -1: none of the streams is a terminal */
	int in, out;		/* the host's: a stream each; in is -1 if it gives no input */
	bool is_tty[3];		/* which streams are the host's terminal */
	bool raw;		/* the host's is in our hands */
	struct termios before;	/* how it was */
	char typed[1024];	/* input that the program has not taken yet */
	size_t nr_typed;
};

/* terminal_open - make a pty if a standard stream is a terminal; 0 or -errno */
int terminal_open(struct terminal *t, struct ckpt_error *e);

/*
 * terminal_use - begin a session of its own
 *
 * With a pty it is the terminal of that, and the streams that were the host's
 * terminal are it.
 */
void terminal_use(const struct terminal *t);

/* terminal_begin - the program runs: what is typed goes to it, if we are in the foreground */
void terminal_begin(struct terminal *t);

/* terminal_resize - tell the program that the host's terminal has another size */
void terminal_resize(struct terminal *t);

/*
 * terminal_poll - wait for something to do
 * @fd: a descriptor, that of the signals
 *
 * Moves what was typed and what was printed meanwhile.  Returns when @fd can be
 * read.
 */
void terminal_poll(struct terminal *t, int fd);

/* terminal_end - print what is left, give the host's terminal back, close the pty */
void terminal_end(struct terminal *t);

#endif
