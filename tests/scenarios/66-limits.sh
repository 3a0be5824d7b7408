#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Limits that do something of themselves: processor time, pending signals, locked memory.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# What each process waits for and says is a file in $T of its name.
cat >"$T/limits.py" <<'END'
import ctypes, mmap, os, resource, signal, sys, threading, time

libc = ctypes.CDLL(None, use_errno=True)
top = sys.argv[1]

def say(name, text):
    with open(f"{top}/{name}.new", "w") as f:
        f.write(f"{text}\n")
    os.rename(f"{top}/{name}.new", f"{top}/{name}")

def wait_for(name):
    while not os.path.exists(f"{top}/{name}"):
        time.sleep(0.1)

# a soft limit that is reached when it computes
def processor():
    def reached(*_):
        say("processor", "reached")
        while True:
            time.sleep(1000)
    signal.signal(signal.SIGXCPU, reached)
    used = sum(os.times()[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 5, resource.RLIM_INFINITY))
    say("processor-ready", "")
    wait_for("go")
    while True:
        pass

# more signals wait than the limit allows by now, for the process and for a thread of it
def signals():
    wanted = [signal.SIGRTMIN + 1]
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    counts = []

    def count():
        wait_for("go")
        got = 0
        while signal.sigtimedwait(wanted, 0):
            got += 1
        counts.append(got)

    other = threading.Thread(target=count)
    other.start()
    for _ in range(3):
        os.kill(os.getpid(), wanted[0])
        signal.pthread_kill(other.ident, wanted[0])
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (2, 4))
    say("signals-ready", "")
    other.join()
    limit = resource.getrlimit(resource.RLIMIT_SIGPENDING)
    say("signals", f"{counts[0]} {limit[0]} {limit[1]}")

# mlockall() locks what no page can be brought into: behind the end of a file
def memory():
    with open(f"{top}/page", "w+b") as f:
        f.write(b"x" * 4096)
        f.flush()
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
        at = libc.mmap(None, 3 * 4096, mmap.PROT_READ, mmap.MAP_SHARED, f.fileno(), 0)
    if libc.mlockall(1):
        say("memory-ready", "mlockall fails")
        return
    say("memory-ready", "")
    wait_for("go")
    with open("/proc/self/smaps") as f:
        text = f.read()
    mapping = text[text.index(f"{at:x}-"):]
    flags = mapping[mapping.index("VmFlags:"):].split("\n")[0].split()
    say("memory", f"{ctypes.string_at(at, 3)} {'locked' if 'lo' in flags else 'not locked'}")

for what in processor, signals, memory:
    if os.fork() == 0:
        what()
        os._exit(0)
while True:
    time.sleep(1000)
END
container limits -- python3 "$T/limits.py" "$T" || die "no container"
for what in processor signals memory; do
	wait_until 60 test -e "$T/$what-ready" || die "$what does not come up"
done
is "T8 (mlockall works)" "$(<"$T/memory-ready")" ""
ok "T7 a container with limits is checkpointed" checkpoint limits "$T/image"
kill_container limits
ok "T7 (its time is not up yet)" test ! -e "$T/processor"
ok "T7 K22 K26 and restarted" restart limits "$T/image"
touch "$T/go"
ok "T7 K22 a process that computes past its RLIMIT_CPU is told so" wait_until 100 test -e "$T/processor"
wait_until 20 test -e "$T/signals"
is "T7 K22 one with more pending signals than RLIMIT_SIGPENDING allows has all of them, and the limit" \
	"$(<"$T/signals")" "6 2 4"
wait_until 20 test -e "$T/memory"
is "T8 K26 a mapping past the end of its file is locked" "$(<"$T/memory")" "b'xxx' locked"
