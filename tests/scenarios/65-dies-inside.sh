#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A checkpoint whose program dies within the kernel, as of an oops, with the container frozen and nothing given back.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/act-at.sh"

# dies AT: the checkpoint's program comes to the engine's function AT, and no further.
dies() {
	local rc

	act_at "$1" ckpt-checkpoint die=1 || return
	cat /ckpt/inside/image >"$T/refused" 2>"$T/error"
	rc=$?
	acted && [ $rc = 1 ]
}

# freezer: what the container's user sees of it
freezer() {
	echo "$(<"$(cgroup_of inside)/cgroup.freeze") $(grep frozen "$(cgroup_of inside)/cgroup.events")"
}

container inside -- bash -c 'sleep 100000 & sleep 100000 | sleep 100001 &
	for ((i = 1; ; i++)); do echo $i >'"$T"'/count; sleep 0.1; done' ||
	die "no container"
wait_until 20 test -s "$T/count"
ok "S6 a container is checkpointed" checkpoint inside "$T/image"

for at in ckpt_collect_tasks ckpt_save_task ckpt_copy_mms ckpt_check_still_there ckpt_thaw ckpt_stream_sources; do
	ok "S6 a checkpoint that dies at $at fails" dies $at
	is "S6 and the container is not frozen" "$(freezer)" "0 frozen 0"
	ok "S6 and goes on" counts_on count
done

echo 1 >"$(cgroup_of inside)/cgroup.freeze"
wait_until 20 grep -q 'frozen 1' "$(cgroup_of inside)/cgroup.events"
ok "S6 one that was frozen before: a checkpoint that dies fails" dies ckpt_copy_mms
is "S6 and it is still frozen" "$(freezer)" "1 frozen 1"
echo 0 >"$(cgroup_of inside)/cgroup.freeze"
ok "S6 and its user can let it go" counts_on count

ok "S1 after all that it is checkpointed" checkpoint inside "$T/image"
kill_container inside
ok "S1 and restarted" restart inside "$T/image"
ok "S1 and goes on" counts_on count
