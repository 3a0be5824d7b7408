#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 200
#
# The daemon as a service: what it tells systemd and the journal, options that change while it runs, and how it ends
# and comes back. D4, D6. A daemon of the test's own, in a mount namespace of its own.

if [ -z "${UNSHARED:-}" ]; then
	exec env UNSHARED=1 unshare -m bash "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# A journal that is ours.
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal mnt cgroup || die "no directory for sockets"

# listen SOCKET FILE: what comes to the socket, in the file
listen() {
	python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    open(sys.argv[2], 'ab').write(s.recv(65536) + b'\n')" "$1" "$2" &
	listeners+=($!)
	wait_until 10 test -S "$1"
}

listeners=() daemon=
listen "$T/notify" told
listen /run/systemd/journal/socket journal
trap 'kill -KILL "${listeners[@]}" $daemon 2>/dev/null; umount -l "$T/mnt" 2>/dev/null' EXIT

# start: the daemon, as a unit of Type=notify would be
start() {
	: >stderr
	: >told
	: >journal
	NOTIFY_SOCKET=$T/notify JOURNAL_STREAM=$(stat -c %d:%i stderr) \
		ckptfs -f -o "config=$T/conf,store=$T/own/store.db,cgroup=$T/cgroup" mnt </dev/null >/dev/null 2>>stderr &
	daemon=$!
	wait_until 20 grep -q READY=1 told || cat stderr
}

# ends DESC: the daemon ends by itself, without an error, and its mount with it
ends() {
	wait $daemon
	is "$1" "$?, $(mountpoint -q mnt && echo mounted || echo unmounted)" "0, unmounted"
}

# names DIR: what a listing shows, in one line
names() {
	find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs
}

echo "# nothing yet" >conf
start
ok "D6 READY=1 is told" grep -q READY=1 told
ok "D6 when it is mounted" mountpoint -q mnt
make-image -s 5 >img
mkdir mnt/web
ok "D4 it works" cp img mnt/web/snapshots/a

# Options

is "D6 a bad option in the file" "$(echo 'recrod = no' >conf; kill -HUP $daemon; wait_until 10 grep -q MESSAGE journal; \
	grep -aoE 'MESSAGE=.*|PRIORITY=.*' journal | sort | paste -sd ' ')" \
	"MESSAGE=the options stay as they were: line 1 of $T/conf: there is no option 'recrod' PRIORITY=4"
ok "D6 a reload is told, and its end" bash -c "grep -A1 RELOADING=1 told && tail -n 1 told | grep -q READY=1"
is "D6 stderr has nothing that the journal has" "$(cat stderr)" ""
fails "D6 options that can't be read at the start are an error" ckptfs -f -o "config=$T/conf,store=$T/x.db" cgroup
echo 'record = no' >conf
kill -HUP $daemon
ok "D6 a good one is taken" wait_until 10 bash -c "[ \$(grep -c RELOADING=1 told) = 2 ]"
ok "D6 and it goes on" cmp img mnt/web/snapshots/a
is "N3 listings show all" "$(names mnt/web)" "check image log options restart snapshots status"
printf 'record = no\nlist = no\n' >conf
kill -HUP $daemon
ok "N3 list=no is taken" wait_until 10 bash -c "[ \$(grep -c RELOADING=1 told) = 3 ]"
is "U20 listings do not show what acts when it is read" "$(names mnt/web)" "log options restart snapshots status"
is "U20 which is there by its name" "$(stat -c %A mnt/web/image mnt/web/final mnt/web/check | xargs)" \
	"-r-------- -r-------- -r--------"
is "U20 grep -r reads the rest" "$(grep -rs 'state: stopped' mnt/web)" "mnt/web/status:state: stopped"
echo 'list = perhaps' >conf
kill -HUP $daemon
ok "N3 a bad one is told" wait_until 10 grep -qa "option list takes yes or no, not 'perhaps'" journal
is "N3 and nothing changes" "$(names mnt/web)" "log options restart snapshots status"
echo 'record = no' >conf

# Its end

