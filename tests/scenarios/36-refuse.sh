#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a checkpoint cannot take is refused by name, and the container runs on as if nothing had been.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

dir=$(words refuse)

# become KIND...: the container has this now; fails when there is no such thing on this kernel.
become() {
	local i answer=''

	set -- "$*"
	echo "$1" >"$dir/kind"
	for ((i = 0; i < 200 * PATIENCE; i++)); do
		[ ! -e "$dir/said" ] || read -r answer <"$dir/said"
		[[ $answer != "$1 ready" && $answer != "$1 missing: "* ]] || break
		nap 0.05
	done
	[ "$answer" = "$1 ready" ]
}

# runs_on WHO: the count of the init (1) or its child (2) grows.
runs_on() {
	local -a before now
	local i

	read -ra before <"$dir/beat"
	for ((i = 0; i < 100 * PATIENCE; i++)); do
		read -ra now <"$dir/beat"
		[ "${now[$1 - 1]}" -le "${before[$1 - 1]}" ] || return 0
		nap 0.05
	done
	return 1
}

# refused DESC REGEX [WHO]: cat fails, /ckpt/refuse/log says what and whose, nothing has come of it.
refused() {
	local desc=$1 regex=$2 who=${3:-2} log status

	if cat /ckpt/refuse/image >image 2>error; then
		fail "$desc" "the checkpoint succeeded"
		return
	fi
	log=$(</ckpt/refuse/log) status=$(</ckpt/refuse/status)
	if [[ ! $log =~ $regex ]]; then
		fail "$desc" "$(<error)" "log: $log" "does not match: $regex"
	elif [ -s image ]; then
		fail "$desc" "cat got $(stat -c %s image) bytes"
	elif [[ $status != *"state: running"* ]] || [ "$(<"$freezer")" != 0 ]; then
		fail "$desc" "status afterwards:" "$status"
	elif ! runs_on "$who"; then
		fail "$desc" "the container does not run on"
	else
		pass "$desc"
	fi
}

# refuse ROW KIND WHOSE REGEX: WHOSE is "fd", "task" or "container", which must be named.
refuse() {
	local desc="$1 $2 is refused by name" whose

	case $3 in
	fd) whose='^task [0-9]+ \(refuse\) fd [0-9]+: ' ;;
	task) whose='^task [0-9]+ \(refuse\)[^:]*: ' ;;
	container) whose='^the container' ;;
	terminal) whose='^the terminal pts/[0-9]+ ' ;;
	esac
	if become "$2"; then
		refused "$desc" "${whose}[^"$'\n'"]*($4)"
	else
		skip "$desc" "$(<"$dir/said")"
	fi
}

mkdir tracing
mount -t tracefs tracefs tracing || echo "no tracefs"
mkdir asked
ask-fs "$T/asked" >asked.log 2>&1 &
asked=$!
wait_until 30 mountpoint -q asked || die "no file system"
start_self_checking refuse refuse
freezer=$(cgroup_of refuse)/cgroup.freeze
# For memory.peak.
for group in /sys/fs/cgroup "${freezer%/*/*}"; do
	echo +memory >"$group/cgroup.subtree_control"
done

