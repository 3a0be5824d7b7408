#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Files end when the container closes them, and not when the engine is done with an image: ports are free, pipes tell
# of their end.
#
# machine: -c 2

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/act-at.sh"

# number FILE: the first that a program has written there
number() {
	local nr=0

	[ ! -s "$1" ] || read -r nr _ <"$1"
	echo $((10#$nr))
}

# grows FILE: its number does, by more than what may be under way
grows() {
	local before

	before=$(number "$1")
	wait_until 20 eval '[ "$(number '"$1"')" -gt '$((before + 3))' ]'
}

# A port that is closed and bound again all the time, also when the container is let go and the engine still has its
# tables.
container port -- ends port "$T/port" || die "no container"
wait_until 60 test -s "$T/port"
act_at ckpt_unhold ckpt-checkpoint wait=500
{
	dd of=/dev/null bs=4k count=1 status=none
	ok "S15 a port that the container closes when it is let go is free while its image is read" grows "$T/port"
	cat >/dev/null
} </ckpt/port/image
ok "S15 (the container had the time)" acted
kill_container port

# A process that is killed while the container stands takes its end of a pipe with it, and the container is tried again.
container writer -- ends writer "$T/writer" || die "no container"
wait_until 60 test -s "$T/writer"
pid=$(grep -lE "^NSpid:[[:space:]]*[0-9]+[[:space:]]+$(number "$T/writer")\$" \
	$(sed 's,.*,/proc/&/status,' "$(cgroup_of writer)/cgroup.procs") | cut -d / -f 3)
act_at ckpt_save_tree ckpt-checkpoint kill="$pid"
ok "S1 a process with an end of a pipe is killed while the container stands: the checkpoint succeeds" \
	checkpoint writer "$T/writer.img"
ok "S1 (it was killed then)" acted
ok "S1 and its end of the pipe is gone" wait_until 20 eval '[ "$(number "$T/writer")" = 0 ]'
kill_container writer

# Pipes whose writers were closed long ago tell so from the first moment after a restart.
container readers -- ends readers "$T/readers" || die "no container"
wait_until 60 test -s "$T/readers"
ok "C3 pipes without writers are saved" checkpoint readers "$T/readers.img"
kill_container readers
act_at ckpt_next_id ckpt-restart wait=500
ok "C3 and restarted" restart readers "$T/readers.img"
ok "C3 (their reader had the time)" acted
ok "C3 it runs" grows "$T/readers"
is "C3 and none of them said anything but the end of the file" "$(cut -d ' ' -f 2 "$T/readers")" 0
