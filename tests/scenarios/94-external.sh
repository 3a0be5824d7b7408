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
ckpt run -n writes -- bash -c 'i=0; while sleep 0.05; do echo $((i++)); done' </dev/null 2>/dev/null | cat >out &
wait_until 20 is_running writes
wait_until 20 test -s out
init=$(init_of writes)
pipe=$(readlink "/proc/$init/fd/1")
key=pipe[${pipe//[^0-9]/}]
ckpt check writes >reasons
is "N2 C3 an end outside is in nobody's way" $? 0
matches "N2 C3 and its key is told" "$(<reasons)" "^external pipe.${pipe//[^0-9]/}.: the container writes"
ok "C3 it is checkpointed" checkpoint writes img
ok "C3 and goes on" grows out
ok "C3 its reader misses nothing" in_order out
matches "C3 the log names the end" "$(</ckpt/writes/log)" "external pipe.${pipe//[^0-9]/}.: the container writes"
kill_container writes

rm -f /var/log/ckpt/writes.log
ok "C3 it is restarted, with nobody outside" restart writes img
ok "C3 its output comes to its log" wait_until 20 test -s /var/log/ckpt/writes.log
ok "C3 as it goes on" grows /var/log/ckpt/writes.log
ok "C3 without a gap" in_order /var/log/ckpt/writes.log
matches "C3 the log says where it goes" "$(</ckpt/writes/log)" 'external pipe.*what the container writes goes to /var/log/ckpt/writes.log'
matches "C3 to the container it is a pipe" "$(readlink "/proc/$(init_of writes)/fd/1")" '^pipe:'
ok "C3 and is checkpointed again" checkpoint writes img2
kill_container writes
ok "C3 and restarted again" restart writes img2
kill_container writes

echo "external $key: $T/elsewhere" >/ckpt/writes/options
: >elsewhere
ok "N3 C3 with an option it is restarted" restart writes img
ok "N3 C3 its output goes where it says" wait_until 20 test -s elsewhere
ok "N3 C3 without a gap" in_order elsewhere
kill_container writes
echo "external $key: $T/no/such" >/ckpt/writes/options
fails "N3 C3 where it cannot go it is not restarted" restart writes img
matches "N3 C3 and it is said" "$(</ckpt/writes/log)" 'no/such, which is to be external pipe.*cannot be opened'
ok "N3 C3 nothing of it is left" is_gone writes
echo "external pipe[1]: $T/elsewhere" >/ckpt/writes/options
fails "N3 C3 nor with a key that there is not" restart writes img
matches "N3 C3 which is said" "$(</ckpt/writes/log)" 'has no external pipe.1.'
: >/ckpt/writes/options

# ---- what it reads ----

mkfifo feed
cat feed | ckpt run -n reads -- bash -c "sleep 1; trap 'exec cat >\"$T/read\"' USR1; : >\"$T/up\"; while :; do sleep 0.1; done" >/dev/null 2>&1 &
exec 8>feed
echo before >&8
wait_until 20 is_running reads
wait_until 20 test -e up
ok "C3 one that reads from outside is checkpointed" checkpoint reads img3
echo after >&8
kill -USR1 "$(init_of reads)"
ok "C3 it goes on, and reads what was and what comes" wait_until 20 grep -q after read
is "C3 each once" "$(<read)" "before
after"
exec 8>&-
ok "C3 up to its end" wait_until 20 is_gone reads
rm -f read
ok "C3 it is restarted" restart reads img3
kill -USR1 "$(init_of reads)"
ok "C3 it reads what had been on its way, and the end" wait_until 20 is_gone reads
is "C3 and that is all" "$(<read)" before
exit 0