refuse C4 inotify-deleted fd 'inotify watch 1 is on inode .*, which is deleted'
refuse C4 fanotify fd fanotify
refuse C10 io_uring fd io_uring
refuse C10 perf fd perf_event
refuse C10 bpf fd bpf
refuse C4 userfaultfd fd userfaultfd
become signalfd-other || die "no such watch: $(<"$dir/said")"
refused "C4 signalfd-other is refused by name" '^an epoll file watches a signalfd for a process that has ended'
refuse C4 pidfd-group fd 'pidfd of a process that has ended, and whose group'
refuse C10 namespace-file fd nsfs
refuse C10 aio task 'asynchronous I/O'
refuse C9 tty-hung-up fd 'terminal that was hung up .*still open'
refuse C9 tty-extproc terminal 'has its lines edited outside \(EXTPROC\)'
refuse C9 tty-locked terminal 'has locked settings \(TIOCSLCKTRMIOS\)'
refuse C9 tty-null terminal 'has a line discipline of its own'
refuse C10 device fd kmsg
refuse C6 urgent container 'socket:.* urgent data'
refuse C7 datagrams fd 'UDP socket with a queued datagram with IP options'
refuse C7 tcp-md5 fd TCP_MD5SIG
refuse C7 tcp-repair fd TCP_REPAIR
refuse C7 tcp-fastopen-key fd TCP_FASTOPEN_KEY
refuse C7 tcp-deferred fd 'TCP connection that is being made'
refuse C7 tcp-being-made fd 'TCP connection that is being made'
refuse C7 tcp-silent container 'a TCP connection with 127.0.0.1:6100, has not been taken by who listens there'
refuse C7 tcp-urgent container 'a TCP connection with 127.0.0.1:[0-9]+, has urgent data .MSG_OOB'
refuse C7 tcp-saved-syn fd 'TCP_SAVE'
refuse C7 tcp-error fd 'an error that its owner has not read yet'
refuse C7 tcp-shut fd 'shut down'
refuse C7 socket-filter fd 'socket filter'
refuse C7 bound-device fd SO_BINDTODEVICE
refuse C7 multicast fd 'multicast membership'
refuse C7 unicast-if fd IP_UNICAST_IF
refuse C7 ip-options fd IP_OPTIONS
refuse C7 ipv6-mtu fd IPV6_MTU
refuse C7 ipv6-pktinfo fd IPV6_PKTINFO
refuse C7 ipv6-dstopts fd IPV6_DSTOPTS
refuse C7 udp-encap fd UDP_ENCAP
refuse C7 udp-corked fd 'UDP_CORK and data'
refuse C7 error-queue fd 'error that its owner has not read'
refuse C7 timestamp-ioctl fd SIOCGSTAMP
refuse T10 foreign-socket fd "network namespace other than the container's"
refuse T10 foreign-unix-socket fd "network namespace other than the container's"
refuse C7 netlink fd 'NETLINK|netlink'
refuse C7 packet fd 'PACKET|packet'
refuse C7 raw fd 'RAW|raw'
refuse C3 notification-pipe fd 'kernel notifications'
refuse "C1 K17" pressure-trigger fd '/pressure/memory of proc has a trigger'
refuse "C1 K17" cgroup-pressure-trigger fd 'memory.pressure of cgroup2 has a trigger'
refuse "C1 K17" cgroup-peak fd 'memory.peak of cgroup2 has a peak of its own'
refuse "C1 K17" trace-pipe fd '/trace_pipe of tracefs has state'
refuse "C1 K17" fdinfo-file fd '/fdinfo/0 of proc has state'
refuse "C1 K17" mtrr fd '/mtrr of proc has state'
refuse "C1 K17" old-maps fd '/maps of proc has the memory that its process had before'
refuse C2 deleted-leased fd "deleted, and is a file with a lease"
refuse C5 fuse-lock fd 'file lock or lease is held, which is not supported on fuse'
refuse C5 fuse-range fd 'file lock or lease is held, which is not supported on fuse'
refuse C5 breaking-lease fd 'lease that somebody is breaking'
refuse C5 async fd O_ASYNC
refuse C5 notify fd F_NOTIFY
refuse C8 sysv-hugetlb container 'shared memory segment \([0-9]+\) of huge pages'
become remove-hugetlb || die "the huge segment stays"
refuse C8 sysv-policy container 'shared memory segment \([0-9]+\) with a NUMA memory policy'
become remove-policy || die "the segment stays"
refuse C8 sysv-namespace task 'System V of another ipc namespace'
refuse C8 sysv-undo container 'process [0-9]+ \(refuse\) shares semaphore adjustments \(SEM_UNDO\) with another'
for kind in sysv-thread-undo sysv-threads-undo sysv-threads-alone; do
	refuse C8 $kind container 'process [0-9]+ \(refuse\) has a thread that does not share semaphore adjustments'
done
become remove-sem || die "the semaphores stay"
refuse C8 sysv-memory fd 'SYSV00005e34: a descriptor or mapping of the memory of a segment of System V'
refuse C8 sysv-resized container 'shared memory segment \([0-9]+\) whose size was changed'
become remove-resized || die "the segment stays"
refuse C8 mqueue-thread container 'POSIX message queue \(refuse\) that notifies a process by SIGEV_THREAD'
refuse C8 mqueue-namespace fd 'POSIX message queue .* of another ipc namespace'
refuse T4 timer-thread task 'POSIX timer .* thread that has ended'
refuse T4 timer-cpu task 'POSIX timer .* CPU time of a task that is gone'
refuse T6 seccomp-listener fd 'seccomp notify'
matches "T6 S14 and so is the filter that it listens for" "$(</ckpt/refuse/log)" \
	'task [0-9]+ \(refuse\): a seccomp filter with a listener'
