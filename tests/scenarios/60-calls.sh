#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The engine's own call: what it returns, where the image may go, and whom it refuses.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

FREEZE=1

# says DESC WANTED PID FLAGS [LOG-REGEX]
says() {
	is "$1" "$(call "$3" "$4" file "$T/out" "$T/log")" "$2"
	[ $# -lt 5 ] || matches "S14 ${1#* }: the log says so" "$(<"$T/log")" "$5"
}

frozen() {
	grep -q 'frozen 1' "$1/cgroup.events"
}

container calls -- bash -c 'sleep 1000 & while :; do sleep 0.1; done' || die "no container"
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
