#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 600
#
# The log of a container in the background: whatever logrotate(8) and people do to it, the container is checkpointed, its
# output goes on where it went, and after a restart it goes to the log that ckpt run would have made.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

logs=/var/log/ckpt
log=$logs/app.log
# shellcheck disable=SC2016 # for the container's shell
counting='i=0; while :; do echo "line $((i=i+1))"; sleep 0.1; done'

# grows FILE: something is written to it.
grows() {
	local before

	before=$(stat -Lc %s "$1") || return
	# shellcheck disable=SC2016 # for the inner shell
	wait_until 20 bash -c '[ "$(stat -Lc %s "$0")" -gt "$1" ]' "$1" "$before"
}

# output: the file that the container's output goes to, whatever its name.
output() {
	echo "/proc/$(init_of app)/fd/1"
}

# taken WHAT: it is checkpointed, and the output goes on in the same file.
taken() {
	local file

	file=$(stat -Lc %d:%i "$(output)")
	ok "C2 $kind, $1: it is checkpointed" checkpoint app image
	is "C2 $kind, $1: the output goes on" "$(grows "$(output)" && stat -Lc %d:%i "$(output)")" "$file"
}

# comes_back WHAT: from that image; the output goes to its log, which is one line after another.
comes_back() {
	kill_container app
	ok "C2 $kind, $1: it is restarted" restart app image
	ok "C2 $kind, $1: its output goes to its log" grows $log
	is "C2 $kind, $1: which is that file" "$(stat -Lc %d:%i "$(output)")" "$(stat -c %d:%i $log)"
	is "C2 $kind, $1: for root alone" "$(stat -c '%a %u' $log)" "640 0"
	is "C2 $kind, $1: with nothing but lines in it" "$(grep -avxE 'line [0-9]+' $log)" ""
}

# rotate OPTION...: what logrotate does to it with these.
rotate() {
	{ echo "$log {"; printf '\t%s\n' "rotate 9" missingok "$@"; echo "}"; } >rotate.conf
	chmod 600 rotate.conf
	logrotate -f -s "$T/rotate.state" rotate.conf
}

command -v logrotate >/dev/null || die "there is no logrotate here: tests/lib/install"
rootfs root || die "no root file system"

for kind in "the host's root" "a root of its own"; do
	options=()
	[ "$kind" = "the host's root" ] || options=(--rootfs root)
	rm -f $logs/*
	container app "${options[@]}" -- sh -c "$counting" || die "no container"
	ok "C2 $kind: it has a log" grows $log
	is "C2 $kind: its console is the log" "$(ckpt exec app stat -c %d:%i /dev/console)" "$(stat -c %d:%i $log)"
	taken untouched
	size=$(stat -c %s $log)
	comes_back untouched
	at_most "C2 $kind: what was in the log is there" "$size" "$(stat -c %s $log)"

	ok "C2 $kind, renamed" rotate nocreate
	taken renamed
	is "C2 $kind, renamed: into the file with the new name" "$(stat -Lc %i "$(output)") $(ls $logs)" "$(stat -c %i $log.1) app.log.1"
	sum=$(kill_container app; sha256sum <$log.1)
	comes_back renamed
	is "C2 $kind, renamed: the old one is left alone" "$(sha256sum <$log.1)" "$sum"

	if [ ${#options[@]} = 0 ]; then
		ok "C2 $kind, renamed and made anew" rotate create
		taken "renamed and made anew"
		is "C2 $kind, renamed and made anew: nothing goes to the new one before a restart" "$(stat -c %s $log)" 0
		comes_back "renamed and made anew"

		ok "C2 $kind, copied and cut" rotate copytruncate
		taken "copied and cut"
		comes_back "copied and cut"

		rm $log.*
		ok "C2 $kind, compressed" rotate create compress
		is "C2 $kind, compressed: the output goes to a file without a name" "$(stat -Lc %h "$(output)")" 0
		taken compressed
		comes_back compressed

		mkdir elsewhere
		ok "C2 $kind, moved elsewhere and deleted" bash -c "mv $log elsewhere/x && rm elsewhere/x"
		taken "moved elsewhere and deleted"
		comes_back "moved elsewhere and deleted"
	fi

	rm $log
	is "N2 $kind, deleted: nothing is in the way of a checkpoint" "$(ckpt check app; echo $?)" 0
	taken deleted
	comes_back deleted
	rm $log
	taken "deleted again"
	kill_container app
	head -c 20000 image >./cut
	fails "S16 $kind: a restart that fails" restart app cut
	fails "S16 $kind: leaves no log" test -e $log
	ok "D2 $kind: under another name" restart copy image
	ok "D2 $kind: it has a log of its own" grows $logs/copy.log
	fails "D2 $kind: and no other" test -e $log
	ok "D2 $kind: and the original, too" restart app image
	ok "D2 $kind: which has its own" grows $log
	kill_container copy
	kill_container app
done

# What somebody has put in the console's place is no log, and nothing of it may be lost.
container app -- sh -c 'exec >/dev/null 2>&1; exec sleep 100000' || die "no container"
echo precious >mine
nsenter -t "$(init_of app)" -m -- mount --bind "$T/mine" /dev/console
ok "C2 another file there is one like any other" checkpoint app image
matches "C2 as its image says" "$(ckpt inspect image)" "mount bind $T/mine /dev/console"
rm mine
fails "C2 deleted it is refused" checkpoint app image
matches "C2 by name" "$(</ckpt/app/log)" "what the container has mounted on /dev/console has been deleted"
kill_container app

# A host without a console.
mkdir dev
unshare -m bash -c '
	mount -t tmpfs dev dev && mknod dev/null c 1 3 && chmod 666 dev/null && mount --move dev /dev || exit
	ckpt run -d -n app -- sh -c "$1"' - "$counting" || fail "D1 a host without /dev/console"
ok "D1 without /dev/console the log is found by its name" grows $log
is "D1 that it has inside, too" "$(readlink "$(output)")" $log
kill_container app
rm -f $logs/*
