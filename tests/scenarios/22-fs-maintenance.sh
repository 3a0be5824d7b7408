#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 300
#
# ckpt stats, gc, fsck and forget, and the hidden directory of the mount that does all but the last. No container runs.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

dir=/ckpt/kept/snapshots
hidden=/ckpt/.ckptfs

# Two thirds of the second are the first.
make-image -p 732 -s 1 >one || die "no image"
make-image -p 1098 -s 1 >two || die "no image"
make-image -p 60 -s 2 >good || die "no image"
mkdir /ckpt/kept
cp one $dir/a
cp two $dir/b

# Numbers

ok "D4 stats" ckpt stats
matches "D4 stats has the container" "$(ckpt stats | grep '^kept ')" '^kept +2 +7\.[12] MiB +4\.[3-6] MiB +1\.[567]$'
matches "D4 and all together" "$(ckpt stats)" '\(all\) +[0-9]+'
fails "D4 an unknown argument is refused" ckpt stats now

# The directory

fails "D6 no listing shows it" bash -c "ls -A /ckpt | grep ckptfs"
is "D6 it has its files" "$(find $hidden -type f -printf "%f\n" | sort | xargs)" "fsck gc repair stats"
fails "D6 mkdir can't take its name" mkdir $hidden
fails "D6 rmdir can't remove it" rmdir $hidden
fails "D6 nothing can be made in it" touch $hidden/x
fails "D6 or removed" rm $hidden/gc
if id nobody >/dev/null 2>&1; then
	fails "D6 others may not" setpriv --reuid nobody --clear-groups cat $hidden/stats
fi
ok "D4 a reader that goes away ends the check" bash -c "head -c 1 $hidden/fsck"

# Space

ok "D4 fsck says that all is well" bash -c "ckpt fsck | tail -n 1 | grep -qx 'nothing is damaged'"
before=$(stat -c %s /var/lib/ckptfs/store.db)
rm $dir/b
ok "D4 gc" ckpt gc
at_most "D4 the file has shrunk by what was deleted" "$(stat -c %s /var/lib/ckptfs/store.db)" $((before - 1200000))
ok "D4 what is left is whole" cmp one $dir/a
is "D4 the kernel reads snapshots ahead, KiB" "$(cat "/sys/class/bdi/$(mountpoint -d /ckpt)/read_ahead_kb")" 512
rm $dir/a

# Retention

for hour in 01 02 03 04 05; do
	for minute in 00 30; do
		cp one "$dir/$hour$minute"
		touch -d "2026-11-20 $hour:$minute UTC" "$dir/$hour$minute"
	done
done
is "D4 a dry run says what would go" \
	"$(ckpt forget kept --keep-last 1 --keep-hourly 3 --dry-run | sed -n 's/^would remove //p' | xargs)" \
	"kept/0100 kept/0130 kept/0200 kept/0230 kept/0300 kept/0400 kept/0500"
