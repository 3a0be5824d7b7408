#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What stands in the way of a checkpoint or a restart, and how the two programs report their outcome.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# in_the_way DESC REGEX ARGUMENT...: ckpt check --restart ARGUMENT... exits with 1 and prints one line, which matches.
in_the_way() {
	local desc=$1 regex=$2 out rc
	shift 2

	out=$(ckpt check --restart "$@" 2>&1)
	rc=$?
	if [ $rc = 1 ]; then
		matches "$desc" "$out" "^$regex\$"
	else
		fail "$desc" "exit status $rc" "$out"
	fi
}

# nothing_in_the_way DESC ARGUMENT...
nothing_in_the_way() {
	local desc=$1
	shift

	is "$desc" "$(ckpt check --restart "$@" 2>&1; echo $?)" 0
}

mkdir bound target
cp "$(command -v sleep)" program
cat >server.py <<'END'
import os, socket, sys, time
s = socket.create_server(("127.0.0.1", 7777))
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
u.bind(("::1", 7778))
f = open(sys.argv[1], "a")
open(sys.argv[1] + ".ready", "w").close()
time.sleep(100000)
END
touch data
container web --net host -- sh -c "'$T/program' 100000 & exec python3 '$T/server.py' '$T/data'" || die "no container"
wait_until 30 test -e data.ready || die "the container is not ready"
nsenter -t "$(init_of web)" -m mount --bind "$T/bound" "$T/target"

# the outcome as data
init=$(init_of web)
ckpt-checkpoint --result 3 "$init" >image 3>result
is "S14 a checkpoint's outcome is data" "$(sed 's/: .*//' result | sort | xargs)" \
	"bytes cgroup errno id init kernel name pages pause-ns pause-us result"
result() {
	sed -n "s/^$1: //p" result
}
is "S14 it is a success" "$(result result) $(result errno) $(result name) $(result cgroup) $(result init)" "ok 0 web ckpt/web $init"
is "S14 the image is as long as it says" "$(result bytes)" "$(stat -c %s image)"
at_most "S14 with as many pages" "$(result pages)" $(($(stat -c %s image) / 4096))
at_most "S14 the pause is in nanoseconds" "$(result pause-us)" $(($(result pause-ns) / 1000))
is "S14 all in one piece" "$(strace -f -qq -e trace=write -e write=3 -P "$T/result" ckpt-checkpoint --result 3 "$init" 2>&1 >/dev/shm/out 3>"$T/result" | grep -c '^write(3')" 1
rm -f /dev/shm/out
ckpt-checkpoint --result 3 $$ 2>error >/dev/null 3>result
is "S14 a failure, too" "$(result result) $(result errno)" "failed 22"
is "S14 with its sentence" "ckpt-checkpoint: $(result error)" "$(<error)"
is "S14 a command line with a mistake is another status" "$(ckpt-checkpoint --unknown >/dev/null 2>&1; echo $?) $(ckpt-restart more </dev/null >/dev/null 2>&1; echo $?)" "2 2"

# before a checkpoint
if [ -e /ckpt/web/check ]; then
	is "N2 nothing stands in the way of a checkpoint" "$(ckpt check web; echo $?)" 0
	nsenter -t "$init" -m mount -t ramfs own "$T/target"
	is "N2 now something does" "$(ckpt check web >reasons; echo $?) $(grep -c "$T/target" reasons)" "1 1"
	nsenter -t "$init" -m umount "$T/target"
else
	matches "N2 without such a file ckpt check says so" "$(ckpt check web 2>&1)" \
		'^ckpt check: there is no /ckpt/web/check: this ckptfs checks nothing$'
fi
fails "N2 no such container" ckpt check nobody-here

# before a restart
cp image /ckpt/web/snapshots/one
in_the_way "N2 the name is in use" "name: container web is running: end it with 'ckpt kill web', or choose another name
address: 127.0.0.1:7777 cannot be had: Address already in use
address: \[::1\]:7778 cannot be had: Address already in use" image
kill_container web
nothing_in_the_way "N2 nothing is in the way of an image" image
nothing_in_the_way "N2 nor of a snapshot" web/one
nothing_in_the_way "N2 nor of the latest" web
nothing_in_the_way "N2 nor of one under another name" other image
nothing_in_the_way "N2 nor of a snapshot under its own" web one
is "N2 it comes from a pipe, too" "$(ckpt check --restart - <image; echo $?)" 0
is "N2 nothing is made by it" "$(ls -d /ckpt/other /sys/fs/cgroup/ckpt/web 2>/dev/null)" ""

