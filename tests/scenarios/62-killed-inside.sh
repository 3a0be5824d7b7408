#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# SIGKILL at certain places of a checkpoint and of a restart, which 61-killed meets by chance only.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# watch FUNCTION COMM NTH: the NTH task of this name to come to the kernel's FUNCTION will be killed there.
watch() {
	kill-at "$@" >"$T/watched" &
	watcher=$!
	wait_until 20 test -s "$T/watched"
	grep -q '^ready' "$T/watched"
}

# was_killed: somebody has come there.
was_killed() {
	wait_until 20 grep -q '^killed' "$T/watched"
	kill $watcher
	wait $watcher
	grep -q '^killed' "$T/watched"
} 2>/dev/null

container inside -- bash -c 'for i in {1..12}; do sleep 100000 & done; wait' || die "no container"
wait_until 20 eval '[ "$(field inside tasks)" = 13 ]'
ok "D1 a container of 13 tasks" checkpoint inside "$T/image" || exit
if ! watch ckpt_freeze nobody 1; then
	skip "S6 SIGKILL at certain places of the engine" "$(<"$T/watched")"
	exit
fi
kill $watcher

# the checkpoint's own program
for at in ckpt_collect_tasks ckpt_save_task ckpt_copy_mms ckpt_thaw ckpt_stream_sources; do
	remember
	watch $at ckpt-checkpoint 1
	cat /ckpt/inside/image >"$T/refused" 2>"$T/error"
	rc=$?
	was_killed || echo "nobody has come to $at"
	grep . "$T/error" /ckpt/inside/log
	is "S6 a checkpoint that is killed at $at fails" "$rc $(wc -l <"$T/error")" "1 1"
	is "S6 and the container is not frozen" "$(grep frozen "$(cgroup_of inside)/cgroup.events")" "frozen 0"
	ok "S6 and nothing is left of it" unchanged
done
ok "S1 the container can be saved after all that" checkpoint inside "$T/image"
kill_container inside
remember

# killed FUNCTION COMM NTH WHY: the restart fails, the log says WHY, and nothing stays.
killed() {
	local rc

	watch "$1" "$2" "$3"
	mkdir -p /ckpt/inside
	within 60 cp "$T/image" /ckpt/inside/restart 2>"$T/error"
	rc=$?
	was_killed || echo "nobody has come to $1"
	cat "$T/error"
	is "S16 a restart of which $2 is killed at $1 fails" "$rc" 1
	matches "S14 and the log tells of it" "$(</ckpt/inside/log)" "$4"
	ok "S16 and nothing of it stays" unchanged
}

# its tasks: when they have joined, with half of what they will be, and with all
member='task [0-9]+ was killed while it was restarted'
killed ckpt_restore_task ckpt-restart 3 'task [0-9]+ was killed'
# what is pending is dropped here, and a SIGKILL must not be lost with it
killed flush_signals ckpt-restart 1 "$member"
killed flush_signals ckpt-restart 13 "$member"
killed ckpt_restore_uts ckpt-restart 1 "$member"
killed ckpt_make_unlock ckpt-restart 4 "$member"
killed ckpt_arch_restore_vdso ckpt-restart 6 "$member"
killed ckpt_restore_membarrier ckpt-restart 7 "$member"
killed sched_setattr_nocheck sleep 11 "$member"
killed set_cred_ucounts sleep 12 "$member"
killed ckpt_count_up bash 1 "$member"

# the program that reads the image
for at in ckpt_check_system ckpt_read_pages ckpt_arch_restore; do
	killed $at ckpt-restart 1 'ended by signal 9'
done

# who is killed when all are let go dies as what it has become
watch ckpt_restore_go sleep 5
ok "S3 a task is killed on its way out of the restart: the others run" restart inside "$T/image"
ok "S3 and it was" was_killed
ok "S3 and is dead as its parent can see" wait_until 20 eval '[ "$(field inside tasks)" = 12 ]' ||
	tail -n 12 "$T/watched" /ckpt/inside/status /var/log/ckpt/inside.log <(dmesg)
kill_container inside
ok "S16 and nothing of it stays" unchanged
