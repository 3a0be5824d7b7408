#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ckpt exec: whose rights and what environment a program gets that is put into a container.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

chmod 755 "$T"
mkdir /sys/fs/cgroup/theirs
echo "root's" >"$T/roots"
chmod 644 "$T/roots"

# somebodys CGROUP OPTION...: a container that uid 1000 made, with these options of unshare(1), is in that cgroup.
somebodys() {
	local cgroup=/sys/fs/cgroup/theirs/$1
	shift

	mkdir "$cgroup"
	chown -R 1000:1000 "$cgroup"
	bash -c 'echo 0 >"$1/cgroup.procs"; shift; exec setpriv --reuid 1000 --regid 1000 --groups 1000,1001 "$@"' - \
		"$cgroup" unshare "$@" --pid --fork --kill-child --mount --mount-proc --uts --ipc --net --cgroup \
		sleep 100000 </dev/null >/dev/null 2>&1 &
	wait_until 20 pid_of_init "$cgroup"
}

# pid_of_init CGROUP: the container's root task.
pid_of_init() {
	local pid

	while read -r pid; do
		if [[ $(sed -n 's/^NSpid:.*[[:space:]]//p' "/proc/$pid/status") = 1 && $(<"/proc/$pid/comm") = sleep ]]; then
			echo "$pid"
			return
		fi
	done <"$1/cgroup.procs"
	return 1
}

# name_of CGROUP: what the daemon calls it.
name_of() {
	local pid file

	pid=$(pid_of_init "$1")
	for file in /ckpt/*/status; do
		grep -qx "init: $pid" "$file" || continue
		file=${file%/status}
		echo "${file##*/}"
		return
	done
}

# inside WHERE: the pid of the program of ckpt exec in the container's cgroup, as the host sees it.
inside() {
	pgrep -f '^sleep 7777$' | head -n 1
}

somebodys mapped --user --map-root-user || die "no container of somebody's"
name=$(name_of /sys/fs/cgroup/theirs/mapped)
[ -n "$name" ] || die "the daemon does not see the container of somebody's"

is "U1 in a container with a user namespace the program is its root" \
	"$(ckpt exec "$name" sh -c 'echo $(id -u) $(id -g) $(grep Groups: /proc/self/status)')" "0 0 Groups:"
ckpt exec "$name" sleep 7777 &
wait_until 20 inside
is "U1 which is the user who made it for the host" \
	"$(awk '/^[UG]id:/ { print $2, $3, $4, $5 }' "/proc/$(inside)/status" | xargs)" "1000 1000 1000 1000 1000 1000 1000 1000"
is "U1 without the groups of the host's root" "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$(inside)/status" | xargs)" ""
is "U1 in its pid namespace" "$(readlink "/proc/$(inside)/ns/pid")" \
	"$(readlink "/proc/$(pid_of_init /sys/fs/cgroup/theirs/mapped)/ns/pid")"
is "U1 in its cgroup" "$(sed -n 's/^0:://p' "/proc/$(inside)/cgroup")" /theirs/mapped
kill "$(inside)"
wait $!
is "U1 and the command ends as it does" $? 143
fails "U1 it writes no file of the host's root" ckpt exec "$name" sh -c "echo theirs >'$T/roots'"
is "U1 which stays as it was" "$(<"$T/roots")" "root's"
fails "U1 and the host's name stays" ckpt exec "$name" sh -c 'echo 1 >/proc/sys/kernel/panic'

somebodys unmapped --user --map-current-user || die "no container without a root"
name=$(name_of /sys/fs/cgroup/theirs/unmapped)
fails "U1 a user namespace without a root takes no program" ckpt exec "$name" touch "$T/came"
matches "U1 and the command says why" "$(ckpt exec "$name" touch "$T/came" 2>&1)" \
	"container $name has a user namespace without a root.*map its user and group 0"
fails "U1 nothing has run there" test -e "$T/came"

container plain -- sleep 100000 || die "no container"
export SECRET=hidden GIVEN=here
is "U14 the environment is PATH, HOME and TERM" "$(ckpt exec plain env | sed 's/=.*//' | sort | xargs)" "HOME PATH TERM"
is "U14 PATH is the container's own" "$(PATH=$PATH:/nowhere ckpt exec plain env | sed -n 's/^PATH=//p')" \
	"$(tr '\0' '\n' <"/proc/$(init_of plain)/environ" | sed -n 's/^PATH=//p')"
container bare -- env -i "$(command -v sleep)" 100000
is "U14 or the caller's if it has none" "$(PATH=$PATH:/nowhere ckpt exec bare env | sed -n 's/^PATH=//p')" "$PATH:/nowhere"
is "U14 what is given comes along, with its own value or the caller's" \
	"$(ckpt exec -e A=1 --env GIVEN -e A=2 -e HOME=/tmp -e UNSET plain env | grep -v '^PATH\|^TERM' | sort | xargs)" \
	"A=2 GIVEN=here HOME=/tmp"
fails "U14 a variable needs a name" ckpt exec -e =x plain true

is "U1 without a user namespace it is root" "$(ckpt exec plain id -u)" 0
is "U1 whatever group the caller has" "$(setpriv --regid 5 --groups 6,7 ckpt exec plain sh -c 'echo $(id -G)')" 0

mkdir /sys/fs/cgroup/few
bash -c 'echo 0 >/sys/fs/cgroup/few/cgroup.procs
	exec setpriv --bounding-set -sys_module,-sys_time unshare --pid --fork --kill-child --mount --mount-proc --uts --ipc --net --cgroup \
		sleep 100000' </dev/null >/dev/null 2>&1 &
wait_until 20 pid_of_init /sys/fs/cgroup/few || die "no container with few capabilities"
is "U1 the program has no capability that the container has not" \
	"$(ckpt exec few grep -E '^Cap(Prm|Bnd)' /proc/self/status | awk '{ print $2 }' | uniq)" \
	"$(awk '/^CapBnd/ { print $2 }' "/proc/$(pid_of_init /sys/fs/cgroup/few)/status")"

is "D7 a program that is not there" "$(ckpt exec plain not-there 2>/dev/null; echo $?)" 127
is "D7 a program's exit status" "$(ckpt exec plain sh -c 'exit 7'; echo $?)" 7
