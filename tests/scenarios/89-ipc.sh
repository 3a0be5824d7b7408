#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shared memory, message queues and semaphores of System V are as they were, for whoever has them and waits at them.
#
# timeout: 300

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

# before_check NAME GENERATION: pages that a restart has made are the container's, as if it had written them.
before_check() {
	local shmem

	[ "$1 $2" != "$1 undisturbed" ] || return 0
	shmem=$(sed -n 's/^shmem //p' "$(cgroup_of "$1")/memory.stat")
	ok "C8 T10 $1, $2: the container's cgroup has the memory of its segments ($shmem bytes)" [ "$shmem" -ge $((16 << 20)) ]
}

# outside ROLE DESC REGEX: with somebody of this role who is not of the container, but in its ipc namespace, the
# checkpoint is refused.
outside() {
	local pid

	mkdir "$1"
	nsenter -t "$(init_of ipc)" -i ipc "$T/$1" "$1" &
	pid=$!
	wait_until 20 test -e "$1/ready"
	if cat /ckpt/ipc/image >image 2>error; then
		fail "$2" "the checkpoint succeeded"
	else
		matches "$2" "$(</ckpt/ipc/log)" "$3"
	fi
	kill $pid
	wait $pid
}

# fails_at NTH: a restart of which a process is killed at its NTH change of a semaphore, while others have adjustments
# already, leaves nothing.
fails_at() {
	kill-at ckpt_swap_sem ckpt-restart "$1" >watched &
	watcher=$!
	wait_until 60 test -s watched
	if ! grep -q '^ready' watched; then
		# or it would kill in the next restart
		kill $watcher
		wait $watcher
		skip "S16 C8 a restart that fails while semaphores are adjusted" "$(<watched)"
		return 1
	fi
	mkdir -p /ckpt/undoers
	within 60 cp "$T/undoers.img" /ckpt/undoers/restart 2>error
	is "S16 C8 a restart that fails at the ${1}th change of a semaphore" $? 1
	matches "S14 C8 and the log tells of it" "$(</ckpt/undoers/log)" 'task [0-9]+ was killed while it was restarted'
	wait_until 20 grep -q '^killed' watched || kill $watcher
	wait $watcher
	ok "S16 C8 and nothing of it stays" unchanged
}

start_self_checking ipc ipc
group=$(cgroup_of ipc)
for group in /sys/fs/cgroup "${group%/*}"; do
	echo +memory >"$group/cgroup.subtree_control"
done
generations ipc
grep -A 20 ' was:$' /var/log/ckpt/ipc.log

outside attached "C8 a segment that a process outside has attached is refused" \
	'shared memory segment \([0-9]+\) that a process outside of it has attached, too'
outside adjusted "C8 a semaphore that a process outside has adjusted is refused" \
	'set of semaphores \([0-9]+\) that a process outside of it has adjusted \(SEM_UNDO\)'
ok "C8 without them it is not" checkpoint ipc image
kill_container ipc

start_self_checking undoers ipc undoers
ok "S1 undoers: checkpoint" checkpoint undoers undoers.img
kill_container undoers
remember
# 10 for their values, and 120 for the adjustments of six processes
for nth in 5 32 71 118; do
	fails_at $nth || break
done
rise undoers restarted undoers.img && check_itself undoers restarted
report_verdicts undoers
