/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of sockets, each with a value that is not its default, and what getsockopt(2) says of all of them. */
#ifndef TESTS_OPTIONS_H
#define TESTS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

struct option {
	const char *text;
	int level, name;
	socklen_t len;
	union {
		int i;
		int pair[2];
		unsigned long l;
		struct timeval tv;
		char s[16];
	} value;
};

extern const struct option options[];
extern const size_t nr_options;
#define MAX_OPTIONS 128

/* is_for - may a socket of this family and type have it? */
bool is_for(const struct option *o, int family, int type);

#define NR_ANSWERS 500
/* what may be asked: nothing happens to it; it is a connection; and data flow in that */
enum asked { STILL, CONNECTED, FLOWING };
/* ask_options - note NR_ANSWERS numbers, one for each option, which stands for what getsockopt(2) says */
void ask_options(int fd, enum asked how, uint32_t *to);
/* same_answers - did it say the same?  If not, it is printed of @what, unless that is NULL. */
bool same_answers(const uint32_t *was, const uint32_t *now, const char *what);

#endif
