#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Images whose sums are right and whose contents are not: hostile numbers are refused with a reason, or do no harm, and
# leave nothing. What breaks the rules of the format is refused, what says the same in another way is understood. S16.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/zoo.sh"

all=()
[ "$soak" = 0 ] || all=(-a)

# some KIND COUNT: about so many of the cases, spread over all; others on each kernel
some() {
	local every from=3

	bad-image "$1" "${all[@]}" img >cases
	every=$(($(wc -l <cases) / $2))
	case $CKPT_KERNEL in 6.12) from=10 ;; debug) from=14 ;; esac
	if [ "$soak" != 0 ] || [ $every -lt 2 ]; then
		cat cases
	else
		sed -n "$((from % every))~${every}p" cases
	fi
}

# An image whose address of a socket is cut off is as good as any, and what it is bound to stays there, as with every
# program that ends.
nothing_stays() {
	rm -f "${T%.*}."
	ok "S16 nothing stays" unchanged
}

zoo_image
remember
some hostile 200 | try_images "S16 hostile images" -m
nothing_stays
# Who reads it later, for /proc/PID/auxv or a core dump, looks for nothing but its end.
echo fill@MM.AUXV=255 | try_images "S16 K8 an auxiliary vector without an end is refused"
bad-image segments img >cases
ok "S16 C8 there are segments of System V in it" test -s cases
try_images "S16 C8 descriptors and private mappings of segments of System V are refused" <cases
printf '%s\n' fill@NAMESPACE.MQ_NAMES=47 fill@NAMESPACE.MQ_NAMES=0 count@NAMESPACE.MQ_NAMES=0 \
	count@NAMESPACE.MQ_MSGS=0 count@NAMESPACE.MQ_MSGS=9 count@NAMESPACE.MQ_BYTES=1 count@NAMESPACE.MQUEUES=0 \
	count@NAMESPACE.MQUEUES=1 |
	try_images "S16 C8 POSIX message queues with strange names, too few or too many messages are refused"
echo count@NAMESPACE.SHM=3 | try_images "S16 C8 several segments of one id are refused"
# names that lead out of it, that end too early, that are there twice; and none at all
printf '%s\n' fill@TMPFS.NAMES=46 fill@TMPFS.NAMES=47 fill@TMPFS.NAMES=0 fill@TMPFS.NAMES=65 count@TMPFS.ENTRIES=0 \
	count@TMPFS.ENTRIES=20 count@TMPFS.NAMES=0 fill@TMPFS.ENTRIES=255 fill@INODE.TARGET=0 |
	try_images "S16 T10 a tmpfs that is no tree, or has strange names, is refused"
printf '%s\n' count@PROCESS.USAGE=0 count@PROCESS.USAGE=1 count@TASK.USAGE=0 count@TASK.USAGE=2 |
	try_images "S16 usage of more or fewer than there are is refused"
some unsound 80 | try_images "S16 images that break the format's rules"
nothing_stays
bad-image bits img | try_images "S16 images that say more than this version knows"
nothing_stays
some sound 30 >same
if out=$(bad-image try -y -t $((20 * PATIENCE)) img <same); then
	pass "S16 images that say the same in another way: $out"
else
	fail "S16 images that say the same in another way" "$out"
fi
nothing_stays

bad-image random -c $((40 + 40 * soak)) -s "${CKPT_SEED:-$RANDOM}" | try_images "S16 random numbers" -m
nothing_stays
zoo_end
