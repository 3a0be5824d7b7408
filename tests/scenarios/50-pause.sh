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

# now_us: the clock that the program looks at, which is read here to a hundredth of a second
now_us() {
	awk '{ printf "%d\n", $1 * 1000000 }' /proc/uptime
}

# longest_gap: when the longest of its report's gaps began, by that clock
longest_gap() {
	awk '$1 == "gap" && $3 - $2 > longest { longest = $3 - $2; from = $2 } END { print from + 0 }' "$T/report"
}

read_slowly() {
	pv -q -L 10m /ckpt/mem/image >img
}

container mem -- mem-loop $mib "$T/report" || die "no container"
wait_until 200 test -s report || die "the program does not fill its memory"
tell USR2 || die "the program does not answer"
before=$(value transactions)
asked=$(now_us)
ok "D1 $mib MiB read at 10 MB a second" read_slowly &
reader=$!
# In the middle of it:
wait_until 60 test -s img || die "the image does not come"
came=$(now_us)
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
kill_container mem
ok "D2 it restarts" restart mem img
ok "D2 the image was of one moment" consistent
# The longest time that it was not there is from that moment to the restart.
moment=$(longest_gap)
echo "asked for at $asked us, the first bytes came at $came, the longest gap is from $moment on"
ok "D2 which was before the first bytes came" test "$moment" -ge "$asked" -a "$moment" -le $((came + 10000))
