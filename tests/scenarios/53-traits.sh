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

# As on a machine that has fewer processors; who may not write is not the one to say so.
container bound -- prlimit --fsize=0 taskset 1 sleep 100000 || die "no container"
ok "T1 bound to a processor: checkpoint" checkpoint bound image
kill_container bound
ok "T1 bound to a processor: restart" restart bound image
is "T1 bound to a processor: it is" "$(taskset -p "$(init_of bound)" | sed 's/.*: //')" 1
is "T1 bound to a processor: nothing to be said" "$(</ckpt/bound/log)" ""
kill_container bound
bad-image make image fill@TASK.CPUS=255 >more
ok "T1 bound to 64 processors, of which this machine has two: restart" restart bound more
is "T1 bound to 64 processors: to those that there are" "$(taskset -p "$(init_of bound)" | sed 's/.*: //')" 3
matches "T1 bound to 64 processors: and it is said" "$(</ckpt/bound/log)" \
	"task 1 was also bound to processors that this machine does not have"
kill_container bound
