#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A program with as many kinds of state as can be had in one.
#
# machine: -c 2

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking state state an "argument with spaces" ""
generations state
# It says in its log what differed.
grep ' was: \| is:  ' /var/log/ckpt/state.log
exit 0
