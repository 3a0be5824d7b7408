#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The machine itself: module, device, daemon.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

ok "S1 the module is loaded on $(uname -r)" grep -q '^ckpt ' /proc/modules
ok "S1 /dev/ckpt is a character device" test -c /dev/ckpt
ok "D1 /ckpt is a FUSE file system" grep -q ' /ckpt .* - fuse\.ckptfs ' /proc/self/mountinfo
ok "D1 /ckpt can be listed" ls -l /ckpt
ok "D1 the commands are in PATH" which ckpt ckptfs ckpt-checkpoint ckpt-restart
is "T10 cgroup v2 alone is on /sys/fs/cgroup" "$(stat -f -c %T /sys/fs/cgroup)" cgroup2fs
ok "T10 the freezer is there" bash -c '
	mkdir /sys/fs/cgroup/smoke && echo 1 >/sys/fs/cgroup/smoke/cgroup.freeze && rmdir /sys/fs/cgroup/smoke'
