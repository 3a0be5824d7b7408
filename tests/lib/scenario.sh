# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What scenarios share. A scenario is tests/scenarios/NN-name.sh, bash, run as root in the test machine by
# tests/run-scenarios. It begins with
#
#	. "$CKPT_TOP/tests/lib/scenario.sh"
#
# and reports with the functions below, each of which prints one line: "ok - ROW text", "not ok - ROW text" or
# "skip - ROW text: reason", where ROW names the requirement that the test proves (S4, D2 ...). Any other output is
# shown only when the scenario has failed. Its working directory and $T are a directory of its own, gone afterwards;
# containers, processes and snapshots that it leaves are removed when it ends, however it ends.
#
# Comment lines of the scenario may ask for: "# timeout: SECONDS" (400; ten times that on the debug kernel),
# "# machine: -c 2" (options of tests/vm/vm; scenarios that ask for the same share a boot), "# host: yes" (it needs
# neither the engine nor a container, and tests/run-host runs it on the machine's own kernel, too).

set -u

# The directory of this scenario.
T=${T:-$(mktemp -d /tmp/scenario.XXXXXX)}
# Where the daemon is mounted: tests/run-host has one of its own elsewhere.
CKPT=${CKPT_MOUNT:-/ckpt}

# shellcheck source-path=SCRIPTDIR
. "$CKPT_TOP/tests/lib/results.sh"

# rootfs DIR: makes DIR a small root file system: busybox with its commands, /etc with root and nobody, empty mount
# points; and whatever programs follow, each with the libraries it needs.
rootfs() {
	local dir=$1 name program lib
	shift

	mkdir -p "$dir"/{bin,dev,etc,proc,root,sys,tmp,usr,var} || return
	chmod 1777 "$dir/tmp"
	cp "$(command -v busybox)" "$dir/bin/busybox" || return
	chroot "$dir" /bin/busybox --install -s /bin || return
	ln -sfn ../bin "$dir/usr/bin"
	ln -sfn bin "$dir/sbin"
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$dir/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$dir/etc/group"
	for name in "$@"; do
		program=$(command -v "$name") || return
		rm -f "$dir/bin/${program##*/}"
		cp -L "$program" "$dir/bin/" || return
		for lib in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
			mkdir -p "$dir${lib%/*}"
			cp -L "$lib" "$dir$lib" || return
		done
	done
}

