#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that watch or are watched: tail -F through a log's rotation, inotifywait, timeout, and a shell whose log is
# deleted.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

# append FROM TO
append() {
	seq -f "line %g" "$1" "$2" >>log
}

: >log
start tail 'exec tail -n +1 -F log >tail.out 2>tail.err'
append 1 50
wait_until 20 lines tail.out 50 || die "tail -F does not follow"
(for i in {51..150}; do append $i $i; nap 0.05; done) &
writer=$!
taken tail "tail -F"
wait $writer
comes "C1 tail -F, gone on: it follows" 30 lines tail.out 150
is "C1 tail -F, gone on: every line once" "$(cat tail.out)" "$(seq -f "line %g" 150)"
back tail "tail -F"
append 151 200
comes "C4 tail -F, restarted: it follows" 30 lines tail.out 200
mv log log.1
append 201 250
comes "C4 tail -F, restarted: it follows to a new file" 30 lines tail.out 250
append 251 300
comes "C4 tail -F, restarted: and goes on there" 30 lines tail.out 300
is "C1 tail -F, restarted: every line once" "$(cat tail.out)" "$(seq -f "line %g" 300)"
kill_container tail

if which inotifywait >/dev/null; then
	mkdir -p watched/below
	start inotifywait 'exec inotifywait -m -r -e create,close_write,moved_to,delete --format "%w%f %e" watched >events'
	touch watched/first
	# It takes a while until it watches.
	again() {
		touch watched/first
		has events first
	}
	wait_until 30 again || die "inotifywait sees nothing"
	(for i in {1..40}; do echo >watched/below/$i; nap 0.05; done) &
	writer=$!
	taken inotifywait inotifywait
	wait $writer
	comes "C4 inotifywait, gone on: it sees" 20 has events "below/40 CLOSE_WRITE"
	is "C4 inotifywait, gone on: every file that was made" "$(grep -c 'below/[0-9]* CREATE' events)" 40
	back inotifywait inotifywait
	echo >watched/below/after
	mv watched/below/after watched/moved
	rm watched/below/1
	comes "C4 inotifywait, restarted: it sees what is made" 20 has events "watched/below/after CREATE"
	comes "C4 inotifywait, restarted: and moved" 20 has events "watched/moved MOVED_TO"
	comes "C4 inotifywait, restarted: and deleted" 20 has events "watched/below/1 DELETE"
	mkdir watched/new
	again() {
		touch watched/new/file
		has events watched/new/file
	}
	comes "C4 inotifywait, restarted: it watches a new directory" 20 again
	kill_container inotifywait
else
	skip "C4 inotifywait" "there is none"
fi

start timeout 'timeout 12 sh -c "trap \"echo ended >ended; exit\" TERM; while :; do sleep 0.1; done"; echo $? >status; sleep 100000'
nap 2
taken timeout timeout
back timeout timeout
nap 1
is "T4 timeout, restarted: its time is not over" "$(cat status 2>&1)" "cat: status: No such file or directory"
comes "T4 timeout, restarted: its time comes" 20 test -s status
is "T3 timeout, restarted: it has ended its program, and says so" "$(cat status ended)" "124
ended"
kill_container timeout

# shellcheck disable=SC2016 # for the container's shell
start logger 'exec 3>deleted.log 4<deleted.log; rm deleted.log
	i=0; while [ ! -e stop ]; do i=$((i + 1)); echo "entry $i" >&3; [ $((i % 100)) != 0 ] || echo $i >said; done
	cat <&4 >copy.new; echo $i >>copy.new; mv copy.new copy; sleep 100000'
entries() {
	[ "$(cat said)" -ge "$1" ]
}
whole() {
	local n

	touch stop
	comes "C2 a shell with a deleted log, $1: it reads its log" 30 test -e copy
	n=$(tail -n 1 copy)
	is "C2 a shell with a deleted log, $1: every entry once" "$(head -n -1 copy | sha256sum)" "$(seq -f "entry %.0f" "$n" | sha256sum)"
	rm -f stop copy
}
wait_until 20 entries 500 || die "the shell writes no log"
taken logger "a shell with a deleted log"
now=$(cat said)
comes "C2 a shell with a deleted log, gone on: it writes" 20 entries $((now + 300))
whole "gone on"
: >said
back logger "a shell with a deleted log"
comes "C2 a shell with a deleted log, restarted: it writes" 20 entries 500
whole restarted
