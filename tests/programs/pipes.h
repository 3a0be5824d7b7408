/* SPDX-License-Identifier: GPL-2.0-only */
/* Pipes in every state: pipes.c; those with a name: pipes-named.c. */
#ifndef TESTS_PIPES_H
#define TESTS_PIPES_H

#include "verdict.h"

#define PAGE 4096
#define LARGE 300000

/* a thread that writes more than fits, and what was read of it */
struct large {
	int in, out;
	const char *name;
	pthread_t thread;
	ssize_t written;	/* the sum of what write(2) has said */
	int short_ones;		/* how often it was less than asked for */
};

void start_large(struct large *l);
void check_large(struct large *l);

/* is what comes out of a pipe this text, and nothing else? */
bool says(int fd, const char *wanted);
/* what poll(2) has to say of it at once */
short polled(int fd);
/* how many places of a pipe are taken, found by asking for a smaller one, which fails; its size does not change */
int places(int fd);

void prepare_named(void);
void check_named(void);

#endif
