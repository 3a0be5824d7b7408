#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# timeout: 60
#
# Snapshots through a real ssh server, as a pipe and with scp and rsync. D6. The server listens in a network of the
# test's own, and sees a list of users of its own.

if [ -z "${UNSHARED:-}" ]; then
	exec env UNSHARED=1 unshare -mn bash "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

extras=$CKPT_BUILD/extras
[ -x "$extras/usr/sbin/sshd" ] || skip_all "D6 ssh, scp, rsync through ssh" "there is no ssh server in $extras"
command -v ssh >/dev/null || skip_all "D6 ssh, scp, rsync through ssh" "ssh is not installed"
export LD_LIBRARY_PATH=$extras/usr/lib/x86_64-linux-gnu:$extras/lib/x86_64-linux-gnu
dir=$CKPT/web/snapshots

ip link set lo up || die "no network"
mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd || die "no directory for sshd"
grep -v '^sshd:' /etc/passwd >passwd
echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin' >>passwd
mount --bind passwd /etc/passwd || die "no list of users"
ssh-keygen -qt ed25519 -N '' -f host
ssh-keygen -qt ed25519 -N '' -f key
cat >config <<END
ListenAddress 127.0.0.1:2222
HostKey $T/host
PidFile none
AuthorizedKeysFile $T/key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp $extras/usr/lib/openssh/sftp-server
END
"$extras/usr/sbin/sshd" -D -e -f config 2>sshd.log &
sshd=$!
trap 'kill -KILL $sshd' EXIT
options=(-q -i "$T/key" -o Port=2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes)
remote() {
	ssh "${options[@]}" 127.0.0.1 "$@"
}
wait_until 10 remote true || die "no ssh: $(cat sshd.log)"

make-image -p 600 >img
# shellcheck disable=SC2016 # for the other side
ok "D6 a pipe through ssh, in" bash -c 'cat img | "$@" "mkdir -p '"$CKPT"'/web && cat >'"$dir"'/a"' - \
	ssh "${options[@]}" 127.0.0.1
ok "D6 it is whole" cmp img "$dir/a"
ok "D6 and out" cmp img <(remote cat "$dir/latest")
remote "cat >$dir/bad" <<<"no image"
fails "D6 what is no image is not there" test -e "$dir/bad"
ok "D6 scp out" scp "${options[@]}" "127.0.0.1:$dir/a" out
ok "D6 it is whole" cmp img out
ok "D6 scp in" scp "${options[@]}" img "127.0.0.1:$dir/b"
ok "D6 it is whole" cmp img "$dir/b"
fails "D6 scp of what is no image" scp "${options[@]}" config "127.0.0.1:$dir/bad"
fails "D6 it is not there" test -e "$dir/bad"
ok "D6 rsync" rsync -e "ssh ${options[*]}" img "127.0.0.1:$dir/c"
ok "D6 it is whole" cmp img "$dir/c"
