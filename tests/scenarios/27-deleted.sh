#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Files that are deleted and still open, mapped or executed are in the image, each once.
#
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking deleted deleted /dev/shm
is "N2 C2 nothing is in the way of a checkpoint" "$(ckpt check deleted; echo $?)" 0
ok "S1 deleted: checkpoint of one that is not asked" checkpoint deleted "$T/untouched"
generations deleted
grep ' was: \| is: ' /var/log/ckpt/deleted.log
kill_container deleted

# A restart that fails leaves no file, with a name or without.
has() {
	ls -A "$T/deleted" /dev/shm
	df --output=used,iused /dev/shm
}
before=$(has)
head -c -100 "$T/untouched" >short
fails "S16 C2 an image that is cut off: no restart" cp short /ckpt/deleted/restart
is "S16 C2 and nothing is left of its files" "$(wait_until 20 eval '[ "$(has)" = "$before" ]'; has)" "$before"

# The same on a disk, where files without a name can be made as such.
truncate -s 300M disk
mkdir on-disk
if modprobe -q -a ext4 loop; mkfs.ext4 -q disk && mount -o loop disk on-disk; then
	start_self_checking on-disk deleted /dev/shm
	generations on-disk
	grep ' was: \| is: ' /var/log/ckpt/on-disk.log
	kill_container on-disk
else
	skip "C2 on a disk" "there is no ext4 here"
fi

