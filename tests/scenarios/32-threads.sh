#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Eight threads with mutexes, condition variables, AVX registers and TLS.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking threads threads
generations threads
