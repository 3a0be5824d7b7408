#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An interval timer fires while its process is being saved, which takes longer than its interval, as there are many
# mappings: no alarm is lost with an image. A machine that is slower has fewer of them, and time for its alarms.
#
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# With "threads" the main thread takes no alarm, and each of four others may be the one that does.
cat >"$T/alarms.py" <<'END'
import mmap, signal, sys, threading
path, slow, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "threads"
many = [mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE * (i % 2)) for i in range(4000 // slow)]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
count = 0
def take_alarms():
    global count
    while True:
        signal.sigwait({signal.SIGALRM})
        count += 1
        if count % 5 == 0:
            with open(path, "w") as f:
                f.write(str(count))
if threads:
    for i in range(4):
        threading.Thread(target=take_alarms).start()
signal.setitimer(signal.ITIMER_REAL, 0.02 * slow, 0.02 * slow)
if not threads:
    take_alarms()
END

# goes_on: there are more alarms.
goes_on() {
	rm -f "$T/count"
	wait_until 10 test -s "$T/count"
}

# alarms KIND TEXT: of a program of that kind
alarms() {
	local i saved=0 alive=0

	container alarms -- python3 "$T/alarms.py" "$T/count" "$PATIENCE" "$1" || die "no container"
	wait_until 60 test -s "$T/count" || die "the program does not come up"
	ok "T4 $2, with an alarm every $((20 * PATIENCE)) ms" goes_on
	for i in {1..5}; do
		checkpoint alarms "$T/image.$i" && saved=$((saved + 1))
	done
	is "D1 $2: it is saved again and again" "$saved" 5
	ok "T4 $2: its alarms go on" goes_on
	kill_container alarms
	for i in {1..5}; do
		restart alarms "$T/image.$i" && wait_until 20 is_running alarms && goes_on && alive=$((alive + 1))
		kill_container alarms
	done
	is "T4 $2: each image has the alarms go on" "$alive" 5
}

alarms one "a program of one thread"
alarms threads "a program of several threads"
