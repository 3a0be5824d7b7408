#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The command itself: its command lines, its exit status, what it leaves behind, and what it prints.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

# status CMD [ARG...]: its exit status.
status() {
	"$@" >/dev/null 2>&1
	echo $?
}

container web -- sleep 100000 || die "no container"

# files: the names in this directory.
files() {
	find . -mindepth 1 -printf '%P\n' | sort | xargs
}

# U22: command lines
mkdir "$T/empty" && cd "$T/empty" || die "no directory"
for command in run exec ps save restart check history forget kill inspect stats gc fsck; do
	matches "U22 ckpt $command --help" "$(ckpt $command --help)" "^Usage: ckpt $command"
done
for line in "save web" "restart web" "history web" "kill web" "check web" "forget web" "inspect x" "stats" "gc" "fsck" "ps"; do
	matches "U22 --help behind 'ckpt $line', too" "$(ckpt $line --help)" "^Usage: ckpt ${line%% *}"
done
is "U22 none of them has done anything" "$(ls -A) $(field web state) $(ls -A /ckpt/web/snapshots)" " running "
while read -r line; do
	is "U22 a command line with a mistake: ckpt $line" "$(status ckpt $line)" 2
done <<'END'

--unknown
nothing
save
save --unknown web
save web file more
save --stop web
restart
restart web x more
history
history web more
kill
kill web more
check
check web more
forget
forget --all web
forget web --keep-lost 1
forget web --keep-last x
inspect
inspect --jsn file
stats web
gc --store
fsck --unknown
ps web
exec web
exec --unknown web true
run
run --net other true
run --unknown true
END
matches "U22 which says what is wrong" "$(ckpt save --unknown web 2>&1)" "ckpt save: unrecognized option '--unknown'"
is "U22 a failure is another status" "$(status ckpt save nobody-here)" 1
is "U22 also without the file system" "$(status ckpt -m "$T" save web)" 1
is "U22 and nothing has been made" "$(ls -A)" ""
is "U22 a program's options are its own" "$(ckpt exec web echo --help -n)" "--help -n"
is "U22 also behind --" "$(ckpt exec web -- echo -n -- x)" "-- x"

# U21: a file appears when it is whole
ok "U21 save" ckpt save web image
is "U21 for its owner alone, and nothing else" "$(stat -c '%a %n' -- *)" "600 image"
ok "U21 it is whole" ckpt inspect image
echo old >old && chmod 644 old && ln -s old link
ok "U21 save over another file, by a link" ckpt save web link
is "U21 the link is one still" "$(readlink link) $(files)" "old image link old"
ok "U21 the file is the image" ckpt inspect old
# An end is met when all is written but nothing has its name yet; then the file of before is what there is.
echo before >kept
is "U21 a signal ends it" "$(strace -f -qq -o "$T/trace" -e trace=fsync -e inject=fsync:signal=TERM ckpt save web kept >/dev/null 2>&1; echo $?)" 143
is "U21 and leaves nothing" "$(files) $(<kept)" "image kept link old before"
is "U21 an error of the disk is one of the command's" \
	"$(status strace -f -qq -o "$T/trace" -e trace=fsync -e inject=fsync:error=EIO:when=1 ckpt save web kept)" 1
is "U21 that leaves nothing" "$(files) $(<kept)" "image kept link old before"
strace -f -qq -y -o "$T/trace" -e trace=fsync,linkat,rename ckpt save web kept
is "U21 first the file is on the disk, then its name, then the directory" \
	"$(sed -E 's/^[0-9]+ +//; s/\(.*//' "$T/trace" | xargs)" "fsync linkat linkat rename fsync"
matches "U21 the directory" "$(tail -n 1 "$T/trace")" "$T/empty>"
# A file system of FUSE has no files without a name: there is a partial one, and a signal removes it.
find /ckpt/web/snapshots -type f -delete
is "U21 where files have a name from the beginning a signal ends it, too" \
	"$(strace -f -qq -o "$T/trace" -e trace=openat,unlink,fsync -e inject=fsync:signal=TERM ckpt save web /ckpt/web/snapshots/copy >/dev/null 2>&1; echo $?)" 143
