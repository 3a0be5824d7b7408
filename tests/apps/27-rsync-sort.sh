#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rsync from disk to disk, and a sort of more than its memory holds.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

if which rsync >/dev/null; then
	mkdir -p from/{a,b/c}
	for i in {1..30}; do head -c 40000 /dev/urandom >from/a/$i; done
	head -c 1500000 /dev/urandom >from/b/c/large
	ln -s a from/link
	ln from/a/1 from/b/hard
	copied() {
		[ -e "$1/a/15" ]
	}
	same() {
		diff -r from "$1" && [ "$(readlink "$1/link")" = a ] && [ "$1/a/1" -ef "$1/b/hard" ]
	}
	start rsync 'rsync -aH --bwlimit=1000 from/ to; echo $? >ended1
		rsync -aH --bwlimit=1000 from/ to2; echo $? >ended2; sleep 100000'
	wait_until 30 copied to || die "rsync does not copy"
	taken rsync rsync
	comes "C6 rsync, gone on: it ends" 60 test -s ended1
	ok "C1 rsync, gone on: the copy is the same" same to
	wait_until 30 copied to2 || die "rsync does not copy a second time"
	ended rsync rsync
	comes "C6 rsync, restarted: it ends" 60 test -s ended2
	ok "C1 rsync, restarted: the copy is the same" same to2
	is "C6 rsync: and found no fault" "$(cat ended1 ended2)" "0
0"
	kill_container rsync
else
	skip "D1 rsync" "there is none"
fi

seq 120000 | awk '{ print ($1 * 7919) % 120011, "of a line that is to be sorted" }' >lines
start sort 'mount -t tmpfs own sort; sort -n --parallel=2 -S 500k -T sort lines >sorted.new; echo $? >>sorted.new
	mv sorted.new sorted; sleep 100000'
at_work() {
	[ "$(find "/proc/$(init_of sort)/root$T/sort" -name 'sort*' | wc -l)" -ge 3 ]
}
wanted=$( (LC_ALL=C sort -n lines; echo 0) | sha256sum)
wait_until 60 at_work || die "sort has no files"
taken sort "a sort of more than its memory"
comes "C1 sort, gone on: it ends" 60 test -e sorted
is "T10 sort, gone on: the lines are sorted" "$(sha256sum <sorted)" "$wanted"
head -n -1 sorted >sorted.new
rm sorted
back sort "a sort of more than its memory"
comes "C1 sort, restarted: it ends" 60 test -e sorted
is "T10 sort, restarted: the lines are sorted" "$(sha256sum <sorted)" "$wanted"
