# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The container "zoo", which has one of everything, for scenarios about what happens to many images; after scenario.sh.

# CKPT_SOAK: 0, or how much more is tried: any value means every place, N in it N times as many random ones.
# shellcheck disable=SC2034 # for scenarios
soak=${CKPT_SOAK:-0}

# Starts it.
zoo() {
	mkdir zoo
	container zoo -- bad-zoo "$T/zoo" || die "no container"
	wait_until 60 test -e zoo/ready || die "the program does not come up"
}

# Starts it, checkpoints it to the file img, and ends it.
zoo_image() {
	# Programs with strange registers die of them, which the kernel log need not tell.
	echo 0 >/proc/sys/debug/exception-trace
	zoo
	ok "D1 an image with one of everything" checkpoint zoo img
	kill_container zoo
}

# The image still restarts.
zoo_end() {
	ok "D2 after all this the image restarts" restart zoo img
	kill_container zoo
	echo 1 >/proc/sys/debug/exception-trace
}

# try_images DESC OPTION...: the cases on standard input, through ckpt-restart itself
try_images() {
	local desc=$1 out
	shift

	out=$(bad-image try -t $((20 * PATIENCE)) "$@" img)
	if [ "${out##*, }" = "0 wrong" ] && [[ $out != "0 refused, 0 accepted"* ]]; then
		pass "$desc: $out"
	else
		fail "$desc" "$out"
	fi
}
