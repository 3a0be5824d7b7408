#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Damaged and cut-off images are refused with a reason, and leave nothing: a flipped bit in each record. S16, D2.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/zoo.sh"

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

zoo_image
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

# What is cut off at its end fails when all tasks have their files.
late=$(grep cut@ damage | tail -n 1)
rm -f zoo/socket
ok "S16 cp fails: $late" refused "$late"
fails "S16 a restart that fails leaves no file of a socket" test -e zoo/socket
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("zoo/socket")'
ok "S16 cp fails again" refused "$late"
ok "S16 and leaves one that was there" test -S zoo/socket

if [ "$soak" != 0 ]; then
	bad-image damage -a img >damage
fi
try_images "S16 damaged images" <damage
ok "S16 nothing stays" unchanged
zoo_end
