#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that somebody else has a hand in: who pays for copies of it, who keeps files that were mapped, what ksm has made
# of it, what the kernel may drop, and who has put breakpoints into it.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# A program that has a kind of memory, says so in FILE.ready, and answers in FILE.answer what it has when there is
# FILE.ask: memory.py KIND FILE.
cat >"$T/memory.py" <<'END'
import ctypes, mmap, os, sys, time

kind, top = sys.argv[1:3]
PAGE = 4096
libc = ctypes.CDLL(None, use_errno=True)

def say(name, text):
    with open(f"{top}.new", "w") as f:
        f.write(f"{text}\n")
    os.rename(f"{top}.new", f"{top}.{name}")

def address(m):
    return ctypes.addressof(ctypes.c_char.from_buffer(m))

# a key of /proc/self/smaps of the mapping at that address
def smaps(at, key):
    found = False
    with open("/proc/self/smaps") as f:
        for line in f:
            if line.startswith(f"{at:x}-"):
                found = True
            elif found and line.startswith(f"{key}:"):
                return line.split(":")[1].split()

# 48 MiB that could be shared; and the same after that
class shared:
    size = 48 << 20
    def __init__(self):
        self.m = mmap.mmap(-1, self.size)
        for at in range(0, self.size, PAGE):
            self.m[at:at + 8] = at.to_bytes(8, "little")
    def ready(self):
        return True
    def answer(self):
        good = all(self.m[at:at + 8] == at.to_bytes(8, "little") for at in range(0, self.size, PAGE))
        return "right" if good else "wrong"

# zeroes in private mappings of a file that has none
class zeroes:
    def __init__(self):
        with open(f"{top}.file", "w+b") as f:
            f.write(b"x" * 16 * PAGE)
            f.flush()
            self.m = mmap.mmap(f.fileno(), 16 * PAGE, mmap.MAP_PRIVATE)
        self.m.madvise(mmap.MADV_MERGEABLE)
        self.m[4 * PAGE:12 * PAGE] = bytes(8 * PAGE)
        self.at = address(self.m)
    # until ksm has made all of them the kernel's one page of zeroes, which is in no count
    def ready(self):
        return smaps(self.at, "Anonymous")[0] == "0"
    def answer(self):
        return "".join("0" if not any(self.m[i * PAGE:(i + 1) * PAGE]) else chr(self.m[i * PAGE]) for i in range(16))

# what the kernel may drop at any time, and what it holds no program may rely on
class droppable:
    def __init__(self):
        try:
            self.m = mmap.mmap(-1, 8 * PAGE, flags=0x08 | mmap.MAP_ANONYMOUS)
        except OSError as e:
            say("ready", f"MAP_DROPPABLE: {e.strerror}")
            sys.exit()
        self.at = address(self.m)
        ctypes.memset(self.at, 0xa7, 8 * PAGE)
    def ready(self):
        return True
    def answer(self):
        return f"{self.m[0]:x} {'dp' in smaps(self.at, 'VmFlags')}"

memory = globals()[kind]()
while not memory.ready():
    time.sleep(0.1)
say("ready", "ready")
while True:
    if os.path.exists(f"{top}.ask"):
        os.unlink(f"{top}.ask")
        say("answer", memory.answer())
    time.sleep(0.1)
END

# has KIND [OPTION...]: a container of that name has such memory
has() {
	local kind=$1
	shift

	container "$kind" "$@" -- python3 "$T/memory.py" "$kind" "$T/$kind" || die "no container $kind"
	wait_until 60 test -e "$T/$kind.ready" || die "no $kind"
}

# ask KIND: what it has now
ask() {
	rm -f "$T/$1.answer"
	touch "$T/$1.ask"
	wait_until 60 test -e "$T/$1.answer" && cat "$T/$1.answer"
}

# slow PID NAME: a reader of that container's image takes the beginning, in $T/NAME.begun, and the rest when there is
# $T/NAME.go; its exit status is the program's
slow() {
	{
		{ ckpt-checkpoint "$1" 2>"$T/$2.error"; echo $? >"$T/$2.status"; } |
			{ head -c 100000 >"$T/$2.begun"; wait_until 100 test -e "$T/$2.go"; cat >"$T/$2.rest"; }
	} </dev/null >/dev/null 2>&1 &
	wait_until 30 eval '[ "$(stat -c %s "$T/'"$2"'.begun" 2>/dev/null || echo 0)" = 100000 ]'
}

ends() {
	touch "$T/$1.go"
	wait_until 60 test -s "$T/$1.status" && [ "$(<"$T/$1.status")" = 0 ] || { cat "$T/$1.error"; return 1; }
}

