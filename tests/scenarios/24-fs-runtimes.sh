#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Containers that others make: runc, crun, systemd-nspawn, podman and docker, by the names that these tools give them.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

rootfs root || die "no root file system"

# bundle DIR RUNTIME [PYTHON]: a bundle as the runtime's own "spec" makes it, without a terminal, that sleeps; changed
# by PYTHON, where c is its configuration
bundle() {
	mkdir -p "$1" && (cd "$1" && "$2" spec) && python3 - "$1/config.json" "$T/root" "${3:-pass}" <<-'END'
	import json, sys
	c = json.load(open(sys.argv[1]))
	c["process"]["terminal"] = False
	c["process"]["args"] = ["sleep", "1000"]
	c["root"] = {"path": sys.argv[2], "readonly": False}
	exec(sys.argv[3])
	json.dump(c, open(sys.argv[1], "w"))
	END
}

# detached COMMAND...: what it starts keeps its streams, so that they are none that anybody waits for
detached() {
	"$@" </dev/null >output 2>&1 || { cat output; return 1; }
}

# found NAME RUNTIME INIT: it is listed, and its status is true
found() {
	ok "D7 $2: ls shows it at once" grep -qxF "$1" <(ls "$CKPT")
	is "D7 $2: status: runtime" "$(field "$1" runtime)" "$2"
	is "D7 $2: status: init" "$(init_of "$1")" "$3"
	is "D7 $2: status: state" "$(field "$1" state)" running
	is "D7 $2: status: tasks" "$(field "$1" tasks)" 1
	ok "D7 $2: status: cgroup" grep -rqx "$3" "$(cgroup_of "$1")" --include=cgroup.procs
}

# under_seccomp NAME: its init's mode, and how many filters it is under
under_seccomp() {
	tr '\t\n' '  ' <"/proc/$(init_of "$1")/status" | grep -o 'Seccomp: [0-9]* Seccomp_filters: [0-9]*'
}

# saved NAME RUNTIME: whoever holds its streams outside, and whatever devices are bound over files of its /proc
saved() {
	ok "D7 $2: it is checkpointed" checkpoint "$1" "$1.img"
	is "D7 $2: and runs on" "$(field "$1" state)" running
	under_seccomp "$1" >"$1.seccomp"
}

# comes_back NAME RUNTIME: when its runtime has ended it
comes_back() {
	if ! ok "D7 $2: it is restarted" restart "$1" "$1.img"; then
		cat "$CKPT/$1/log"
		return
	fi
	is "D7 $2: and runs" "$(field "$1" state)" running
	is "T6 D7 $2: under as many seccomp filters as before" "$(under_seccomp "$1")" "$(<"$1.seccomp")"
	is "D7 $2: with a device over what is not to be read" \
		"$(stat -c %t:%T "/proc/$(init_of "$1")/root/proc/kcore")" 1:3
	ok "D7 $2: and is checkpointed again" checkpoint "$1" "$1.img"
	kill_container "$1"
}

for runtime in runc crun; do
	if ! command -v $runtime >/dev/null; then
		skip "D7 $runtime" "it is not installed"
		continue
	fi
	bundle $runtime-bundle $runtime || die "no bundle"
	# its output is a pipe that somebody outside reads
	$runtime run -d -b $runtime-bundle $runtime-web </dev/null > >(cat >output) 2>&1
	is "D7 $runtime makes a container" $? 0
	pid=$($runtime state $runtime-web | sed -n 's/^ *"pid": \([0-9]*\).*/\1/p')
	found $runtime-web $runtime "$pid"
	$runtime pause $runtime-web
	is "D7 $runtime: paused it is frozen" "$(field $runtime-web state)" frozen
	$runtime resume $runtime-web
	saved $runtime-web $runtime
	ok "D7 $runtime ends it" $runtime delete -f $runtime-web
	ok "D7 $runtime: it is gone, at once" is_gone $runtime-web
	comes_back $runtime-web $runtime
done

if command -v runc >/dev/null; then
	# With nothing but the host's directories and /proc in it there is nothing to refuse.
	bundle plain runc 'c["mounts"] = [m for m in c["mounts"] if m["type"] == "proc"]
c["linux"]["maskedPaths"] = c["linux"]["readonlyPaths"] = []' || die "no bundle"
	runc run -d -b plain --no-new-keyring web </dev/null >/dev/null 2>&1 || die "no container"
	ok "D7 runc: a container without file systems of its own is checkpointed" checkpoint web img
	runc delete -f web
	ok "D7 runc: it is gone" wait_until 10 is_gone web
	is "D7 and keeps its directory, as it has a snapshot" "$(field web snapshots)" 1
	ok "D7 runc: and restarted" restart web img
	is "D7 runc: under its name, with its history" "$(field web state) $(field web snapshots)" "running 1"
	kill_container web
	odd=" any 'näme' \\x of a file"
	ok "D4 under any name that a file may have" restart "$odd" img
	is "D4 it runs there" "$(field "$odd" state)" running
	ok "D4 and is checkpointed" checkpoint "$odd" img2
	is "D4 with a history of its own" "$(field "$odd" snapshots)" 1
	ok "D4 ckpt knows that name: ps" grep -qF "$odd" <(ckpt ps)
	matches "D4 history" "$(ckpt history "$odd")" "^20"
	is "D4 exec" "$(ckpt exec "$odd" echo inside)" inside
	ok "D4 save" ckpt save "$odd" img3
	ok "D4 kill" kill_container "$odd"
	ok "D4 restart" ckpt restart "$odd"
	ok "D4 forget" ckpt forget "$odd" --keep-last 1
	is "D4 which leaves one" "$(field "$odd" snapshots)" 1
	kill_container "$odd"

	# Two runtimes, one name.
	detached runc run -d -b runc-bundle other || die "no container"
	ckpt run -d -n other --rootfs root -- sleep 100000
	ok "D7 two of one name are told apart" wait_until 10 is_running other@ckpt
	is "D7 by who made them" "$(field other runtime) $(field other@ckpt runtime)" "runc ckpt"
	ok "D7 and ckpt kill takes the one that is named" kill_container other@ckpt
	is "D7 the other lives" "$(field other runtime) $(field other state)" "runc running"
	runc delete -f other
