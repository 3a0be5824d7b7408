#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 300
# store: memory
#
# Ten thousand snapshots in one history. How fast they are listed is a figure in tests/bench/fs.sh.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

dir=$CKPT/many/snapshots
make-image -p 1 >small
make-image -p 2 >large
mkdir "$CKPT/many"
ok "D4 10000 snapshots" python3 -c "
import os
small, large = open('small', 'rb').read(), open('large', 'rb').read()
for n in range(10000):
    with open(f'$dir/{n:05}', 'wb', buffering=0) as f:
        f.write(large if n % 10 == 0 else small)"
find "$dir" -type f -printf '%f\n' | sort >found
seq -f %05.0f 0 9999 >wanted
ok "D4 find has each of them once" cmp found wanted
is "D4 ls -l has their true sizes" \
	"$(ls -l "$dir" | awk '$1 ~ /^-/ { n[$5]++ } END { for (size in n) print size, n[size] }' | sort -n | xargs)" \
	"$(stat -c %s small) 9000 $(stat -c %s large) 1000"
is "D4 no two have one inode number" "$(find "$dir" -type f -printf '%i\n' | sort -u | wc -l)" 10000
ls -i "$dir" >before
ls -i "$dir" >after
ok "D4 and they keep it" cmp before after
is "D4 status counts them" "$(field many snapshots)" 10000
is "D4 latest is the last" "$(readlink "$dir/latest")" 09999
ok "D4 each can be read" bash -c "cd $dir && cat 0* | cmp - <(for n in \$(seq 0 9999); do
	if [ \$((n % 10)) = 0 ]; then echo $T/large; else echo $T/small; fi; done | xargs cat)"
ok "D4 rm deletes some while they are listed" bash -c "ls -l $dir >/dev/null & rm -f $dir/0[0-8]*; wait"
is "D4 the others are there" "$(find "$dir" -type f | wc -l)" 1000
ok "D4 and all" bash -c "rm -f $dir/0* && rmdir $CKPT/many"
