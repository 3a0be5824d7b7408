#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How long a checkpoint stops a container, beside CRIU, and how much memory it takes meanwhile.

set -u

usage() {
	cat <<-'END'
	usage: pause.sh [-k 6.1|6.12] [MIB [MIB2]]

	In the test machine: the longest time for which a program that writes all over MIB (512)
	MiB of memory is stopped, while its container's image is read at 10 MB a second, and while
	'criu dump -R' saves the same program outside of a container. Then the memory that the
	kernel and the daemon use for a checkpoint of a program that has MIB2 (1024) MiB and does
	not write. Ends non-zero when the pause is not under a twentieth of CRIU's, or the memory
	not under 16 MiB beside page tables.

	Time in which a second program that looks at the clock, outside of the container and on the
	same processor, stood still too is the machine's and not the checkpoint's; it does not count.
	END
}

here=$(cd "$(dirname "$0")" && pwd -P)
kernel=6.1
while getopts hk: option; do
	case $option in
	h) usage; exit 0 ;;
	k) kernel=$OPTARG ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
mib=${1:-512} mib2=${2:-1024}

if [ -z "${CKPT_KERNEL:-}" ]; then
	exec "$here/../vm/vm" -k "$kernel" -m $((mib * 3 + mib2 + 1500))M -t 2400 -- "$here/pause.sh" "$mib" "$mib2"
fi

work=$(mktemp -d)
cd "$work" || exit

die() {
	echo "pause.sh: $*" >&2
	exit 1
}

# value KEY: of the program's last report
value() {
	sed -n "s/^$1 //p" report
}

# tell SIGNAL PID: the program answers with a new report
tell() {
	rm -f report
	kill "-$1" "$2"
	answered report
}

answered() {
	local i

	for ((i = 0; i < 3000; i++)); do
		[ ! -s "$1" ] || return 0
		sleep 0.1
	done
	die "the program does not answer"
}

# watch PID: from now on gaps count, those of the program and those of the witness
watch() {
	tell USR2 "$1"
	rm -f witness
	kill -USR2 $witness
	answered witness
}

# longest PID: the longest gap since watch in us, but for what is also the witness's
longest() {
	tell USR1 "$1"
	rm -f witness
	kill -USR1 $witness
	answered witness
	awk '$1 != "gap" { next }
		FILENAME == "witness" { from[n] = $2; to[n++] = $3; next }
		{
			gap = $3 - $2
			for (i = 0; i < n; i++) {
				a = from[i] > $2 ? from[i] : $2
				b = to[i] < $3 ? to[i] : $3
				if (b > a)
					gap -= b - a
			}
			if (gap > max)
				max = gap
		}
		END { print (max > 2000 ? max : 2000) }' witness report
}

init_of() {
	sed -n 's/^init: *//p' "/ckpt/$1/status"
}

# start NAME ARG...: mem-loop in a container
start() {
	local name=$1
	shift

	rm -f report
	ckpt run -d -n "$name" -- mem-loop "$@" "$work/report" || die "no container"
	answered report
}

measure_ours() {
	start bench "$mib"
	watch "$(init_of bench)"
	pv -q -L 10m /ckpt/bench/image >/dev/null || die "no image: $(cat /ckpt/bench/log)"
	ours=$(longest "$(init_of bench)")
	raw=$(value gap-us)
	engine=$(sed -n 's/^pause-us: *//p' /ckpt/bench/status)
	ckpt kill bench
	rm -f /ckpt/bench/snapshots/*
}

measure_criu() {
	local pid

	mkdir dump
	rm -f report
	setsid mem-loop "$mib" "$work/report" </dev/null >/dev/null 2>&1 &
	pid=$!
	answered report
	watch $pid
	criu dump -R -t $pid -D dump -o log -v1 || die "criu fails: $(tail -n 5 dump/log)"
	criu=$(longest $pid)
	kill -KILL $pid
	wait $pid 2>/dev/null
	rm -rf dump
}

# The longest gap without a checkpoint, in as long a time: what of the figures is noise of emulation, or of what else
# this machine does.
measure_noise() {
	start noise "$mib"
	watch "$(init_of noise)"
	sleep $((mib / 10 + 1))
	noise=$(longest "$(init_of noise)")
	noise_raw=$(value gap-us)
	ckpt kill noise
}

# KiB in use besides page tables, and those. The pages that each processor keeps for its next need count as free.
used() {
	awk '{ v[$1] += $2 }
		END { print v["MemTotal:"] - v["MemAvailable:"] - v["PageTables:"] - 4 * v["count:"], v["PageTables:"] }' \
		/proc/meminfo /proc/zoneinfo
}

# sample PID: the largest numbers of used() while PID runs
sample() {
	local a b

	max=0 tables=0
	while kill -0 "$1" 2>/dev/null; do
		read -r a b < <(used)
		[ "$a" -le "$max" ] || max=$a
		[ "$b" -le "$tables" ] || tables=$b
		sleep 0.2
	done
}

# The history is a file in this machine's memory: a daemon of its own keeps none, the machine's daemon comes after it.
measure_memory() {
	local daemon reader before tables_before

	# before there is a second one
	daemon=$(pidof ckptfs)
	start big -q "$mib2"
	mkdir other
	ckptfs -o record=no,store="$work/other.db" "$work/other" || die "no second daemon"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -e other/big/image ] || break
		sleep 0.5
	done
	# once before, so that what stays from a first time does not count
	head -c 1000000 other/big/image >/dev/null
	sleep 2
	echo 3 >/proc/sys/vm/drop_caches
	read -r before tables_before < <(used)
	pv -q -L 40m other/big/image >/dev/null &
	reader=$!
	sample $reader
	wait $reader || die "no image"
	memory=$((max - before)) tables=$((tables - tables_before))
	umount other

	daemon_before=$(awk '/^VmRSS:/ { print $2 }' "/proc/$daemon/status")
	echo 5 >"/proc/$daemon/clear_refs"
	cat /ckpt/big/image >/dev/null || die "no image"
	daemon_peak=$(awk '/^VmHWM:/ { print $2 }' "/proc/$daemon/status")
	ckpt kill big
}

failed=0
judge() {
	if [ "$1" -lt "$2" ]; then
		echo "  met: under $3"
	else
		echo "  MISSED: not under $3"
		failed=1
	fi
}

mem-loop -q 1 "$work/witness" &
witness=$!
answered witness
measure_noise
measure_ours
measure_criu
echo "kernel $(uname -r), $mib MiB, written to all the time"
printf '  longest stop without a checkpoint   %9d us   (%d us with the machine'"'"'s own)\n' "$noise" "$noise_raw"
printf '  longest stop, image read at 10 MB/s %9d us   (%d us with the machine'"'"'s own)\n' "$ours" "$raw"
printf '  of it frozen, as the engine says    %9d us\n' "$engine"
printf '  longest stop, criu dump -R          %9d us   (%d times as long)\n' "$criu" $((criu / ours))
judge $((ours * 20)) "$criu" "a twentieth of CRIU's"
kill -KILL $witness
wait $witness 2>/dev/null
measure_memory
echo "kernel $(uname -r), $mib2 MiB, not written to"
printf '  memory during a checkpoint, kernel and daemon and page cache  %7d KiB\n' "$memory"
printf '  page tables of the copy                                       %7d KiB\n' "$tables"
printf '  what a daemon that keeps history had resident more than before %6d KiB   (of %d KiB)\n' \
	$((daemon_peak - daemon_before)) "$daemon_peak"
judge $((memory + daemon_peak - daemon_before)) 16384 "16 MiB, both together"
exit $failed
