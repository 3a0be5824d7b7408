#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A program with a thread in every call that waits, while images of it are taken all the time: no call answers EINTR,
# none ends early, none waits longer than it was asked to. The same where the checkpoints are refused, and in the
# restarted program.
#
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/zoo.sh"

FREEZE=0x1000
times=20
[ "$soak" = 0 ] || times=600

# freezes WANTED: checkpoints ten times a second, or as often as the machine can; each of them says WANTED.
freezes() {
	local init start=$SECONDS i said

	init=$(init_of waits)
	for ((i = 0; i < times; i++)); do
		said=$(call "$init" $FREEZE pipe /dev/null "$T/log")
		if [ "$said" != "$1" ]; then
			echo "checkpoint $i said $said: $(<"$T/log")"
			return 1
		fi
		sleep 0.1
	done
	echo "$times checkpoints in $((SECONDS - start)) s"
}

# waited TEXT: the program ends its calls and says how they were.
waited() {
	local word bad

	rm -f waits/report
	touch waits/stop
	wait_until 60 test -s waits/report || die "the program does not end"
	cat waits/report
	for word in eintr early late wrong; do
		bad=$(awk -v word=$word '{ for (i = 2; i < NF; i++) if ($i == word && $(i + 1)) print $1 }' waits/report)
		case $word in
		eintr) is "N4 $1: calls that answered EINTR" "$bad" "" ;;
		early) is "N4 $1: calls that ended early" "$bad" "" ;;
		late) is "N4 $1: calls that waited too long" "$bad" "" ;;
		wrong) is "N4 $1: calls that returned something else" "$bad" "" ;;
		esac
	done
	bad=$(awk '$3 < 3 { print $1 }' waits/report)
	is "N4 $1: calls that were made less than three times" "$bad" ""
}

# start [WORD]
start() {
	rm -rf waits
	mkdir waits
	container waits -- waits "$T/waits" "$@" || die "no container"
	wait_until 60 test -e waits/ready || die "the program does not come up"
}

start
ok "D1 it is saved again and again" freezes positive
ok "D1 as a user does it, too" checkpoint waits image
waited "in the container that runs on"
kill_container waits

rm -f waits/stop
ok "D2 it restarts" restart waits image
ok "D1 the restarted one is saved again and again" freezes positive
waited "in the restarted container"
kill_container waits

start all
ok "S14 with what cannot be saved each checkpoint is refused" freezes EOPNOTSUPP
waited "when checkpoints are refused"
kill_container waits
