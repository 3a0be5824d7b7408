#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Terminals whose master and slave are in the container: their states, sessions.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

# with a devpts of its own
rootfs "$T/root" ptys && mkdir -p "$T/root$T/ptys" || die "no root file system"
ln -s "$T/root$T/ptys" "$T/ptys"
container ptys --rootfs "$T/root" -- ptys "$T/ptys" && wait_until 60 test -e "$T/ptys/ready" ||
	die "ptys does not start: $(cat /var/log/ckpt/ptys.log)"
generations ptys
# It says in its log what differed.
grep 'bytes were read' /var/log/ckpt/ptys.log
chmod 600 "/proc/$(init_of ptys)/root/dev/pts/ptmx"
fails "C9 a devpts whose ptmx is not as it was mounted is refused" checkpoint ptys "$T/odd.img"
matches "C9 and it is said which" "$(cat /ckpt/ptys/log)" 'changed owner or mode of /dev/pts'
kill_container ptys >/dev/null

# in the host's, where somebody else may have the number
start_self_checking host ptys
ok "S1 host: checkpoint" checkpoint host "$T/host.img"
fails "C9 beside the original it does not restart" restart copy "$T/host.img"
matches "C9 and it is said which number is taken" "$(cat /ckpt/copy/log)" 'the number of the terminal pts/[0-9]+ is taken'
kill_container host >/dev/null
rise host alone "$T/host.img" && check_itself host alone
is "C9 without it, it does" "$(grep -vc '^ok ' "$(words host)/in-alone") $(grep -c '^ok ' "$(words host)/in-alone")" "0 42"
exit 0
