#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A container whose streams are pipes that somebody outside holds: it goes on over a checkpoint, and its reader misses
# nothing; a restarted one writes to its log, or where it is told.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# in_order FILE: its lines are numbers, each one more than the one before
in_order() {
	awk 'NR > 1 && $1 != last + 1 { bad = 1 } { last = $1 } END { exit bad || !NR }' "$1"
}

# grows FILE
grows() {
	local had
	had=$(stat -c %s "$1")
	wait_until 20 bash -c "[ \$(stat -c %s '$1') -gt $had ]"
}

# ---- what it writes ----

# shellcheck disable=SC2016 # for the container's shell
ckpt run -n writes -- bash -c 'i=0; while sleep 0.05; do : >"$0"/ran; echo $((i++)); done' "$T" </dev/null 2>/dev/null | cat >out &
wait_until 20 is_running writes
wait_until 20 test -s out
ckpt check writes >reasons
is "N2 C3 an end outside is in nobody's way" $? 0
matches "N2 C3 and its key is told" "$(<reasons)" "^external pipe.1:1.: the container writes to it"
ok "C3 it is checkpointed" checkpoint writes img
ok "C3 and goes on" grows out
ok "C3 its reader misses nothing" in_order out
is "C3 the log names the end, once" "$(grep -c '^external pipe.1:1.: the container writes to it' /ckpt/writes/log)" 1
kill_container writes

rm -f /var/log/ckpt/writes.log
ok "C3 it is restarted, with nobody outside" restart writes img
ok "C3 its output comes to its log" wait_until 20 test -s /var/log/ckpt/writes.log
ok "C3 as it goes on" grows /var/log/ckpt/writes.log
ok "C3 without a gap" in_order /var/log/ckpt/writes.log
matches "C3 the log says where it goes" "$(</ckpt/writes/log)" 'external pipe.*what the container writes goes to /var/log/ckpt/writes.log'
matches "C3 to the container it is a pipe" "$(readlink "/proc/$(init_of writes)/fd/1")" '^pipe:'
matches "N2 C3 the key is the same" "$(ckpt check writes)" "^external pipe.1:1.: the container writes to it"
ok "C3 and is checkpointed again" checkpoint writes img2
kill_container writes
ok "C3 and restarted again" restart writes img2
kill_container writes

echo "external pipe[1:1]: $T/elsewhere" >/ckpt/writes/options
: >elsewhere
ok "N3 C3 with an option it is restarted" restart writes img
ok "N3 C3 its output goes where it says" wait_until 20 test -s elsewhere
ok "N3 C3 without a gap" in_order elsewhere
ok "N3 C3 and is checkpointed" checkpoint writes img3
kill_container writes
: >elsewhere
ok "N3 C3 and restarted with the same option" restart writes img3
ok "N3 C3 which is as good then" wait_until 20 test -s elsewhere
kill_container writes

# not_restarted WHAT OPTION SENTENCE
not_restarted() {
	echo "$2" >/ckpt/writes/options
	rm -f ran
	fails "N3 C3 $1 it is not restarted" restart writes img
	matches "N3 C3 $1 it is said" "$(</ckpt/writes/log)" "$3"
	ok "N3 C3 $1 nothing of it is left" is_gone writes
	fails "N3 C3 $1 nothing of it has run" test -e ran
}
not_restarted "where its output cannot go" "external pipe[1:1]: $T/no/such" 'no/such, which is to be external pipe.*cannot be opened'
not_restarted "with a key that there is not" "external pipe[7:1]: $T/elsewhere" 'has no external pipe.7:1.'
not_restarted "with a directory" "external pipe[1:1]: $T" 'which is to be external pipe.1:1., cannot be opened: Is a directory'
fails "N3 C3 a pipe cannot be two" bash -c "printf 'external pipe[1:1]: /a\nexternal pipe[1:1]: /b\n' >/ckpt/writes/options"
: >/ckpt/writes/options
is "N2 C3 what an image has outside is told" "$(ckpt-restart --check <img | cut -d: -f1,2 | sort | head -n 1)" "external pipe[1:1]"
matches "N2 C3 and that a key is wrong" "$(ckpt-restart --check --external "pipe[7:1]=/dev/null" <img)" 'has no external pipe.7:1.'

