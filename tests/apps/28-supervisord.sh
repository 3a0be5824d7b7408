#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# supervisord, which starts programs again when they end, has their output in pipes and answers at a unix socket.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

which supervisord >/dev/null || skip_all "D1 supervisord goes back to where it was" "there is none here"
cat >counter <<'END_OF_FILE'
i=0
while :; do i=$((i + 1)); echo "count $i of $$"; sleep 0.05; done
END_OF_FILE
cat >conf <<END_OF_FILE
[supervisord]
nodaemon = true
logfile = $T/supervisord.log
pidfile = $T/supervisord.pid
childlogdir = $T
[unix_http_server]
file = $T/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://$T/supervisor.sock
[program:one]
command = /bin/bash $T/counter
stdout_logfile = $T/one.log
autorestart = true
[program:two]
command = /bin/sleep 1000000
END_OF_FILE

# ctl COMMAND...
ctl() {
	supervisorctl -c "$T/conf" "$@" 2>&1
}

# told: its programs, with their pids
told() {
	ctl status | sed 's/, *uptime.*//; s/  */ /g'
}

# no_gap: what program one said came to its log, each line once.
no_gap() {
	awk '{ if ($4 == pid && $2 != last + 1) { print last, $0; bad = 1 } last = $2; pid = $4 } END { exit bad }' one.log
}

start supervisord 'exec supervisord -c conf'
wait_until 90 lines one.log 20 || die "supervisord starts nothing: $(cat supervisord.log)"
two_run() {
	[ "$(ctl status | grep -c RUNNING)" = 2 ]
}
comes "C6 supervisord: its programs run" 60 two_run
told=$(told)
taken supervisord supervisord
for when in "gone on" restarted; do
	[ "$when" != restarted ] || back supervisord supervisord
	is "C6 supervisord, $when: its client is told of the same programs" "$(told)" "$told"
	n=$(wc -l <one.log)
	comes "C3 supervisord, $when: it writes its program's log" 20 lines one.log $((n + 20))
	ok "C3 supervisord, $when: nothing is lost in the pipe" no_gap
done
ctl signal KILL one >/dev/null
again() {
	[ "$(told | grep one)" != "$(grep one <<<"$told")" ] && two_run
}
comes "S13 supervisord, restarted: it starts a program again that was killed" 40 again
matches "C6 supervisord, restarted: it ends a program" "$(ctl stop two; told)" "two: stopped.*two STOPPED"
