#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 500
#
# image and restart as files: how tools read and write them, and what happens when they stop in the middle.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

web=/ckpt/web

# snapshots: how many there are
snapshots() {
	find $web/snapshots -type f | wc -l
}

# helpers_gone: no checkpoint or restart is under way; the monitor of a restarted container is nobody's child
helpers_gone() {
	! pgrep -P "$(pidof ckptfs | tr ' ' ,)" -x 'ckpt-checkpoint|ckpt-restart'
}

rootfs root || die "no root file system"
# shellcheck disable=SC2016 # for the container's shell
container web --rootfs root -- sh -c \
	'i=0; while :; do i=$((i+1)); echo $i >/tmp/count; sleep 0.1; done' || die "no container"
wait_until 10 test -s root/tmp/count

# Status and permissions

is "D5 status: name" "$(field web name)" web
is "D5 status: state" "$(field web state)" running
is "D5 status: init is the container's root task" "$(sed -n 's/^NSpid:.*\t//p' "/proc/$(init_of web)/status")" 1
matches "D5 status: tasks" "$(field web tasks)" '^[12]$'
matches "D5 status: memory" "$(field web memory)" '^[1-9][0-9]+$'
ok "D5 status: cgroup" grep -qx "$(init_of web)" "$(cgroup_of web)/cgroup.procs"
is "D5 status: no checkpoint yet" "$(field web last-checkpoint)" -
echo 1 >"$(cgroup_of web)/cgroup.freeze"
wait_until 10 grep -q 'frozen 1' "$(cgroup_of web)/cgroup.events"
is "D5 status: frozen" "$(field web state)" frozen
echo 0 >"$(cgroup_of web)/cgroup.freeze"
is "D6 image has size 0" "$(stat -c %s $web/image)" 0
fails "D6 nobody but root reads it" setpriv --reuid 65534 --clear-groups cat $web/image
fails "D6 or restarts" setpriv --reuid 65534 --clear-groups bash -c "echo >$web/restart"
ok "D6 all see the status" setpriv --reuid 65534 --clear-groups cat $web/status
fails "D6 rmdir of a running container" rmdir $web

# Reading

ok "D1 cat" bash -c "cat $web/image >img"
ok "D1 it is an image" grep -q CKPTIMG <(head -c 64 img)
is "D4 and in the history" "$(snapshots)" 1
ok "D4 the same bytes" cmp img $web/snapshots/latest
matches "D4 under its time" "$(readlink $web/snapshots/latest)" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$'
is "D5 status: the time of the checkpoint" "$(field web last-checkpoint)" "$(readlink $web/snapshots/latest)"
matches "D5 status: its pause" "$(field web pause-us)" '^[1-9][0-9]*$'
ok "D1 cp" cp $web/image img2
ok "D1 dd" dd if=$web/image of=img2 bs=1000 status=none
ok "D1 pv" bash -c "pv -q $web/image >img2"
ok "D1 sha256sum" sha256sum $web/image
ok "D1 zstd" bash -c "zstd -qc <$web/image | zstd -qdc >img2 && grep -q CKPTIMG <(head -c 64 img2)"
is "D4 each is in the history" "$(snapshots)" 6
fails "D1 a stream has no middle" python3 -c "
import os
os.pread(os.open('$web/image', os.O_RDONLY), 10, 1000)"
ok "D1 after all that it goes on" counts_on root/tmp/count

# Into the history alone: that it is there is what the command says

is "D5 status: the snapshot that it became" "$(field web recorded)" "$(readlink $web/snapshots/latest)"
ok "U3 ckpt save records" bash -c "ckpt save web >said"
is "U3 and prints as what" "$(sed 's/.*recorded as //' said)" "$(readlink $web/snapshots/latest)"
(ckpt save web >said1 & ckpt save web >said2; wait)
is "U3 of two at once each prints its own" "$(sed 's/.*recorded as //' said1 said2 | sort | xargs)" \
	"$(find $web/snapshots -type f -printf '%f\n' | sort | tail -n 2 | xargs)"
