#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Containers with very much of one thing: what a checkpoint does while they stand still, and what a restart does with
# them, does not grow faster than they do.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

many=8000
[ "$CKPT_KERNEL" != debug ] || many=2000

# load NAME OPTION...: a container with the benchmark's program.
load() {
	local name=$1
	shift

	container "$name" -- "$CKPT_BUILD/tests/bench/load" "$@" "$T/$name.report" && wait_until 120 test -s "$T/$name.report"
}

# watches NAME: what all epoll files of its root task watch.
watches() {
	cat "/proc/$(init_of "$1")/fdinfo/"* | grep -o '^tfd: *[0-9]* events: *[0-9a-f]* data: *[0-9a-f]*' | sort
}

# max-frozen is 5 s: a checkpoint that asks for each of them from the beginning fails.
load watches -w $many || die "no container with $many watches"
before=$(watches watches)
is "C4 K30 a container with $many watches" "$(wc -l <<<"$before")" $many
if ok "C4 K30 $many watches: a checkpoint within max-frozen" checkpoint watches image; then
	kill_container watches
	ok "C4 K30 $many watches: restart" restart watches image
	is "C4 K30 $many watches: the same are watched" "$(watches watches | cmp - <(echo "$before") && echo same)" same
fi
kill_container watches
rm image

# A member that wakes all the others, a few times: a thread sleeps as often as there are threads.
container threads -- python3 -c "
import threading
threading.stack_size(65536)
for i in range(300):
	threading.Thread(target=threading.Event().wait).start()
open('$T/threads.ready', 'w').close()
threading.Event().wait()" && wait_until 120 test -e threads.ready || die "no container with 300 threads"
# slept NAME: how often a thread of its root task has gone to sleep, on average
slept() {
	cat "/proc/$(init_of "$1")/task/"*/status | awk '/^voluntary_ctxt_switches/ { n += $2; t++ } END { print int(n / t) }'
}
ok "S1 300 threads: checkpoint" checkpoint threads image
kill_container threads
ok "S3 300 threads: restart" restart threads image
is "T1 300 threads are there" "$(find "/proc/$(init_of threads)/task" -mindepth 1 -maxdepth 1 | wc -l)" 301
at_most "K36 how often each of 300 threads has gone to sleep since it was made for the restart" "$(slept threads)" 30
kill_container threads
rm image
