#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 300
# host: yes
#
# The history as files: what every tool that copies, moves, lists and deletes makes of it. No container runs.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

place=$CKPT/history
dir=$place/snapshots

# names DIR: what is in it, in one line
names() {
	find "$1" -mindepth 1 -printf '%f\n' | sort | xargs
}

# status_line KEY
status_line() {
	sed -n "s/^$1: *//p" "$place/status"
}

# Neither has a length that is a multiple of a page; the second has zeros in it, which the store does not keep.
make-image -p 700 -s "$RANDOM" >one || die "no image"
make-image -p 1200 -s "$RANDOM" -z >two || die "no image"

# A place of its own

ok "D6 mkdir makes a place" mkdir $place
is "D6 it has its files" "$(names $place)" "check image log options restart snapshots status"
fails "D6 it can't be made twice" mkdir $place
ok "D6 mkdir -p of one that is there" mkdir -p $place
is "D5 its status says that nothing runs there" "$(status_line state)" stopped
is "D5 and its name" "$(status_line name)" history
is "D4 a new history is empty" "$(ls -A $dir)" ""
is "D6 image is a stream of unknown length" "$(stat -c %s $place/image)" 0
fails "D1 there is nothing to checkpoint" cat $place/image
matches "D5 and the log says so" "$(cat $place/log)" "checkpoint of history failed: .+"

matches "U20 restart can't be read, by root either" "$(cat $place/restart 2>&1)" "Permission denied"
matches "U20 which leaves the log as it was" "$(cat $place/log)" "checkpoint of history failed: .+"
matches "U20 nor can image be written" "$({ : >$place/image; } 2>&1)" "Permission denied"

# Its options

options=$place/options
is "N3 options: there are none" "$(cat $options)" ""
ok "N3 options are written" bash -c "echo 'max-frozen: 3s' >$options"
is "N3 and read" "$(cat $options)" "max-frozen: 3s"
is "N3 it has its true size" "$(stat -c %s $options)" 15
ok "N3 another is appended" bash -c "echo ' freeze-timeout:500ms ' >>$options"
is "N3 they are kept as they were written" "$(cat $options)" "max-frozen: 3s
 freeze-timeout:500ms "
printf '# while the disk is slow\n\nmax-frozen: 20s' >good-options
ok "N3 cp" cp good-options $options
ok "N3 they are as they were written" cmp good-options $options

# bad_option TEXT SENTENCE
bad_option() {
	fails "N3 bad options fail: ${1@Q}" bash -c "printf %b ${1@Q} >$options"
	matches "N3 and the log says why" "$(cat $place/log)" "options of history stay as they were: $2"
	ok "N3 and they do" cmp good-options $options
}
bad_option 'max-frozne: 5s\n' "line 1: there is no option 'max-frozne'"
bad_option 'freeze-timeout: 1s\nmax-frozen: 5\n' "line 2: max-frozen takes a time such as 500ms or 5s, not '5'"
bad_option 'max-frozen: 0s\n' "line 1: max-frozen takes a time"
bad_option 'max-frozen: 2h\n' "line 1: max-frozen takes a time"
bad_option 'max-frozen 5s\n' "line 1 is not 'key: value'"
bad_option 'max-frozen: 5s\nmax-frozen: 5s\n' "line 2: max-frozen is there twice"
is "N3 the error is EINVAL, in a line that has no end at close" "$(python3 -c "
import os
f = os.open('$options', os.O_WRONLY | os.O_TRUNC)
try:
    os.write(f, b'nothing: 1\n')
except OSError as e:
    print('write', e.strerror)
os.ftruncate(f, 0)
os.write(f, b'nothing: 1')
try:
    os.close(f)
except OSError as e:
    print('close', e.strerror)" | xargs)" "write Invalid argument close Invalid argument"
fails "N3 a file of other length it can't be" truncate -s 5 $options
fails "N3 nor one of a megabyte" bash -c "yes '# nothing' | head -c 1000000 >$options"
ok "N3 after all that they are as they were" cmp good-options $options
ok "N3 truncate takes them all" truncate -s 0 $options
is "N3 none are left" "$(cat $options)" ""
ok "N3 so does a shell" bash -c "cp good-options $options && : >$options"
is "N3 none are left" "$(cat $options)" ""
is "N3 they are root's alone" "$(stat -c '%a %u' $options)" "600 0"