matches "U21 there was a partial one" "$(<"$T/trace")" 'openat\(AT_FDCWD, "(/ckpt/web/snapshots/.ckpt-save.[^"]*)".*unlink\("/ckpt/web/snapshots/.ckpt-save.[^"]*"\) *= 0'
is "U21 and there is none any more" "$(find /ckpt/web/snapshots -name '.*')" ""
fails "U21 and nothing has its name" test -e /ckpt/web/snapshots/copy
ok "U21 without a signal it gets there" ckpt save web /ckpt/web/snapshots/copy
ok "U21 as an image" ckpt inspect /ckpt/web/snapshots/copy
fails "U21 a directory that is not there" ckpt save web not/there
mkfifo pipe
cat pipe >through &
ok "U21 a pipe is written to" ckpt save web pipe
wait $!
ok "U21 with the image" ckpt inspect through
fails "U21 the disk is full" ckpt save web /dev/full
is "U21 /dev/full is still one" "$(stat -c %F /dev/full)" "character special file"

# N1: the final image
if [ -e /ckpt/web/final ]; then
	container short -- sleep 100000
	ok "N1 save --stop" ckpt save --stop short final
	ok "N1 is an image" ckpt inspect final
	ok "N1 with which the container ends" wait_until 20 is_gone short
	ok "N1 and from which it comes back" ckpt restart short final
else
	matches "N1 without final images save --stop says so" "$(ckpt save --stop web final 2>&1)" \
		'^ckpt save: there is no /ckpt/web/final: this ckptfs makes no final images$'
	is "N1 and leaves nothing" "$(ls -A final 2>/dev/null)$(field web state)" running
fi

# U24: what a name does to a terminal
odd=$'odd\e[31m\tn\xc3\xa4me\x9b'
mkdir "/ckpt/$odd"
matches "U24 in a terminal a name is harmless" "$(script -qec "ckpt ps" /dev/null | tr -d '\r' | grep '^odd')" \
	'^odd\\x1b\[31m\\x09näme\\x9b '
is "U24 elsewhere it is what it is" "$(ckpt ps | grep -cF "$odd ")" 1
is "U24 a sentence is for people" "$(ckpt save "${odd}x" 2>&1)" \
	'ckpt save: there is no container odd\x1b[31m\x09näme\x9bx: see '\''ckpt ps'\'
rmdir "/ckpt/$odd"

# U24: a restart that fails leaves no place
echo "no image" >bad
fails "U24 a restart under a mistyped name" ckpt restart wbe bad
fails "U24 leaves no place" test -e /ckpt/wbe
fails "U24 of one without snapshots neither" ckpt restart wbe
fails "U24 leaves none, too" test -e /ckpt/wbe
mkdir /ckpt/place
fails "U24 a place that was there" ckpt restart place bad
ok "U24 stays" test -d /ckpt/place
rmdir /ckpt/place

# U24: forget says what goes
find /ckpt/web/snapshots -type f -delete
for snapshot in a b c; do
	cp image /ckpt/web/snapshots/$snapshot && touch -d "2026-11-20 10:0${#snapshot}" /ckpt/web/snapshots/$snapshot
done
is "U24 forget --dry-run says what becomes of each" "$(ckpt forget -n web --keep-last 2 | awk '{ print $1 }' | sort | uniq -c | xargs)" "2 keep 1 would"
is "U24 forget says what goes alone" "$(ckpt forget web --keep-last 2 | awk '{ print $1 }' | xargs)" remove
is "U24 and nothing when nothing goes" "$(ckpt forget web --keep-last 2)" ""
is "U24 but with --verbose" "$(ckpt forget -v web --keep-last 2 | awk '{ print $1 }' | xargs)" "keep keep"

# U24, U25: JSON that every reader understands alike
ckpt inspect --json image >json
is "U24 numbers of 64 bits are strings, all others exact in a double" "$(python3 - json <<'END'
import json, sys
def walk(v):
    if isinstance(v, dict):
        for k in v: walk(v[k])
    elif isinstance(v, list):
        for x in v: walk(x)
    elif isinstance(v, (int, float)):
        assert abs(v) < 2 ** 53 and v == int(float(v)), v
records = json.load(open(sys.argv[1]))
walk(records)
first = records[0]
areas = [r for r in records if r["record"] == "MM"]
print(first["record"], type(first["seq"]).__name__, type(first["offset"]).__name__, type(areas[0]["start_stack"]).__name__, int(areas[0]["start_stack"]) > 2 ** 40)
END
)" "HEADER int str str True"
is "U25 with all the records" "$(grep -c '^{"record"' json)" "$(ckpt inspect image | grep -c '(record [0-9]*, byte')"
