#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# POSIX message queues are as they were, for whoever has them, waits at them or is notified by them.
#
# timeout: 300

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

# outside ROLE DESC REGEX: with somebody of this role who is not of the container, but in its ipc namespace, the
# checkpoint is refused.
outside() {
	local pid

	mkdir "$1"
	nsenter -t "$(init_of mqueues)" -i mqueues "$T/$1" "$1" &
	pid=$!
	wait_until 20 test -e "$1/ready" || echo "nobody is $1"
	if cat /ckpt/mqueues/image >image 2>error; then
		fail "$2" "the checkpoint succeeded"
	else
		matches "$2" "$(</ckpt/mqueues/log)" "$3"
	fi
	kill $pid
	wait $pid
}

start_self_checking mqueues mqueues
generations mqueues
grep -A 60 ' was:$' /var/log/ckpt/mqueues.log

rise mqueues outside "$(words mqueues)/image.2"
outside outside "C8 a queue that a process outside has open is refused" \
	'POSIX message queue \(named\) that a process outside of it has open, too'
outside registered "C8 a queue that notifies a process outside is refused" \
	'POSIX message queue \(named\) that notifies a process outside of it'
ok "C8 with nobody outside it is not refused" checkpoint mqueues image
kill_container mqueues
rm -r "$(words mqueues)"

start_self_checking foreign mqueues foreign
if cat /ckpt/foreign/image >image 2>error; then
	fail "C8 T10 a mount of another namespace's queues is refused" "the checkpoint succeeded"
else
	matches "C8 T10 a mount of another namespace's queues is refused" "$(</ckpt/foreign/log)" \
		'mounted the POSIX message queues of another ipc namespace'
fi
