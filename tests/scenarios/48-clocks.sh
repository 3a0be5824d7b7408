#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Timers across a restart before which somebody sets the clock.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

dir=$(words clocks)
start_self_checking clocks clocks
ok "S1 clocks: checkpoint" checkpoint clocks "$dir/image" || die "no image"
check_itself clocks undisturbed
rise clocks restarted "$dir/image" && check_itself clocks restarted
kill_container clocks
touch "$dir/jumped"
date -s "@$(($(date +%s) + 3000))" >/dev/null
rise clocks jumped "$dir/image" && check_itself clocks jumped
date -s "@$(($(date +%s) - 3000))" >/dev/null
report_verdicts clocks
exit 0