fi

extras=$CKPT_BUILD/extras
if [ ! -x "$extras/usr/bin/podman" ]; then
	skip "D7 systemd-nspawn, podman, docker" "they are not in $extras"
	exit 0
fi
export LD_LIBRARY_PATH=$extras/usr/lib/x86_64-linux-gnu:$extras/lib/x86_64-linux-gnu

# Without a systemd to ask for a scope, it makes its cgroups where it is.
mkdir /sys/fs/cgroup/barn
(
	echo $BASHPID >/sys/fs/cgroup/barn/cgroup.procs
	export LD_LIBRARY_PATH=$extras/usr/lib/x86_64-linux-gnu/systemd:$LD_LIBRARY_PATH
	exec "$extras/usr/bin/systemd-nspawn" --register=no --keep-unit --quiet -M hay-barn -D root \
		sleep 100000 </dev/null >nspawn.log 2>&1
) &
nspawn=$!
ok "D7 systemd-nspawn makes a container" wait_until 20 pgrep -P $nspawn -x sleep
found hay-barn nspawn "$(pgrep -P $nspawn -x sleep)"
fails "D7 nspawn: a checkpoint that could not be restarted fails" cat "$CKPT/hay-barn/image"
matches "D7 nspawn: and the log says why" "$(cat "$CKPT/hay-barn/log")" "the mount on / is shared, which is not supported yet"
is "D7 nspawn: and it runs on" "$(field hay-barn state)" running
kill $nspawn
ok "D7 systemd-nspawn: it is gone" wait_until 10 is_gone hay-barn
wait $nspawn
rmdir "/sys/fs/cgroup/barn"/* "/sys/fs/cgroup/barn" 2>/dev/null
mkdir -p /etc/containers /usr/share/containers
cp -r "$extras"/etc/containers/. /etc/containers/
cp -r "$extras"/usr/share/containers/. /usr/share/containers/
# No systemd, no network of its own, and storage on a file system that is memory.
podman() {
	"$extras/usr/bin/podman" --root "$T/storage" --runroot "$T/run" --tmpdir "$T/tmp" --storage-driver vfs \
		--cgroup-manager cgroupfs --events-backend none --conmon "$extras/usr/bin/conmon" "$@"
}
ok "D7 podman makes a container" detached podman run -d --runtime crun --name shop --network host --log-driver none \
	--rootfs "$T/root" sleep 100000
found shop podman "$(podman inspect -f '{{.State.Pid}}' shop)"
matches "T6 D7 podman has it under a seccomp filter by default" "$(under_seccomp shop)" "Seccomp: 2 Seccomp_filters: [1-9]"
saved shop podman
ok "D7 podman ends it" podman kill shop
ok "D7 podman: it is gone" wait_until 10 is_gone shop
comes_back shop podman

# The same for docker, whose daemon notes names below its directory.
docker() {
	DOCKER_HOST=unix://$T/docker.sock "$extras/usr/bin/docker" "$@"
}

mkdir -p /var/lib/docker
forward=$(</proc/sys/net/ipv4/ip_forward)
PATH=$PATH:$extras/usr/bin "$extras/usr/sbin/dockerd" --storage-driver vfs --iptables=false --ip6tables=false \
	--bridge=none --exec-opt native.cgroupdriver=cgroupfs -H "unix://$T/docker.sock" </dev/null >dockerd.log 2>&1 &
daemon=$!
wait_until 60 docker info >/dev/null 2>&1 || cat dockerd.log
ok "D7 docker's daemon is there" docker info
docker import - base < <(tar -C root -c .) >/dev/null
ok "D7 docker makes a container" detached docker run -d --name harbour --network host base sleep 100000
found harbour docker "$(docker inspect -f '{{.State.Pid}}' harbour)"
ok "D7 docker pauses it" docker pause harbour
is "D7 docker: paused it is frozen" "$(field harbour state)" frozen
docker unpause harbour >/dev/null
matches "T6 D7 docker has it under a seccomp filter by default" "$(under_seccomp harbour)" "Seccomp: 2 Seccomp_filters: [1-9]"
saved harbour docker
ok "D7 docker ends it" docker kill harbour
ok "D7 docker: it is gone" wait_until 10 is_gone harbour
comes_back harbour docker
kill $daemon
wait $daemon
rm -rf /var/lib/docker
# It makes a router of the machine, and so of whatever network namespace comes next.
echo "$forward" >/proc/sys/net/ipv4/ip_forward
