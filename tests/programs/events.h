/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the program events: each prepares what it looks at, and checks it in every generation. */
#ifndef TESTS_EVENTS_H
#define TESTS_EVENTS_H

#include "verdict.h"

/* note_file - what fcntl(F_GETFL) and fdinfo say of a descriptor is to stay; same_files - does it, of all? */
void note_file(int fd);
void same_files(void);

/* is it ready for reading within some seconds, or not even after a moment? */
bool gets_ready(int fd);
bool stays_quiet(int fd);

void prepare_signalfds(void);
void check_signalfds(void);
void prepare_inotify(void);
void check_inotify(void);
void prepare_pidfds(void);
void check_pidfds(void);

#endif
