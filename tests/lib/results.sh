# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How a test says what it found: each function prints one line, "ok - TEXT", "not ok - TEXT" or "skip - TEXT: reason",
# which tests/run-scenarios and tests/run-host count. $T is a directory of the test's own.

# The debug kernel is about ten times slower in an emulator: multiply patience by this.
PATIENCE=1
[ "${CKPT_KERNEL:-}" = debug ] && PATIENCE=10

pass() {
	echo "ok - $*"
}

# fail DESC [DETAIL...]
fail() {
	echo "not ok - $1"
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
	return 1
}

# skip DESC REASON
skip() {
	echo "skip - $1: $2"
}

# skip_all DESC REASON: the whole scenario cannot run here.
skip_all() {
	skip "$@"
	exit 0
}

# die REASON: the scenario cannot go on.
die() {
	fail "${0##*/} cannot go on: $*"
	exit 1
}

# ok DESC CMD [ARG...]: CMD must succeed. Its output is shown when it does not.
ok() {
	local desc=$1 out rc
	shift

	out=$("$@" 2>&1)
	rc=$?
	if [ $rc = 0 ]; then
		pass "$desc"
	else
		fail "$desc" "exit status $rc of: $*" "$out"
	fi
}

# fails DESC CMD [ARG...]: CMD must end with an exit status from 1 to 125 (no crash).
fails() {
	local desc=$1 out rc
	shift

	out=$("$@" 2>&1)
	rc=$?
	if [ $rc -ge 1 ] && [ $rc -le 125 ]; then
		pass "$desc"
	else
		fail "$desc" "exit status $rc of: $*" "$out"
	fi
}

# is DESC GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:    $2" "wanted: $3"
	fi
}

# matches DESC GOT REGEX (extended)
matches() {
	if [[ $2 =~ $3 ]]; then
		pass "$1"
	else
		fail "$1" "got: $2" "does not match: $3"
	fi
}

# at_most DESC GOT LIMIT (whole numbers)
at_most() {
	if [[ $2 =~ ^-?[0-9]+$ ]] && [ "$2" -le "$3" ]; then
		pass "$1 ($2, limit $3)"
	else
		fail "$1" "got: $2" "limit: $3"
	fi
}

# nap SECONDS: sleeps, which is no process of its own as long as there is a directory for it.
nap() {
	if [ -n "${T:-}" ] && { [ -p "$T/.nap" ] || mkfifo "$T/.nap" 2>/dev/null; }; then
		read -rt "$1" <>"$T/.nap"
		# Its time was over, unless the pipe could not be opened.
		[ $? -le 128 ] || return 0
	fi
	sleep "$1"
}

# wait_until SECONDS CMD [ARG...]: tries CMD ten times a second until it succeeds; fails when the time is over.
wait_until() {
	local end=$((SECONDS + $1 * PATIENCE))
	shift

	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		nap 0.1
	done
}

# within SECONDS CMD [ARG...]: CMD, ended with exit status 124 when it takes longer. Functions work, too.
within() {
	local seconds=$(($1 * PATIENCE)) pid watcher rc
	shift

	"$@" &
	pid=$!
	(sleep "$seconds" && kill -KILL $pid) >/dev/null 2>&1 &
	watcher=$!
	wait $pid
	rc=$?
	kill $watcher 2>/dev/null || rc=124
	return $rc
}
