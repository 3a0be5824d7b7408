#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A parent with 20 children in several sessions and process groups, two zombies and an orphan.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

# pid, name, parent, group, session and whether it is a zombie: of each process but those of this very look.
family() {
	ckpt exec tree bash -c '
		for dir in /proc/[0-9]*; do
			pid=${dir#/proc/}
			[ "$pid" != $$ ] || continue
			read -r stat 2>/dev/null <"$dir/stat" || continue
			name=${stat#*\(} rest=${stat##*) }
			set -- $rest
			[ "$1" = Z ] || set -- - "${@:2}"
			echo "$pid ${name%%)*} $2 $3 $4 $1"
		done' | sort -n
}

# shellcheck disable=SC2317 # generations() calls it
before_check() {
	is "S13 tree, $2: the processes are the same in /proc" "$(family)" "$before"
}

start_self_checking tree tree
before=$(family)
is "S13 tree: 23 processes, two of them zombies" "$(wc -l <<<"$before") $(grep -c 'Z$' <<<"$before")" "23 2"
generations tree
