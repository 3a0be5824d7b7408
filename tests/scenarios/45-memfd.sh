#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memfds with every seal, and memfds that are executed.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking memfds memfds
generations memfds
# It says in its log what differed.
grep ' was: \| is: ' /var/log/ckpt/memfds.log
exit 0
