#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How fast a long history is listed, and how fast snapshots go in and out, beside ordinary files.

set -u

usage() {
	cat <<-'END'
	usage: fs.sh [COUNT [MIB]]

	On this machine's own kernel, as root: 'ls -l' of COUNT (10000) snapshots, and the same of as
	many ordinary files; then cp of an image of MIB (256) MiB into a history and out of it, beside cp
	from file to file; and how long a reader of 64 KiB waits, alone and while another image comes in. The store and the files are in memory. Ends non-zero when ls -l takes a
	second or more.
	END
}

[ "${1:-}" != -h ] || { usage; exit 0; }
top=$(cd "$(dirname "$0")/../.." && pwd -P)
build=${CKPTFS_BUILD:-$top/build}
count=${1:-10000} mib=${2:-256}
work=$(mktemp -d /dev/shm/ckptfs-bench.XXXXXX) || exit
daemon=''
trap 'umount -l "$work/ckpt" 2>/dev/null; [ -z "$daemon" ] || wait $daemon; rm -rf "$work"' EXIT
cd "$work" || exit

mkdir ckpt cgroup files
"$build/fs/ckptfs" -f -o "config=/dev/null,store=$work/own/store.db,cgroup=$work/cgroup" ckpt &
daemon=$!
for _ in {1..50}; do
	! mountpoint -q ckpt || break
	sleep 0.1
done

# ms COMMAND...: the best of three, in milliseconds
ms() {
	local best='' from to

	for _ in 1 2 3; do
		from=$(date +%s%N)
		"$@" >/dev/null || { echo "fs.sh: $* failed" >&2; exit 1; }
		to=$((($(date +%s%N) - from) / 1000000))
		[ -n "$best" ] && [ "$best" -le "$to" ] || best=$to
	done
	echo "$best"
}

mkdir ckpt/many ckpt/big
"$build/tests/programs/make-image" -p 1 >small
python3 - "$count" <<'END'
import sys
data = open("small", "rb").read()
for n in range(int(sys.argv[1])):
    for where in ("ckpt/many/snapshots", "files"):
        with open(f"{where}/{n:06}", "wb", buffering=0) as f:
            f.write(data)
END
ours=$(ms ls -l ckpt/many/snapshots)
theirs=$(ms ls -l files)
plain=$(ms ls ckpt/many/snapshots)
echo "kernel $(uname -r)"
printf 'ls -l of %d snapshots        %6d ms\n' "$count" "$ours"
printf 'ls -l of as many files in memory  %6d ms\n' "$theirs"
printf 'ls of the snapshots               %6d ms\n' "$plain"

"$build/tests/programs/make-image" -p $((mib * 256)) >large
# a new image each time: pages that are known already cost less
in=$(ms sh -c "$build/tests/programs/make-image -p $((mib * 256)) -s \$\$ >new && cp new ckpt/big/snapshots/\$\$")
make=$(ms sh -c "$build/tests/programs/make-image -p $((mib * 256)) -s \$\$ >new && cp new files/big")
again=$(ms sh -c "cp new ckpt/big/snapshots/again.\$\$")
out=$(ms cp ckpt/big/snapshots/latest out)
copy=$(ms cp large files/big)
printf 'cp of %d MiB of new pages in     %6d ms (with %d ms to make them)\n' "$mib" $((in)) $((make - copy))
printf 'cp of %d MiB of known pages in   %6d ms\n' "$mib" "$again"
printf 'cp of %d MiB out                 %6d ms\n' "$mib" "$out"
printf 'cp of %d MiB from file to file   %6d ms\n' "$mib" "$copy"

# waits FILE: a program reads pieces of it all over, past the kernel's cache, until the file "stop" is there
waits() {
	python3 - "$1" <<-'END'
		import mmap, os, random, sys, time
		fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
		buf, size, took = mmap.mmap(-1, 65536), os.fstat(fd).st_size, []
		while not os.path.exists("stop"):
		    begin = time.monotonic()
		    os.preadv(fd, [buf], random.randrange(size // 65536) * 65536)
		    took.append(1000 * (time.monotonic() - begin))
		took.sort()
		print("%8.1f ms in the middle, %.1f ms of a hundred the longest, %.1f ms at the most, of %d" %
		      (took[len(took) // 2], took[len(took) * 99 // 100], took[-1], len(took)))
	END
}
(sleep 3; touch stop) &
echo "64 KiB read, nothing else      $(waits ckpt/big/snapshots/latest)"
rm stop
"$build/tests/programs/make-image" -p $((mib * 1024)) -s 77 >huge
(sleep 1; cp huge ckpt/big/snapshots/huge; touch stop) &
echo "64 KiB read, $((mib * 4)) MiB come in     $(waits "ckpt/big/snapshots/$(readlink ckpt/big/snapshots/latest)")"
wait %+

if [ "$ours" -lt 1000 ]; then
	echo "met: ls -l in under a second"
else
	echo "MISSED: ls -l took a second or more"
	exit 1
fi
