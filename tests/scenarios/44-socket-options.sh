#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every option of sockets, set to what is not its default, in every kind of socket that can have it.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking sockopts sockopts
while IFS=: read -r option reason; do
	skip "C7 sockets keep $option" "$reason"
done <"$(words sockopts)/missing"
# What is at a port must not be in the way of who comes back to it.
generations sockopts
# It says in its log what differed.
grep differs /var/log/ckpt/sockopts.log
exit 0
