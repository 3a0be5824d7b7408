#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 300
#
# The history as files: what every tool that copies, moves, lists and deletes makes of it. No container runs.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

place=/ckpt/history
dir=$place/snapshots

# names DIR: what is in it, in one line
names() {
	find "$1" -mindepth 1 -printf '%f\n' | sort | xargs
}

# status_line KEY
status_line() {
	sed -n "s/^$1: *//p" "$place/status"
}

head -c 3000001 /dev/urandom >one
# Zeros in it, which the store does not keep, and a length that is no multiple of anything.
{ head -c 100000 /dev/urandom; head -c 5000000 /dev/zero; head -c 77777 /dev/urandom; } >two

# A place of its own

ok "D6 mkdir makes a place" mkdir $place
is "D6 it has its files" "$(names $place)" "image log restart snapshots status"
fails "D6 it can't be made twice" mkdir $place
ok "D6 mkdir -p of one that is there" mkdir -p $place
is "D5 its status says that nothing runs there" "$(status_line state)" stopped
is "D5 and its name" "$(status_line name)" history
is "D4 a new history is empty" "$(ls -A $dir)" ""
is "D6 image is a stream of unknown length" "$(stat -c %s $place/image)" 0
fails "D1 there is nothing to checkpoint" cat $place/image
matches "D5 and the log says so" "$(cat $place/log)" "checkpoint of history failed: .+"
# shellcheck disable=SC2016 # for the inner shell
ok "D2 opening restart and writing nothing does nothing" bash -c '[ ! -c /dev/ckpt ] || : >$0/restart' $place

# In and out

ok "D4 cp imports" cp one $dir/a
ok "D4 cp exports" cp $dir/a back
ok "D4 what comes out is what went in" cmp one back
is "D4 it has its true size" "$(stat -c %s $dir/a)" 3000001
is "D4 it is root's alone" "$(stat -c '%a %u' $dir/a)" "400 0"
touch -d '2024-02-03 04:05:06.789 UTC' two
ok "D4 cp -p imports" cp -p two $dir/b
is "D4 with its time" "$(stat -c %Y.%y $dir/b | cut -c -29)" "$(stat -c %Y.%y two | cut -c -29)"
ok "D4 zeros and odd lengths come out" cmp two $dir/b
is "D4 latest is the newest" "$(readlink $dir/latest)" a
ok "D4 latest can be read" cmp one $dir/latest
ok "D4 touch makes another the newest" touch $dir/b
is "D4 latest follows" "$(readlink $dir/latest)" b

ok "D6 cat >" bash -c "cat one >$dir/c"
ok "D6 a pipe" bash -c "cat one | cat >$dir/d"
ok "D6 dd" dd if=one of=$dir/e bs=4097 status=none
ok "D6 tee" bash -c "tee $dir/f <one >/dev/null"
ok "D6 cp --sparse=always" cp --sparse=always two $dir/g
ok "D6 cp --reflink=auto" cp --reflink=auto one $dir/h
ok "D6 python's shutil" python3 -c "import shutil; shutil.copyfile('one', '$dir/i')"
is "D6 all of them have come in whole" "$(sha256sum $dir/[cdefhi] <one | cut -d ' ' -f 1 | sort -u)" \
	"$(sha256sum <one | cut -d ' ' -f 1)"
ok "D6 holes are zeros" cmp two $dir/g
ok "D6 dd at an offset" bash -c "cmp <(dd if=$dir/a bs=1000 skip=777 count=99 status=none) \
	<(dd if=one bs=1000 skip=777 count=99 status=none)"
ok "D6 tail" bash -c "cmp <(tail -c 12345 $dir/a) <(tail -c 12345 one)"
ok "D6 mmap, in the middle and at the end" python3 -c "
import mmap
with open('$dir/a', 'rb') as f, open('one', 'rb') as g:
    a, b = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ), g.read()
    assert a[1500000:1600000] == b[1500000:1600000] and a[-5000:] == b[-5000:]"
ok "D6 sendfile and copy_file_range" python3 -c "
import os
size = os.path.getsize('one')
for call, to in ((lambda i, o: os.sendfile(o, i, None, size), 'out'),
                 (lambda i, o: os.copy_file_range(i, o, size), '$dir/range')):
    i, o = os.open('$dir/a', os.O_RDONLY), os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    while call(i, o):
        pass
    os.close(o)
    assert open(to, 'rb').read() == open('one', 'rb').read()"
ok "D6 a shell that writes it with several commands" bash -c "
	{ head -c 1000 one; tail -c +1001 one; } >$dir/parts && cmp one $dir/parts"
ok "D6 tar, there and back" bash -c "
	mkdir untar && tar -C $dir -cf - a b | tar -C untar -xpf - && cmp one untar/a && cmp two untar/b &&
	tar -C untar -cf - a | tar -C $dir --transform 's/^/tar-/' -xf - && cmp one $dir/tar-a"