refuse S5 traced task traced
refuse T1 dead-leader task 'first thread has exited'
refuse T1 shared-vm task CLONE_VM
refuse S12 pid-namespace task 'pid namespace'
refuse T10 mount-namespace task 'mnt|mount'
refuse T10 user-namespace task user
refuse T10 net-namespace task net
refuse T6 keyring task key
refuse T8 memory-policy task 'NUMA memory policy'
refuse 'T8 K16' pkey task 'memory protection keys'
refuse T7 deadline task 'scheduling policy'
refuse C10 registered-ring task 'io_uring'
refuse T7 io-context task 'CLONE_IO'
refuse T2 breakpoint task 'hardware breakpoint'
refuse T2 int80 task '32-bit system call'
refuse T2 shadow-stack-lock task 'ARCH_SHSTK_LOCK'
refuse C3 long-pipe fd 'more than an image takes'
refuse T6 apparmor-exec task AppArmor
refuse T10 accounting container 'acct'
become no-accounting || die "process accounting stays"

# A ring that was closed is none; what is left of it ends a moment later.
if become closed-ring; then
	ok "C10 a task whose io_uring was closed is checkpointed" wait_until 20 checkpoint refuse ring.img
else
	skip "C10 a task whose io_uring was closed is checkpointed" "$(<"$dir/said")"
fi

# A program may call itself what a terminal would obey, or take for another line of the log.
become strange-name || die "no such name"
if cat /ckpt/refuse/image >image 2>error; then
	fail "S14 K10 a strange name is written as \\xHH" "the checkpoint succeeded"
else
	matches "S14 K10 a strange name is written as \\xHH" "$(</ckpt/refuse/log)" \
		'^task [0-9]+ \(b\\x1b\[31m\\x0a\\x7fü\\x9b\) fd [0-9]+: .*fanotify'
fi

# What was moved away runs: of that nothing more is read, and what it has is not told to whoever may not look at it.
become fanotify || die "no fanotify"

moved=$(pgrep -P "$(init_of refuse)")
mkdir /sys/fs/cgroup/elsewhere
echo "$moved" >/sys/fs/cgroup/elsewhere/cgroup.procs
refused "S5 a task outside of the cgroup is refused" 'not in the cgroup'
matches "S5 and of it nothing else is looked at" "$(grep -c fanotify /ckpt/refuse/log)" '^0$'
echo "$moved" >"$(cgroup_of refuse)/cgroup.procs"
rmdir /sys/fs/cgroup/elsewhere
refused "S5 and when it is back it is looked at" fanotify

# N2: twelve things at once, eleven of a task's and one around it, and what each line must say
declare -A twelve=(
	[netlink]='fd [0-9]+: .*(NETLINK|netlink)' [fanotify]='fd [0-9]+: .*fanotify' [io_uring]='fd [0-9]+: .*io_uring'
	[perf]='fd [0-9]+: .*perf_event' [bpf]='fd [0-9]+: .*bpf' [userfaultfd]='fd [0-9]+: .*userfaultfd'
	[namespace-file]='fd [0-9]+: .*nsfs' [device]='fd [0-9]+: .*kmsg' [packet]='fd [0-9]+: .*(PACKET|packet)'
	[notify]='fd [0-9]+: .*F_NOTIFY' [timer-cpu]='.*CPU time of a task that is gone'
)
become "${!twelve[@]}" || die "not all of twelve: $(<"$dir/said")"
mkdir "$T/own"
nsenter -t "$(init_of refuse)" -m mount -t ramfs own "$T/own"
log=$(</ckpt/refuse/log)
recorded=$(ls -A /ckpt/refuse/snapshots)
is "N2 check exits with 1" "$(ckpt check refuse >reasons 2>&1; echo $?)" 1
is "N2 and has a line for each of twelve" "$(wc -l <reasons)" 12 || cat reasons
for kind in "${!twelve[@]}"; do
	is "N2 one of them is $kind" "$(grep -cE "^task [0-9]+ \(refuse\):? ?${twelve[$kind]}" reasons)" 1
