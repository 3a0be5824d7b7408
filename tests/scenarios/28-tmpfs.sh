#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a container has mounted of type tmpfs itself is in the image, with all that is in it.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking tmpfs tmpfs
is "N2 T10 nothing is in the way of a checkpoint" "$(ckpt check tmpfs; echo $?)" 0
ok "T10 checkpoint of one that is not asked" checkpoint tmpfs untouched
generations tmpfs
grep ' was: \| is: ' /var/log/ckpt/tmpfs.log
kill_container tmpfs

is "N2 T10 nothing is in the way of a restart" "$(ckpt check --restart untouched; echo $?)" 0

# A restart that fails leaves nothing, and one that does not leaves the host's directories as they were.
remember
head -c -100 untouched >short
fails "S16 T10 an image that is cut off: no restart" cp short /ckpt/tmpfs/restart
rm short
wait_until 20 is_gone tmpfs
ok "S16 T10 and nothing is left of it" unchanged
is "T10 what is below the mounts is as it was" "$(find tmpfs/a tmpfs/dev tmpfs/readonly tmpfs/bound | wc -l)" 4

# sleeper NAME SCRIPT: a container whose shell runs SCRIPT, makes NAME.ready, and waits; it has the tmpfs own.
sleeper() {
	mkdir -p own
	# shellcheck disable=SC2016 # for the container's shell
	container "$1" -- bash -c 'cd "$0"; mount -t tmpfs own own; eval "$2"; : >"$1.ready"; while :; do sleep 1; done' \
		"$T" "$1" "$2" && wait_until 60 test -e "$1.ready" || die "$1 is not ready: $(cat "/var/log/ckpt/$1.log")"
}

# inside NAME: the directory with the mount of its own, as the container sees it.
inside() {
	echo "/proc/$(init_of "$1")/root$T/own"
}

# refused DESC NAME REGEX
refused() {
	local log

	fails "$1" cat "/ckpt/$2/image"
	log=$(<"/ckpt/$2/log")
	matches "$1 by name" "$log" "$3"
	is "$1: it runs on" "$(field "$2" state)" running
	kill_container "$2"
}

# What is as big as it is allowed to be comes back, and has no more room.
sleeper full 'mount -o remount,size=4m own; head -c 5M /dev/urandom >own/full; sha1sum own/full >sum'
ok "T10 one that is full: checkpoint" checkpoint full image
is "T10 the image is as long as what it has, and little more" "$(($(stat -c %s image) >> 20 < 16))" 1
kill_container full
ok "T10 one that is full: restart" restart full image
is "T10 it has the same" "$(sha1sum <"$(inside full)/full")" "$(sed 's/ .*/  -/' sum)"
fails "T10 and no more room" sh -c "echo more >'$(inside full)/more'"
kill_container full

# Many files, without names at hand for each descriptor.
sleeper many 'mkdir own/{1..20}; for d in own/*; do (cd "$d"; echo text | tee {1..100} >/dev/null); done'
list() {
	(cd "$(inside many)" && ls -lfRi . && cat ./*/* | sha1sum)
}
before=$(list)
ok "T10 two thousand files: checkpoint" checkpoint many image
kill_container many
ok "T10 two thousand files: restart" restart many image
is "T10 they are the same" "$([ "$(list)" = "$before" ]; echo $?)" 0
kill_container many

# The container pays for the copy, and is not killed for it.
mkdir -p /sys/fs/cgroup/ckpt
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo +memory >/sys/fs/cgroup/ckpt/cgroup.subtree_control
sleeper dear 'head -c 24M /dev/urandom >own/dear'
echo "max-frozen: $((5 * PATIENCE))s" >/ckpt/dear/options
group=$(cgroup_of dear)
[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
echo $(($(<"$group/memory.current") + (8 << 20))) >"$group/memory.max"
fails "T10 K6 a copy that the container's memory.max leaves no room for" cat /ckpt/dear/image
matches "T10 K6 and the log says whose room it is" "$(</ckpt/dear/log)" "no room for a copy of the container's own tmpfs.*memory.max"
is "T10 K6 nobody was killed for it" "$(awk '$1 == "oom_kill" { print $2 }' "$group/memory.events") $(field dear state)" "0 running"
echo max >"$group/memory.max"
ok "T10 K6 with room it is copied" checkpoint dear image
kill_container dear
ok "T10 K6 it is restarted" restart dear image
matches "T10 K6 and has paid for what it has" "$(awk '$1 == "shmem" { print ($2 > 24000000) }' "$(cgroup_of dear)/memory.stat")" 1
kill_container dear

# What would be lost is refused.
sleeper list ': >own/f; setfacl -m u:7:r own/f 2>/dev/null || python3 -c "import os, struct
os.setxattr(\"own/f\", \"system.posix_acl_access\", struct.pack(\"<I\" + 5 * \"HHI\", 2, 1, 6, 2**32 - 1, 2, 4, 7, 4, 4, 2**32 - 1, 16, 4, 2**32 - 1, 32, 4, 2**32 - 1))"'
refused "T10 a file with an access list is refused" list "f lies in a tmpfs of the container's own and has the extended attribute system.posix_acl_access"
sleeper flags ': >own/f; chattr +i own/f'
refused "T10 a file with attributes of chattr is refused" flags "f, in a tmpfs of the container's own, has attributes of chattr"
sleeper part 'mkdir own/d; mount --bind own/d own'
refused "T10 one of which only a part can be seen is refused" part "on $T/own, over which something else is mounted"
sleeper under 'mount -t tmpfs above own'
refused "T10 one under another is refused" under "tmpfs file system of its own on $T/own, over which something else is mounted"
sleeper onto 'mknod own/null c 1 3; mount --bind /dev/null own/null'
refused "T10 a device on which something is mounted is refused" onto 'null, in a tmpfs .* has something mounted on it and is neither'
sleeper policy 'mount -o remount,mpol=interleave:0 own'
if grep -q mpol "/proc/$(init_of policy)/mounts"; then
	refused "T10 one with a NUMA memory policy is refused" policy "the tmpfs file system on $T/own has the option mpol"
else
	skip "T10 a NUMA memory policy" "this kernel has none"
	kill_container policy
fi
sleeper elsewhere :
unshare --mount --propagation private sleep 1000 &
other=$!
wait_until 20 eval '[ "$(readlink /proc/$other/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]'
nsenter -t "$(init_of elsewhere)" -m unshare --mount --propagation unchanged sleep 1000 &
other="$other $!"
wait_until 20 eval "[ \"\$(readlink /proc/$!/ns/mnt)\" != \"\$(readlink /proc/self/ns/mnt)\" ] && [ \"\$(readlink /proc/$!/ns/mnt)\" != \"\$(readlink /proc/$(init_of elsewhere)/ns/mnt)\" ]"
refused "T10 one that another mount namespace has, too, is refused" elsewhere 'that is mounted in another mount namespace, too'
# shellcheck disable=SC2086 # two numbers
kill $other

# What is the host's stays the host's.
mkdir host
mount -t tmpfs host host
echo text >host/f
sleeper host 'exec 3<host/f'
ok "T10 a tmpfs of the host's is none of its own: checkpoint" checkpoint host image
kill_container host
echo more >>host/f
ok "T10 a tmpfs of the host's: restart" restart host image
is "T10 its file is the host's" "$(cat "/proc/$(init_of host)/fd/3")" $'text\nmore'
kill_container host
umount host
exit 0
