#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unix sockets that are connected: pairs, connections, what waits in them, files that are on their way. C6.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

dir=$(words unixes)
mkdir -p "$dir"

# What stands for syslog: a socket of datagrams outside of the container.
python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1] + "/outside")
while True:
    with open(sys.argv[1] + "/heard", "ab") as f:
        f.write(s.recv(100))' "$dir" &
syslog=$!
wait_until 20 test -S "$dir/outside"

start_self_checking unixes unixes
generations unixes
wait_until 20 eval '[ "$(grep -cx "hello from inside" "$dir/heard")" -ge 4 ]'
is "C6 the one outside has heard of every generation" "$(grep -cx 'hello from inside' "$dir/heard")" 4

# Without it the container cannot be as it was.
kill_container unixes
kill $syslog
wait $syslog 2>/dev/null
if restart unixes "$dir/image.1" 2>error; then
	fail "C6 a restart without the one outside fails" "it succeeded"
else
	matches "C6 a restart without the one outside fails by name" "$(cat error /ckpt/unixes/log)" \
		"a unix socket .UNIX [0-9]+ .*/outside. cannot be connected with the one that its datagrams go to: error 111"
fi

# An end outside of the container.
python3 -c '
import socket, subprocess, time
a, b = socket.socketpair()
subprocess.Popen(["ckpt", "run", "-n", "leashed", "--", "sleep", "1000"], stdin=b)
b.close()
time.sleep(1000)' &
leash=$!
wait_until 20 is_running leashed
if cat /ckpt/leashed/image >image 2>error; then
	fail "C6 a pair with an end outside is refused" "the checkpoint succeeded"
else
	matches "C6 a pair with an end outside is refused by name" "$(</ckpt/leashed/log)" \
		"socket:\[[0-9]+\] is connected with socket:\[[0-9]+\] outside of it, of process [0-9]+ \(.*python3"
fi
kill_container leashed
kill $leash

# An event loop with a pair to wake it up, a server and a client that go on talking.
mkdir loop
cat >loop/loop.py <<'EOF'
import asyncio, sys

dir = sys.argv[1]

async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(b"%d\n" % (int(line) + 1))
        await writer.drain()

async def main():
    await asyncio.start_unix_server(serve, dir + "/server")
    reader, writer = await asyncio.open_unix_connection(dir + "/server")
    n = 0
    while True:
        writer.write(b"%d\n" % n)
        got = int(await reader.readline())
        assert got == n + 1, (got, n)
        n = got
        # by another thread, which wakes the loop up through its pair
        await asyncio.to_thread(lambda: open(dir + "/count", "w").write(f"{n}\n"))
        await asyncio.sleep(0.01)

asyncio.run(main())
EOF

# counts_on: the program's number grows
counts_on() {
	local before
	before=$(<loop/count)
	wait_until 30 eval "n=\$(<loop/count); [ -n \"\$n\" ] && [ \"\$n\" -gt ${before:-0} ]"
}

container loop -- python3 "$T/loop/loop.py" "$T/loop"
wait_until 60 test -s loop/count
ok "C6 asyncio: checkpoint" checkpoint loop loop.img
ok "C6 asyncio: it goes on" counts_on
kill_container loop
ok "C6 asyncio: restart" restart loop loop.img
ok "C6 asyncio: it goes on after it" counts_on
ok "C6 asyncio: checkpoint of the restarted" checkpoint loop loop.img
kill_container loop
ok "C6 asyncio: restart of that" restart loop loop.img
ok "C6 asyncio: and it goes on" counts_on
kill_container loop
exit 0
