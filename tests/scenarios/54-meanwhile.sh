#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What others do to a container while it stands and is read: a signal that stops it, root who moves a task out of its
# cgroup, somebody who shares its descriptors.
#
# machine: -c 2

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/act-at.sh"

# meanwhile FUNCTION CMD...: a checkpoint of container here, whose program is held up when it comes to the engine's
# FUNCTION; there CMD runs. Fails unless somebody has come there.
meanwhile() {
	local at=$1 i
	shift

	act_at "$at" ckpt-checkpoint wait=1000 || return
	cat /ckpt/here/image >"$T/image" 2>"$T/error" &
	for ((i = 0; i < 2000; i++)); do
		[ "$(</sys/module/act_at/parameters/met)" = 0 ] || break
		sleep 0.01
	done
	"$@"
	wait $!
	echo $? >"$T/taken"
	acted
}

# number: how often descriptors were closed
number() {
	local nr=0

	[ ! -s "$T/sharer" ] || read -r nr _ <"$T/sharer"
	echo $((10#$nr))
}

container here -- bash -c 'sleep 100000 & wait' || die "no container"
wait_until 20 eval '[ "$(field here tasks)" = 2 ]'
sleeper=$(pgrep -P "$(init_of here)" -x sleep)
cgroup=$(cgroup_of here)

# With no look at the end the image would have a task that runs, and the one that was stopped none that is. It stops as
# soon as it is let go, and is taken then.
ok "S5 K5 SIGSTOP is sent while the container stands" meanwhile ckpt_copy_mms kill -STOP "$sleeper"
is "S5 K5 the checkpoint is tried again" "$(<"$T/taken")" 0
matches "S6 K5 and the signal is not lost" "$(sed -n 's/^State:\t//p' "/proc/$sleeper/status")" '^T'
ok "S5 K5 SIGCONT is sent while the container stands" meanwhile ckpt_copy_mms kill -CONT "$sleeper"
is "S5 K5 the checkpoint is tried again" "$(<"$T/taken")" 0
ok "S6 K5 and the signal is not lost" wait_until 5 eval \
	'[[ "$(sed -n "s/^State:\t//p" "/proc/$sleeper/status")" != T* ]]'
ok "S5 K5 once it is continued the container is checkpointed" checkpoint here again.img

# Moved back afterwards, or nothing of it could be checkpointed.
move() {
	echo "$sleeper" >"$1/cgroup.procs"
}
# Where moving waits for all processors, the one that is held up among them, it would be over only afterwards.
mount -o remount,favordynmods none /sys/fs/cgroup
mkdir /sys/fs/cgroup/elsewhere
ok "S5 K5 a task is moved out of the cgroup while the container stands" \
	meanwhile ckpt_copy_mms move /sys/fs/cgroup/elsewhere
is "S5 K5 the checkpoint fails" "$(<"$T/taken")" 1
matches "S5 K5 and says why" "$(</ckpt/here/log)" 'task 2 \(sleep\): it is not in the cgroup'
move "$cgroup"
ok "S5 K5 once it is back the container is checkpointed" checkpoint here again.img
kill_container here

# A file is used without a look at who closes it meanwhile: only a reference of one's own keeps it.
container here -- ends sharer "$T/sharer" || die "no container"
wait_until 20 test -s "$T/sharer"
sharer=$(pgrep -P "$(init_of here)")
sleeper=$sharer move /sys/fs/cgroup/elsewhere
ok "S7 K4 descriptors are closed by a task that runs, while one of them is being saved" \
	meanwhile ckpt_at_fd sleep 1
is "S7 K4 the checkpoint fails" "$(<"$T/taken")" 1
matches "S7 K4 and says whose they are" "$(</ckpt/here/log)" 'task 2 \(ends\): it is not in the cgroup'
before=$(number)
ok "S7 K4 and it runs on" wait_until 20 eval '[ "$(number)" -gt '"$before"' ]'
sleeper=$sharer move "$(cgroup_of here)"
kill_container here
rmdir /sys/fs/cgroup/elsewhere
