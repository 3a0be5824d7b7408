#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# seccomp: filters in chains, shared as they were, the strict mode; what of them is refused; who may not bring them back.
#
# timeout: 600

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/generations.sh"

start_self_checking seccomps seccomps
generations seccomps
kill_container seccomps

# filters FILE: number, and number in the image, of each FILTER
filters() {
	ckpt inspect -j "$1" | python3 -c '
import json, sys
for i, record in enumerate(json.load(sys.stdin)):
    if record["record"] == "FILTER":
        print(record["ref"], i)'
}

# Chains of 2, 1 and 2, 1 and 2 apart, 1, 40, 1, 1: none is there twice, though most have several users
image=$(words seccomps)/image
is "T6 an image has each filter once" "$(filters "$image.1" | wc -l)" $((2 + 2 + 3 + 1 + 40 + 1 + 1))
is "T6 and so has that of the second generation" "$(filters "$image.2" | wc -l)" $((2 + 2 + 3 + 1 + 40 + 1 + 1))

# Who restarts is under a filter: the container's tasks would be, too, from then on.
by_hand() {
	inherits seccomp -- ckpt-restart <"$image.1" 2>error
}

remember
fails "T6 K24 a restart from a shell that is under a filter is refused" by_hand
matches "T6 K24 by name" "$(<error)" 'who restarts has seccomp'
ok "S16 and nothing of it stays" unchanged

# Images that a checkpoint does not make: a filter before itself, a program that is none.
hostile() {
	local desc=$1 case=$2 says=$3

	bad-image make "$image.1" "$case" >bad.img || die "no such image"
	fails "S16 T6 $desc is refused" restart seccomps bad.img
	matches "S16 T6 $desc: it says why" "$(</ckpt/seccomps/log)" "$says"
	! is_running seccomps || kill_container seccomps
}

mkdir -p /ckpt/seccomps
hostile "a program of instructions that are none" fill@FILTER.PROGRAM=255 'FILTER [0-9]+ cannot be set: error 22'
hostile "a program that is empty" count@FILTER.PROGRAM=0 'FILTER'
read -r ref at < <(filters "$image.1")
# BASE has 16 bytes behind a head of 16, and the program's instructions are 8 bytes each: a load, a jump
insns=$((16 + 16 + 16))
hostile "a load of what seccomp has not" "set@$at+$((insns + 4)):4=1000" 'FILTER [0-9]+ cannot be set: error 22'
hostile "a jump out of the program" "set@$at+$((insns + 10)):1=ff" 'FILTER [0-9]+ cannot be set: error 22'
hostile "a filter that is before itself" "set@$at+$((16 + 4)):4=$(printf %x "$ref")" 'FILTER in record [0-9]+ is malformed'
hostile "a filter behind one that is not there" "set@$at+$((16 + 4)):4=1" 'no FILTER 1 before'
ok "S16 and nothing of it stays" unchanged
