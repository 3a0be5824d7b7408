#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who restarts a container has a priority, a login, limits of its own: the container's tasks have theirs, and where that
# cannot be it is said.
#
# machine: -c 2

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/generations.sh"

# has NAME: what its init has.
has() {
	local dir
	dir=$(words "$1")

	rm -f "$dir/shown"
	touch "$dir/ask"
	wait_until 20 test -e "$dir/shown" && cat "$dir/shown"
}

# by_hand FILE WORD...: a restart as of a shell that has all that the words say; none of the daemon's.
by_hand() {
	local file=$1
	shift

	inherits "$@" -- ckpt-restart <"$file" 2>error
}

# part FILE RECORD PART: what the image says in this part of these records, a line each; nothing if none has it.
part() {
	ckpt inspect -j "$1" | python3 -c '
import json, sys
for record in json.load(sys.stdin):
    if record["record"] == sys.argv[1] and sys.argv[2] in record:
        print(json.dumps(record[sys.argv[2]]))' "$2" "$3"
}

start_self_checking plain inherits show
plain=$(has plain)
echo "$plain"
ok "D1 a container" checkpoint plain plain.img
kill_container plain

# What fork(2) would hand down and can be laid down again.
words=(cpu idle-io nice numa mce slack legacy cpu-limit)
[ ! -e /proc/self/loginuid ] || words+=(login)
for word in "${words[@]}"; do
	if ! reason=$(inherits "$word" -- true 2>&1); then
		skip "T7 K24 a restart from a shell that has \"$word\"" "$reason"
		continue
	fi
	if ok "T7 K24 a restart from a shell that has \"$word\"" by_hand plain.img "$word"; then
		is "T7 K24 what the container's init has then" "$(has plain)" "$plain"
	fi
	kill_container plain
done
ok "T7 K24 a restart from a shell that is of the real-time class" by_hand plain.img fifo
is "T7 K24 what the container's init has then" "$(has plain)" "$plain"
kill_container plain

# And the other way round.
mkdir special
ckpt run -d -n special -- inherits cpu idle-io nice mce slack legacy -- inherits "$T/special" show
wait_until 20 is_running special && wait_until 20 test -e special/ready
special=$(has special)
fails "T7 (it has other things)" test "$special" = "$plain"
ok "T7 a container whose init has all this" checkpoint special special.img
kill_container special
ok "T7 restarts" restart special special.img
is "T7 what the container's init has then" "$(has special)" "$special"
kill_container special

# What cannot be laid down, or must not: its tasks would have it from then on.
refused() {
	local word=$1 says=$2 reason

	if ! reason=$(inherits "$word" -- true 2>&1); then
		skip "T6 K24 a restart from a shell that has \"$word\" is refused" "$reason"
		return
	fi
	remember
	fails "T6 K24 a restart from a shell that has \"$word\" is refused" by_hand plain.img "$word"
	matches "T6 K24 by name" "$(<error)" "$says"
	ok "S16 and nothing of it stays" unchanged
}

refused nnp 'task 1 may gain privileges.*no_new_privs'
refused seccomp 'who restarts has seccomp'
refused mdwe 'who restarts has PR_SET_MDWE'
refused ports 'who restarts has access to I/O ports'
refused io-flusher 'who restarts has PR_SET_IO_FLUSHER'

# One that could not gain privileges itself is no harm.
mkdir nnp
ckpt run -d -n nnp -- inherits nnp -- inherits "$T/nnp" show
wait_until 20 test -e nnp/ready
ok "T6 a container whose init has no_new_privs" checkpoint nnp nnp.img
kill_container nnp
ok "T6 restarts from a shell that has it, too" by_hand nnp.img nnp
kill_container nnp

# A login whose terminal is audited.
if reason=$(inherits tty-audit -- true 2>&1); then
	inherits tty-audit -- ckpt run -d -n audited -- sleep 100000
	wait_until 20 is_running audited
	ok "T6 a container whose login's terminal is audited" checkpoint audited audited.img
	matches "T6 K34 its image tells so" "$(part audited.img TASK login)" '"tty": "?(0x)?1'
	kill_container audited
	ok "T6 it restarts" restart audited audited.img
	ok "T6 and is checkpointed again" checkpoint audited again.img
	is "T6 K34 and is audited still" "$(part again.img TASK login)" "$(part audited.img TASK login)"
	kill_container audited
else
	skip "T6 K34 a login whose terminal is audited" "$reason"
fi

# Processors: what a cpuset takes away is the cgroup's, and no wish of the task's.
top=/sys/fs/cgroup
if echo +cpuset >$top/cgroup.subtree_control 2>/dev/null; then
	ok "D2 a container whose tasks are bound to nothing" restart plain plain.img
	mine=$(cgroup_of plain)
	[ "$mine" = $top/ckpt/plain ] || echo "its cgroup is $mine"
	is "T7 its image has no processors" "$(part plain.img TASK cpus)" ""
	echo +cpuset >$top/ckpt/cgroup.subtree_control
	echo 1 >"$mine/cpuset.cpus"
	matches "T7 in a cpuset of one processor" "$(has plain)" 'cpus 0x2 of 1'
	ok "T7 it is checkpointed" checkpoint plain narrow.img
	is "T7 K24 and that is not saved as a wish of its tasks" "$(part narrow.img TASK cpus)" ""
	kill_container plain
	ok "T7 it restarts without the cpuset" restart plain narrow.img
	is "T7 K24 and may run anywhere" "$(has plain)" "$plain"
	kill_container plain

	# Bound to processor 0, with a cpuset that has not got it.
	mkdir -p $top/ckpt
	echo 1 >$top/ckpt/cpuset.cpus
	fails "T7 K10 tasks are not bound to a processor that their cpuset has not" restart special special.img
	matches "T7 K10 and it is said" "$(</ckpt/special/log)" \
		"task 1 is bound to processors that this machine or the container's cgroup has not"
	ok "T7 one that is bound to nothing restarts there" restart plain plain.img
	matches "T7 K10 with the processor that there is" "$(has plain)" 'cpus 0x2 of 1'
	kill_container plain
	echo >$top/ckpt/cpuset.cpus
	echo -cpuset >$top/ckpt/cgroup.subtree_control
	echo -cpuset >$top/cgroup.subtree_control
else
	skip "T7 K10 K24 processors of a cpuset" "this kernel has no cpusets"
fi

# A processor that has not all that programs may have found on the other.
if grep -q ' avx512f ' /proc/cpuinfo; then
	skip "S16 K29 a processor without AVX512F" "this one has it"
else
	# SYSTEM is the fourth record: a head of 16 bytes, its BASE of 64, another head, then 8 bytes for each word of features
	bad-image make plain.img "set@3+$((16 + 64 + 16 + 9 * 8 + 4)):4=10000" >other.img
	fails "S16 K29 an image from a processor that has more than this one is refused" restart plain other.img
	matches "S16 K29 and what is missing is named" "$(</ckpt/plain/log)" 'a processor with AVX512F, which this one has not'
	matches "N2 K29 and so says check" "$(ckpt check --restart other.img 2>&1)" AVX512F
fi
