# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What scenarios of real programs share, after scenario.sh. A program is in a container of its own, is at work when it is
# taken, and is asked by its own client, or by what comes of its work, whether anything was lost.

# start NAME SCRIPT: the bash script is the init of container NAME, in $T. What it has to do on files of its own it
# does in $T/NAME, an empty directory; when it has mounted a tmpfs there (own_tmpfs) they are in the image.
start() {
	mkdir -p "$T/$1"
	printf 'cd %q\n%s\n' "$T" "$2" >"$T/$1.sh"
	container "$1" -- bash "$T/$1.sh" || die "$1 does not start: $(cat "/var/log/ckpt/$1.log")"
}

# has FILE REGEX: one of its lines is like that.
has() {
	grep -Eqs -- "$2" "$1"
}

# lines FILE N: it has at least so many.
lines() {
	[ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# comes DESC SECONDS CMD [ARG...]: CMD succeeds in that time.
comes() {
	local desc=$1 name

	shift
	if wait_until "$@"; then
		pass "$desc"
	else
		for name in /ckpt/*/; do
			name=${name%/}
			tail -n 5 "/var/log/ckpt/${name##*/}.log" "$name/log"
			is_running "${name##*/}" && ps -o pid,ppid,stat,wchan:20,args --ppid "$(init_of "${name##*/}")"
		done 2>&1 | fail "$desc" "$(cat)"
	fi
}

# taken NAME WHAT: a checkpoint into NAME.img, while it goes on; and how long it stood still.
taken() {
	local name=$1 what=$2

	ok "D1 $what: cat checkpoints it at work" checkpoint "$name" "$T/$name.img" || return
	echo "pause of $name: $(field "$name" pause-us) us, $(pgrep --ns "$(init_of "$name")" --nslist pid -c .) processes"
}

# back NAME WHAT: it is killed, and comes back from that image.
back() {
	kill_container "$1"
	ok "D2 $2: cp restarts it" restart "$1" "$T/$1.img" && wait_until 20 is_running "$1"
}

# ended NAME WHAT: a checkpoint with which the container ends, so that the files on the disk are of the same moment;
# and it comes back from that.
ended() {
	ok "N1 $2: an image with which it ends, at work" ckpt save --stop "$1" "$T/$1.img" || {
		cat "/ckpt/$1/log"
		return 1
	}
	wait_until 20 is_gone "$1"
	ok "D2 $2: cp restarts it" restart "$1" "$T/$1.img" && wait_until 20 is_running "$1"
}
