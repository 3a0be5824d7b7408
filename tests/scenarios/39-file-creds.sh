#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An open file can do what the one who opened it could, and no more; pipes and sockets belong to whom they did.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking file-creds file-creds
generations file-creds
exit 0
