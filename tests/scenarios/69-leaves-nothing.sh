#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A container that runs on after a checkpoint has nothing of it: what it can see of itself is its own alone, and what
# was done to a call that waited is forgotten with the call.
#
# machine: -c 2

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/act-at.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/generations.sh"

# stopped: the program has said what it has seen
stopped() {
	touch "$T/dir/stop"
	wait_until 60 test -s "$T/dir/report"
}

# A set-user-ID program is executed all the time, also when the engine takes its time to give back what it holds.
chmod 755 "$T"
install -m 4755 "$(command -v alone)" alone
mkdir -m 755 dir
container alone -- "$T/alone" "$T/dir" || die "no container"
wait_until 60 test -e dir/ready
act_at ckpt_unhold ckpt-checkpoint wait=500
ok "S1 a container is checkpointed" checkpoint alone image
ok "S1 (giving back took its time)" acted
act_at ckpt_unhold ckpt-checkpoint wait=500
ok "S1 a container is looked at" ckpt check alone
ok "S1 (giving back took its time)" acted
sleep 1
ok "S1 it says how it was" stopped
read -r times without <dir/report
ok "S1 it has executed a set-user-ID program many times ($times)" [ "$times" -gt 3 ]
is "S1 which never was without its user" "$without" 0
kill_container alone

# A signal ends a call while the container stands, behind the moment in which the call was made to go on.
start_self_checking stale stale-call
pid=$(init_of stale)
wait_until 20 grep -q '^45 ' "/proc/$pid/syscall"
act_at ckpt_save_tree ckpt-checkpoint wait=1000
checkpoint stale image &
wait_until 20 eval '[ "$(</sys/module/act_at/parameters/met)" != 0 ]'
kill -USR1 "$pid"
wait $!
is "N4 a signal comes while the container stands: it is checkpointed" $? 0
ok "N4 (it came then)" acted
check_itself stale undisturbed
report_verdicts stale
