#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Python with threads, a listening socket, timers, an event and a dictionary.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

cat >server.py <<'END'
import hashlib, os, select, socket, sys, threading, time

words = {i: "word-%d" % (i * i) for i in range(15000)}
ticks = [0] * 4
event = threading.Event()
released = []
lock = threading.Lock()
alarms = []

def tick(n):
    while True:
        time.sleep(0.05 * (n + 1))
        with lock:
            ticks[n] += 1

def wait_for_event():
    event.wait()
    released.append(threading.get_ident())

def alarm():
    alarms.append(time.monotonic())

def state():
    h = hashlib.sha256(repr(sorted(words.items())).encode())
    return "%d %s" % (len(words), h.hexdigest())

def answer(c):
    request = c.makefile().readline().strip()
    if request == "state":
        reply = state()
    elif request == "ticks":
        reply = " ".join(map(str, ticks))
    elif request.startswith("set "):
        words[int(request.split()[1])] = request
        reply = "ok"
    elif request == "alarm":
        threading.Timer(1.0, alarm).start()
        reply = "ok"
    elif request == "alarms":
        reply = str(len(alarms))
    elif request == "release":
        event.set()
        time.sleep(0.5)
        reply = str(len(released))
    elif request == "who":
        reply = "%d %d %s" % (os.getpid(), threading.active_count(), os.getcwd())
    else:
        reply = "?"
    c.sendall((reply + "\n").encode())
    c.close()

server = socket.create_server(("127.0.0.1", 7000))
for n in range(4):
    threading.Thread(target=tick, args=(n,), daemon=True).start()
for n in range(3):
    threading.Thread(target=wait_for_event, daemon=True).start()
threading.Timer(100000, alarm).start()
while True:
    c, _ = server.accept()
    answer(c)
END

ask() {
	ckpt exec python /usr/bin/python3 -c '
import socket, sys
c = socket.create_connection(("127.0.0.1", 7000), 20)
c.sendall((sys.argv[1] + "\n").encode())
print(c.makefile().readline().strip())' "$*"
}

answers() {
	[ "$(ask ping)" = '?' ]
}

fired() {
	[ "$(ask alarms)" = 1 ]
}

# looks WHEN; until the timer has fired, it has a thread of its own
looks() {
	local -a before after
	local n on=yes

	wait_until 10 fired
	is "S10 Python, $1: dictionary" "$(ask state)" "$state"
	is "T1 Python, $1: pid, threads, directory" "$(ask who)" "$who"
	read -ra before <<<"$(ask ticks)"
	sleep 1
	read -ra after <<<"$(ask ticks)"
	for n in 0 1 2 3; do
		((after[n] > before[n])) || on=no
	done
	is "T4 Python, $1: sleeping threads go on" "$on" yes
}

# works WHEN
works() {
	is "S10 Python, $1: changes its dictionary" "$(ask set 7 "$1") $(ask state | cut -d ' ' -f 1)" "ok 15000"
	is "T5 Python, $1: an event wakes three threads" "$(ask release)" 3
}

rise() {
	kill_container python >/dev/null 2>&1
	ok "S3 Python, $1: restart" restart python "$2"
	if wait_until 20 answers; then
		pass "C7 Python, $1: the listening socket answers"
	else
		fail "C7 Python, $1: the listening socket answers" "$(cat /ckpt/python/log)"
	fi
}

container python -- /usr/bin/python3 server.py || die "Python does not start"
wait_until 30 answers || die "Python does not answer"
state=$(ask state)
who=$(ask who)
is "T4 Python: a timer of a second is started" "$(ask alarm)" ok
ok "S1 Python: checkpoint" checkpoint python python.img
looks undisturbed
is "T4 Python, undisturbed: the timer has fired" "$(ask alarms)" 1
works undisturbed
rise restarted python.img
looks restarted
is "T4 Python, restarted: the timer has fired" "$(ask alarms)" 1
works restarted
rise "restarted again" python.img
ok "S1 Python: checkpoint after a restart" checkpoint python second.img
looks "restarted again"
rise "second generation" second.img
looks "second generation"
works "second generation"