is "D6 find" "$(find $dir -type f -size +4M -printf '%f\n' | sort | xargs)" "b g"
ok "D6 df" df $dir
if command -v rsync >/dev/null; then
	ok "D6 rsync, there and back" bash -c "
		rsync -a $dir/a $dir/b synced/ && cmp one synced/a && rsync -a synced/ $dir/ &&
		rsync -a one $dir/rsync-in && cmp one $dir/rsync-in"
else
	skip "D6 rsync, there and back" "it is not installed"
fi

# Names

ok "D4 mv renames" mv $dir/c $dir/renamed
ok "D4 mv over another" mv $dir/renamed $dir/d
fails "D4 the old name is gone" test -e $dir/renamed
ok "D4 the new one is whole" cmp one $dir/d
ok "D4 mv -n keeps what is there" bash -c "mv -n $dir/d $dir/b; cmp two $dir/b && cmp one $dir/d"
mkdir /ckpt/other
ok "D4 mv to another container" mv $dir/d /ckpt/other/snapshots/d
is "D4 it is there" "$(names /ckpt/other/snapshots)" "d latest"
ok "D4 and whole" cmp one /ckpt/other/snapshots/d
ok "D4 names may be odd" bash -c "cp one '$dir/ a
b\"\\é' && cmp one '$dir/ a
b\"\\é' && rm '$dir/ a
b\"\\é'"
long=$(printf '%0255d' 0)
ok "D4 and long" bash -c "cp one $dir/$long && cmp one $dir/$long && rm $dir/$long"
fails "D4 but not longer" cp one "$dir/${long}0"
fails "D4 nothing else may be called latest" mv $dir/e $dir/latest/x
is "D4 inode numbers stay" "$(n=$(stat -c %i $dir/e); mv $dir/e $dir/e2; [ "$(stat -c %i $dir/e2)" = "$n" ] && echo yes)" yes

# What can't be done

fails "D6 a snapshot can't be changed" bash -c "echo x >>$dir/a"
fails "D6 or cut" truncate -s 5 $dir/a
fails "D6 directories can't be made in a history" mkdir $dir/x
fails "D6 or files beside it" touch $place/x
fails "D6 containers can't be renamed" mv $place /ckpt/elsewhere
ok "D6 after all that it is as it was" cmp one $dir/a
ok "D4 cp over a snapshot replaces it at close" bash -c "cp two $dir/a && cmp two $dir/a"
ok "D4 a file that is open while it is deleted stays whole" bash -c "
	exec 3<$dir/f && rm $dir/f && [ ! -e $dir/f ] && cmp one /dev/fd/3"
is "D4 while it is written nobody sees it" "$(bash -c "
	exec 3>$dir/half; head -c 100000 one >&3; ls -A $dir | grep half; stat -Lc %s /dev/fd/3")" 100000
ok "D4 and then it is there" test -e $dir/half
rm -f $dir/half
ok "D4 a writer that is killed" bash -c "
	(head -c 100000 /dev/urandom; exec sleep 100) >$dir/killed & sleep 1; kill -KILL \$!"
is "D4 leaves what it closed, whole" "$(wait_until 5 test -e $dir/killed && stat -c %s $dir/killed)" 100000

# Who may

if id nobody >/dev/null 2>&1; then
	as_nobody="setpriv --reuid nobody --clear-groups"
	ok "D6 others may look" $as_nobody ls -l $place $dir
	ok "D5 and see the status" $as_nobody cat $place/status
	fails "D6 but not read a snapshot" $as_nobody cat $dir/a
	fails "D6 or an image" $as_nobody cat $place/image
	fails "D6 or restart one" $as_nobody cp one $place/restart
	fails "D6 or delete one" $as_nobody rm -f $dir/a
	fails "D6 or make a place" $as_nobody mkdir /ckpt/nobody
	ok "D6 until root lets them" bash -c "chmod 444 $dir/a && $as_nobody cat $dir/a | cmp - two"
fi

# Away

fails "D6 rmdir of a place with snapshots" rmdir $place
ok "D4 rm deletes" bash -c "find $dir -type f -exec rm {} +"
is "D4 nothing is left, latest neither" "$(ls -A $dir)" ""
ok "D6 rmdir of a place without" rmdir $place
fails "D6 it is gone" test -e $place
ok "D6 and leaves the others" cmp one /ckpt/other/snapshots/d

# Many

ok "D4 2000 snapshots" python3 -c "
import os
os.mkdir('/ckpt/many')
for n in range(2000):
    with open(f'/ckpt/many/snapshots/{n:05}', 'wb') as f:
        f.write(b'%d' % n)"
is "D4 all are listed with size" "$(find /ckpt/many/snapshots -type f -printf '%s\n' | sort | uniq -c | xargs)" \
	"10 1 90 2 900 3 1000 4"
SECONDS=0
ls -l /ckpt/many/snapshots >/dev/null
at_most "D4 seconds to list them with ls -l" $SECONDS 5
ok "D4 they can be deleted" bash -c "find /ckpt/many/snapshots -type f -delete && rmdir /ckpt/many"
