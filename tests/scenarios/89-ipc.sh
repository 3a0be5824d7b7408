#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shared memory, message queues and semaphores of System V are as they were, for whoever has them and waits at them.
#
# timeout: 300

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking ipc ipc
generations ipc
grep -A 20 ' was:$' /var/log/ckpt/ipc.log
kill_container ipc
exit 0
