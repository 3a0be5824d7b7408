#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Pipes in every state, with a name and without, are as they were; whoever is outside of the container and has one open is
# in the way.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking pipes pipes
is "N2 C3 nothing is in the way of a checkpoint" "$(ckpt check pipes; echo $?)" 0
generations pipes
kill_container pipes

# named NAME SCRIPT [WORD...]: bash with descriptor 3 on NAME.fifo, which has something in it; it then runs SCRIPT. The words
# are a program that runs the whole.
named() {
	local name=$1 script=$2
	shift 2

	mkfifo -m 666 "$name.fifo"
	# shellcheck disable=SC2016 # for the container's shell
	"$@" ckpt run -d -n "$name" -- bash -c 'cd "$0"; exec 3<>"$1.fifo"; echo -n kept >&3; eval "$2"; : >"$1.ready"; while :; do sleep 1; done' \
		"$T" "$name" "$script" && wait_until 20 is_running "$name" && wait_until 60 test -e "$name.ready" || die "$name is not ready: $(cat "/var/log/ckpt/$name.log")"
}

# refused DESC NAME REGEX: a checkpoint
refused() {
	local log

	fails "$1" cat "/ckpt/$2/image"
	log=$(<"/ckpt/$2/log")
	matches "$1 by name" "$log" "$3"
	is "$1: it runs on" "$(field "$2" state)" running
}

# no_restart DESC NAME IMAGE REGEX
no_restart() {
	mkdir -p "/ckpt/$2"
	fails "$1: no restart" cp "$3" "/ckpt/$2/restart"
	matches "$1 is said" "$(<"/ckpt/$2/log")" "$4"
}

chmod 777 .
named shared ''
exec 9<>shared.fifo
refused "C3 a named pipe that is open outside, too, is refused" shared 'the named pipe shared.fifo is open outside of the container, too'
exec 9>&-
named waits 'exec 4<waits.fifo 3>&-'
cat waits.fifo >waits.out &
reader=$!
wait_until 20 grep -q fifo_open "/proc/$reader/stack"
refused "C3 one for whose other end somebody outside waits is refused" waits 'the named pipe waits.fifo is open outside of the container, too'
kill $reader
wait $reader
ok "C3 without him it is saved" checkpoint waits waits.img
kill_container waits
echo text >waits.fifo &
writer=$!
wait_until 20 grep -q fifo_open "/proc/$writer/stack"
no_restart "C3 while somebody outside waits for a reader" waits waits.img 'the named pipe .*/waits.fifo is open outside of the container'
matches "C3 who waits on" "$(<"/proc/$writer/stack")" fifo_open
kill $writer
wait $writer
ok "C3 without him it is restarted" restart waits waits.img
kill_container waits

ok "C3 without anybody outside it is saved" checkpoint shared image
no_restart "C3 beside the original" copy image 'the named pipe .*/shared.fifo is open outside of the container'
is "C3 which runs on, and it is open as often as before" "$(field shared state) $(find "/proc/$(init_of shared)/fd" -lname '*/shared.fifo' | wc -l)" "running 1"
kill_container shared
remember
exec 9<>shared.fifo
no_restart "C3 while somebody outside has it open" shared image 'the named pipe .*/shared.fifo is open outside of the container'
exec 9>&-
rm shared.fifo
no_restart "C3 a named pipe that is gone" shared image '/shared.fifo is gone: error 2; make it again with mkfifo'
ckpt check --restart image >reasons 2>&1
matches "N2 C3 which a look at the image says, too" "$(<reasons)" 'file: .*/shared.fifo is gone'
echo text >shared.fifo
no_restart "C3 a named pipe that is another file now" shared image '/shared.fifo is no named pipe any more'
ckpt check --restart image >reasons 2>&1
matches "N2 C3 which a look at the image says, too" "$(<reasons)" 'file: .*/shared.fifo is of another type than it was'
is "C3 which stays as it is" "$(<shared.fifo)" text
rm shared.fifo
mkfifo -m 666 shared.fifo
ok "C3 with another of that name it is restarted" restart shared image
exec 9<shared.fifo
IFS= read -r -N 4 -u 9 got
is "C3 and that has its contents" "$got" kept
exec 9>&-
kill_container shared
ok "S16 C3 nothing stays of those that failed" unchanged

# What a user may not have any more he keeps if whoever restarts may have it.
limits=/proc/sys/fs/pipe
less=(setpriv --bounding-set -sys_resource --inh-caps -sys_resource)
# shellcheck disable=SC2016 # for the container's shell
named user 'setpriv --reuid 7 --clear-groups sh -c "sleep 100000 | sleep 100001" & exec 4< <(sleep 100000)' "${less[@]}"
ok "C3 pipes of a user: checkpoint" checkpoint user image
kill_container user
saved=$(cat $limits-user-pages-soft $limits-user-pages-hard $limits-max-size)
echo 1 >$limits-user-pages-soft
echo 1 >$limits-user-pages-hard
echo 4096 >$limits-max-size
ok "C3 pipes of a user who may not have so many any more: restart" restart user image
is "C3 they have their size" "$(python3 -c 'import fcntl, sys
print(fcntl.fcntl(open(sys.argv[1]), 1032))' "/proc/$(init_of user)/fd/4")" 65536
kill_container user
fails "C3 without the right to more than there may be: no restart" "${less[@]}" ckpt-restart -l "$T/log" <image
matches "C3 without the right to more than there may be is said" "$(<log)" 'PIPE [0-9]+ cannot have its size of 65536 bytes: error 1; it is above fs.pipe-max-size, for which CAP_SYS_RESOURCE is needed'
{ read -r soft; read -r hard; read -r size; } <<<"$saved"
echo "$soft" >$limits-user-pages-soft
echo "$hard" >$limits-user-pages-hard
echo "$size" >$limits-max-size
exit 0
