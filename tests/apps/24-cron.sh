#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cron, while one of its jobs runs, with the lock on its pid file; the next minute's jobs run, too.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

# The next minute is near: this machine has the clock for itself.
near() {
	date -s "$(date '+%Y-%m-%d %H:%M'):$1" >/dev/null
}

which cron >/dev/null || skip_all "D1 cron goes back to where it was" "there is no cron here"
rm -f /var/spool/cron/crontabs/* /etc/cron.d/*
cat >/etc/crontab <<END_OF_FILE
* * * * * root date +\%M >>$T/minutes
* * * * * root cd $T; [ -e long ] || { touch long; for i in \$(seq 100); do echo \$i >>long; sleep 0.1; done; echo ended >>long; }
END_OF_FILE
chmod 600 /etc/crontab
near 56
start cron 'exec cron -f'
comes "T4 cron: its minute comes" 60 lines long 3
taken cron cron
comes "S13 cron, gone on: its job comes to its end" 60 has long ended
back cron cron
nap 1
is "C5 cron, restarted: no second one starts, as it has its lock" "$(ckpt exec cron sh -c 'cron -f 2>&1')" \
	"cron: can't lock /var/run/crond.pid, otherpid may be $(ckpt exec cron cat /var/run/crond.pid): Resource temporarily unavailable"
before=$(wc -l <minutes)
near 57
comes "T4 cron, restarted: the next minute's job runs" 90 lines minutes $((before + 1))
comes "S13 cron, restarted: no child is left but what works" 30 ckpt exec cron sh -c '! ps -A -o stat= | grep Z'