# Shared memory is copied, and its container pays.
mkdir -p /sys/fs/cgroup/ckpt
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo +memory >/sys/fs/cgroup/ckpt/cgroup.subtree_control
has shared
# the copy takes its time where KASAN looks at every access
echo "max-frozen: $((5 * PATIENCE))s" >/ckpt/shared/options
group=$(cgroup_of shared)
[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
used=$(<"$group/memory.current")
echo $((used + (16 << 20))) >"$group/memory.max"
fails "C4 K6 a copy of shared memory that the container's memory.max leaves no room for" cat /ckpt/shared/image
matches "C4 K6 and the log says whose room it is" "$(</ckpt/shared/log)" "no room for a copy of [0-9]+ KiB of shared memory.*memory.max"
matches "C4 K6 nobody was killed for it" "$(tr '\n' ' ' <"$group/memory.events")" 'oom 0 oom_kill 0 '
is "C4 K6 the container runs on" "$(ask shared)" right
echo max >"$group/memory.max"
used=$(<"$group/memory.current")
ok "C4 K6 with room for it" slow "$(init_of shared)" shared
now=$(<"$group/memory.current")
ok "C4 K6 the copy counts as the container's ($((used >> 10)) KiB, then $((now >> 10)) KiB)" \
	test $((now - used)) -gt $((40 << 20))
ok "C4 K6 until it is written" ends shared
ok "C4 K6 (then it is gone)" wait_until 20 eval '[ $(($(<"$group/memory.current") - used)) -lt $((20 << 20)) ]'
cat "$T/shared.begun" "$T/shared.rest" >"$T/shared.img"
kill_container shared
ok "C4 K6 that image is restarted" restart shared "$T/shared.img"
is "C4 K6 and has all of it" "$(ask shared)" right
kill_container shared

# While somebody takes his time with an image, files that were mapped are nobody's: their space is free. This container's
# program is on the file system.
mkdir "$T/fs"
mount -t tmpfs none "$T/fs"
cp "$(command -v mem-loop)" "$T/fs/"
container plain -- "$T/fs/mem-loop" -q 8 "$T/report" && wait_until 60 test -s "$T/report" || die "no mem-loop"
pid=$(init_of plain)
ok "S15 K7 a reader that takes its time" slow "$pid" plain
kill_container plain
rm "$T/fs/mem-loop"
is "S15 K7 a deleted file that was mapped when the image was made gives its space back" \
	"$(stat -f -c %b "$T/fs")" "$(stat -f -c %f "$T/fs")"
umount "$T/fs"
ok "S15 K7 and the image has an end" ends plain
cat "$T/plain.begun" "$T/plain.rest" >"$T/plain.img"
ok "S15 K7 that is right" ckpt inspect "$T/plain.img"

# Where a program has written zeroes over what is mapped of a file, ksm can put the kernel's own page of zeroes.
ksm=/sys/kernel/mm/ksm
echo 1 >$ksm/use_zero_pages
echo 10000 >$ksm/pages_to_scan
echo 1 >$ksm/run
has zeroes
echo 0 >$ksm/run
echo 0 >$ksm/use_zero_pages
ok "T9 K27 zeroes in a private mapping of a file are saved" checkpoint zeroes "$T/zeroes.img"
is "T9 K27 (they are there)" "$(ask zeroes)" xxxx00000000xxxx
kill_container zeroes
ok "T9 K27 and restarted" restart zeroes "$T/zeroes.img"
is "T9 K27 they are zeroes again" "$(ask zeroes)" xxxx00000000xxxx
kill_container zeroes

# Keys of random numbers lie in such memory: two restarts must not have the same.
has droppable
if [ "$(<"$T/droppable.ready")" = ready ]; then
	is "T8 K15 memory that the kernel may drop" "$(ask droppable)" "a7 True"
	ok "T8 K15 a container that has some is checkpointed" checkpoint droppable "$T/droppable.img"
	is "T8 K15 and keeps it" "$(ask droppable)" "a7 True"
	is "T8 K15 nothing of it is in the image" \
		"$(python3 -c 'import sys; print(open(sys.argv[1], "rb").read().count(b"\xa7" * 4096))' "$T/droppable.img")" 0
	kill_container droppable
	ok "T8 K15 it is restarted" restart droppable "$T/droppable.img"
	is "T8 K15 and has it again, empty" "$(ask droppable)" "0 True"
	kill_container droppable
else
	skip "T8 K15 memory that the kernel may drop" "$(<"$T/droppable.ready")"
fi

# Breakpoints that somebody sets from outside are not the program's.
cp "$(command -v mem-loop)" "$T/traced"
trace=/sys/kernel/tracing
mountpoint -q $trace || mount -t tracefs none $trace
# trace FUNCTION: the program is traced there, or nowhere without it
trace() {
	local at segment

	echo 0 >$trace/events/uprobes/enable
	echo >$trace/uprobe_events
	[ -n "${1:-}" ] || return 0
	at=$((0x$(nm "$T/traced" | sed -n "s/ [tT] $1\$//p")))
	read -ra segment < <(readelf -lW "$T/traced" | grep 'LOAD.* R E ')
	echo "p:traced $T/traced:$((at - ${segment[2]} + ${segment[1]}))" >>$trace/uprobe_events
	echo 1 >$trace/events/uprobes/enable
}
if [ -e $trace/uprobe_events ]; then
	container traced -- "$T/traced" 1 "$T/traced.report" || die "no container"
	wait_until 60 test -s "$T/traced.report" || die "no mem-loop"
	trace report
	fails "T8 K16 a program with breakpoints of somebody who traces it is refused" cat /ckpt/traced/image
	matches "T8 K16 by that name" "$(</ckpt/traced/log)" 'mapping [0-9a-f]+-[0-9a-f]+: a breakpoint of somebody who traces it'
	matches "N2 K16 also when it is only asked" "$(cat /ckpt/traced/check)" 'a breakpoint of somebody who traces it'
	rm "$T/traced.report"
	kill -HUP "$(init_of traced)"
	ok "T8 K16 (it comes there, and runs on)" wait_until 60 test -s "$T/traced.report"
	trace
	ok "T8 K16 without them it is checkpointed" checkpoint traced "$T/traced.img"
	kill_container traced
	ok "T8 K16 and restarted" restart traced "$T/traced.img"
	rm "$T/traced.report"
	kill -HUP "$(init_of traced)"
	ok "T8 K16 and comes there without them" wait_until 60 test -s "$T/traced.report"
	is "T8 K16 its memory is right" "$(sed -n 's/^verified //p' "$T/traced.report")" 1
	kill_container traced
else
	skip "T8 K16 breakpoints" "this kernel has no uprobe_events"
fi
