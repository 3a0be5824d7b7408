#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An interval timer fires while its process is being saved, which takes longer than its interval, as there are many
# mappings: no alarm is lost with an image. A machine that is slower has fewer of them, and time for its alarms.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

cat >"$T/alarms.py" <<'END'
import mmap, signal, sys
slow = int(sys.argv[2])
many = [mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE * (i % 2)) for i in range(4000 // slow)]
count = 0
def alarm(*_):
    global count
    count += 1
    if count % 5 == 0:
        with open(sys.argv[1], "w") as f:
            f.write(str(count))
signal.signal(signal.SIGALRM, alarm)
signal.setitimer(signal.ITIMER_REAL, 0.02 * slow, 0.02 * slow)
while True:
    signal.pause()
END

# goes_on: there are more alarms.
goes_on() {
	rm -f "$T/count"
	wait_until 10 test -s "$T/count"
}

container alarms -- python3 "$T/alarms.py" "$T/count" "$PATIENCE" || die "no container"
wait_until 60 test -s "$T/count" || die "the program does not come up"
ok "T4 a program with an alarm every $((20 * PATIENCE)) ms" goes_on
saved=0 alive=0
for i in {1..5}; do
	checkpoint alarms "$T/image.$i" && saved=$((saved + 1))
done
is "D1 it is saved again and again" "$saved" 5
ok "T4 and its alarms go on" goes_on
kill_container alarms
for i in {1..5}; do
	restart alarms "$T/image.$i" && wait_until 20 is_running alarms && goes_on && alive=$((alive + 1))
	kill_container alarms
done
is "T4 each image has the alarms go on" "$alive" 5
