#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does a name still lead where it led? The container stands still while that is asked: nobody else is, and what the
# kernel knows by itself is enough to refuse a file that is not under its name any more.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/act-at.sh"

# A program with descriptor 3 on FILE, of which it has read a line, that then runs COMMAND.
# reader NAME FILE [COMMAND]
reader() {
	# shellcheck disable=SC2016 # for the container's shell
	container "$1" -- bash -c 'cd "$0"; me=$0/$1; exec 3<"$2"; read -r line <&3; echo "$line" >"$me.first"
		eval "$3"
		i=0
		while :; do
			[ ! -e "$me.go" ] || { rm "$me.go"; read -r line <&3; echo "$line" >"$me.next"; }
			echo $((i += 1)) >"$me.count"; sleep 0.05
		done' "$T" "$1" "$2" "${3:-}" && wait_until 20 test -s "$1.count" || die "$1 does not count"
}

# reads_on NAME WANTED
reads_on() {
	rm -f "$1.next"
	touch "$1.go"
	wait_until 20 test -s "$1.next" && [ "$(<"$1.next")" = "$2" ]
}

# refused DESC NAME REGEX
refused() {
	if timeout 120 cat "$CKPT/$2/image" >image 2>error; then
		fail "$1" "the checkpoint succeeded"
	elif [[ ! $(<"$CKPT/$2/log") =~ $3 ]]; then
		fail "$1" "$(<error)" "log: $(<"$CKPT/$2/log")" "does not match: $3"
	else
		pass "$1"
	fi
	ok "$1, and the container runs on" counts_on "$2.count"
	kill_container "$2"
}

# A file system whose server is asked for each name, and then does not answer.
mkdir asked
ask-fs "$T/asked" >asked.log 2>&1 &
server=$!
wait_until 20 mountpoint -q "$T/asked" || die "no file system: $(<asked.log)"
reader asks "$T/asked/d/f" "cd asked/d"
is "C1 a file of a FUSE server is read" "$(<asks.first)" "line 0"
kill -STOP $server
if timeout 120 cat "$CKPT/asks/image" >asks.img 2>error; then
	pass "K18 a checkpoint asks no server for a name"
else
	fail "K18 a checkpoint asks no server for a name" "$(<error)" "$(<"$CKPT/asks/log")"
fi
ok "K18 the container of a dead server runs on" counts_on asks.count
kill -CONT $server
ok "K18 it reads on, as its server is back" reads_on asks "line 1"
kill_container asks
ok "K18 and restarts" restart asks asks.img
ok "K18 with its file of the server" reads_on asks "line 1"
kill_container asks
fusermount3 -u "$T/asked"

mkdir plain other
printf 'line 0\nline 1\nline 2\n' >plain/f
reader covered "$T/plain/f" "mount --bind other plain"
refused "C2 a file that a mount has covered is refused" covered 'plain/f is not found under its name'
reader inside "$T/plain/f" "exec 3<&-; cd plain; mount --bind ../other ../plain"
refused "C2 a directory that a mount has covered is refused" inside 'plain is not found under its name'

cp plain/f moved
reader moves "$T/moved"
mv moved moved-away
ok "C2 a file that was renamed is found under its new name" checkpoint moves moves.img
kill_container moves
ok "C2 and read on from there" restart moves moves.img
ok "C2 and read on from there: the next line" reads_on moves "line 1"
mv plain/f moved
mv moved moved-away
ok "C2 a file that was replaced is in the image" checkpoint moves moves.img
kill_container moves
ok "C2 and restarts" restart moves moves.img
ok "C2 and the next line is that of the old one" reads_on moves "line 2"
kill_container moves

# What a module has in sysfs goes with it, and sysfs itself says so only when it is asked.
act_at ckpt_arch_restore_vdso nobody wait=1 || die "no module to remove"
reader module /sys/module/act_at/initstate
rmmod act_at
refused "C2 a file of sysfs that is gone is refused" module 'initstate is not found under its name'
