/* SPDX-License-Identifier: GPL-2.0-only */
/* The loopback device of a network namespace. */
#ifndef CKPT_LIB_LO_H
#define CKPT_LIB_LO_H

#include "error.h"

/* lo_up - bring lo up in the caller's network namespace; 0 or -errno */
int lo_up(struct ckpt_error *e);

#endif
