#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# signalfd, inotify and pidfd, in a program that checks itself and in programs of every day; and what of them is refused.
#
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

queue=/proc/sys/fs/inotify/max_queued_events
was=$(<$queue)
echo 40 >$queue
start_self_checking events events
ok "S1 events: checkpoint of one that is not asked" checkpoint events "$T/untouched"
generations events
grep ' was: \| is: ' /var/log/ckpt/events.log
kill_container events

# Who restarts has less room, or the files are others.
echo 10 >$queue
mkdir -p /ckpt/events
fails "C4 a queue that is too small here: no restart" cp "$T/untouched" /ckpt/events/restart
matches "C4 and it says so" "$(</ckpt/events/log)" \
	'more inotify events wait to be read than sysctl fs.inotify.max_queued_events allows'
echo "$was" >$queue
mv "$T/events/none" "$T/events/elsewhere"
fails "C4 what was watched is gone: no restart" cp "$T/untouched" /ckpt/events/restart
matches "C4 and it says so" "$(</ckpt/events/log)" \
	"$T/events/none, which was watched, cannot be: error 2; put it back to restart"
is "N2 C4 so does check" "$(ckpt check --restart "$T/untouched" 2>&1)" \
	"file: $T/events/none is gone: No such file or directory; put it back"
touch "$T/events/none"
fails "C4 it is of another type: no restart" cp "$T/untouched" /ckpt/events/restart
matches "C4 and it says so" "$(</ckpt/events/log)" "$T/events/none is of another type than it was"
rm "$T/events/none"
mv "$T/events/elsewhere" "$T/events/none"
ok "C4 when it is back it restarts" restart events "$T/untouched"
kill_container events

# tail -F: lines that come while there is no container are read, once, and so is the file that takes the old one's place.
seq 3 >lines
container tail -- sh -c "exec tail -F $T/lines >$T/heard"
wait_until 20 grep -qx 3 heard || die "tail reads nothing"
for fd in /proc/"$(init_of tail)"/fd/*; do readlink "$fd"; done >fds
ok "C4 tail -F has an inotify instance" grep -q inotify fds
ok "C4 tail -F is checkpointed" checkpoint tail img
echo 4 >>lines
ok "C4 it reads on" wait_until 20 grep -qx 4 heard
kill_container tail
seq 3 >heard
echo 5 >>lines
ok "C4 tail -F restarts" restart tail img
echo 6 >>lines
ok "C4 it reads what has come" wait_until 30 grep -qx 6 heard
is "C4 all of it" "$(tr '\n' ' ' <heard)" "1 2 3 4 5 6 "
mv lines lines.old
echo new >lines
ok "C4 it finds the file that takes its place" wait_until 30 grep -qx new heard
kill_container tail

if command -v inotifywait >/dev/null; then
	mkdir seen
	container wait -- sh -c "exec inotifywait -m -e create --format %f $T/seen >$T/told 2>&1"
	wait_until 20 grep -q established told || die "inotifywait does not come up"
	ok "C4 inotifywait is checkpointed" checkpoint wait img
	kill_container wait
	ok "C4 inotifywait restarts" restart wait img
	touch seen/one
	ok "C4 it sees on" wait_until 30 grep -qx one told
	kill_container wait
else
	skip "C4 inotifywait goes on" "it is not installed"
fi

# A supervisor: a pidfd for each child, all signals by a signalfd, in one epoll.
container python -- python3 -c "
import ctypes, os, select, signal, struct, subprocess, time
libc = ctypes.CDLL(None)
signals = {signal.SIGUSR1, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
mask = ctypes.c_ulong(sum(1 << s - 1 for s in signals))
fd = libc.syscall(289, -1, ctypes.byref(mask), 8, 0)
children = {}
epoll = select.epoll()
epoll.register(fd)
for i in range(3):
	p = subprocess.Popen(['sleep', '100000'])
	children[os.pidfd_open(p.pid)] = p
	open('$T/pid.%d' % i, 'w').write(str(p.pid))
for c in children:
	epoll.register(c)
out = open('$T/supervised', 'w', buffering=1)
print('ready', file=out)
while True:
	for f, _ in epoll.poll():
		if f == fd:
			print('signal', struct.unpack('I', os.read(fd, 128)[:4])[0], file=out)
		else:
			print('ended', children[f].wait(), file=out)
			epoll.unregister(f)"
wait_until 30 grep -q ready supervised || die "python does not come up"
ok "C4 a supervisor with signalfd and pidfds is checkpointed" checkpoint python img
kill_container python
ok "C4 it restarts" restart python img
kill -USR1 "$(init_of python)"
ok "C4 it gets a signal" wait_until 30 grep -qx 'signal 10' supervised
nsenter -t "$(init_of python)" -p -m kill -9 "$(<pid.1)"
ok "C4 it hears of a child's end" wait_until 30 grep -qx 'ended -9' supervised
kill_container python

# What it has from outside.
container outside -- python3 -c "
import socket, threading
s = socket.socket(socket.AF_UNIX)
s.connect('$T/socket')
_, fds, _, _ = socket.recv_fds(s, 1, 1)
s.close()
open('$T/given', 'w').close()
threading.Event().wait()" &
python3 -c "
import os, socket
s = socket.socket(socket.AF_UNIX)
s.bind('$T/socket')
s.listen()
c, _ = s.accept()
socket.send_fds(c, [b'x'], [os.pidfd_open(os.getppid())])
c.recv(1)"
wait_until 30 test -e given || die "nothing was given"
fails "C4 a pidfd of a process outside of the container is refused" checkpoint outside img
matches "C4 by name" "$(</ckpt/outside/log)" \
	'^task 1 \(python3\) fd [0-9]+: a pidfd of a process outside of the container'
ok "C4 and the container runs on" is_running outside
kill_container outside
