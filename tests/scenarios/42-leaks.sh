#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many checkpoints and restarts, good ones and failing ones, leave nothing; the module goes and comes. S16.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/zoo.sh"

cycles=24
# what KASAN and lockdep keep of each thing
larger=1
[ "$CKPT_KERNEL" != debug ] || larger=4

# kib KEY: of /proc/meminfo
kib() {
	awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo
}

# KiB that the machine has in use, as far as they do not come back by themselves. The store and this scenario's files
# lie in its memory as well, and grow: they are left out; so are the pages that each processor keeps for its next need,
# which count as neither free nor available.
used() {
	local files lists

	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	echo 3 >/proc/sys/vm/drop_caches
	files=$(du -sxk /var/lib/ckptfs "$T" | awk '{ sum += $1 } END { print sum }')
	lists=$(awk '$1 == "count:" { sum += $2 } END { print sum * 4 }' /proc/zoneinfo)
	echo $(($(kib MemTotal) - $(kib MemAvailable) - lists - files))
}

unreclaimable() {
	kib SUnreclaim
}

# What file-nr says is off by up to 32 for each processor. The objects in use of their cache are off by what a processor
# holds back of one slab, and less when it was made to give that up: the least of several looks.
open_files() {
	local i now least=1000000

	for ((i = 0; i < 10; i++)); do
		echo 1 >/sys/kernel/slab/filp/shrink
		read -r now _ </sys/kernel/slab/filp/objects
		[ "$now" -ge "$least" ] || least=$now
	done
	echo "$least"
}

zombies() {
	grep -l '^State:.*Z' /proc/[0-9]*/status 2>/dev/null | wc -l
}

cycle() {
	cat /ckpt/zoo/image >"$T/img" && kill_container zoo && cp "$T/img" /ckpt/zoo/restart &&
		wait_until 20 is_running zoo
}

failing() {
	! cp "$T/bad" /ckpt/zoo/restart 2>/dev/null
}

repeat() {
	local i

	for ((i = 0; i < cycles; i++)); do
		"$@" || { echo "number $i fails: $(cat /ckpt/zoo/log)"; return 1; }
	done
}

# A restart that fails late has all the more to give back: its last page is wrong.
make_bad() {
	bad-image damage img | grep flip | tail -n 3 | head -n 1 >case
	bad-image make img "$(cat case)" >bad
}

zoo
# The first times leave what is kept for the next: caches, the daemon's memory.
for i in 1 2 3; do
	cycle || die "no cycle: $(cat /ckpt/zoo/log)"
done
kill_container zoo
make_bad
failing
remember
memory=$(used) slab=$(unreclaimable) files=$(open_files)

restart zoo img || die "no restart"
ok "D2 $cycles times checkpoint, kill and restart" repeat cycle
kill_container zoo
ok "S16 nothing stays" unchanged
is "S16 no zombie" "$(zombies)" 0
ok "S16 $cycles failing restarts" repeat failing
ok "S16 nothing stays" unchanged
is "S16 no zombie" "$(zombies)" 0
at_most "S16 KiB of memory more than before" $(($(used) - memory)) $((4 * 1024 * larger))
at_most "S16 KiB of slab more than before" $(($(unreclaimable) - slab)) $((3 * 1024 * larger))
at_most "S16 open files more than before" $(($(open_files) - files)) \
	$(($(nproc) * $(</sys/kernel/slab/filp/objs_per_slab)))

module=$(awk '$1 == "ckpt" { print $3 }' /proc/modules)
is "S16 nothing uses the module" "$module" 0
path=/sys/module/ckpt
for i in 1 2 3 4 5 6 7 8 9 10; do
	rmmod ckpt && break
	sleep 0.5
done
fails "S16 rmmod" test -e $path
module=$CKPT_BUILD/kernel/$(uname -r)/ckpt.ko
[ -e "$module" ] || module=$CKPT_BUILD/kernel/debug/ckpt.ko
ok "S16 insmod" insmod "$module"
ok "D2 and it goes on" restart zoo img
ok "D1 as before" cycle
kill_container zoo