kill -TERM $daemon
ends "D6 SIGTERM ends it"
ok "D6 which is told" grep -q STOPPING=1 told
start
(exec 3>mnt/web/snapshots/half && head -c 5000 img >&3 && touch writing && exec sleep 100 >/dev/null 2>&1) &
writer=$!
wait_until 10 test -e writing
kill -TERM $daemon
ends "D6 also while somebody writes"
kill $writer
start
fails "D4 whose half of a snapshot is not there" test -e mnt/web/snapshots/half
ok "D6 fusermount3 -u" fusermount3 -u mnt
ends "D6 ends it"
start
exec 3<mnt/web/snapshots/a
kill -KILL $daemon
wait $daemon 2>/dev/null
matches "D6 a mount whose daemon was killed" "$(stat mnt 2>&1)" "not connected"
start
ok "D6 is taken over by the next" mountpoint -q mnt
ok "D4 with all that there was" cmp img mnt/web/snapshots/a
fails "D6 what was open is lost" cat <&3
exec 3<&-
is "D6 only once is it mounted" "$(grep -c " $T/mnt " /proc/self/mountinfo)" 1
fails "D6 a second daemon does not get the store" ckptfs -f -o "config=$T/conf,store=$T/own/store.db" cgroup
ok "D6 and disturbs nobody" cmp img mnt/web/snapshots/a
kill -TERM $daemon
ends "D6 and ends"

# A check of the store, of which each read takes five seconds

start
strace -f -qq -o strace.log -p $daemon -e trace=pread64 -e inject=pread64:delay_enter=5000000 2>strace.err &
tracer=$!
wait_until 10 grep -q '^TracerPid:.[1-9]' "/proc/$daemon/status" || die "no strace: $(cat strace.err)"
cat mnt/.ckptfs/fsck >fscked 2>&1 &
reader=$!
ok "U17 a check is under way" wait_until 20 test -s strace.log
kill -TERM $reader
wait $reader
ok "U17 its reader can stop" [ $? -gt 128 ]
cat mnt/.ckptfs/fsck >fscked 2>&1 &
reader=$!
sleep 1
kill -TERM $daemon
ends "U17 SIGTERM ends the daemon all the same"
wait $reader
fails "U17 who reads it is told that this was not all" [ $? = 0 ]
ok "U17 and so is the journal" grep -qa "work on the store was cut short" journal
wait $tracer
start
ok "U17 the store is as it was" bash -c "cat mnt/.ckptfs/fsck >fscked && cmp img mnt/web/snapshots/a"
kill -TERM $daemon
ends "U17 and the daemon ends"

# A check of a larger store, of which each read takes a third of a second

start
make-image -p 20000 -s 9 >large && cp large mnt/web/snapshots/large
strace -f -qq -o strace.log -p $daemon -e trace=pread64 -e inject=pread64:delay_enter=300000 2>strace.err &
tracer=$!
wait_until 10 grep -q '^TracerPid:.[1-9]' "/proc/$daemon/status" || die "no strace: $(cat strace.err)"
cat mnt/.ckptfs/fsck >fscked 2>&1 &
reader=$!
ok "U17 a check says how far it is" wait_until 30 bash -c "[ \$(grep -c '^progress: pages [0-9]* [0-9]*$' fscked) -ge 4 ]"
is "U17 each time further" "$(awk '/^progress: pages/ && $3 <= last && NR > 1 { print } { last = $3 }' fscked)" ""
kill -TERM $reader
wait $reader

# rests: no read for two seconds
rests() {
	local before

	before=$(grep -c pread64 strace.log)
	sleep 2
	[ "$(grep -c pread64 strace.log)" = "$before" ]
}
ok "U17 when its reader has gone it ends" wait_until 15 rests
kill $tracer
wait $tracer
ok "U17 after which it can be made" bash -c "cat mnt/.ckptfs/fsck >fscked && grep -qx 'nothing is damaged' fscked"
ok "U17 in a terminal ckpt shows how far it is" bash -c "script -qec 'ckpt -m $T/mnt fsck' /dev/null | grep -aq 'pages: [0-9]* of [0-9]*'"
is "U17 elsewhere it does not" "$(ckpt -m "$T/mnt" fsck 2>&1 | grep -c progress)" 0
kill -TERM $daemon
ends "U17 and the daemon ends"
