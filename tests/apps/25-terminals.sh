#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs with terminals of their own: tmux with vi and a shell at work, screen, script.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

export TERM=xterm LC_ALL=C.UTF-8 SCREENDIR=$T/screens
# A shell at work counts into FILE, and shows it.
# shellcheck disable=SC2016 # for that shell
echo 'i=0; while :; do i=$((i + 1)); echo $i | tee $1; sleep 0.1; done' >counting
# shellcheck disable=SC2016 # for that shell
echo 'PS1="ready> "; told() { echo "it is $?" | tee ended; }' >rc

# counted FILE N: it has counted further than N.
counted() {
	[ "$(cat "$1")" -gt "$2" ]
}

# counts DESC FILE
counts() {
	local now

	now=$(cat "$2")
	comes "$1" 20 counted "$2" "${now:-0}"
}

# tm ARG...: a client of the container's tmux.
tm() {
	tmux -S "$T/tmux.sock" "$@"
}

# shows PANE REGEX
shows() {
	tm capture-pane -p -t "$1" | grep -Eq -- "$2"
}

printf 'line %d of a file\n' {1..100} >text
start tmux 'export TERM=xterm LC_ALL=C.UTF-8
	tmux -f /dev/null -S tmux.sock new-session -d -s work -n vi -x 80 -y 24 "vi -u NONE -n text"
	tmux -S tmux.sock new-window -d -t work -n shell "bash --rcfile rc -i"
	exec sleep 1000000'
wait_until 30 shows work:vi '^line 20 of' || die "tmux with vi does not come up: $(tm capture-pane -p -t work:vi 2>&1)"
wait_until 30 shows work:shell '^ready>' || die "no shell in tmux"
tm send-keys -t work:shell "bash counting count" Enter
wait_until 30 counted count 5 || die "the shell does not count"
tm send-keys -t work:vi 10G ddOchanged
comes "C9 tmux with vi: a line is changed, and vi still inserts" 20 shows work:vi '^changed'
taken tmux "tmux with vi and a shell"
for when in "gone on" restarted; do
	[ "$when" != restarted ] || back tmux "tmux with vi and a shell"
	cp -p text text.old
	comes "C9 tmux, $when: its client is answered, and vi shows what it did" 30 shows work:vi '^changed$'
	counts "C9 tmux, $when: the shell in it counts" count
	tm send-keys -t work:vi " by vi" Escape :w Enter
	comes "C9 vi in tmux, $when: it goes on inserting and writes" 30 has text '^changed by vi$'
	is "C9 vi in tmux, $when: the file is what it shall be" "$(sha256sum <text)" \
		"$(printf 'line %d of a file\n' {1..100} | sed '10s/.*/changed by vi/' | sha256sum)"
	tm send-keys -t work:shell C-c
	tm send-keys -t work:shell told Enter
	comes "C9 the shell in tmux, $when: ^C ends what it did" 20 shows work:shell '^it is 130'
	cp -p text.old text
done
kill_container tmux

if which screen >/dev/null; then
	mkdir -m 700 screens
	# sc COMMAND...: to the container's screen.
	sc() {
		screen -S work -X "$@"
	}
	start screen "export TERM=xterm SCREENDIR=$T/screens; exec screen -c /dev/null -D -m -s /bin/bash -S work bash --rcfile rc -i"
	again() {
		sc stuff $'touch there\n' && [ -e there ]
	}
	wait_until 30 again || die "screen does not come up: $(screen -ls)"
	sc stuff $'bash counting count2\n'
	wait_until 20 counted count2 5 || die "the shell in screen does not count"
	taken screen screen
	for when in "gone on" restarted; do
		[ "$when" != restarted ] || back screen screen
		counts "C9 screen, $when: the shell in it counts" count2
		rm -f ended
		sc stuff $'\003'
		sc stuff $'told\n'
		comes "C9 screen, $when: its client is answered, ^C ends what it did" 20 has ended '^it is 130'
		sc hardcopy "$T/hard"
		comes "C9 screen, $when: it knows what is on it" 20 has hard '^it is 130'
	done
	kill_container screen
else
	skip "C9 screen" "there is none"
fi

mkfifo keys
start script 'exec 3<>keys; script -qf -c "bash --rcfile rc -i" typescript <&3 >/dev/null; sleep 100000'
printf 'bash counting count3\n' >keys
wait_until 20 counted count3 5 || die "the shell in script does not count"
taken script script
counts "C9 script, gone on: the shell in it counts" count3
back script script
counts "C9 script, restarted: the shell in it counts" count3
printf '\003' >keys
nap 0.5
printf 'told; exit\n' >keys
comes "C9 script, restarted: ^C ends what it did" 20 has typescript 'it is 130'
comes "C9 script, restarted: it has written all, and ends" 20 has typescript '^Script done'