# sleeper NAME FILE SCRIPT: bash with descriptor 3 on FILE that then runs SCRIPT, makes NAME.ready, and waits.
sleeper() {
	# shellcheck disable=SC2016 # for the container's shell
	container "$1" -- bash -c 'cd "$0"; exec 3<"$2"; eval "$3"; : >"$1.ready"; while :; do sleep 1; done' \
		"$T" "$1" "$2" "$3" && wait_until 60 test -e "$1.ready" || die "$1 is not ready: $(cat "/var/log/ckpt/$1.log")"
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

if mountpoint -q on-disk; then
	echo linked >on-disk/first
	sleeper links on-disk/first 'ln on-disk/first on-disk/second; rm on-disk/first'
	ok "C2 it has another name: checkpoint" checkpoint links image
	kill_container links
	ok "C2 it has another name: restart" restart links image
	is "C2 under which it is found" "$(readlink "/proc/$(init_of links)/fd/3")" "$T/on-disk/second"
	is "C2 and is that file" "$(stat -Lc %i "/proc/$(init_of links)/fd/3")" "$(stat -c %i on-disk/second)"
	ok "C2 it loses that, too" rm on-disk/second
	kill_container links
	echo linked >on-disk/first
	sleeper forgot on-disk/first 'ln on-disk/first on-disk/second; rm on-disk/first'
	sync on-disk
	echo 2 >/proc/sys/vm/drop_caches
	ok "C2 the kernel has not at hand what else it is called: checkpoint" checkpoint forgot image
	matches "C2 and the log says that they are two" "$(</ckpt/forgot/log)" 'first is deleted, and its file has another name that the kernel has not at hand: from the image on they are two'
	kill_container forgot
	ok "C2 the kernel has not at hand what else it is called: restart" restart forgot image
	is "C2 it has its contents" "$(cat "/proc/$(init_of forgot)/fd/3")" linked
	is "C2 and is another" "$([ "$(stat -Lc %i "/proc/$(init_of forgot)/fd/3")" != "$(stat -c %i on-disk/second)" ]; echo $?)" 0
	kill_container forgot
	head -c 65M </dev/zero | tr '\0' x >on-disk/large
	sleeper large on-disk/large 'rm on-disk/large'
	refused "C2 a large one is refused" large 'large is deleted and has more than 64 MiB'
	truncate -s 2G on-disk/sparse
	echo end >>on-disk/sparse
	sleeper sparse on-disk/sparse 'rm on-disk/sparse'
	ok "C2 one with a large hole is not" checkpoint sparse image
	kill_container sparse
	: >on-disk/list
	setfacl -m u:7:r on-disk/list 2>/dev/null || python3 -c 'import os, struct
os.setxattr("on-disk/list", "system.posix_acl_access", struct.pack("<I" + 5 * "HHI", 2, 1, 6, 2**32 - 1, 2, 4, 7, 4, 4, 2**32 - 1, 16, 4, 2**32 - 1, 32, 4, 2**32 - 1))'
	sleeper list on-disk/list 'rm on-disk/list'
	refused "C2 one with an access list is refused" list 'list is deleted and has the extended attribute system.posix_acl_access'
	: >on-disk/quiet
	chattr +A on-disk/quiet
	sleeper quiet on-disk/quiet 'rm on-disk/quiet'
	refused "C2 one with attributes is refused" quiet 'quiet is deleted, and is a file with attributes of chattr'

	# The container pays for the copy, and is not killed for it; whoever wrote the file has paid for that.
	mkdir -p /sys/fs/cgroup/ckpt
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	echo +memory >/sys/fs/cgroup/ckpt/cgroup.subtree_control
	head -c 24M /dev/zero | tr '\0' x >on-disk/dear
	sleeper dear on-disk/dear 'rm on-disk/dear'
	# the copy takes its time where KASAN looks at every access
	echo "max-frozen: $((5 * PATIENCE))s" >/ckpt/dear/options
	group=$(cgroup_of dear)
	[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
	echo $(($(<"$group/memory.current") + (8 << 20))) >"$group/memory.max"
	fails "C2 K6 a copy that the container's memory.max leaves no room for" cat /ckpt/dear/image
	matches "C2 K6 and the log says whose room it is" "$(</ckpt/dear/log)" 'no room for a copy of the deleted file .*dear.*memory.max'
	is "C2 K6 nobody was killed for it" "$(awk '$1 == "oom_kill" { print $2 }' "$group/memory.events") $(field dear state)" "0 running"
	echo max >"$group/memory.max"
	ok "C2 K6 with room it is copied" checkpoint dear image
	kill_container dear

	# Rights that a file gives.
	cp "$(type -P sleep)" on-disk/rights
	chown 7:8 on-disk/rights
	chmod 6711 on-disk/rights
	python3 -c 'import os, struct
os.setxattr("on-disk/rights", "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))'
	rights() {
		stat -Lc '%u:%g %a' "$1"
		python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "security.capability").hex())' "$1"
	}
	had=$(rights on-disk/rights)
	sleeper rights on-disk/rights 'rm on-disk/rights'
	ok "C2 T6 a file with owner, set-user-ID and capabilities: checkpoint" checkpoint rights image
	kill_container rights
	ok "C2 T6 a file with owner, set-user-ID and capabilities: restart" restart rights image
	is "C2 T6 they are the same" "$(rights "/proc/$(init_of rights)/fd/3")" "$had"
	kill_container rights

	# An overlay: what the upper layer has by now is what is read, unless somebody has mapped what was below.
	mkdir -p on-disk/{lower,upper,work} over
	echo below | tee on-disk/lower/{read,mapped} >/dev/null
	if modprobe -q overlay; mount -t overlay -o lowerdir=on-disk/lower,upperdir=on-disk/upper,workdir=on-disk/work over over; then
		sleeper over over/read 'echo above >>over/read; rm over/read'
		ok "C2 a file of an overlay that was changed after it was opened: checkpoint" checkpoint over image
		kill_container over
		ok "C2 a file of an overlay: restart" restart over image
		is "C2 it has what was in the upper layer" "$(cat "/proc/$(init_of over)/fd/3")" $'below\nabove'
		kill_container over
		container mapped -- python3 -c 'import mmap, os, sys, time
f = open(sys.argv[1])
m = mmap.mmap(f.fileno(), 6, mmap.MAP_PRIVATE, mmap.PROT_READ)
open(sys.argv[1], "a").write("above\n")
m[0]
os.unlink(sys.argv[1])
open(sys.argv[2], "w")
while True: time.sleep(1)' "$T/over/mapped" "$T/mapped.ready" && wait_until 60 test -e mapped.ready
		refused "C2 one of which the lower layer is mapped is refused" mapped 'mapped is deleted, and was changed after it had been mapped from the lower layer of an overlay'
		umount over
	else
		skip "C2 an overlay" "there is none here"
	fi
	umount on-disk
fi

# Where it could not be made again, or with less than it had.
mkdir -p plain by-mount
echo text >plain/f
mount --bind plain by-mount
mount -o remount,bind,ro by-mount
sleeper readonly by-mount/f 'rm plain/f'
refused "C2 one on a mount for reading only is refused" readonly 'f is deleted, and is a file on a mount for reading only'
mount -o remount,bind,rw,noexec by-mount
echo text >plain/f
sleeper mounts plain/f 'exec 4<by-mount/f; rm plain/f'
refused "C2 one that is open by two mounts is refused" mounts 'f is deleted, and is open or mapped by two mounts'
umount by-mount

# What a server has, it must be asked for.
below=/usr/share/common-licenses/BSD
sleeper lower "$below" "rm $below"
refused "C2 a file of a network file system is refused" lower 'BSD is deleted, and lies on 9p'

# A name that somebody else has by now is left alone, and so is a directory that is gone.
mkdir here
echo old >here/name
sleeper other here/name 'rm here/name; echo new >here/name; echo new >here/name-2'
ok "C2 its name is another's: checkpoint" checkpoint other image
kill_container other
ok "C2 its name is another's: restart" restart other image
is "C2 which is as it was" "$(<here/name)" new
is "C2 and nothing is beside it" "$(ls -A here)" $'name\nname-2'
is "C2 the deleted one is open" "$(cat "/proc/$(init_of other)/fd/3")" old
matches "C2 and deleted" "$(readlink "/proc/$(init_of other)/fd/3")" '/here/name \(deleted\)$'
kill_container other
rm -r here
ok "C2 its directory is gone: restart" restart other image
is "C2 it is open all the same" "$(cat "/proc/$(init_of other)/fd/3")" old
kill_container other
exit 0
