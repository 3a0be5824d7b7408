#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# sqlite3 with a database in memory and one on the disk, between transactions; a program feeds it through a pipe.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# The container's init: hands on to sqlite3 what it finds in the file question.
cat >feed.py <<'END'
import os, subprocess, time
sqlite = subprocess.Popen(["sqlite3", "-batch", ":memory:"], stdin=subprocess.PIPE)
while True:
    if os.path.exists("question"):
        with open("question", "rb") as question:
            sqlite.stdin.write(question.read())
        os.unlink("question")
        sqlite.stdin.flush()
    time.sleep(0.05)
END

# ask SQL: sqlite's answer
ask() {
	rm -f answer
	printf '.once %s/answer.new\n%s;\n.shell mv %s/answer.new %s/answer\n' "$T" "$1" "$T" "$T" >question.new
	mv question.new question
	wait_until 60 test -e answer && cat answer
}

# contents WHEN
contents() {
	local -a said

	mapfile -t said < <(ask "select (select count(*) || ' ' || sum(n) || ' ' || max(text) from t) || '
' || (select count(*) || ' ' || sum(n) from disk.t) || '
' || (select user_version from pragma_user_version) || ' ' || (select cache_size from pragma_cache_size)")
	is "S10 sqlite3, $1: the database in memory" "${said[0]:-}" "20000 200010000 row 9999"
	is "C1 sqlite3, $1: the database on the disk" "${said[1]:-}" "1000 500500"
	is "S10 sqlite3, $1: its settings" "${said[2]:-}" "77 -5000"
}

which sqlite3 >/dev/null || skip_all "D1 sqlite3 goes back to where it was" "there is no sqlite3 here"
container sqlite -- python3 feed.py || die "sqlite3 does not start"
ask "create table t(n integer primary key, text);
	insert into t with recursive c(n) as (select 1 union all select n + 1 from c where n < 20000)
		select n, 'row ' || n from c;
	attach '$T/disk.db' as disk;
	create table disk.t(n);
	insert into disk.t select n from main.t where n <= 1000;
	pragma user_version = 77;
	pragma cache_size = -5000" >/dev/null || die "sqlite3 does not answer"
contents "before"

ok "D1 sqlite3: cat checkpoints it" checkpoint sqlite img
contents "after the checkpoint"
is "S10 sqlite3, after the checkpoint: it works" "$(ask 'delete from t; select count(*) from t')" 0
for when in restarted "restarted again"; do
	kill_container sqlite
	ok "D2 sqlite3, $when: cp restarts it" restart sqlite img
	wait_until 20 is_running sqlite
	contents "$when"
	is "S10 sqlite3, $when: it works" \
		"$(ask "insert into t values(20001, 'new'); select text from t where n > 20000")" new
done
is "C1 sqlite3, $when: it writes to the disk" \
	"$(ask 'insert into disk.t values(-1); select count(*) from disk.t') $(sqlite3 disk.db 'pragma integrity_check')" "1001 ok"
