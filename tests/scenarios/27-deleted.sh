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
