#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Servers and their clients in one container, which talk all the time while it is checkpointed and comes back. C7.
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

cache=${CKPTFS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ckptfs}

# no_error WHO WHEN: no client has missed an answer, or got another.
no_error() {
	is "C7 $1, $2: no client has an error" "$(cat "$T/$1/error" 2>&1)" ""
}

# goes_on WHO WHEN: the slowest client has more answers, too.
goes_on() {
	if counts_on "$T/$1/count"; then
		pass "C7 $1, $2: every client goes on"
	else
		fail "C7 $1, $2: every client goes on" "$(tail -n 5 "/var/log/ckpt/$1.log" "/ckpt/$1/log" 2>&1)"
	fi
	no_error "$1" "$2"
}

# load WHO COMMAND...: five checkpoints from which it goes on; then five times it is saved, ends and comes back.
load() {
	local who=$1 i
	shift

	: >"$who/error"
	container "$who" -- "$@" || die "$who does not start"
	wait_until 60 test -s "$who/count" || die "$who does not begin: $(tail -n 5 "/var/log/ckpt/$who.log")"
	goes_on "$who" "at first"
	for i in 1 2 3 4 5; do
		ok "C7 $who, checkpoint $i under load" checkpoint "$who" "$who.img"
		goes_on "$who" "checkpoint $i"
	done
	for i in 1 2 3 4 5; do
		ok "C7 N1 $who, end $i: it is saved and ends" ckpt save --stop "$who" "$who.img"
		wait_until 20 is_gone "$who"
		ok "C7 $who, end $i: it comes back" restart "$who" "$who.img" || break
		goes_on "$who" "end $i"
	done
	kill_container "$who"
}

mkdir asyncio
cat >asyncio/server.py <<'EOF'
import asyncio

async def serve(reader, writer):
    while line := await reader.readline():
        n, size = map(int, line.split())
        body = await reader.readexactly(size)
        writer.write(b"%d %d\n" % (n + 1, size) + body[::-1])
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 7300)
    await server.serve_forever()

asyncio.run(main())
EOF
cat >asyncio/client.py <<'EOF'
import asyncio, sys

dir = sys.argv[1]
rounds = [0] * 20

async def connect():
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", 7300)
        except ConnectionRefusedError:
            await asyncio.sleep(0.2)

async def client(i):
    reader, writer = await connect()
    n = 0
    while True:
        size = (n * 7919 + i) % 20000
        body = bytes((n + k) % 251 for k in range(50)) * (size // 50)
        writer.write(b"%d %d\n" % (n, len(body)) + body)
        await writer.drain()
        line = await reader.readline()
        answer = await reader.readexactly(len(body))
        if line != b"%d %d\n" % (n + 1, len(body)) or answer != body[::-1]:
            raise RuntimeError(f"client {i}, round {n}: {line}")
        n += 1
        rounds[i] = n
        await asyncio.sleep(0.001)

async def tell():
    while True:
        with open(dir + "/count", "w") as f:
            f.write(f"{min(rounds)}\n")
        await asyncio.sleep(0.2)

async def main():
    await asyncio.gather(tell(), *(client(i) for i in range(20)))

try:
    asyncio.run(main())
except Exception as e:
    with open(dir + "/error", "a") as f:
        f.write(f"{e!r}\n")
    raise
EOF
load asyncio sh -c "/usr/bin/python3 '$T/asyncio/server.py' & exec /usr/bin/python3 '$T/asyncio/client.py' '$T/asyncio'"

if ! command -v redis-server >/dev/null && ! [ -x "$cache/redis/usr/bin/redis-server" ]; then
	skip "C7 Redis with twenty clients" "there is no Redis here; ./demo unpacks one"
	exit 0
fi
command -v redis-server >/dev/null || "$CKPT_TOP/tests/lib/use-redis" "$cache/redis" || die "Redis cannot be used"
mkdir redis
load redis sh -c "redis-server --save '' --port 7301 & exec tcp-clients '$T/redis' 7301 20"
exit 0
