#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Redis with 100,000 keys.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

cache=${CKPTFS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ckptfs}
if ! command -v redis-server >/dev/null; then
	[ -x "$cache/redis/usr/bin/redis-server" ] ||
		skip_all "D1 Redis goes back to where it was" "there is no Redis here; ./demo unpacks one"
	"$CKPT_TOP/tests/lib/use-redis" "$cache/redis" || die "Redis cannot be used"
fi

ask() {
	ckpt exec redis redis-cli --raw "$@"
}

answers() {
	[ "$(ask ping)" = PONG ]
}

# contents WHEN ROW: the keys are those of the first moment.
contents() {
	is "$2 Redis, $1: number of keys" "$(ask dbsize)" "$keys"
	is "$2 Redis, $1: digest of keys and values" "$(ask debug digest)" "$digest"
}

# works WHEN: it reads and writes; what it writes is gone with the next restart.
works() {
	is "S10 Redis, $1: sets a key" "$(ask set "new:$1" "$1")" OK
	is "S10 Redis, $1: gets it" "$(ask get "new:$1")" "$1"
	is "S10 Redis, $1: has an old key" "$(ask get key:77777)" value-77777
}

rise() {
	kill_container redis >/dev/null 2>&1
	ok "D2 Redis, $1: cp restarts it" restart redis "$2"
	wait_until 20 answers || fail "D2 Redis, $1: answers" "$(cat /ckpt/redis/log)"
	contents "$1" S10
	is "S12 Redis, $1: its pid is 1 as it was" "$(ask info server | tr -d '\r' | sed -n 's/^process_id://p')" 1
}

container redis -- redis-server --save '' --enable-debug-command yes || die "Redis does not start"
wait_until 30 answers || die "Redis does not answer"
seq 100000 | sed 's/.*/SET key:& value-&/' | ckpt exec redis redis-cli --pipe || die "Redis takes no keys"
keys=$(ask dbsize)
digest=$(ask debug digest)
is "D1 Redis: has 100,000 keys" "$keys" 100000
ask config set timeout 0

is "N2 Redis: nothing is in the way of a checkpoint" "$(ckpt check redis 2>&1; echo $?) $(cat /ckpt/redis/check)" "0 "
ok "D1 Redis: cat checkpoints it" checkpoint redis redis.img
contents "after the checkpoint" D1
works "after the checkpoint"

rise restarted redis.img
works restarted
rise "restarted again" redis.img
is "S10 Redis, restarted again: nothing of the first restart is left" "$(ask exists new:restarted)" 0
ask set second generation
keys=$(ask dbsize)
digest=$(ask debug digest)
ok "D1 Redis: cat checkpoints it after a restart" checkpoint redis second.img

rise "second generation" second.img
is "S10 Redis, second generation: has the key that was new" "$(ask get second)" generation
works "second generation"
