#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How fast the store takes a stream, takes it again, gives it back and deletes it, beside restic, borg, casync and cp.

set -u

usage() {
	cat <<-'END'
	usage: store.sh [-n ROUNDS] [-r] [-d DIRECTORY] [MIB]

	On this machine, as root, without the kernel module: stores a stream of MIB (1024) MiB that was never
	seen, stores it again with 1% of its pages changed, reads it back through a mount of its own, deletes it;
	the same stream, on the same disk, in the same round with restic, borg and casync, and cp with a sync.
	Medians of ROUNDS (5). The stream is like a container's memory; with -r all its pages are random. Files
	are made in a directory of their own in DIRECTORY (/var/tmp). Installs the peers when they are missing.

	Ends non-zero when a bar is missed. Everything is on the disk when its time ends, and read back cold.
	END
}

here=$(cd "$(dirname "$0")" && pwd -P)
top=$here/../..
build=${CKPTFS_BUILD:-$top/build}
rounds=5 kind=memory random='' where=/var/tmp
while getopts hn:rd: option; do
	case $option in
	h) usage; exit 0 ;;
	n) rounds=$OPTARG ;;
	r) kind=random random=-r ;;
	d) where=$OPTARG ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
mib=${1:-1024}

die() {
	echo "store.sh: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || die "only root can install the peers and mount"
[ -c /dev/fuse ] || die "there is no /dev/fuse"
"$top/tests/lib/install" restic borgbackup casync || die "the peers can't be installed"
for program in tests/bench/store-put tests/bench/store-stream fs/ckptfs; do
	[ -x "$build/$program" ] || die "$program is not built: run tests/lib/build"
done

work=$(mktemp -d "$where/store-bench.XXXXXX")
daemon=
# shellcheck disable=SC2317 # the trap calls it
finish() {
	[ -z "$daemon" ] || unmount
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit
export HOME=$work RESTIC_PASSWORD=bench BORG_BASE_DIR=$work/borg-home
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes

# timed NAME COMMAND: runs it and adds its milliseconds to the file times/NAME. It begins when the disk has nothing left
# to do of what was before, and has had a moment's rest: that of a virtual machine may owe it to others.
timed() {
	local name=$1 begin end

	shift
	: >out
	sync
	sleep 2
	begin=$(date +%s%N)
	"$@" >out 2>&1 || die "$name: $(tail -n 3 out)"
	end=$(date +%s%N)
	echo $(((end - begin) / 1000000)) >>"times/$name"
}

median() {
	sort -n "times/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# cool FILE...: the kernel forgets what it has of them in memory
cool() {
	local file

	for file; do
		sync -d "$file"
		dd if="$file" iflag=nocache count=0 status=none
	done
}

mount_store() {
	mkdir -p mnt state
	"$build/fs/ckptfs" -f -o "store=$work/store.db,state=$work/state" mnt &
	daemon=$!
	for _ in $(seq 100); do
		! mountpoint -q mnt || return 0
		sleep 0.1
	done
	die "no mount"
}

# shellcheck disable=SC2317 # the trap calls it
unmount() {
	umount mnt
	wait "$daemon"
	daemon=
}

# ---- what is timed ----

cp_write() {
	cat "$1" >plain && sync plain
}

cp_read() {
	cat "$1" >/dev/null
}

restic_put() {
	restic -q -r restic backup --stdin --stdin-filename stream <"$1" && sync -f restic
}

restic_get() {
	restic -q -r restic dump latest stream >/dev/null
}

borg_put() {
	borg create --files-cache disabled "borg::$2" - <"$1" && sync -f borg
}

borg_get() {
	borg extract --stdout borg::b >/dev/null
}

casync_put() {
	casync make --store=casync "$2.caibx" "$1" && sync -f casync
}

casync_get() {
	casync extract --store=casync b.caibx back && rm back
}

restic_delete() {
	# shellcheck disable=SC2046 # one word each
	restic -q -r restic forget --prune $(restic -r restic snapshots --json |
		grep -o '"short_id":"[^"]*"' | cut -d '"' -f 4)
}

borg_delete() {
	borg delete borg::a && borg delete borg::b && borg compact borg
}

ours_put() {
	"$build/tests/bench/store-put" store.db web "$2" <"$1"
}

ours_get() {
	cat mnt/web/snapshots/b >/dev/null
}

ours_delete() {
	rm mnt/web/snapshots/a mnt/web/snapshots/b
	unmount
	"$build/tests/bench/store-put" -g store.db
}

bytes_of() {
	du -s --apparent-size -B 1 "$1" | cut -f 1
}

peer_round() {
	mkdir -p borg-home
	restic -q -r restic init >out 2>&1 || die "restic init: $(cat out)"
	borg init -e none borg >out 2>&1 || die "borg init: $(cat out)"
	for peer in restic borg casync; do
		timed "$peer-new" "${peer}_put" one a
		timed "$peer-again" "${peer}_put" two b
		timed "$peer-back" "${peer}_get"
		bytes_of $peer >>"times/$peer-size"
	done
	timed restic-delete restic_delete
	timed borg-delete borg_delete
	rm -rf restic borg borg-home casync ./*.caibx
}

our_round() {
	local before after

	timed cp-new cp_write one
	cool one
	timed cp-back cp_read one
	rm plain
	timed ours-new ours_put one a
	before=$(stat -c %s store.db)
	timed ours-again ours_put two b
	after=$(stat -c %s store.db)
	echo "$before" >>times/ours-size
	echo $((after - before)) >>times/ours-growth
	cool store.db
	mount_store
	cmp -n 1000000 mnt/web/snapshots/b two || die "it is not what was stored"
	unmount
	cool store.db
	mount_store
	timed ours-back ours_get
	timed ours-delete ours_delete
	stat -c %s store.db >>times/ours-left
	rm -f store.db store.db-*
}

# ---- what it comes to ----

failed=0
# bar WHAT VALUE BAR: both times 1000; VALUE must not be below
bar() {
	local met=met

	if [ "$2" -lt "$3" ]; then
		met=MISSED
		failed=1
	fi
	awk -v what="$1" -v value="$2" -v bar="$3" -v met=$met \
		'BEGIN { printf "  %-52s %8.2f   (bar %.2f: %s)\n", what, value / 1000, bar / 1000, met }'
}

fastest() {
	for peer in restic borg casync; do
		median $peer-"$1"
	done | sort -n | head -n 1
}

row() {
	local name=$1 column
	shift
	printf '  %-10s' "$name"
	for column; do
		if [ -e "times/$name-$column" ]; then
			printf '%12d' "$(median "$name-$column")"
		else
			printf '%12s' -
		fi
	done
	echo
}

mkdir times
"$build/tests/bench/store-stream" $random 1 "$mib" >one
"$build/tests/bench/store-stream" $random -c 1 1 "$mib" >two
sync one two
changed=$(cmp -l one two | awk '{ page = int(($1 - 1) / 4096); if (page != last) { n++; last = page } }
	END { print n * 4096 }')
for _ in $(seq "$rounds"); do
	our_round
	peer_round
done

echo "$mib MiB ($kind), $rounds rounds, medians in ms; load of the machine at the end: $(cut -d ' ' -f 1 /proc/loadavg)"
printf '  %-10s%12s%12s%12s%12s\n' '' new again back delete
for name in ours restic borg casync cp; do
	row $name new again back delete
done
printf '  %-10s%12s\n' '' 'MiB after'
for name in ours restic borg casync; do
	printf '  %-10s%12d\n' $name $(($(median $name-size) / 1048576))
done
echo "  changed $changed bytes, ours grew by $(median ours-growth), and had $(median ours-left) left when all was deleted"
bar "new: times as fast as the fastest of the three" $(($(fastest new) * 1000 / $(median ours-new))) 3000
bar "new: share of the speed of cp and sync" $(($(median cp-new) * 1000 / $(median ours-new))) 500
bar "again: times as fast as the fastest of the three" $(($(fastest again) * 1000 / $(median ours-again))) 10000
bar "again: changed bytes for each byte that it grew" $((changed * 1000 / $(median ours-growth))) 909
bar "back: share of the speed of reading the file, cold" $(($(median cp-back) * 1000 / $(median ours-back))) 600
exit $failed
