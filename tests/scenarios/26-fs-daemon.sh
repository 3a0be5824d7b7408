#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 200
#
# The daemon is killed while a checkpoint holds a container: it goes on at once, and a new daemon takes over.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# stands: the container's counter does not move for two seconds
stands() {
	local before

	before=$(<count) && sleep 2 && [ "$(<count)" = "$before" ]
}

# counts SECONDS: it moves, before that time is over
counts() {
	local before

	before=$(<count)
	# shellcheck disable=SC2016 # for the inner shell
	wait_until "$1" bash -c '[ "$(<count)" != "$0" ]' "$before"
}

daemon=$(pidof ckptfs)
mkdir mute
# shellcheck disable=SC2016 # for the container's shell
container stuck -- bash -c 'cd "$0"; i=0
	(while [ ! -e go ]; do sleep 0.1; done; touch gone; exec cat mute/x) &
	while :; do echo $((i += 1)) >new; mv new count; sleep 0.05; done' "$T" || die "no container"
wait_until 20 test -s count || die "the container does not count"

# A file system in it that does not answer: who waits for that cannot be frozen, and a checkpoint waits for him.
nsenter -t "$(init_of stuck)" -m -p -- env PATH="$PATH" ckptfs -f -o "store=$T/mute.db,cgroup=$T" "$T/mute" \
	</dev/null >mute.log 2>&1 &
nsenter=$!
wait_until 20 grep -q " $T/mute " "/proc/$(init_of stuck)/mountinfo" || die "no second daemon: $(cat mute.log)"
mute=$(pgrep -P $nsenter)
kill -STOP "$mute"
touch go
wait_until 20 test -e gone
sleep 1

printf 'freeze-timeout: 60s\nmax-frozen: 60s\n' >"$CKPT/stuck/options"
cat "$CKPT/stuck/image" >/dev/null 2>error &
reader=$!
ok "D1 a checkpoint holds the container" wait_until 20 stands
killed=$(date +%s%N)
kill -KILL "$daemon"
ok "D6 its daemon is killed: it goes on" counts 20
echo "it was seen to count $((($(date +%s%N) - killed) / 1000000)) ms later"
wait $reader
is "D6 the reader gets an error" "$?" 1
ok "D6 no checkpoint is left" wait_until 5 bash -c '! pidof ckpt-checkpoint'
matches "D6 the mount is dead" "$(stat "$CKPT" 2>&1)" "not connected"

ok "D6 a new daemon takes it over" ckptfs "$CKPT"
ok "D6 and finds the container" is_running stuck
ok "D6 which counts on" counts 10
# nsenter has stopped with its child
kill -KILL "$mute" $nsenter
wait $nsenter
exit 0
