/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the program "state", each of which prepares and checks one kind of state. */
#ifndef TESTS_STATE_H
#define TESTS_STATE_H

#include "verdict.h"

void prepare_memory(void);
void check_memory(void);
void prepare_files(void);
void check_files(void);
void prepare_pipes(void);
void check_pipes(void);
void prepare_events(void);
void check_events(void);
void prepare_sockets(void);
void check_sockets(void);
void prepare_signals(void);
void check_signals(void);
void prepare_sleeps(void);
void check_sleeps(void);
void prepare_processes(void);
void check_processes(void);

/* capture - note what /proc/self has to say; without a call of malloc() */
void capture(void);
/* capture_same - has it still the same to say?  One bit for each of NR_CAPTURES that differ. */
unsigned int capture_same(void);
/* capture_verdicts - the same as verdicts */
void capture_verdicts(void);

#endif
