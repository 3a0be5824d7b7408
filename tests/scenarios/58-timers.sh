#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a program has set to happen later, by timer_create(2) and by the CPU time that it uses; and programs that are
# stopped by a signal, or were, with what their parents may still ask of it.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking timers timers
generations timers
# It says in its log what there is not on this machine.
grep '^timers: no ' /var/log/ckpt/timers.log
kill_container timers

# by CMD...: a restart by somebody whom CMD makes.
by() {
	"$@" ckpt-restart <"$(words timers)/image.1" 2>error
}

# What timer_create(2) asks for is asked of who restarts.
fails "T4 S16 who may have fewer signals wait than it has timers cannot restart it" by prlimit --sigpending=3
matches "T4 S16 and is told why" "$(<error)" RLIMIT_SIGPENDING

start_self_checking jobs jobs
generations jobs
kill_container jobs

# timers_of NAME: what the kernel tells of its root task's, but for its pid on the host.
timers_of() {
	sed 's/\(pid\.\).*/\1/' "/proc/$(init_of "$1")/timers"
}

container waits -- timeout 1000 sleep 900 || die "no container"
wait_until 20 eval '[ "$(field waits tasks)" = 2 ] && [ -n "$(timers_of waits)" ]'
before=$(timers_of waits)
matches "T4 timeout(1) has a timer" "$before" 'ClockID'
ok "T4 timeout(1) is checkpointed" checkpoint waits waits.img
kill_container waits
ok "T4 timeout(1) is restarted" restart waits waits.img
is "T4 timeout(1) has its timer again" "$(timers_of waits)" "$before"
is "T4 timeout(1) has its child again" "$(field waits tasks)" 2
kill_container waits

# The limit that it was given ends it in each life.
container short -- timeout 20 sleep 900 || die "no container"
wait_until 20 eval '[ "$(field short tasks)" = 2 ] && [ -n "$(timers_of short)" ]'
ok "T4 timeout(1) with a limit that is soon over is checkpointed" checkpoint short short.img
kill_container short
ok "T4 it is restarted" restart short short.img
ok "T4 and ends its child, and itself, when its time is up" wait_until 60 is_gone short
kill_container short 2>/dev/null

# A shell with job control.
cat >"$T/shell.sh" <<'END'
set -m
cd "$1"
sleep 100000 &
job=$!
until read -r name <"/proc/$job/comm" && [ "$name" = sleep ]; do sleep 0.1; done
kill -STOP %1
until jobs -s | grep -q Stopped; do sleep 0.1; done
touch ready
until [ -e go ]; do sleep 0.1; done
jobs -s >stopped
kill -CONT %1
until jobs -r | grep -q Running; do sleep 0.1; done
jobs -r >running
kill %1
wait $job
echo $? >ended
END
container shell -- bash "$T/shell.sh" "$T" || die "no container"
wait_until 20 test -e "$T/ready"
sleeper=$(pgrep -P "$(init_of shell)" -x sleep -r T)
matches "T3 a shell has a job that is stopped" "$(sed -n 's/^State:\t//p' "/proc/$sleeper/status")" '^T'
ok "T3 it is checkpointed with that" checkpoint shell shell.img
matches "T3 which leaves the job stopped" "$(sed -n 's/^State:\t//p' "/proc/$sleeper/status")" '^T'
kill_container shell
ok "T3 it is restarted" restart shell shell.img && wait_until 20 is_running shell
ok "T3 and has a job that is stopped" wait_until 20 pgrep -P "$(init_of shell)" -x sleep -r T
touch "$T/go"
ok "T3 it continues its job" wait_until 30 test -e "$T/ended"
matches "T3 the job was stopped for the shell" "$(<"$T/stopped")" 'Stopped.*sleep 100000'
matches "T3 and runs for it" "$(<"$T/running")" 'Running.*sleep 100000'
is "T3 and ends for it" "$(<"$T/ended")" 143

# A container whose init is stopped, from outside.
container stands -- bash -c 'while :; do echo again >>"$1"; sleep 0.2; done' - "$T/turns" || die "no container"
wait_until 20 test -s "$T/turns"
kill -STOP "$(init_of stands)"
# init_is LETTER: the state of its init
init_is() {
	[[ "$(sed -n 's/^State:\t//p' "/proc/$(init_of stands)/status")" = $1* ]]
}
ok "T3 an init is stopped" wait_until 20 init_is T
ok "T3 it is checkpointed" checkpoint stands stands.img
kill_container stands
ok "T3 it is restarted" restart stands stands.img
ok "T3 and stopped" wait_until 20 init_is T
rm "$T/turns"
sleep 1
fails "T3 it does nothing" test -e "$T/turns"
kill -CONT "$(init_of stands)"
ok "T3 it goes on when it is continued" wait_until 20 test -s "$T/turns"
