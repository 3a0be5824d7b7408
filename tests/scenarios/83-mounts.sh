#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How mounts and unmounts on the host show in a container, before and after a restart.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

cgroup=/sys/fs/cgroup/mounts
mkdir "$T/shared" "$T/plain"
mount -t tmpfs shared "$T/shared" && mount --make-shared "$T/shared" && mkdir "$T/shared/below"
mount -t tmpfs plain "$T/plain"

# begin PROPAGATION: a container whose mounts are the host's, with that propagation.
begin() {
	mkdir -p $cgroup
	bash -c 'echo 0 >"$1/cgroup.procs"; exec unshare --propagation "$2" --pid --fork --kill-child --mount \
		--mount-proc --uts --ipc --net --cgroup setsid \
		sh -c "exec </dev/null >/dev/null 2>&1; exec sleep 100000"' - $cgroup "$1" </dev/null >/dev/null 2>&1 &
	wait_until 60 is_running mounts
}

end() {
	ckpt kill mounts
	wait_until 20 is_gone mounts
}

# fields PATH: the optional fields of the mount there in the container.
fields() {
	awk -v path="$1" '$5 == path { for (i = 7; $i != "-"; i++) print $i }' "/proc/$(init_of mounts)/mountinfo" | xargs
}

# group PATH: the peer group of the host's mount there.
group() {
	awk -v path="$1" '$5 == path { for (i = 7; $i != "-"; i++) print $i }' /proc/self/mountinfo | sed -n 's/^shared://p'
}

# follows WHEN: a mount on the host shows in the container and goes with it; one in the container does not show here.
follows() {
	mount -t tmpfs below "$T/shared/below" && touch "$T/shared/below/file"
	ok "U23 $1: what is mounted on the host shows" test -e "/proc/$(init_of mounts)/root$T/shared/below/file"
	umount "$T/shared/below"
	fails "U23 $1: and goes" test -e "/proc/$(init_of mounts)/root$T/shared/below/file"
	nsenter -t "$(init_of mounts)" -m mount -t tmpfs below "$T/shared/below"
	fails "U23 $1: not the other way" mountpoint -q "$T/shared/below"
	nsenter -t "$(init_of mounts)" -m umount "$T/shared/below"
}

begin slave || die "no container"
is "U23 the container follows the host's shared mount" "$(fields "$T/shared")" "master:$(group "$T/shared")"
is "U23 the others are private" "$(fields "$T/plain")$(fields /)" ""
nsenter -t "$(init_of mounts)" -m mount --make-unbindable "$T/plain"
follows before
ok "U23 it is taken" checkpoint mounts image
end
ok "U23 it is restarted" restart mounts image
is "U23 it follows again" "$(fields "$T/shared")" "master:$(group "$T/shared")"
is "U23 what was unbindable is" "$(fields "$T/plain")" unbindable
is "U23 what was private is" "$(fields /)$(fields /proc)" ""
follows afterwards
ok "U23 and it is taken again" checkpoint mounts image2
end

mount --make-private "$T/shared"
fails "U23 when there is nothing to follow the restart fails" restart mounts image
matches "U23 and says what to do" "$(tail -n 1 /ckpt/mounts/log)" "$T/shared, whose mounts the container follows.*mount --make-shared"
ok "U23 and nothing is left of it" wait_until 20 is_gone mounts
mount --make-shared "$T/shared"

begin unchanged || die "no second container"
fails "U23 one that shares is refused" checkpoint mounts image3
matches "U23 by name" "$(tail -n 1 /ckpt/mounts/log)" "the mount on $T/shared is shared, which is not supported yet"
nsenter -t "$(init_of mounts)" -m mount --make-slave "$T/shared"
ok "U23 until it does no more" checkpoint mounts image3
nsenter -t "$(init_of mounts)" -m sh -c "mount -t tmpfs other '$T/plain' && mount --make-shared '$T/plain'"
fails "U23 also one of its own" checkpoint mounts image3
end
umount "$T/plain" "$T/shared"
