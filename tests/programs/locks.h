/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the program "locks": who is told of something, in locks-told.c. */
#ifndef TESTS_LOCKS_H
#define TESTS_LOCKS_H

#include "verdict.h"

/* before there are children: no signal is to end one */
void block_told(void);
void prepare_told(void);
void check_told(void);

#endif
