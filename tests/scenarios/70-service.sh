#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The unit under a systemd of the test machine's own, in namespaces as a container would have them: start, stop, crash
# and restart of the service while a container lives that it has restarted.
# machine: --bare
# timeout: 300

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

unit=ckptfs.service
systemd=/lib/systemd/systemd
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ -x $systemd ] || skip_all "D1 the service" "there is no systemd on this machine"

# What is installed, at its places. The unit goes on where its modprobe finds no module.
mkdir -p /usr/local/{bin,sbin} /run/units /var/lib/ckptfs
cp "$CKPT_BUILD/cli/ckpt" /usr/local/bin/
cp "$CKPT_BUILD"/around/ckpt-{checkpoint,restart} "$CKPT_BUILD/fs/ckptfs" /usr/local/sbin/
cp "$CKPT_BUILD/systemd"/ckptfs{,-forget}.service "$CKPT_TOP/systemd/ckptfs-forget.timer" /run/units/
cp /lib/systemd/system/{basic,sysinit,shutdown}.target /run/units/
insmod "$CKPT_BUILD/kernel/$(uname -r)/ckpt.ko" || die "the module cannot be loaded"

# A systemd that knows these units alone.
mkdir /sys/fs/cgroup/machine
(
	echo $BASHPID >/sys/fs/cgroup/machine/cgroup.procs
	exec unshare --cgroup --mount --pid --fork --kill-child --mount-proc bash -c '
		umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
		exec env -i PATH="$1" container=test SYSTEMD_UNIT_PATH=/run/units SYSTEMD_LOG_TARGET=console \
			"$2" --system --unit=basic.target --show-status=no' - "$path" $systemd
) </dev/null >"$T/systemd.log" 2>&1 &
manager=$!

# in_it CMD [ARG...]: in the namespaces of that systemd.
in_it() {
	nsenter -t "$pid" -m -p -C -- env PATH=$path "$@"
}

up() {
	pid=$(pgrep -P $manager -x systemd) && in_it systemctl is-active basic.target
}

main_pid() {
	in_it systemctl show -P MainPID $unit
}

is_mounted() {
	in_it mountpoint -q /ckpt
}

state_of() {
	in_it sed -n "s/^$2: *//p" "/ckpt/$1/status"
}

# The container goes on as the same task.
lives() {
	[ "$(state_of web state)" = running ] && [ "$(state_of web init)" = "$init" ]
}

snapshots() {
	in_it bash -c 'ls /ckpt/web/snapshots/2* | wc -l'
}

another_daemon() {
	local now

	now=$(main_pid)
	[ "$now" != 0 ] && [ "$now" != "$main" ] && is_mounted
}

wait_until 60 up || die "systemd does not come up: $(cat "$T/systemd.log")"
ok "D1 the service starts" in_it systemctl start $unit
ok "D1 when it has started, /ckpt is mounted" is_mounted
in_it systemctl status $unit

in_it ckpt run -d -n web -- sleep 10000 || die "no container"
ok "D1 the service checkpoints" in_it bash -c "cat /ckpt/web/image >$T/web.img"
in_it ckpt kill web
ok "D2 the service restarts" in_it cp "$T/web.img" /ckpt/web/restart
init=$(state_of web init)
ok "D2 the container that was restarted runs" lives
is "D2 its monitor is in the unit's cgroup" \
	"$(in_it cat /sys/fs/cgroup/system.slice/$unit/cgroup.procs | wc -l)" 2

main=$(main_pid)
ok "D1 the service is reloaded" in_it systemctl reload $unit
sleep 1
is "D1 that is the same daemon" "$(main_pid)" "$main"
ok "D1 it serves /ckpt as before" lives

ok "D2 the service is restarted" in_it systemctl restart $unit
ok "D2 it is another daemon" another_daemon
ok "D2 the container has lived through that" lives

main=$(main_pid)
in_it kill -KILL "$main"
ok "D2 a daemon that was killed comes back" wait_until 60 another_daemon
ok "D2 the container has lived through that, too" lives
ok "D1 the new daemon checkpoints it" in_it bash -c "cat /ckpt/web/image >$T/again.img"

is "D4 two checkpoints are in its history" "$(snapshots)" 2
ok "D4 the service that forgets, without rules" in_it systemctl start ckptfs-forget.service
is "D4 forgets nothing" "$(snapshots)" 2
mkdir -p /etc/ckptfs
echo "default --keep-last 1" >/etc/ckptfs/retention
ok "D4 its timer starts" in_it systemctl start ckptfs-forget.timer
matches "D4 and comes every hour" "$(in_it systemctl show -P TimersCalendar ckptfs-forget.timer)" "OnCalendar=\*-\*-\* \*:00:00"
ok "D4 with rules" in_it systemctl start ckptfs-forget.service
is "D4 it forgets what they don't keep" "$(snapshots)" 1
in_it systemctl stop ckptfs-forget.timer

ok "D1 the service is stopped" in_it systemctl stop $unit
fails "D1 /ckpt is not mounted any more" is_mounted
ok "D2 the container has lived through that as well" in_it kill -0 "$init"
# Not by `ckpt kill`, which would do the monitor's work.
in_it kill -KILL "$init"
ok "D2 its monitor has lived, too, and removes the container's cgroup" wait_until 20 in_it test ! -e /sys/fs/cgroup/ckpt/web
cat "$T/systemd.log"
kill -KILL "$pid"
wait $manager
rmmod ckpt
