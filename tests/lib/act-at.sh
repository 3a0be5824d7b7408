# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What happens at a certain place in the kernel, by tests/module/act_at.c; after scenario.sh.

# act_at FUNCTION COMM ACT: from now on; ACT is die=1, kill=PID or wait=MS.
act_at() {
	local dir

	dir=$(uname -r)
	[ "$CKPT_KERNEL" != debug ] || dir=debug
	insmod "$CKPT_BUILD/tests/module/$dir/act_at.ko" function="$1" comm="$2" "$3"
}

# acted: ends that; somebody has come there.
acted() {
	local met

	met=$(</sys/module/act_at/parameters/met)
	rmmod act_at
	[ "${met:-0}" != 0 ] || { echo "nobody has come there"; return 1; }
}