python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 7777)); open("taken", "w").close(); time.sleep(100000)' &
server=$!
wait_until 20 test -e taken
in_the_way "N2 an address is in use" "address: 127.0.0.1:7777 cannot be had: Address already in use" image
kill $server
wait $server
mv data elsewhere
in_the_way "N2 a file is gone" "file: $T/data is gone: No such file or directory; put it back" image
mkdir data
in_the_way "N2 it is another" "file: $T/data is of another type than it was" image
rmdir data
mv elsewhere data
echo more >>data
nothing_in_the_way "N2 one that has grown is none" image
cp -p program program.old && touch program
in_the_way "N2 a program has changed" "file: $T/program, which is mapped, has changed since: put the old one back" image
rm program
in_the_way "N2 it is gone" "file: $T/program is gone: No such file or directory; put it back" image
cp "$(command -v sleep)" program
rmdir bound
matches "N2 a mount is not there, and all reasons come at once" "$(ckpt check --restart image)" \
	"mount: $T/bound, which the container has mounted on $T/target, cannot be had: No such file or directory.*file: $T/program, which is mapped, has changed"
mkdir bound
mv program.old program
# What only the engine can tell. SYSTEM is record 3; behind the head of its BASE comes the vdso's sum, as the third
# number the xstate; behind that of its FEATURES a pair of numbers each, the fifth has what CPUID says of instructions.
vdso="engine: the image was made on another kernel: its vdso does not match this one's; boot that kernel to restart it"
xstate='engine: the image needs processor features that this machine has not \(xstate 0x[0-9a-f]+\)'
feature='engine: the image was made on a processor with [^,]+, which this one has not'
change() {
	bad-image make "$1" "$2" >"$3" || fail "N2 the case $2"
}
change image set@3+16:8=1 other-kernel
in_the_way "N2 another kernel" "$vdso" other-kernel
change image set@3+32:8=ffffffffffffffff other-state
in_the_way "N2 a processor with less state" "$xstate" other-state
change image set@3+132:4=ffffffff other-processor
in_the_way "N2 a processor with fewer instructions" "$feature" other-processor
change other-kernel set@3+32:8=ffffffffffffffff both
change both set@3+132:4=ffffffff all
mv data elsewhere
in_the_way "N2 all of that at once, and a file that is gone" "$vdso
$xstate
$feature
file: $T/data is gone: No such file or directory; put it back" all
mv elsewhere data
fails "N2 and that is so" ckpt restart web all
# a root directory that is no path
fs=$(python3 - image <<'END'
import struct, sys
image, at, nr = open(sys.argv[1], "rb").read(), 0, 0
while True:
    magic, kind, flags, size, seq, total = struct.unpack_from("<IHHIIQ", image, at)
    if kind == 20:      # FS
        print("set@%d+%d:1=78" % (nr, image.index(b"/\0", at + 24) - at - 24))
        break
    at, nr = at + 24 + size, nr + 1
END
)
change image "$fs" malformed
in_the_way "S16 what is malformed is said by the engine" 'engine: the FS in record [0-9]+ is malformed.*' malformed
matches "S16 from a pipe, too" "$(ckpt check --restart - <malformed)" '^engine: the FS in record [0-9]+ is malformed'
matches "N2 that there is no engine is a reason" "$(unshare -m bash -c 'mount -t tmpfs none /dev && ckpt check --restart image')" \
	'engine: the engine is not loaded: insmod ckpt.ko'
is "N2 nothing has come of all that" "$(ls -d /ckpt/other /sys/fs/cgroup/ckpt/web 2>/dev/null)" ""

dd if=image of=cut bs=1000 count=100 status=none
is "N2 of what is no whole image nothing else is said" "$(ckpt check --restart cut 2>&1 | sed 's/ after .*//'; echo "${PIPESTATUS[0]}")" "ckpt-restart: the image is cut off
1"
fails "N2 a file that is not there" ckpt check --restart nothing-of-the-kind
fails "N2 a snapshot that is not there" ckpt check --restart web/nothing
