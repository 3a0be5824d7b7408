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

mkdir outside
nsenter -t "$(init_of ipc)" -i ipc "$PWD/outside" outside &
outside=$!
wait_until 20 test -e outside/ready
if cat /ckpt/ipc/image >image 2>error; then
	fail "C8 a segment that a process outside has attached is refused" "the checkpoint succeeded"
else
	matches "C8 a segment that a process outside has attached is refused" "$(</ckpt/ipc/log)" \
		'shared memory segment \([0-9]+\) that a process outside of it has attached, too'
fi
kill $outside
wait $outside
kill_container ipc
exit 0
