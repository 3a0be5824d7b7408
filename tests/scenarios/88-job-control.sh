#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shells with job control in terminals of the container's: in tmux, whose client is outside, and in script.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

export TERM=xterm LC_ALL=C.UTF-8
printf 'line %d of a file\n' {1..200} >"$T/text"

# tm ARG...: a client of the container's tmux.
tm() {
	tmux -S "$T/tmux" "$@"
}

# typed KEY...: into the pane.
typed() {
	tm send-keys -t work "$@"
}

# shows REGEX: the pane's visible text has such a line.
shows() {
	tm capture-pane -p -t work | grep -Eq -- "$1"
}

# see DESC REGEX: waits for it.
see() {
	if wait_until 30 shows "$2"; then
		pass "$1"
	else
		fail "$1" "the pane shows:" "$(tm capture-pane -p -t work 2>&1)"
	fi
}

if ! command -v tmux >/dev/null || ! command -v script >/dev/null; then
	skip "C9 shells in terminals" "there is no tmux or no script"
	exit 0
fi

cat >"$T/start" <<END
tmux -f /dev/null -S '$T/tmux' new-session -d -s work -x 80 -y 24 "bash --norc -i"
exec sleep 1000000
END
container tmux -- sh "$T/start" || die "tmux does not start"
wait_until 30 tm has-session -t work || die "tmux has no session"
typed "PS1='ready> '" Enter
see "C9 tmux: a shell is there" '^ready>'
typed "cat >'$T/out'" Enter
nap 0.5
typed "before" Enter
wait_until 20 grep -q before "$T/out"
typed C-z
see "C9 tmux: a job is stopped" 'Stopped'
typed "clear; less -S '$T/text'" Enter
see "C9 tmux: and a pager is in front" '^line 23 of'
typed "/line"
see "C9 tmux: which has half of a command" '^/line'

ok "C9 tmux: checkpoint" checkpoint tmux "$T/tmux.img"
typed " 120" Enter
see "C9 tmux: it goes on" '^line 120 of'
for generation in first second; do
	kill_container tmux >/dev/null
	ok "C9 tmux, $generation: restart" restart tmux "$T/tmux.img" || break
	ok "C9 tmux, $generation: a client gets its answer" tm has-session -t work
	see "C9 tmux, $generation: the pane has what it had" '^line 22 of'
	typed " 150" Enter
	see "C9 tmux, $generation: the pager hears keys, behind those that it had" '^line 150 of'
	typed q
	see "C9 tmux, $generation: and ends" '^ready>'
	tm resize-window -t work -x 100 -y 30
	typed "clear; stty size" Enter
	see "C9 tmux, $generation: another size reaches the shell" '^30 100'
	typed "jobs" Enter
	see "C9 tmux, $generation: the stopped job is known" 'Stopped +cat'
	typed "fg" Enter
	nap 0.5
	typed "after $generation" Enter
	ok "C9 tmux, $generation: fg brings the job back" wait_until 20 grep -q "after $generation" "$T/out"
	typed C-c
	typed "echo \$?" Enter
	see "C9 tmux, $generation: ^C ends it" '^130'
done
kill_container tmux >/dev/null

# A shell under script, which types what comes through a named file.
cat >"$T/run" <<END
tail -n +1 -s 0.1 -f ---disable-inotify '$T/keys' | script -qf -c "bash --norc -i" '$T/typescript' >/dev/null
END
: >"$T/keys"
container script -- bash "$T/run" || die "script does not start"
# What is typed is shown before it is done.
echo "PS1='ready> '; echo begun \$((1 + 1)); sleep 1000000" >>"$T/keys"
wait_until 30 grep -q 'begun 2' "$T/typescript"
nap 0.5
printf '\032' >>"$T/keys"
ok "C9 script: a job is stopped" wait_until 30 grep -q Stopped "$T/typescript"
ok "C9 script: checkpoint" checkpoint script "$T/script.img"
kill_container script >/dev/null
if ok "C9 script: restart" restart script "$T/script.img"; then
	echo 'kill %1; fg; echo answer $((40 + 2))' >>"$T/keys"
	ok "C9 script: the shell hears keys" wait_until 30 grep -q 'answer 42' "$T/typescript"
fi
kill_container script >/dev/null
exit 0
