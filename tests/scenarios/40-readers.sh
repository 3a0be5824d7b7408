#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Readers of an image that stop, die or come together: the container runs on, and is thawed, each time.
#
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

mem=/ckpt/mem

# value KEY: of the program's last report
value() {
	sed -n "s/^$1 //p" "$T/report"
}

# tell SIGNAL: the program answers with a new report
tell() {
	rm -f "$T/report"
	kill "-$1" "$(init_of mem)" && wait_until 60 test -s "$T/report"
}

# works: it runs, and since the last report it has changed its memory, which is right
works() {
	local before

	before=$(value transactions)
	is_running mem && thawed && tell HUP && [ "$(value verified)" = 1 ] &&
		[ "$(value transactions)" -gt "$before" ]
}

thawed() {
	grep -q 'frozen 0' "$(cgroup_of mem)/cgroup.events"
}

snapshots() {
	find $mem/snapshots -type f | wc -l
}

helpers_gone() {
	! pidof ckpt-checkpoint ckpt-restart
}

# undisturbed ROW WHAT: after WHAT all is as it was
undisturbed() {
	ok "$1 $2: its checkpoint ends" wait_until 20 helpers_gone
	ok "$1 $2: the container is thawed" wait_until 5 thawed
	ok "$1 $2: and works" works
	is "D4 $2: no trace in the history" "$(snapshots)" "$history"
	ok "S14 $2: nothing else stays" unchanged
}

# slow_reader: takes the beginning of the image, and the rest when there is a file 'go'
slow_reader() {
	rm -f go begun
	cat $mem/image > >(head -c 100000 >begun; wait_until 100 test -e go; cat >/dev/null) 2>/dev/null &
	reader=$!
	wait_until 20 pidof ckpt-checkpoint && wait_until 20 test -s begun
}

restarts() {
	restart mem "$1" && wait_until 20 is_running mem && tell HUP && [ "$(value verified)" = 1 ]
}

container mem -- mem-loop -s 16 "$T/report" || die "no container"
wait_until 60 test -s "$T/report" || die "the program does not come up"
ok "D1 an image" checkpoint mem img
history=$(snapshots)
remember

ok "D1 a reader that takes 100000 bytes" bash -c "cat $mem/image | head -c 100000 >/dev/null"
undisturbed D1 "a reader that stops"

slow_reader || die "no reader"
kill -KILL $reader
wait $reader 2>/dev/null
touch go
undisturbed D1 "a reader that is killed"

slow_reader || die "no reader"
kill -KILL "$(pidof ckpt-checkpoint)"
touch go
wait $reader
is "D1 a reader whose checkpoint was killed gets an error" $? 1
undisturbed D1 "ckpt-checkpoint that is killed"

# While it collects, as early as can be.
for i in 1 2 3 4 5 6 7 8; do
	cat $mem/image >/dev/null 2>&1 &
	wait_until 5 pidof ckpt-checkpoint
	sleep "0.0$i"
	pkill -KILL -x ckpt-checkpoint
	wait $!
done 2>/dev/null
ok "D1 eight that are killed at another moment each end" wait_until 20 helpers_gone
ok "D1 the container is thawed" wait_until 5 thawed
ok "D1 and works" works
history=$(snapshots)

# Two at once

cat $mem/image >one &
first=$!
cat $mem/image >two
second=$?
wait $first
is "D1 two readers at once" "$? $second" "0 0"
is "D4 both are in the history" "$(snapshots)" $((history + 2))
ok "D1 the container works" works

# Frozen before, frozen after

echo 1 >"$(cgroup_of mem)/cgroup.freeze"
wait_until 20 grep -q 'frozen 1' "$(cgroup_of mem)/cgroup.events"
ok "S6 an image of a frozen container" checkpoint mem three
ok "S6 which is frozen afterwards" grep -q 'frozen 1' "$(cgroup_of mem)/cgroup.events"
is "S6 and says so" "$(field mem state)" frozen
bash -c "cat $mem/image | head -c 100000 >/dev/null"
wait_until 20 helpers_gone
ok "S6 also after a reader that stopped" grep -q 'frozen 1' "$(cgroup_of mem)/cgroup.events"
echo 0 >"$(cgroup_of mem)/cgroup.freeze"
ok "S6 thawed it works" works

for image in img one two three; do
	kill_container mem
	ok "D2 the image '$image' restarts and is consistent" restarts "$T/$image"
done