is "D4 and nothing goes" "$(find $dir -type f | wc -l)" 10
ok "D4 forget" ckpt forget kept --keep-last 1 --keep-hourly=3
is "D4 leaves what the rules keep" "$(find $dir -type f -printf '%f\n' | sort | xargs)" "0330 0430 0530"
fails "D4 without a rule nothing goes" ckpt forget kept
is "D4 really" "$(find $dir -type f | wc -l)" 3
printf 'default --keep-last 2\nother --keep-last 9\n' >policy
ok "D4 forget by policy" ckpt forget --all --policy policy
is "D4 the default of the policy counts" "$(find $dir -type f -printf '%f\n' | sort | xargs)" "0430 0530"
mkdir /ckpt/held && cp one /ckpt/held/snapshots/x && cp one $dir/0630
mount -t tmpfs tmpfs /ckpt/held/snapshots && touch /ckpt/held/snapshots/{1,2,3} && mount -o remount,ro /ckpt/held/snapshots
fails "D4 that the snapshots of one can't be deleted is an error" ckpt forget --all --policy policy
is "D4 and keeps no other's" "$(find $dir -type f -printf '%f\n' | sort | xargs)" "0530 0630"
umount /ckpt/held/snapshots
rm /ckpt/held/snapshots/x && rmdir /ckpt/held && rm $dir/0630
fails "D4 a policy with a mistake is refused" bash -c "echo 'x --keep-lost 1' >>policy && ckpt forget --all --policy policy"
fails "D4 an unknown container is an error" ckpt forget nobody-here --keep-last 1
rm -f $dir/*0 && rmdir /ckpt/kept

# Damage, in a store of its own

mkdir mnt
# flip FILE BYTE: another bit there
flip() {
	local byte

	byte=$(dd if="$1" bs=1 skip="$2" count=1 status=none | od -An -tu1)
	# shellcheck disable=SC2059 # octal
	printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

daemon() {
	ckptfs -f -o "store=$T/own.db,state=$T/state" mnt 2>>daemon.err &
	wait_until 10 mountpoint -q mnt
}

daemon
mkdir mnt/web
cp one mnt/web/snapshots/bad
cp good mnt/web/snapshots/good
umount mnt
wait
ok "D4 fsck of a store that nobody uses" ckpt fsck --store own.db
fails "D4 fsck of no store" ckpt fsck --store one
# in the middle of the first one's blocks
flip own.db 1000000
fails "D4 fsck finds a flipped bit" ckpt fsck --store own.db
matches "D4 and names the page" "$(ckpt fsck --store own.db 2>&1)" "damaged: page 62 of the file"
matches "D4 and the snapshot" "$(ckpt fsck --store own.db 2>&1)" "damaged: snapshot web/bad: [0-9]+ of [0-9]+ blocks"
fails "D4 not the other one" bash -c "ckpt fsck --store own.db 2>&1 | grep web/good"
# The kernel reads ahead: the damage is somewhere in what it asks for at a time, so at several places, one after another.
read_damaged() {
	local size place good=0

	size=$(stat -c %s one)
	for place in {1..12}; do
		flip own.db $((1000000 + 37000 * place))
		daemon
		if cat mnt/web/snapshots/bad >out 2>err; then
			echo "it could be read"
		elif ! grep -q "Input/output error" err; then
			cat err
		elif [ "$(stat -c %s mnt/web/snapshots/bad)" != "$size" ]; then
			echo "its size has changed"
		elif cmp -s -n "$(stat -c %s out)" out one; then
			((good++))
		else
			echo "wrong bytes"
		fi
		umount mnt
		wait
		flip own.db $((1000000 + 37000 * place))
	done
	echo "$good good"
}

flip own.db 1000000
is "D4 reading fails wherever the damage is, after bytes that are right" "$(read_damaged)" "12 good"
flip own.db 1000000
daemon
fails "D4 reading it fails" cat mnt/web/snapshots/bad
matches "D4 with EIO" "$(cat mnt/web/snapshots/bad 2>&1 >/dev/null)" "Input/output error"
matches "U10 status says so" "$(sed -n 's/^damage: //p' mnt/web/status)" '^snapshot bad: .+'
matches "U10 and the log" "$(tail -n 1 mnt/web/log)" '^the history is damaged: snapshot bad: .+'
matches "U10 and the daemon" "$(cat daemon.err)" "the history of web is damaged: snapshot bad: .+"
ckpt -m "$T/mnt" fsck >/dev/null 2>&1
matches "U10 fsck tells it there, too" "$(sed -n 's/^damage: //p' mnt/web/status)" '^snapshot bad: [0-9]+ of [0-9]+ blocks'
fails "D4 also with sendfile" python3 -c 'import shutil; shutil.copyfile("mnt/web/snapshots/bad", "out")'
fails "D4 a copy of it within the mount fails" cp mnt/web/snapshots/bad mnt/web/snapshots/copy
fails "D4 and is not there" stat mnt/web/snapshots/copy
is "D4 SIGBUS in a mapping of it" "$(python3 -c 'import mmap
with open("mnt/web/snapshots/bad") as f:
	bytes(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ))' 2>/dev/null; echo $?)" $((128 + $(kill -l BUS)))
ok "D4 the other one is whole" cmp good mnt/web/snapshots/good
fails "D4 fsck through the mount finds it, too" ckpt -m "$T/mnt" fsck
fails "D4 a store in use is not opened" ckpt fsck --store own.db
ok "D4 the damaged one can be deleted" rm mnt/web/snapshots/bad
is "U10 status knows of no damage any more" "$(sed -n 's/^damage: //p' mnt/web/status)" -
ok "D4 and then all is well" bash -c "ckpt -m $T/mnt gc && ckpt -m $T/mnt fsck"
umount mnt
wait

# Damage in the index of keys, which has something in it when there is much to remember, and nobody has written for a while

daemon
make-image -p 20000 -s 3 >large || die "no image"
cp large mnt/web/snapshots/large
rm mnt/web/snapshots/good
blocks=$(ckpt -m "$T/mnt" stats | grep '^web ')
sleep 8
umount mnt
wait
last=$(($(stat -c %s own.db) / 16384))
flip own.db $((last * 16384 - 5000))
matches "D4 fsck says what can be mended" "$(ckpt fsck --store own.db 2>&1)" \
	"damaged: page $last of the file, in the index of keys, which ckpt fsck --repair mends"
daemon
fails "D4 fsck through the mount finds it, and leaves it" ckpt -m "$T/mnt" fsck
ok "D4 writing goes on" cp large mnt/web/snapshots/again
rm mnt/web/snapshots/again
matches "D4 fsck --repair mends it" "$(ckpt -m "$T/mnt" fsck --repair 2>&1)" \
	"mended: page $last of the file.*mended: [0-9]+ keys are in the index again.*nothing is damaged"
ok "D4 so that all is well" ckpt -m "$T/mnt" fsck
cp large mnt/web/snapshots/again
is "D4 and what is stored again takes no room" "$(ckpt -m "$T/mnt" stats | awk '/^web / { print $2, $5 }')" \
	"$(awk '{ print $2 + 1, $5 }' <<<"$blocks")"
umount mnt
wait
flip own.db 500000
fails "D4 --repair mends nothing else" ckpt fsck --store own.db --repair
fails "D4 fsck refuses an argument that it does not know" ckpt fsck --repair --rebuild
