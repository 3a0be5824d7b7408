#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The engine's own call: what it returns, where the image may go, and whom it refuses.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

FREEZE=0x1000

# says DESC WANTED PID FLAGS [LOG-REGEX]
says() {
	is "$1" "$(call "$3" "$4" file "$T/out" "$T/log")" "$2"
	[ $# -lt 5 ] || matches "S14 ${1#* }: the log says so" "$(<"$T/log")" "$5"
}

frozen() {
	grep -q 'frozen 1' "$1/cgroup.events"
}

container calls -- bash -c 'sleep 100000 & while :; do sleep 0.1; done' || die "no container"
init=$(init_of calls) cgroup=$(cgroup_of calls)

for where in file pipe socket; do
	is "S1 the image may go to a $where, and the call returns a positive id" \
		"$(call "$init" $FREEZE $where "$T/$where" "$T/log")" positive
	ok "S15 the image that went to a $where is whole" ckpt inspect "$T/$where"
done

says "S5 no such process" ESRCH 4000000 $FREEZE 'no process'
says "S5 a process that is no container's root" EBUSY $$ $FREEZE 'not the init of a container'
says "S5 a container that is not frozen" EBUSY "$init" 0 'not frozen'
says "S1 an unknown flag" EINVAL "$init" 0x80

echo 1 >"$cgroup/cgroup.freeze"
wait_until 5 frozen "$cgroup"
says "S5 a container that the caller has frozen" positive "$init" 0
is "S6 it is frozen afterwards, as it was" "$(<"$cgroup/cgroup.freeze") $(grep frozen "$cgroup/cgroup.events")" "1 frozen 1"
echo 0 >"$cgroup/cgroup.freeze"
is "S6 the freezer shows what its user had set" "$(<"$cgroup/cgroup.freeze")" 0

child=$(pgrep -P "$init" -x sleep)
mkdir "$cgroup/below"
echo "$child" >"$cgroup/below/cgroup.procs"
says "S5 a task that was moved to another cgroup" EBUSY "$init" $FREEZE 'not in the cgroup'
echo "$child" >"$cgroup/cgroup.procs"
rmdir "$cgroup/below"

is "S2 a checkpoint that the container's own task makes is refused by name" \
	"$(bash -c 'echo $$ >"$1/cgroup.procs"; exec call "$2" "$3" file "$4" "$5"' - "$cgroup" "$init" $FREEZE "$T/out" "$T/log")" EBUSY
matches "S14 which the log says" "$(<"$T/log")" "the caller is in the container's cgroup itself"

strace -qq -o "$T/trace" -p "$child" &
tracer=$!
wait_until 5 grep -q 'TracerPid:.*[1-9]' "/proc/$child/status"
says "S5 a task that is traced" EBUSY "$init" $FREEZE 'traced'
kill $tracer
wait $tracer 2>/dev/null

says "S1 and then it works again" positive "$init" $FREEZE
is "S1 the container runs on" "$(field calls state)" running

# a dead root whose parent has not reaped it yet
python3 -c '
import ctypes, os, time
libc = ctypes.CDLL(None)
libc.unshare(0x20000000)
pid = os.fork()
if pid == 0:
    os._exit(0)
open("'"$T"'/zombie.new", "w").write(str(pid))
os.rename("'"$T"'/zombie.new", "'"$T"'/zombie")
time.sleep(1000)
' &
zombie_parent=$!
wait_until 10 test -e "$T/zombie"
wait_until 10 grep -q 'State:.*Z' "/proc/$(<"$T/zombie")/status"
says "S5 a dead root task" EBUSY "$(<"$T/zombie")" $FREEZE 'is dead'
kill $zombie_parent

is "S5 a caller without CAP_SYS_ADMIN" \
	"$(setpriv --bounding-set -sys_admin --inh-caps -sys_admin bash -c "chmod 666 /dev/ckpt; call $init $FREEZE file $T/out $T/log; chmod 600 /dev/ckpt")" EPERM
is "S5 a caller that may not trace" \
	"$(setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace call "$init" $FREEZE file "$T/out" "$T/log")" EPERM
matches "S14 a caller that may not trace: the log says so" "$(<"$T/log")" 'may not be inspected'

# an init that leads no session, as unshare(1) makes it, in the group of its child until it gets SIGUSR1
cat >"$T/plain.py" <<'END'
import os, signal, sys, time
def lead(*_):
    os.setpgid(0, 0)
    open(sys.argv[1], "w").close()
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    time.sleep(1000)
while os.getpgid(child) != child:
    time.sleep(0.01)
signal.signal(signal.SIGUSR1, lead)
os.setpgid(0, child)
open("/sys/fs/cgroup/plain/inside/cgroup.procs", "w").write(str(child))
while True:
    time.sleep(1)
END
mkdir -p /sys/fs/cgroup/plain/inside
unshare --mount --pid --uts --ipc --net --fork --kill-child --mount-proc sh -c \
	'echo 0 >/sys/fs/cgroup/plain/inside/cgroup.procs; exec </dev/null >/dev/null 2>&1 3>&-; exec python3 "$@"' - \
	"$T/plain.py" "$T/leads" &
outside=$!
in_group_of_child() {
	plain=$(pgrep -P $outside) && [ "$(wc -l </sys/fs/cgroup/plain/inside/cgroup.procs)" = 2 ] &&
		[ "$(ps -o pgid= -p "$plain" | tr -d ' ')" = "$(pgrep -P "$plain")" ]
}
wait_until 20 in_group_of_child || echo "the container did not come up"
says "S10 a root task in the group of another" EOPNOTSUPP "$plain" $FREEZE 'root task is in the process group or session of another'
is "S6 and the container is not frozen" "$(grep frozen /sys/fs/cgroup/plain/inside/cgroup.events)" "frozen 0"
kill -USR1 "$plain"
wait_until 20 test -e "$T/leads"
ok "S10 once it leads its own it is saved, in a session from outside" \
	sh -c 'ckpt-checkpoint "$1" >"$2"' - "$plain" "$T/plain"
kill -KILL "$plain"
wait $outside
ok "S10 and is restarted" restart plain "$T/plain" && wait_until 20 is_running plain
is "S10 with a group of its own, and a session from outside" "$(nsenter -t "$(init_of plain)" -p -m ps -o sid=,pgid= -p 1 | xargs)" "0 1"

# an init whose end is told to its parent by another signal than SIGCHLD
cat >"$T/clone.py" <<'END'
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
# clone() with CLONE_NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET and SIGUSR1, on a stack that is copied
if libc.syscall(56, 0x20000 | 0x4000000 | 0x8000000 | 0x20000000 | 0x40000000 | 10, 0, 0, 0, 0):
    time.sleep(100000)
open("/sys/fs/cgroup/clone/cgroup.procs", "w").write("0")
os.setsid()
null = os.open("/dev/null", os.O_RDWR)
for fd in 0, 1, 2:
    os.dup2(null, fd)
os.closerange(3, 100)
os.execvp("sh", ["sh", "-c", "mount -t proc proc /proc; while :; do sleep 0.1; done"])
END
mkdir /sys/fs/cgroup/clone
python3 "$T/clone.py" &
outside=$!
wait_until 20 eval '[ -n "$(</sys/fs/cgroup/clone/cgroup.procs)" ] && [ "$(ps -o comm= --ppid $outside)" = sh ]' ||
	echo "the container did not come up"
clone=$(pgrep -P $outside)
ok "S10 a root task with another exit signal than SIGCHLD is saved" sh -c 'ckpt-checkpoint "$1" >"$2"' - "$clone" "$T/clone"
kill -KILL $outside "$clone"
wait $outside
ok "S10 and is restarted" restart clone "$T/clone"
wait_until 20 is_running clone
sleep 1
ok "S10 and runs on" is_running clone
is "S10 K9 and its end is told by SIGCHLD" "$(awk '{ print $38 }' "/proc/$(init_of clone)/stat")" 17
ok "S1 K32 the image may go to a device that forgets it" sh -c 'ckpt-checkpoint "$1" >/dev/null' - "$(init_of clone)"