done
is "N2 one is what is around it" "$(grep -c "^the container has a ramfs file system of its own on $T/own" reasons)" 1
is "N2 the file of the same name says the same" "$(cat /ckpt/refuse/check)" "$(<reasons)"
is "N2 nothing is recorded, and the log is as it was" "$(ls -A /ckpt/refuse/snapshots)$(</ckpt/refuse/log)" "$recorded$log"
ok "N2 the container runs on" runs_on 2
refused "N2 a checkpoint fails" "ramfs file system of its own" 2
is "N2 and its log has all twelve" "$(grep -cxFf reasons /ckpt/refuse/log)" 12
refused_final=$(cat /ckpt/refuse/final 2>&1 >/dev/null)
matches "N2 so does a final one" "$refused_final" "not supported"
is "N2 with all twelve in the log" "$(grep -cxFf reasons /ckpt/refuse/log)" 12
ok "N2 and the container runs on" runs_on 2
nsenter -t "$(init_of refuse)" -m umount "$T/own"
is "N2 without what is around it there are eleven" "$(ckpt check refuse | wc -l)" 11

# With all of that gone the container can be checkpointed.
become nothing
ok "S1 a container that had all of these can be checkpointed without them" checkpoint refuse good.img

ckpt exec refuse sleep 100000 &
stranger=$!
wait_until 10 pgrep -x sleep
refused "S7 a task of ckpt exec is refused" 'put into the container from outside' 1
kill $stranger
wait_until 10 eval '! pgrep -x sleep'

# A log whose reader does not come: a pipe that is full
become notify || die "no F_NOTIFY"
mkfifo full
exec 9<>full
# full_pipe: fills it; as much as there is, read or written
full_pipe() {
	python3 -c '
import os, sys
os.set_blocking(9, False)
try:
    while sys.argv[1] == "fill":
        os.write(9, b"." * 4096)
    while True:
        sys.stdout.buffer.write(os.read(9, 65536).lstrip(b"."))
except BlockingIOError:
    os.set_blocking(9, True)' "$1"
}
for how in "" --final; do
	full_pipe fill
	# shellcheck disable=SC2086 # an option or none
	ckpt-checkpoint $how -l full "$(init_of refuse)" >image 2>error &
	caller=$!
	ok "S14 a log that nobody reads${how:+, $how}: the caller waits for it" \
		wait_until 20 grep -q pipe_write "/proc/$caller/wchan"
	is "S14 the container does not" "$(sed -n 's/^frozen //p' "${freezer%freeze}events")" 0
	ok "S14 and runs" runs_on 2
	for ((i = 0; i < 50 * PATIENCE; i++)); do
		full_pipe read >>said
		kill -0 $caller 2>/dev/null || break
		nap 0.1
	done
	wait $caller
	is "S14 when it is read the checkpoint fails" "$? $(stat -c %s image)" "1 0"
	full_pipe read >>said
	matches "S14 and has said why" "$(<said)" F_NOTIFY
	rm said
done
full_pipe fill
ckpt-checkpoint --final -l full "$(init_of refuse)" >image 2>error &
caller=$!
wait_until 20 grep -q pipe_write "/proc/$caller/wchan"
kill -KILL $caller
wait $caller
ok "S14 also when the caller is killed" runs_on 2
become nothing
exec 9>&-

# A pipe that is read in the container and outside: whose is what is in it?
sleep 300 | {
	exec 7</proc/self/fd/0
	ckpt run -n piped -- bash -c 'while sleep 0.1; do :; done' >/dev/null 2>&1 7<&-
} &
wait_until 10 is_running piped
if cat /ckpt/piped/image >image 2>error; then
	fail "C9 a pipe that is read outside, too, is refused" "the checkpoint succeeded"
else
	matches "C9 a pipe that is read outside, too, is refused" "$(</ckpt/piped/log)" 'outside of the container'
fi
kill_container piped
kill_container refuse
umount "$T/tracing"
umount "$T/asked"
wait $asked
exit 0