rm $web/snapshots/"$(readlink $web/snapshots/latest)"
mkdir quiet full disk
ckptfs -o "store=$T/quiet.db,record=no" quiet || die "no second daemon"
fails "U3 ckpt save fails when the daemon records nothing" ckpt -m "$T/quiet" save web
matches "U3 and says so" "$(ckpt -m "$T/quiet" save web 2>&1)" "not recorded: the daemon was told so"
is "U3 status: recorded" "$(sed -n 's/^recorded: //p' quiet/web/status)" -
matches "U3 into a file it succeeds" "$(ckpt -m "$T/quiet" save web img2)" ", not recorded$"
ok "U3 which is an image" grep -q CKPTIMG <(head -c 64 img2)
umount quiet
mount -t tmpfs -o size=4m tmpfs disk
ckptfs -o "store=$T/disk/store.db" full || die "no third daemon"
dd if=/dev/zero of=disk/fill bs=4k status=none 2>/dev/null
fails "U3 ckpt save fails when the disk is full" ckpt -m "$T/full" save web
matches "U3 and says so" "$(ckpt -m "$T/full" save web 2>&1)" "not recorded: .*(room|space)"
ok "U3 cat gets its image all the same" bash -c "cat full/web/image >img2 && grep -q CKPTIMG <(head -c 64 img2)"
matches "U20 whose log is in memory" "$(head -n 1 full/web/log)" "this log is in memory: .*No space left"
matches "U20 with all that there was to say" "$(tail -n 1 full/web/log)" "not recorded: "
umount full
wait_until 10 umount disk

# Options come along: the program's arguments, written down by a script that then runs it without them

mkdir libexec told
cat >libexec/ckpt-checkpoint <<END
#!/bin/bash
printf '%s\n' "\$@" >"$T/arguments"
for word; do [[ \$word == --*=* ]] || words+=("\$word"); done
exec $(command -v ckpt-checkpoint) "\${words[@]}"
END
chmod +x libexec/ckpt-checkpoint
CKPTFS_LIBEXEC=$T/libexec ckptfs -o "store=$T/told.db" told || die "no fourth daemon"
ok "N3 a checkpoint without options" bash -c "cat told/web/image >img2"
is "N3 its program gets none" "$(grep -c -e '--.*=' arguments)" 0
printf 'max-frozen: 9s\nfreeze-timeout: 1500ms\n' >told/web/options
ok "N3 with options" bash -c "cat told/web/image >img2"
is "N3 it gets them" "$(grep -e '--.*=' arguments | xargs)" "--max-frozen=9s --freeze-timeout=1500ms"
umount told

# What stands in the way, and the final image, as soon as the program has them

has() {
	! ckpt-checkpoint "$1" 1 2>&1 | grep -q 'not known'
}

if has --check; then
	before=$(snapshots)
	is "N2 check: nothing is in its way" "$(cat $web/check)" ""
	is "N2 and nothing is recorded" "$(snapshots)" "$before"
else
	fails "N2 check, which this ckpt-checkpoint does not have, is an error" cat $web/check
	skip "N2 check" "ckpt-checkpoint has no --check"
fi
if has --final; then
	ok "N1 a reader of the final image that goes away" bash -c "head -c 10000 $web/final >/dev/null"
	ok "N1 its checkpoint ends" wait_until 20 helpers_gone
	ok "N1 and the container runs on" counts_on root/tmp/count
	before=$(snapshots)
	ok "N1 the final image" bash -c "cat $web/final >last"
	is "N1 with it the container has ended" "$(field web state)" stopped
	is "N1 and is in the history" "$(snapshots)" $((before + 1))
	ok "N1 the same" cmp last $web/snapshots/latest
	ok "N1 it is restarted" restart web last
	ok "N1 and counts on" counts_on root/tmp/count
else
	fails "N1 a final image, which this ckpt-checkpoint does not have, is an error" cat $web/final
	ok "N1 and the container runs on" counts_on root/tmp/count
	skip "N1 the final image" "ckpt-checkpoint has no --final"
fi

