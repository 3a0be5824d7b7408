#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make -j4 with gcc, in the middle of its work.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

parts=6
if which make gcc >/dev/null; then
	mkdir make.src
	for ((i = 1; i <= parts; i++)); do
		printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint part%d(int n) { return n * %d + (int)strlen("part"); }\n' $i $i >make.src/part$i.c
		printf 'int part%d(int);\n' $i >>make.src/parts.h
	done
	{
		printf '#include "parts.h"\n#include <stdio.h>\nint main(void) { printf("%%d\\n", 0'
		for ((i = 1; i <= parts; i++)); do printf ' + part%d(10)' $i; done
		printf '); return 0; }\n'
	} >make.src/main.c
	printf 'objects = main.o %s\nprogram: $(objects)\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O2 -c -o $@ $<\n' \
		"$(seq -s ' ' -f 'part%g.o' $parts)" >make.src/Makefile
	# It works, and gcc has its files, in a tmpfs of the container's own.
	start make 'mount -t tmpfs own make; cp make.src/* make; export TMPDIR=$PWD/make
		make -j4 -C make >make.out 2>&1; echo "$? $(make/program)" >result.new; mv result.new result; sleep 100000'
	working() {
		[ "$(grep -c gcc make.out)" -ge 5 ] && pgrep --ns "$(init_of make)" --nslist pid cc1
	}
	wait_until 60 working || die "make does not come to work: $(cat make.out)"
	taken make "make -j4"
	wanted="0 $((parts * 4 + 10 * parts * (parts + 1) / 2))"
	comes "S13 make -j4, gone on: it ends" 90 test -e result
	is "C3 make -j4, gone on: what it made is right" "$(cat result)" "$wanted"
	rm -f result
	back make "make -j4"
	comes "S13 make -j4, restarted: it ends" 90 test -e result
	is "C3 make -j4, restarted: what it made is right" "$(cat result)" "$wanted"
	kill_container make
else
	skip "D1 make -j4" "there is no make or no gcc"
fi