# In and out

ok "D4 cp imports" cp one $dir/a
ok "D4 cp exports" cp $dir/a back
ok "D4 what comes out is what went in" cmp one back
is "D4 it has its true size" "$(stat -c %s $dir/a)" "$(stat -c %s one)"
is "D4 it is root's alone" "$(stat -c '%a %u' $dir/a)" "400 0"
touch -d '2024-02-03 04:05:06.789 UTC' two
ok "D4 cp -p imports" cp -p two $dir/b
is "D4 with its time" "$(stat -c %Y.%y $dir/b | cut -c -29)" "$(stat -c %Y.%y two | cut -c -29)"
ok "D4 zeros and odd lengths come out" cmp two $dir/b
is "D4 latest is the newest" "$(readlink $dir/latest)" a
ok "D4 latest can be read" cmp one $dir/latest
ok "D4 touch makes another the newest" touch $dir/b
is "D4 latest follows" "$(readlink $dir/latest)" b

touch -d '2001-02-03 UTC' $dir/b
is "U24 the time of change is not set back with the other" "$(find $dir/b -newermt 2001-02-02 -not -newermt 2001-02-04 -cnewer one)" \
	$dir/b
touch stamp
chmod 440 $dir/a
is "U24 chmod is a change" "$(find $dir -type f -cnewer stamp)" $dir/a
chmod 400 $dir/a
touch stamp
mv $dir/a $dir/a.b && mv $dir/a.b $dir/a
is "U24 so is mv" "$(find $dir -type f -cnewer stamp)" $dir/a
touch stamp
setfattr -n user.note -v x $dir/b
is "U24 and an attribute" "$(find $dir -type f -cnewer stamp)" $dir/b
touch $dir/b
is "U24 directories do not say how many are in them, so that find looks" "$(stat -c %h $CKPT $place | xargs)" "1 1"
odd=$'odd\e[2J\nname: x'
mkdir "$CKPT/$odd"
is "U24 a name does nothing to a terminal, and is one line" "$(grep -c '' "$CKPT/$odd/status") $(head -n 1 "$CKPT/$odd/status")" \
	"$(grep -c '' $place/status) name: odd\\033[2J\\012name: x"
cp /etc/passwd "$CKPT/$odd/snapshots/x" 2>/dev/null
is "U24 in the log neither" "$(tr -dc '\000-\037' <"$CKPT/$odd/log" | od -An -tx1)" " 0a"
rmdir "$CKPT/$odd"

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
is "D6 statfs: the disk that the history is on" "$(stat -fc '%S %b %l' $dir)" \
	"$(stat -fc '%S %b' "${CKPT_STORE:-/var/lib/ckptfs}") 255"
ok "D6 rsync, there and back" bash -c "
	rsync -a $dir/a $dir/b synced/ && cmp one synced/a && rsync -a synced/ $dir/ &&
	rsync -a one $dir/rsync-in && cmp one $dir/rsync-in"

# Only images

# bad DESC COMMAND: it fails, nothing appears, and the log has the reason
bad() {
	local desc=$1
	shift

	fails "D4 $desc fails" bash -c "$*"
	fails "D4 and is not there" test -e $dir/bad
	matches "D4 and the log says why" "$(cat $place/log)" "snapshot bad of history was not imported: .+"
}

