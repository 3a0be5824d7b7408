#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# TCP connections, both of whose ends are in the container: in all states, with what waits in them. C7.
# timeout: 1500

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

# There is much to look at.
PATIENCE=$((PATIENCE * 4))

# takes STEPS NAME PART...: those of the program's parts, through all generations or two.
takes() {
	local steps=$1 name=$2
	shift 2

	start_self_checking "$name" tcps "$@"
	"$steps" "$name"
	# It says in its log what differed.
	cat "/var/log/ckpt/$name.log"
	kill_container "$name"
}

takes generations talk talkers tasks
takes two_generations queues queues repaired orphans
takes generations states halves gone waiting groups ports shares
takes two_generations kinds kinds
takes two_generations many many
takes two_generations options options

# An end outside of the container, but in its network: of who listens, who has connected, who waits to be accepted. A
# number goes there and back, and who counts says how many did.
mkdir ends
cat >ends/ends.py <<'EOF'
import contextlib, socket, sys, threading, time

how, port, what, dir = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]

def listener():
    s = socket.create_server(("127.0.0.1", port))
    open(f"{dir}/listens", "w").close()
    return s

def connected():
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.1)

def answer(s):
    # Who is killed with an answer unread resets the connection.
    with contextlib.suppress(ConnectionError), s, s.makefile("rwb", buffering=0) as f:
        while line := f.readline():
            f.write(line)

def count(s):
    n = 0
    with s, s.makefile("rwb", buffering=0) as f:
        while True:
            f.write(b"%d\n" % n)
            if f.readline() != b"%d\n" % n:
                break
            n += 1
            with open(f"{dir}/count", "w") as c:
                c.write(f"{n}\n")
            time.sleep(0.05)

do = {"answer": answer, "count": count, "wait": lambda s: time.sleep(100000)}[what]
if how == "both":
    s = listener()
    threading.Thread(target=lambda: answer(s.accept()[0]), daemon=True).start()
    do(connected())
elif how == "listen":
    s = listener()
    while True:
        if what == "wait":
            time.sleep(100000)
        do(s.accept()[0])
else:
    do(connected())
    time.sleep(100000)
EOF

# outside HOW WHAT HOW WHAT OPTION...: a container with a program that does this, and one outside of it that does that;
# what they have together is refused by name, and goes on.
outside() {
	local how=$1 what=$2 theirs=$3 other=$4 pid init desc
	shift 4
	desc="C7 a connection with the outside ($how, $what${1:+, network of the host})"

	rm -f ends/listens ends/count
	container ends "$@" -- /usr/bin/python3 "$T/ends/ends.py" "$how" 7200 "$what" "$T/ends" || die "no container"
	init=$(init_of ends)
	nsenter -t "$init" -n /usr/bin/python3 "$T/ends/ends.py" "$theirs" 7200 "$other" "$T/ends" &
	pid=$!
	if [ "$what$other" = waitwait ]; then
		wait_until 30 nsenter -t "$init" -n sh -c 'ss -tn state established | grep -q :7200'
	else
		wait_until 30 test -s ends/count
	fi
	if cat /ckpt/ends/image >image 2>error; then
		fail "$desc is refused" "the checkpoint succeeded"
	else
		matches "$desc is refused by name" "$(</ckpt/ends/log)" \
			"container.s socket:\[[0-9]+\], a TCP connection with 127\.0\.0\.1:[0-9]+, has its other end outside"
	fi
	if [ "$what$other" != waitwait ]; then
		ok "$desc goes on" counts_on ends/count
	fi
	kill $pid
	wait $pid 2>/dev/null
	# Who answers waits for the next then.
	if [ "$what" = answer ]; then
		ok "$desc is no reason any more when it has ended" wait_until 20 checkpoint ends image
	fi
	kill_container ends
}

outside listen answer connect count
outside connect count listen answer
outside listen wait connect wait
outside listen answer connect count --net host
outside connect count listen answer --net host

# In the network of the host, with both ends in the container: it comes back when nobody else has its port. What the one
# that was killed has left in that network goes by itself.
rm -f ends/count
container ends --net host -- /usr/bin/python3 "$T/ends/ends.py" both 7210 count "$T/ends" || die "no container"
wait_until 30 test -s ends/count
ok "C7 in the network of the host, both ends in the container: checkpoint" checkpoint ends image
ok "C7 it goes on" counts_on ends/count
kill_container ends
/usr/bin/python3 -c '
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 7210))
s.listen()
time.sleep(100000)' &
pid=$!
wait_until 20 sh -c 'ss -tnl | grep -q :7210'
if restart ends image >said 2>&1; then
	fail "C7 a restart fails while somebody else has the port" "it succeeded"
else
	matches "C7 a restart fails by name while somebody else has the port" "$(cat said /ckpt/ends/log)" '127\.0\.0\.1:7210 cannot be bound'
fi
kill $pid
wait $pid 2>/dev/null
ok "C7 it comes back when the port is free" wait_until 100 restart ends image
ok "C7 and goes on" counts_on ends/count
kill_container ends
exit 0
