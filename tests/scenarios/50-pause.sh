#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A large container that writes all over its memory while its image is read slowly: the image is of one moment.
#
# timeout: 400

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

mib=128

# value KEY: of the program's last report
value() {
	sed -n "s/^$1 //p" "$T/report"
}

# tell SIGNAL: the program answers with a new report
tell() {
	rm -f "$T/report"
	kill "-$1" "$(init_of mem)" && wait_until 120 test -s "$T/report"
}

consistent() {
	tell HUP || return
	cat "$T/report"
	[ "$(value verified)" = 1 ]
}

read_slowly() {
	pv -q -L 10m /ckpt/mem/image >img
}

container mem -- mem-loop $mib "$T/report" || die "no container"
wait_until 200 test -s report || die "the program does not fill its memory"
tell USR1 || die "the program does not answer"
before=$(value transactions)
ok "D1 $mib MiB read at 10 MB a second" read_slowly &
reader=$!
# In the middle of it:
wait_until 60 test -s img || die "the image does not come"
sleep 5
is "D1 meanwhile it runs" "$(field mem state)" running
tell USR2
first=$(value transactions)
sleep 5
tell USR1
second=$(value transactions)
wait $reader
at_most "D1 bytes of the image are more than those of its memory" $((mib << 20)) "$(stat -c %s img)"
ok "D1 the container has worked while it was read" test "$second" -gt "$first" -a "$first" -gt "$before"
echo "the longest gap of its clock: $(value gap-us) us; the engine says $(field mem pause-us) us"
ok "D1 its own memory is right" consistent
tell USR1
last=$(value transactions)
kill_container mem
ok "D2 it restarts" restart mem img
ok "D2 the image was of one moment" consistent
tell USR1
ok "D2 which was before the end of the reading" test "$(value transactions)" -lt "$last"
