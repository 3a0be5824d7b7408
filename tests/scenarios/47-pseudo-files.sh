#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Files of proc, sysfs and their like that programs have open all the time come back, and are read on where they were.
# Those that keep more than a position are refused: 36-refuse.sh.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

mkdir tracing
mount -t tracefs tracefs tracing || echo "no tracefs"
start_self_checking pseudo pseudo
# What is not there on this machine.
cat /var/log/ckpt/pseudo.log
generations pseudo
cat /var/log/ckpt/pseudo.log
kill_container pseudo
umount "$T/tracing"
exit 0