mkdir small
mount -t tmpfs -o size=8k small small
: >small/log
echo "external pipe[1:1]: $T/small/log" >/ckpt/writes/options
head -c 8192 /dev/zero >small/full
ok "N3 C3 it is restarted with its output to a full disk" restart writes img
ok "N3 C3 what is lost is said" wait_until 20 grep -q 'external pipe.1:1.: what the container writes is lost: No space' /ckpt/writes/log
ok "N3 C3 but that does not end it" is_running writes
rm small/full
ok "N3 C3 and later it is written" wait_until 20 test -s small/log
kill_container writes
umount small
: >/ckpt/writes/options

# ---- what it reads ----

mkfifo feed
cat feed | ckpt run -n reads -- bash -c "sleep 1; trap 'exec cat >\"$T/read\"' USR1; : >\"$T/up\"; while :; do sleep 0.1; done" >/dev/null 2>&1 &
exec 8>feed
echo before >&8
wait_until 20 is_running reads
wait_until 20 test -e up
ok "C3 one that reads from outside is checkpointed" checkpoint reads img4
echo after >&8
kill -USR1 "$(init_of reads)"
ok "C3 it goes on, and reads what was and what comes" wait_until 20 grep -q after read
is "C3 each once" "$(<read)" "before
after"
exec 8>&-
ok "C3 up to its end" wait_until 20 is_gone reads
rm -f read
ok "C3 it is restarted" restart reads img4
kill -USR1 "$(init_of reads)"
ok "C3 it reads what had been on its way, and the end" wait_until 20 is_gone reads
is "C3 and that is all" "$(<read)" before
rm -f read
exec 8<>feed
echo instead >&8
printf 'external pipe[1:0]: %s/feed\nexternal pipe[1:1]: %s/no/such\n' "$T" "$T" >/ckpt/reads/options
fails "N3 C3 when one of two ends is bad it is not restarted" restart reads img4
echo "external pipe[1:0]: $T" >/ckpt/reads/options
fails "N3 C3 nor when it is a directory" restart reads img4
matches "N3 C3 which is said" "$(</ckpt/reads/log)" 'which is to be external pipe.1:0., is neither a file'
echo "external pipe[1:0]: $T/feed" >/ckpt/reads/options
ok "N3 C3 it is restarted, with another to read from" restart reads img4
kill -USR1 "$(init_of reads)"
ok "N3 C3 of which nothing was lost" wait_until 20 grep -q instead read
kill_container reads

# ---- what nobody has read yet, and what a restart makes ----

# shellcheck disable=SC2016 # for the container's shell
ckpt run -n slow -- bash -c 'echo one; : >"$0"/one; until [ -e "$0"/go ]; do sleep 0.1; done; echo two; sleep 1000' "$T" \
	</dev/null 2>/dev/null | { until [ -e late.go ]; do sleep 0.1; done; cat; } >late &
wait_until 20 test -e one
ok "C3 with its output unread it is checkpointed" checkpoint slow img5
kill_container slow
rm -f /var/log/ckpt/slow.log
: >late.go
ok "C3 what was unread its reader still gets" wait_until 20 grep -q one late
ok "C3 it is restarted" restart slow img5
: >go
ok "C3 what it writes then is in its log" wait_until 20 grep -q two /var/log/ckpt/slow.log
is "C3 and that alone" "$(</var/log/ckpt/slow.log)" two
kill_container slow

ckpt run -n bound -- python3 -c "
import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind('$T/bound')
s.listen()
time.sleep(1000)" </dev/null 2>/dev/null | cat >/dev/null &
wait_until 20 test -S bound
ok "C3 C6 one with a bound socket is checkpointed" checkpoint bound img6
kill_container bound
rm -f bound
echo "external pipe[1:1]: $T/no/such" >/ckpt/bound/options
fails "N3 S16 when its output cannot go there it is not restarted" restart bound img6
fails "N3 S16 and its socket's file is not left" test -e bound
: >/ckpt/bound/options
ok "C3 C6 else it is" restart bound img6
ok "C3 C6 with its socket's file" test -S bound
kill_container bound
exit 0
