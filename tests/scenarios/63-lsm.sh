#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel whose lsm= leaves out Landlock, AppArmor and all else that keeps something with credentials.
#
# machine: -a lsm=lockdown,yama

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

mount -t securityfs none /sys/kernel/security 2>/dev/null
# Linux 6.12 has the two that measure files whatever is asked for.
matches "T6 the kernel was booted without Landlock and AppArmor" "$(</sys/kernel/security/lsm)" '^lockdown,capability,yama(,ima,evm)?$'
container modules -- bash -c 'sleep 100000 & setpriv --no-new-privs sleep 100001 & wait' || die "no container"
wait_until 20 eval '[ "$(field modules tasks)" = 3 ]'
ok "T6 a container is checkpointed" checkpoint modules "$T/image"
ok "T6 and runs on" is_running modules
kill_container modules
ok "T6 it is restarted" restart modules "$T/image"
ok "T6 with all its tasks" wait_until 20 eval '[ "$(field modules tasks)" = 3 ]'
ok "T6 and checkpointed again" checkpoint modules "$T/again"
