#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A pipeline of shells with data on its way: nothing is lost, nothing comes twice.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

lines=8000
# What must come out at the end.
wanted=$(seq $lines | sort -r | sha256sum)
long=$(seq $lines | sed 's/$/ of a line that takes some room in a pipe/' | sort -r | sha256sum)

# start NAME PIPELINE: the pipeline writes to $T/NAME.out and says by $T/NAME.done that it has ended; the container
# lives on.
start() {
	container "$1" -- bash -c "cd $T; $2; touch $1.done; exec sleep 100000" || die "$1 does not start"
}

# seen NAME LINES: the reader has got that far.
seen() {
	[ -s "$T/$1.seen" ] && [ "$(tail -n 1 "$T/$1.seen")" -ge "$2" ]
}

# finish NAME WHEN WANTED
finish() {
	touch "$T/$1.go"
	if wait_until 40 test -e "$T/$1.done"; then
		is "C3 $1, $2: every line once" "$(sha256sum <"$T/$1.out")" "$3"
	else
		fail "C3 $1, $2: comes to an end" "$(wc "$T/$1".*)"
	fi
	rm -f "$T/$1.done" "$T/$1.go"
}

# through NAME WANTED: undisturbed, twice from one image, and once from a checkpoint after a restart.
through() {
	local name=$1 wanted=$2

	ok "S1 $name: checkpoint in the middle" checkpoint "$name" "$name.img" || return
	finish "$name" undisturbed "$wanted"
	kill_container "$name"
	ok "S3 $name: restart" restart "$name" "$name.img" || return
	finish "$name" restarted "$wanted"
	kill_container "$name"
	ok "S3 $name: restart from the same image" restart "$name" "$name.img" || return
	ok "S1 $name: checkpoint after a restart" checkpoint "$name" "$name.second.img" || return
	finish "$name" "restarted again" "$wanted"
	kill_container "$name"
	ok "S3 $name: restart from that" restart "$name" "$name.second.img" || return
	finish "$name" "second generation" "$wanted"
	kill_container "$name"
}

# All processes are at work; where in the pipes the data are is as it happens. The end waits until it is wanted.
start busy "seq $lines | while read x; do
		echo \$x
		((x % 500)) || echo \$x >busy.seen
		while [ \$x = 6000 ] && [ ! -e busy.go ]; do sleep 0.1; done
	done | sort -r >busy.out"
wait_until 60 seen busy 1000 || die "the pipeline does not get on"
through busy "$wanted"

# The last reader waits until it is told to go on: every pipe is full, every writer blocked in a write.
start full "seq $lines | sed 's/\$/ of a line that takes some room in a pipe/' | cat |
	(while [ ! -e full.go ]; do sleep 0.1; done; cat) | sort -r >full.out"
sleep 2
through full "$long"
