/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two files of ptys share. */
#ifndef TESTS_PTYS_H
#define TESTS_PTYS_H

#include "verdict.h"

/* what F_GETFL adds on 64 bits, where the C library calls it 0 */
#define O_LARGEFILE_ 0100000

struct pty {
	int master, slave, nr;
	char name[32];
};

struct pty pty_open(void);
/* all of @text, or the program ends */
void put(int fd, const char *text);
/* is exactly @text read, in as many pieces as it comes? */
bool reads(int fd, const char *text);
/* can nothing be read? */
bool quiet(int fd);

void prepare_sessions(void);
void check_sessions(void);

#endif
