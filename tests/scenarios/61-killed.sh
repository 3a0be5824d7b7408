#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What happens to a container while it is being read: tasks are killed, files are closed.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# children that come and go, and are killed from outside, some of them while they are frozen
container killed -- bash -c 'while :; do for i in 1 2 3 4; do sleep 100000 & done; wait; done' || die "no container"
init=$(init_of killed)
(while :; do pkill -KILL -P "$init" -x sleep; sleep 0.02; done) &
killer=$!
good=0
for ((i = 0; i < 12; i++)); do
	cat /ckpt/killed/image >"$T/image" 2>/dev/null && good=$((good + 1)) && cp "$T/image" "$T/last"
done
kill $killer
wait $killer 2>/dev/null
ok "S1 tasks are killed under a checkpoint: the container runs on" is_running killed
is "S6 and is not frozen" "$(grep frozen "$(cgroup_of killed)/cgroup.events")" "frozen 0"
matches "S1 and some of the images were got ($good of 12)" "$good" '^[1-9]'
kill_container killed
ok "S3 the last image restarts" restart killed "$T/last"
ok "S3 and runs" wait_until 10 is_running killed
kill_container killed

# the init itself is killed while it is read
container doomed -- bash -c 'head -c 4000000 /dev/zero | tr "\0" x > '"$T"'/x; a=$(<'"$T"'/x); touch '"$T"'/full; while :; do sleep 0.2; done' ||
	die "no container"
wait_until 60 test -e "$T/full"
{
	dd of=/dev/null bs=64k count=10 status=none
	kill -KILL "$(init_of doomed)"
	cat >/dev/null
} <"/ckpt/doomed/image"
ok "S1 the container is killed while it is read: it is gone" wait_until 20 is_gone doomed
ok "S1 and its cgroup is gone" wait_until 20 test ! -e /sys/fs/cgroup/ckpt/doomed

# a slow reader does not keep the container's files open
container slow -- bash -c '{ while [ ! -e '"$T"'/close ]; do sleep 0.1; done; } | { cat >/dev/null; touch '"$T"'/eof; sleep 100000; }' ||
	die "no container"
sleep 1
{
	dd of=/dev/null bs=4k count=1 status=none
	touch "$T/close"
	ok "D1 a pipe that is closed while a slow reader reads tells its reader of the end" wait_until 20 test -e "$T/eof"
	cat >/dev/null
} <"/ckpt/slow/image"

# tasks of a restart are killed before they are what they will be: it ends soon, with all of them or none
container many -- bash -c 'for i in {1..12}; do sleep 100000 & done; wait' || die "no container"
wait_until 20 eval '[ "$(field many tasks)" = 13 ]'
ok "D1 a container of 13 tasks" checkpoint many "$T/many"
kill_container many
remember

# one that waits for the others: the image stops in the middle until it is dead
task_of_restart() {
	grep -lE "^NSpid:[[:space:]]*[0-9]+[[:space:]]+$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d / -f 3
}
has_joined() {
	[ -n "$(task_of_restart 13)" ] && grep -q '^State:.S' "/proc/$(task_of_restart "$1")/status"
}
mkdir -p /ckpt/many
{
	{
		head -c 8192
		wait_until 30 has_joined 7 && sleep 1
		kill -KILL "$(task_of_restart 7)"
		cat
	} <"$T/many" >/ckpt/many/restart
} 2>"$T/refused"
matches "S16 a task of a restart is killed while it waits for the others: it fails" "$(<"$T/refused")" 'No such process'
matches "S14 and the log tells of it" "$(</ckpt/many/log)" 'task 7 was killed while it was restarted'
ok "S16 and nothing of it stays" unchanged

# kill_helper: the youngest task of the container, unless it is one of the image already; starts no process, which
# would take the time that the restart needs
kill_helper() {
	local pids=() comm

	mapfile -t pids </sys/fs/cgroup/ckpt/many/cgroup.procs
	[ ${#pids[@]} -gt "$1" ] || return
	read -r comm <"/proc/${pids[-1]}/comm"
	[ "$comm" = ckpt-restart ] && kill -KILL "${pids[-1]}"
}

# attempt N: kills a task of the restart as soon as there are more than N
attempt() {
	local cp

	mkdir -p /ckpt/many
	cp "$T/many" /ckpt/many/restart 2>/dev/null &
	cp=$!
	while kill -0 $cp; do
		kill_helper "$1" && break
	done 2>/dev/null
	wait $cp && kill_container many
	is_gone many
}

gone=0
for i in 0 1 6 12; do
	within 60 attempt $i && gone=$((gone + 1))
done
is "S16 tasks of a restart are killed: it ends, and well within its patience" "$gone" 4
ok "S16 and nothing of it stays" unchanged
