#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Python's multiprocessing: processes with queues, a lock, a counter and an array in shared memory, at work; no number
# is lost or comes twice.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

cat >work.py <<'END_OF_FILE'
import hashlib, multiprocessing as mp, os, time
from multiprocessing import shared_memory

N = 400

def worker(tasks, results, lock, count, name, barrier):
    shm = shared_memory.SharedMemory(name)
    barrier.wait()
    while (n := tasks.get()) is not None:
        digest = b""
        for i in range(40):
            digest = hashlib.sha256(digest + b"%d" % n).digest()
        time.sleep(0.04)
        with lock:
            count.value += 1
            shm.buf[n] = shm.buf[n] + 1
        results.put((n, digest.hex()))

def main():
    mp.set_start_method("fork")
    tasks, results, lock = mp.Queue(20), mp.Queue(), mp.Lock()
    count, barrier = mp.Value("i", 0), mp.Barrier(5)
    shm = shared_memory.SharedMemory(create=True, size=N)
    workers = [mp.Process(target=worker, args=(tasks, results, lock, count, shm.name, barrier)) for i in range(4)]
    for w in workers:
        w.start()
    barrier.wait()
    got, sent, total = {}, 0, hashlib.sha256()
    while len(got) < N:
        while sent < N and sent - len(got) < 20:
            tasks.put(sent)
            sent += 1
        n, digest = results.get()
        assert n not in got
        got[n] = digest
        with open("progress", "w") as f:
            print(len(got), file=f)
    for w in workers:
        tasks.put(None)
    for w in workers:
        w.join()
    for n in sorted(got):
        total.update(got[n].encode())
    once = sum(1 for b in shm.buf[:N] if b == 1)
    text = "%d %d %d %s" % (len(got), count.value, once, [w.exitcode for w in workers])
    shm.close()
    shm.unlink()
    with open("python.out.new", "w") as f:
        print(text, total.hexdigest()[:16], file=f)
    os.rename("python.out.new", "python.out")

main()
END_OF_FILE
wanted=$(python3 -c '
import hashlib
total = hashlib.sha256()
for n in range(400):
    d = b""
    for i in range(40):
        d = hashlib.sha256(d + b"%d" % n).digest()
    total.update(d.hex().encode())
print("400 400 400 [0, 0, 0, 0]", total.hexdigest()[:16])')
far() {
	[ "$(cat progress)" -ge 60 ]
}

# Its semaphores and its shared memory are in a /dev/shm of the container's own.
start python 'mount -t tmpfs shm /dev/shm; python3 work.py; sleep 100000'
comes "C8 Python's multiprocessing: it works" 60 far
taken python "Python's multiprocessing"
comes "D1 Python's multiprocessing: it goes on" 90 test -e python.out
is "C2 C3 T5 Python's multiprocessing, gone on: each number once, in queues and shared memory" "$(cat python.out)" "$wanted"
rm -f python.out
back python "Python's multiprocessing"
comes "D2 Python's multiprocessing: it comes to its end" 90 test -e python.out
is "C2 C3 T5 Python's multiprocessing, restarted: each number once, in queues and shared memory" "$(cat python.out)" "$wanted"