# look_up NAME KEY: sets $value to that of KEY in the container's status. It is asked ten times a second by whoever
# waits, so that it starts no process.
look_up() {
	local lines line

	value=''
	mapfile -t lines <"$CKPT/$1/status" || return
	for line in "${lines[@]}"; do
		if [[ $line = "$2:"* ]]; then
			value=${line#"$2:"}
			value=${value#"${value%%[! ]*}"}
			return
		fi
	done
}

# field NAME KEY: prints it.
field() {
	local value

	look_up "$1" "$2" && echo "$value"
}

# init_of NAME: pid of the container's root task as seen here.
init_of() {
	field "$1" init
}

# cgroup_of NAME: the container's cgroup as a directory.
cgroup_of() {
	local path

	path=$(field "$1" cgroup)
	echo "/sys/fs/cgroup/${path#/sys/fs/cgroup/}"
}

is_running() {
	local value

	look_up "$1" state && [ "$value" = running ]
}

is_gone() {
	local value

	[ -e "/ckpt/$1" ] && look_up "$1" init || return 0
	[ -z "$value" ] || [ "$value" = - ]
}

# container NAME [OPTION...] -- CMD [ARG...]: starts a container in the background and waits until it runs.
container() {
	local name=$1
	shift

	ckpt run -d -n "$name" "$@" && wait_until 20 is_running "$name"
}

# kill_container NAME: and wait until nothing of it is left.
kill_container() {
	ckpt kill "$1" && wait_until 20 is_gone "$1"
}

# counts_on FILE: the container that writes its count to FILE, again and again, goes on counting. It writes to FILE itself,
# not to another that is then moved there: what an image has open must have its name when that is restarted.
counts_on() {
	local first='' now='' end=$((SECONDS + 30 * PATIENCE))

	# What is there may be another's, who was ahead of the one that is asked.
	rm -f "$1"
	until [ -n "$first" ] && [ "${now:-0}" -gt $((first + 2)) ]; do
		[ $SECONDS -lt $end ] || { echo "it counted to '$first', and '$now' is the last that was seen"; return 1; }
		nap 0.1
		now=''
		read -r now 2>/dev/null <"$1"
		first=${first:-$now}
	done
}

# checkpoint NAME FILE: as a user does it.
checkpoint() {
	cat "/ckpt/$1/image" >"$2" || {
		cat "/ckpt/$1/log"
		return 1
	}
}

# restart NAME FILE: as a user does it.
restart() {
	mkdir -p "/ckpt/$1" || return
	cp "$2" "/ckpt/$1/restart" || {
		cat "/ckpt/$1/log"
		return 1
	}
}

# Prints what a failed operation must not change: programs, cgroups, mounts, and what lies in /tmp and /run.
machine_state() {
	local dir stat group

	read -r stat </proc/self/stat
	# shellcheck disable=SC2086 # fields
	set -- ${stat##*) }
	group=$3
	for dir in /proc/[0-9]*; do
		read -r stat 2>/dev/null <"$dir/stat" || continue
		# After the name, field 7 has the flags; 0x200000 is a kernel thread. Field 3 is the process group: that of
		# the scenario itself comes and goes.
		# shellcheck disable=SC2086 # fields
		set -- ${stat##*) }
		if ! (($7 & 0x200000)) && [ "$3" != "$group" ]; then
			echo "task ${stat%%)*})"
		fi
	done
	find /sys/fs/cgroup -mindepth 1 -type d | sed 's/^/cgroup /'
	cut -d ' ' -f 5- /proc/self/mountinfo | sed 's/^/mount /'
	find /tmp /run -xdev -not -path "$T*" -not -path '/run/vm/*' | sed 's/^/file /'
}

# remember: notes the state of the machine for unchanged.
remember() {
	machine_state | sort >"$T/.state"
}

# unchanged: nothing has come or gone since remember. What a dying task takes with it may need a moment.
unchanged() {
	local i

	for ((i = 0; i < 50 * PATIENCE; i++)); do
		machine_state | sort >"$T/.state.now"
		cmp -s "$T/.state" "$T/.state.now" && return
		nap 0.1
	done
	diff "$T/.state" "$T/.state.now"
	return 1
}

# Removes every container, snapshot and cgroup. The machine had none before the scenario.
clean_slate() {
	local dir i

	# What tests/lib/act-at.sh has set up would happen to the next scenario.
	[ ! -e /sys/module/act_at ] || rmmod act_at
	for ((i = 0; i < 50; i++)); do
		for dir in /sys/fs/cgroup/*/; do
			[ -d "$dir" ] || break 2
			while read -r dir; do
				echo 1 >"$dir/cgroup.kill"
				rmdir "$dir"
			done < <(find "$dir" -depth -type d)
		done 2>/dev/null
		[ $i = 0 ] || nap 0.1
	done
	for dir in /ckpt/*/; do
		[ -d "$dir" ] || break
		rm -f "$dir"snapshots/*
		rmdir "$dir"
	done 2>/dev/null
	for dir in $(jobs -p); do
		kill -KILL "$dir"
	done 2>/dev/null
}

scenario_end() {
	local rc=$?

	trap - EXIT
	cd /
	clean_slate
	rm -rf --one-file-system "$T"
	exit $rc
}

if [ -n "${CKPT_MOUNT:-}" ]; then
	cd "$T" || exit
elif [ "${0##*/}" != run-scenarios ]; then
	cd "$T" || exit
	trap scenario_end EXIT
	trap 'exit 143' TERM
fi
