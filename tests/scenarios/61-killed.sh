#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What happens to a container while it is being read: tasks are killed, files are closed.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# children that come and go, and are killed from outside, some of them while they are frozen
container killed -- bash -c 'while :; do for i in 1 2 3 4; do sleep 1000 & done; wait; done' || die "no container"
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
container slow -- bash -c '{ while [ ! -e '"$T"'/close ]; do sleep 0.1; done; } | { cat >/dev/null; touch '"$T"'/eof; sleep 1000; }' ||
	die "no container"
sleep 1
{
	dd of=/dev/null bs=4k count=1 status=none
	touch "$T/close"
	ok "D1 a pipe that is closed while a slow reader reads tells its reader of the end" wait_until 20 test -e "$T/eof"
	cat >/dev/null
} <"/ckpt/slow/image"
