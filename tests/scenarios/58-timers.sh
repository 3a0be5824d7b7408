#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a program has set to happen later, by timer_create(2) and by the CPU time that it uses.
#
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking timers timers
generations timers
# It says in its log what there is not on this machine.
grep '^timers: no ' /var/log/ckpt/timers.log
kill_container timers

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
