#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# UDP: whom sockets are connected with, and what waits in them. C7.
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking udp udps
generations udp
cat "/var/log/ckpt/udp.log"
kill_container udp