head -c 1000000 one >./cut
{ cat one; echo; } >./more
python3 -c "
b = bytearray(open('one', 'rb').read())
b[2000000] ^= 1
open('flipped', 'wb').write(b)"
bad "an import of something else" "cp /etc/passwd $dir/bad"
bad "an import of zeros" "truncate -s 100M zeros; cp --sparse=always zeros $dir/bad"
bad "an import that is cut off" "cp cut $dir/bad"
bad "an import with a byte changed" "dd if=flipped of=$dir/bad bs=1M status=none"
bad "an import with something behind it" "cat more | tee $dir/bad >/dev/null"
bad "an import of nothing" "cp /dev/null $dir/bad"
bad "touch of what is not there" "touch $dir/bad"
is "D4 the error is EINVAL, at close" "$(python3 -c "
import os
f = os.open('$dir/bad', os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(f, b'no image' * 100000)
try:
    os.close(f)
except OSError as e:
    print(e.strerror)")" "Invalid argument"
mkdir twin
is "U4 also when its writer has another file with that inode number open" "$(unshare -m python3 -c "
import os, subprocess
subprocess.check_call(['mount', '-t', 'tmpfs', 'tmpfs', 'twin'])
f = os.open('$dir/bad', os.O_WRONLY | os.O_CREAT | os.O_EXCL)
for n in range(10000):
    twin = os.open('twin/%d' % n, os.O_WRONLY | os.O_CREAT)
    if os.fstat(twin).st_ino == os.fstat(f).st_ino:
        break
    os.close(twin)
print(os.fstat(twin).st_ino == os.fstat(f).st_ino)
os.write(f, b'no image' * 100000)
try:
    os.close(f)
except OSError as e:
    print(e.strerror)" | xargs)" "True Invalid argument"
is "U4 behind an image's last byte the first close tells, whoever else has it open" "$(python3 -c "
import os
f = os.open('$dir/first', os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(f, open('one', 'rb').read())
os.close(os.dup(f))
print(os.path.exists('$dir/first'))")" True
rm $dir/first
fails "D4 a bad one does not replace a good one" cp cut $dir/e
ok "D4 which is as it was" cmp one $dir/e

# Extended attributes

make-image -n 3 -p 50 -s 77 >three
cp three $dir/three
is "D4 attributes say what is in it" \
	"$(getfattr -d --absolute-names $dir/three | sed -n 's/^user.ckptfs.//p' | grep -v -e stored -e new-pages | xargs)" \
	"kernel=$(uname -r) pages=50 pids=1 2 3"
matches "D4 and what of it was new" "$(getfattr --absolute-names --only-values -n user.ckptfs.new-pages $dir/three)" '^5[0-9]$'
cp three $dir/three2
is "D4 nothing the second time" "$(getfattr --absolute-names --only-values -n user.ckptfs.stored $dir/three2)" 0
ok "D4 its owner may add some" setfattr -n user.note -v "before the upgrade" $dir/three
is "D4 which stay" "$(getfattr --absolute-names --only-values -n user.note $dir/three)" "before the upgrade"
ok "D4 any bytes" setfattr -n user.bytes -v 0x00ff00 $dir/three
is "D4 come back" "$(getfattr --absolute-names --only-values -n user.bytes $dir/three | od -An -tx1)" " 00 ff 00"
ok "D4 and away" setfattr -x user.bytes $dir/three
fails "D4 gone" getfattr --absolute-names -n user.bytes $dir/three
if : >probe && setfattr -n user.x -v y probe 2>/dev/null; then
	ok "D4 cp takes them along, out" cp --preserve=xattr $dir/three out3
	is "D4 what cp took" "$(getfattr --absolute-names --only-values -n user.ckptfs.pids out3)" "1 2 3"
	ok "D4 rsync -X takes them along, out" rsync -aX $dir/three synced/
	is "D4 what rsync took" "$(getfattr --absolute-names --only-values -n user.note synced/three)" "before the upgrade"
	ok "D4 and in" rsync -aX synced/three $dir/three3
	is "D4 what came in" "$(getfattr --absolute-names --only-values -n user.note $dir/three3)" "before the upgrade"
	ok "D4 cp in" cp --preserve=xattr out3 $dir/three4
	is "D4 what cp brought" "$(getfattr --absolute-names --only-values -n user.note $dir/three4)" "before the upgrade"
else
	skip "D4 cp and rsync take attributes along" "the file system of $T has none on this kernel"
fi
rm -f $dir/three*

# Names

ok "D4 mv renames" mv $dir/c $dir/renamed
ok "D4 mv over another" mv $dir/renamed $dir/d
fails "D4 the old name is gone" test -e $dir/renamed
ok "D4 the new one is whole" cmp one $dir/d
ok "D4 mv -n keeps what is there" bash -c "mv -n $dir/d $dir/b; cmp two $dir/b && cmp one $dir/d"
mkdir $CKPT/other
ok "D4 mv to another container" mv $dir/d $CKPT/other/snapshots/d
is "D4 it is there" "$(names $CKPT/other/snapshots)" "d latest"
ok "D4 and whole" cmp one $CKPT/other/snapshots/d
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
for make in ln "ln -s" mkfifo; do
	matches "D6 nothing else can be made: $make" "$($make $dir/a $dir/x 2>&1)" "Operation not permitted"
done
fails "D6 containers can't be renamed" mv $place $CKPT/elsewhere
ok "D6 after all that it is as it was" cmp one $dir/a
ok "D4 cp over a snapshot replaces it at close" bash -c "cp two $dir/a && cmp two $dir/a"
ok "D4 a file that is open while it is deleted stays whole" bash -c "
	exec 3<$dir/f && rm $dir/f && [ ! -e $dir/f ] && cmp one /dev/fd/3"
is "D4 while it is written nobody sees it" "$(bash -c "
	exec 3>$dir/half; head -c 100000 one >&3; ls -A $dir | grep half; stat -Lc %s /dev/fd/3; tail -c +100001 one >&3")" 100000
ok "D4 and then it is there" cmp one $dir/half
rm -f $dir/half
ok "D4 a writer that is killed behind the image's end" bash -c "
	(cat one; exec sleep 100) >$dir/killed & sleep 1; kill -KILL \$!"
ok "D4 leaves it, whole" bash -c "for i in 1 2 3 4 5; do cmp one $dir/killed && break; sleep 1; done"
ok "D4 a writer that is killed in the middle" bash -c "
	(head -c 100000 one; exec sleep 100) >$dir/cut & sleep 1; kill -KILL \$!"
fails "D4 leaves nothing" test -e $dir/cut

# Who may

if id nobody >/dev/null 2>&1; then
	as_nobody="setpriv --reuid nobody --clear-groups"
	ok "D6 others may look" $as_nobody ls -l $place $dir
	ok "D5 and see the status" $as_nobody cat $place/status
	fails "D6 but not read a snapshot" $as_nobody cat $dir/a
	fails "D6 or an image" $as_nobody cat $place/image
	fails "N3 or the options" $as_nobody cat $options
	fails "N3 or write them" $as_nobody bash -c "echo >$options"
	fails "D6 or restart one" $as_nobody cp one $place/restart
	fails "D6 or delete one" $as_nobody rm -f $dir/a
	fails "D6 or make a place" $as_nobody mkdir $CKPT/nobody
	# The daemon hears a moment later that a file was closed.
	is "U13 a user has 128 files of it open at once, and no more" "$(python3 -c "
import os, time
os.setgroups([])
os.setuid($(id -u nobody))
def fill(wanted):
    files = []
    for i in range(100):
        try:
            while len(files) < 1000:
                files.append(os.open('$place/status', os.O_RDONLY))
        except OSError as e:
            error = e.strerror
        if len(files) >= wanted:
            break
        time.sleep(0.1)
    print(len(files), error)
    return files
files = fill(128)
os.close(files.pop())
files += fill(1)
for f in files:
    os.close(f)
fill(128)" | xargs)" "128 Too many open files 1 Too many open files 128 Too many open files"
	ok "U13 others have theirs" cat $place/status
	ok "D6 until root lets them" bash -c "chmod 444 $dir/a && $as_nobody cat $dir/a | cmp - two"
fi

# Away

fails "D6 rmdir of a place with snapshots" rmdir $place
ok "D4 rm deletes" bash -c "find $dir -type f -exec rm {} +"
is "D4 nothing is left, latest neither" "$(ls -A $dir)" ""
ok "D6 rmdir of a place without" rmdir $place
fails "D6 it is gone" test -e $place
ok "D6 and leaves the others" cmp one $CKPT/other/snapshots/d
