#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Images whose sums are right and whose contents are not: hostile numbers are refused with a reason, or do no harm, and
# leave nothing. S16.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/zoo.sh"

# Of the hostile cases every so-manieth, another one on each kernel.
every=16 from=3 all=()
case $CKPT_KERNEL in 6.12) from=9 ;; debug) from=14 ;; esac
[ "$soak" = 0 ] || every=1 from=1 all=(-a)

zoo_image
remember
bad-image hostile "${all[@]}" img >hostile
sed -n "$from~${every}p" hostile | try_images "S16 hostile images" -m
ok "S16 nothing stays" unchanged

bad-image random -c $((40 + 40 * soak)) -s "${CKPT_SEED:-$RANDOM}" | try_images "S16 random numbers" -m
ok "S16 nothing stays" unchanged
zoo_end