is "U13 who only opens it takes nothing of the daemon's" "$(python3 -c "
import os
fds = '/proc/$(pidof -s ckptfs)/fd'
os.listdir(fds)
before = len(os.listdir(fds))
files = [os.open('$web/image', os.O_RDONLY) for i in range(100)]
print(len(os.listdir(fds)) - before < 50)")" True
before=$(snapshots)
ok "D1 a reader that stops" bash -c "head -c 10000 $web/image >/dev/null"
ok "D1 a reader that is killed" bash -c "
	(read -r -N 1000; exec sleep 100) <$web/image & sleep 0.5; kill -KILL \$!"
ok "D1 their checkpoints end" wait_until 20 helpers_gone
is "D4 and leave nothing in the history" "$(snapshots)" "$before"
ok "D1 the container goes on" counts_on root/tmp/count
is "D5 and runs" "$(field web state)" running

ok "D1 two readers at once" bash -c "
	cat $web/image >a & cat $web/image >b && wait \$! && grep -q CKPTIMG <(head -c 64 a) &&
	grep -q CKPTIMG <(head -c 64 b)"
is "D4 two snapshots" "$(snapshots)" $((before + 2))
for ((i = 0; i < 20; i++)); do
	(read -r -N 1; exec sleep 10) <$web/image &
done
sleep 0.5
ok "D1 twenty readers that stand still keep nobody from looking" within 5 cat $web/status
# shellcheck disable=SC2046 # one word each
kill $(jobs -p)
wait
ok "D1 and end" wait_until 20 helpers_gone

# Writing

fails "D2 no restart where a container runs" cp img $web/restart
matches "D2 and the log says why" "$(cat $web/log)" "container of that name runs"
kill_container web
is "D5 status: stopped" "$(field web state)" stopped
fails "D1 no checkpoint of what does not run" cat $web/image
remember

ok "D2 a shell that opens it and writes nothing does nothing" bash -c ": >$web/restart"
fails "D2 cp of nothing is an error" cp /dev/null $web/restart
matches "D2 and the log says why" "$(cat $web/log)" "the image is empty"
ok "D2 touch is none" touch $web/restart
ok "D2 and leaves nothing" unchanged
head -c $(($(stat -c %s img) * 2 / 3)) img >./cut
for how in "cp cut $web/restart" "cat cut >$web/restart" "dd if=cut of=$web/restart bs=4k status=none" \
	"cp /etc/passwd $web/restart"; do
	fails "D2 a bad image: $how" bash -c "$how"
	ok "D2 the log says why" test -s $web/log
	ok "D2 and nothing stays behind" unchanged
done
ok "D2 a writer that is killed in the middle" bash -c "
	(cat cut; exec sleep 100) >$web/restart & sleep 1; kill -KILL \$!"
ok "D2 leaves nothing either" unchanged

for how in "cp img $web/restart" "cat img >$web/restart" "cat img | cat >$web/restart" \
	"dd if=img of=$web/restart bs=100 status=none" "pv -q img >$web/restart" "tee $web/restart <img >/dev/null" \
	"{ head -c 5000 img; tail -c +5001 img; } >$web/restart" "cp $web/snapshots/latest $web/restart"; do
	ok "D2 $how" bash -c "$how"
	is "D2 it runs" "$(field web state)" running
	ok "D2 and counts on" counts_on root/tmp/count
	kill_container web
done
ok "D6 to another name" bash -c "mkdir -p /ckpt/moved && cat img | bash -c 'cat >/ckpt/moved/restart'"
is "D6 it runs there" "$(field moved state)" running
ok "D6 and counts on" counts_on root/tmp/count

# The clock is set back

ok "U24 a checkpoint" bash -c "cat /ckpt/moved/image >img2"
date -s "@$(($(date +%s) - 3600))" >/dev/null
ok "U24 another, an hour earlier" bash -c "cat /ckpt/moved/image >img2"
ok "U24 is the latest" cmp img2 /ckpt/moved/snapshots/latest
ok "U24 and again" bash -c "cat /ckpt/moved/image >img2"
ok "U24 is the latest" cmp img2 /ckpt/moved/snapshots/latest
date -s "@$(($(date +%s) + 3600))" >/dev/null
