#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What processes have that is rarely looked at: who their parents are, what they have used, which numbers come next.
#
# machine: -c 2

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/generations.sh"

# Debian's kernels begin without: anybody may trace who may send signals.
if [ -e /proc/sys/kernel/yama/ptrace_scope ]; then
	echo 1 >/proc/sys/kernel/yama/ptrace_scope
fi
start_self_checking traits traits
generations traits
kill_container traits
[ ! -e /proc/sys/kernel/yama/ptrace_scope ] || echo 0 >/proc/sys/kernel/yama/ptrace_scope
exit 0
