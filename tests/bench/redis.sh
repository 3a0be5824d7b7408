#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a history of one Redis container under load takes on the disk, beside restic and casync.

set -u

usage() {
	cat <<-'END'
	usage: redis.sh [-k 6.1|6.12] [-n SNAPSHOTS] [-d DIRECTORY]

	In the test machine, SNAPSHOTS (100) images of a container with Redis are read one after another, while
	redis-benchmark changes some of its 100,000 keys between them. On this machine they are stored in a new store, and in
	new repositories of restic and casync, in DIRECTORY (/var/tmp). Prints the sum of the images, the size of
	each store, and the seconds that each took. Needs room for all the images. Installs the peers when they are missing.
	END
}

here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
build=${CKPTFS_BUILD:-$top/build}
kernel=6.1 count=100 where=/var/tmp
while getopts hk:n:d: option; do
	case $option in
	h) usage; exit 0 ;;
	k) kernel=$OPTARG ;;
	n) count=$OPTARG ;;
	d) where=$OPTARG ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))

die() {
	echo "redis.sh: $*" >&2
	exit 1
}

# In the test machine: take_images DIRECTORY REDIS
take_images() {
	local dir=$1 i begin

	"$top/tests/lib/use-redis" "$2" || exit
	ckpt run -d -n redis -- redis-server --save '' >/dev/null || die "no container"
	for ((i = 0; i < 300; i++)); do
		[ "$(ckpt exec redis redis-cli ping 2>/dev/null)" = PONG ] && break
		sleep 0.1
	done
	seq -f 'SET key:%012.0f value' 100000 | ckpt exec redis redis-cli --pipe >/dev/null || die "no keys"
	for ((i = 1; i <= count; i++)); do
		# A connection cannot be saved yet: the load ends before each image.
		ckpt exec redis redis-benchmark -q -t set,incr,hset -r 100000 -d 100 -c 4 -n 2000 >/dev/null || die "no load"
		begin=$(date +%s%N)
		cat /ckpt/redis/image >"$dir/$(printf %04d $i).img" || die "image $i: $(cat /ckpt/redis/log)"
		echo "$(((($(date +%s%N)) - begin) / 1000000)) $(sed -n 's/^pause-us: *//p' /ckpt/redis/status)" >>"$dir/times"
		# this machine's own history lies in its memory
		rm -f /ckpt/redis/snapshots/*
	done
	[ "$(ckpt exec redis redis-cli ping)" = PONG ] || die "Redis does not answer any more"
}

if [ -n "${CKPT_KERNEL:-}" ]; then
	take_images "$@"
	exit 0
fi

"$top/tests/lib/install" restic casync || die "the peers can't be installed"
[ -x "$build/tests/bench/store-put" ] || die "store-put is not built: run tests/lib/build"
redis=$("$top/tests/lib/redis") || die "no Redis"
work=$(mktemp -d "$where/redis-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit
mkdir images
"$top/tests/vm/vm" -k "$kernel" -t $((600 + count * 60)) -w "$work/images" -- \
	"$here/redis.sh" -n "$count" "$work/images" "$redis" || die "the images can't be had"
[ "$(find images -name '*.img' | wc -l)" = "$count" ] || die "there are not $count images"

ours_put() {
	"$build/tests/bench/store-put" store.db redis "${1##*/}" <"$1"
}

restic_put() {
	restic -q -r restic backup --stdin --stdin-filename redis.img <"$1"
}

casync_put() {
	casync make --store=casync "index/${1##*/}.caibx" "$1"
}

# report NAME BYTES SECONDS: a row of the table
report() {
	awk -v name="$1" -v bytes="$2" -v sum="$sum" -v seconds="$3" \
		'BEGIN { printf "  %-10s %10.1f MiB   1/%-7.1f %8.1f s\n", name, bytes / 1048576, sum / bytes, seconds }'
}

export HOME=$work RESTIC_PASSWORD=bench
sum=$(find images -name '*.img' -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
restic -q -r restic init >out 2>&1 || die "restic init: $(cat out)"
mkdir index
echo "$count images of Redis on $(uname -m), Linux $kernel; $(sort -n images/times |
	awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }') ms to read one (median)"
printf '  %-10s %10.1f MiB\n' images "$(awk -v sum="$sum" 'BEGIN { print sum / 1048576 }')"
for name in ours restic casync; do
	begin=$(date +%s%N)
	for image in images/*.img; do
		"${name}_put" "$image" >out 2>&1 || die "$name: $(tail -n 3 out)"
	done
	sync -f .
	end=$(date +%s%N)
	case $name in ours) place=store.db ;; *) place=$name ;; esac
	bytes=$(du -s -B 1 "$place" | cut -f 1)
	[ $name != casync ] || bytes=$((bytes + $(du -s -B 1 index | cut -f 1)))
	report $name "$bytes" "$(awk -v ms=$(((end - begin) / 1000000)) 'BEGIN { print ms / 1000 }')"
done
