#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# sqlite3 in WAL mode in the middle of a transaction: of one that is copied it is the copy on the disk that counts, so
# that it comes back from an image with which it ended.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

# count: of rows that others see
count() {
	sqlite3 -readonly -cmd '.timeout 5000' db "select count(*), sum(n) from t" 2>&1
}

# counts TEXT
counts() {
	[ "$(count)" = "$1" ]
}

# insert FROM TO: in the middle of it the shell makes the file busy.
insert() {
	printf "insert into t with recursive c(n) as (select %d union all select n + 1 from c where n < %d) select n, hex(randomblob(60)) from c;\n" "$1" "$2"
}

which sqlite3 >/dev/null || skip_all "D1 sqlite3 goes back to where it was" "there is no sqlite3 here"
mkfifo in
# It has its own input open for writing, too: what a client has written it reads, and there is no end.
start sqlite 'exec 3<>in; exec sqlite3 -batch db <&3'
{
	echo "pragma journal_mode = wal; pragma wal_autocheckpoint = 100; create table t(n integer primary key, text);"
	insert 1 1000
	echo "begin immediate;"
	insert 1001 3000
	echo ".shell touch busy"
	insert 3001 60000
	echo ".shell until [ -e go ]; do sleep 0.1; done"
	echo "commit;"
} >in
wait_until 60 test -e busy || die "sqlite3 does not come to its transaction: $(cat /var/log/ckpt/sqlite.log)"
is "C5 sqlite3 in WAL mode: a reader sees what was before the transaction" "$(count)" "1000|500500"
taken sqlite "sqlite3 in a transaction"
is "C5 sqlite3 in WAL mode, gone on: it has its lock" "$(sqlite3 db 'begin immediate' 2>&1)" "Error: stepping, database is locked (5)"
touch go
comes "C1 sqlite3 in WAL mode, gone on: the transaction is done" 60 counts "60000|1800030000"

rm -f busy go
{
	echo "begin immediate;"
	insert 60001 62000
	echo ".shell touch busy"
	insert 62001 120000
	echo ".shell until [ -e go ]; do sleep 0.1; done"
	echo "commit;"
} >in
wait_until 60 test -e busy || die "sqlite3 does not come to its second transaction"
ended sqlite "sqlite3 in a transaction"
is "C5 sqlite3 in WAL mode, restarted: it has its lock" "$(sqlite3 db 'begin immediate' 2>&1)" \
	"Error: stepping, database is locked (5)"
is "C5 sqlite3 in WAL mode, restarted: a reader sees what was before the transaction" "$(count)" "60000|1800030000"
touch go
comes "C1 sqlite3 in WAL mode, restarted: the transaction is done" 60 counts "120000|7200060000"
is "C1 sqlite3 in WAL mode, restarted: the database is whole" "$(sqlite3 db 'pragma integrity_check')" ok
echo "insert into t values(-1, 'new');" >in
comes "C1 sqlite3 in WAL mode, restarted: it goes on" 30 counts "120001|7200059999"
