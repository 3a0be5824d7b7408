#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Damaged, cut-off and hostile images are refused with a reason, and leave nothing. S16, D2. How many of the possible
# changes are tried grows with CKPT_SOAK: N in it is N times as many random ones, and any value means every place.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

soak=${CKPT_SOAK:-0}
# Of the hostile cases every so-manieth, another one on each kernel.
every=16 from=3
case $CKPT_KERNEL in 6.12) from=9 ;; debug) from=14 ;; esac
[ "$soak" = 0 ] || every=1 from=1

# try DESC OPTION...: the cases on standard input, through ckpt-restart itself
try() {
	local desc=$1 out
	shift

	out=$(bad-image try -t $((20 * PATIENCE)) "$@" img)
	if [ "${out##*, }" = "0 wrong" ] && [[ $out != "0 refused, 0 accepted"* ]]; then
		pass "$desc: $out"
	else
		fail "$desc" "$out"
	fi
}

# refused CASE: as a user sees it
refused() {
	bad-image make img "$1" >bad || return
	if cp bad /ckpt/zoo/restart 2>error; then
		echo "cp has not failed"
		return 1
	fi
	[ -s error ] || { echo "cp says nothing"; return 1; }
	[ -s /ckpt/zoo/log ] || { echo "the log says nothing"; return 1; }
	[ "$(field zoo state)" = stopped ] || { echo "its state is $(field zoo state)"; return 1; }
}

# Programs with strange registers die of them, which the kernel log need not tell.
echo 0 >/proc/sys/debug/exception-trace
mkdir zoo
container zoo -- bad-zoo "$T/zoo" || die "no container"
wait_until 60 test -e zoo/ready || die "the program does not come up"
ok "D1 an image with one of everything" checkpoint zoo img
kill_container zoo
# Its listening socket has a file in the file system, that the restart makes anew.
ok "D2 it restarts" restart zoo img
ok "D2 and is checkpointed again" checkpoint zoo again
kill_container zoo
ok "D2 and restarted from that" restart zoo again
kill_container zoo

remember
bad-image damage img >damage
for change in text tail "$(grep -m1 flip@0+ damage)" $(grep flip@ damage | sed -n '7~19p') \
	$(grep cut@ damage | sed -n '1p;3~11p'); do
	ok "S16 cp fails: $change" refused "$change"
done
ok "S16 and the log has the reason" grep -qE 'trunc|cut|damaged' /ckpt/zoo/log
ok "S16 nothing stays" unchanged

if [ "$soak" != 0 ]; then
	bad-image damage -a img >damage
fi
try "S16 damaged images" <damage
ok "S16 nothing stays" unchanged

if [ "$soak" = 0 ]; then
	bad-image hostile img >hostile
else
	bad-image hostile -a img >hostile
fi
sed -n "$from~${every}p" hostile | try "S16 hostile images" -m
ok "S16 nothing stays" unchanged

bad-image random -c $((40 + 40 * soak)) -s "${CKPT_SEED:-$RANDOM}" | try "S16 random numbers" -m
ok "S16 nothing stays" unchanged

ok "D2 after all this the image restarts" restart zoo img
kill_container zoo
echo 1 >/proc/sys/debug/exception-trace
