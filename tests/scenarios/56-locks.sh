#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# File locks and leases are held as they were, by whom they were, and who waits for one waits on; who is told of input is
# told. What somebody else holds stays his.
#
# timeout: 500

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking locks locks
generations locks
grep -A 40 '^was:' /var/log/ckpt/locks.log
kill_container locks

# flock(1): the lock is its child's, too. A copy beside the container that still runs cannot have it.
is_locked() {
	! flock -n -s "$1" true
}
container held -- flock -x "$T/pid file" sleep 100000 || die "no container"
wait_until 30 is_locked "$T/pid file"
holder=$(pgrep -x flock)
ok "C5 flock(1) with its lock: checkpoint" checkpoint held held.img
mkdir -p /ckpt/copy
fails "C5 a copy beside the container that holds the lock does not restart" cp held.img /ckpt/copy/restart
matches "C5 the log names the file, the lock and who has it" "$(</ckpt/copy/log)" \
	"$T/pid file: its lock \(exclusive flock\(2\)\) is held by process $holder \(flock\), which must let it go"
ok "C5 the container that holds it runs on, with it" eval 'is_running held && is_locked "$T/pid file"'
kill_container held
fails "C5 when it has gone the lock is free" is_locked "$T/pid file"
ok "C5 and the copy restarts" restart copy held.img
ok "C5 with the lock" is_locked "$T/pid file"
kill_container copy
fails "C5 which ends with it" is_locked "$T/pid file"

# SQLite, in the middle of a transaction in WAL mode, with a connection of somebody outside who only waits.
cat >writer.py <<'END'
import os, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1] + '/db', isolation_level=None)
assert db.execute('PRAGMA journal_mode=WAL').fetchone()[0] == 'wal'
db.execute('CREATE TABLE IF NOT EXISTS t(n INTEGER)')
db.execute('BEGIN IMMEDIATE')
db.execute('INSERT INTO t VALUES (42)')
open(sys.argv[1] + '/ready', 'w').close()
while not os.path.exists(sys.argv[1] + '/go'):
    time.sleep(0.05)
db.execute('INSERT INTO t VALUES (43)')
db.execute('COMMIT')
open(sys.argv[1] + '/done', 'w').close()
time.sleep(100000)
END
# sql WHAT: by a connection of our own, which does not wait
sql() {
	python3 -c '
import sqlite3, sys
try:
    print(sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute(sys.argv[2]).fetchall())
except sqlite3.OperationalError as e:
    print(e)' "$T/sqlite/db" "$1"
}
mkdir sqlite
container sqlite -- python3 "$T/writer.py" "$T/sqlite" && wait_until 60 test -e sqlite/ready || die "no SQLite"
ok "C5 SQLite within a transaction: checkpoint" checkpoint sqlite sqlite.img
kill_container sqlite
ok "C5 SQLite within a transaction: restart" restart sqlite sqlite.img
is "C5 nobody else may write" "$(sql 'BEGIN IMMEDIATE')" "database is locked"
is "C5 and who reads does not see it yet" "$(sql 'SELECT count(*) FROM t')" "[(0,)]"
touch sqlite/go
ok "C5 it goes on" wait_until 30 test -e sqlite/done
is "C5 everything is there" "$(sql 'SELECT n FROM t')" "[(42,), (43,)]"
is "C5 others may write again" "$(sql 'BEGIN IMMEDIATE')" "[]"

# Locks of somebody outside on a file that is open in the container are his.
cat >hold.py <<'END'
import fcntl, struct, sys, time
f = open(sys.argv[1], 'r+')
fcntl.fcntl(f, fcntl.F_SETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, int(sys.argv[2]), 10, 0))
print('ready', flush=True)
time.sleep(100000)
END
# hold FROM: a process outside locks ten bytes of it from there on; $outside
hold() {
	python3 hold.py bytes "$1" >said &
	outside=$!
	wait_until 30 grep -q ready said
}
truncate -s 1000 bytes
container bytes -- python3 "$T/hold.py" "$T/bytes" 100 || die "no container"
wait_until 60 grep -q ready /var/log/ckpt/bytes.log
hold 500
ok "C5 a file that somebody outside has locked, too: checkpoint" checkpoint bytes bytes.img
kill_container bytes
ok "C5 restart while he holds his part" restart bytes bytes.img
kill_container bytes
kill "$outside"
wait "$outside"

# Somebody outside may have the open file itself, and be told of what happens to it.
ok "C5 restart" restart bytes bytes.img
cat >owner.py <<'END'
import ctypes, fcntl, os, sys
there = os.pidfd_open(int(sys.argv[1]))
fd = ctypes.CDLL(None).syscall(438, there, int(sys.argv[2]), 0)
fcntl.fcntl(fd, fcntl.F_SETOWN, os.getppid() if sys.argv[3] == 'outside' else 0)
END
# set_owner outside|nobody
set_owner() {
	local link

	for link in /proc/"$(init_of bytes)"/fd/*; do
		[ "$(readlink "$link")" != "$T/bytes" ] || python3 owner.py "$(init_of bytes)" "${link##*/}" "$1"
	done
}
set_owner outside
fails "C5 F_SETOWN with a process outside: no checkpoint" cat /ckpt/bytes/image
matches "C5 and it says why" "$(</ckpt/bytes/log)" 'fd [0-9]+: bytes: F_SETOWN with a process outside of the container'
set_owner nobody
ok "C5 without it there is one" checkpoint bytes bytes.img
kill_container bytes
hold 105
fails "C5 but not while he holds the container's" cp bytes.img /ckpt/bytes/restart
matches "C5 the log says who does" "$(</ckpt/bytes/log)" \
	"$T/bytes: its lock \(exclusive F_SETLK\) is held by process $outside \(python3\), which must let it go"
kill "$outside"
wait "$outside"
ok "C5 and when he has let it go it restarts" restart bytes bytes.img
kill_container bytes

# Who has a lease is not told to give it up for a restart's sake.
cat >lease.py <<'END'
import fcntl, signal, sys, time
signal.signal(signal.SIGIO, lambda *_: print('told', flush=True))
f = open(sys.argv[1])
fcntl.fcntl(f, 1024, fcntl.F_RDLCK)
print('ready', flush=True)
while True:
    time.sleep(100000)
END
python3 lease.py bytes >said &
outside=$!
wait_until 30 grep -q ready said
fails "C5 nor while somebody has a lease of it" cp bytes.img /ckpt/bytes/restart
matches "C5 the log says so" "$(</ckpt/bytes/log)" "$T/bytes: somebody has a lease of it, which he must give up"
is "C5 and nobody was told to give it up" "$(<said)" ready
kill "$outside"
wait "$outside"
ok "C5 when it has gone it restarts" restart bytes bytes.img
exit 0
