#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A network namespace of the container's own comes back as a new one: whatever is not as in a new one is refused by name.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

container net -- sleep 100000 || die "no container"
init=$(init_of net)

inside() {
	nsenter -t "$init" -n "$@"
}

# sysctl_is NAME VALUE
sysctl_is() {
	# shellcheck disable=SC2016 # for the shell inside
	inside sh -c 'echo "$2" >"/proc/sys/$1"' - "${1//.//}" "$2"
}

# refused REGEX DO UNDO: after DO in the container's network a checkpoint fails and says what; after UNDO it succeeds.
refused() {
	if ! inside sh -c "$2" 2>"$T/error"; then
		skip "K19 $2" "$(<"$T/error")"
		return
	fi
	if cat /ckpt/net/image >"$T/image" 2>/dev/null; then
		fail "K19 $2 is refused by name" "the checkpoint succeeded"
	else
		matches "K19 $2 is refused by name" "$(tail -n 1 /ckpt/net/log)" "the container has $1.*not supported yet"
	fi
	inside sh -c "$3" || echo "$3 fails"
}

ok "K19 a network as new is taken" checkpoint net image
while IFS='|' read -r regex what undo; do
	refused "$regex" "$what" "$undo"
done <<'END'
the network address 10.1.2.3/32 on lo|ip addr add 10.1.2.3/32 dev lo|ip addr del 10.1.2.3/32 dev lo
the network address fd00::1/128 on lo|ip addr add fd00::1/128 dev lo|ip addr del fd00::1/128 dev lo
the route to 10.0.0.0/8 through lo in table 254|ip route add 10.0.0.0/8 dev lo|ip route del 10.0.0.0/8 dev lo
the route to 10.9.0.0/16 through - in table 77|ip route add blackhole 10.9.0.0/16 table 77|ip route del blackhole 10.9.0.0/16 table 77
the route to fd01::/64 through lo in table 254|ip -6 route add fd01::/64 dev lo|ip -6 route del fd01::/64 dev lo
the routing rule of priority 77 for IPv4|ip rule add from 10.1.2.3 table 100 priority 77|ip rule del priority 77
the routing rule of priority 78 for IPv6|ip -6 rule add from fd00::1 table 100 priority 78|ip -6 rule del priority 78
a network device dummy7|ip link add dummy7 type dummy|ip link del dummy7
a network device pair0|ip link add pair0 type veth peer name pair1|ip link del pair0
the mtu of the network device lo at '1400', and a new network namespace at '65536'|ip link set lo mtu 1400|ip link set lo mtu 65536
the alias of the network device lo|ip link set lo alias home|ip link set lo alias ''
the flags of the network device lo|ip link set lo promisc on|ip link set lo promisc off
the neighbour 10.7.7.7 on lo|ip neigh add proxy 10.7.7.7 dev lo|ip neigh del proxy 10.7.7.7 dev lo
the queueing discipline|tc qdisc add dev lo root pfifo|tc qdisc del dev lo root
the next hop 7|ip nexthop add id 7 blackhole|ip nexthop del id 7
the label of the addresses fd02::/16|ip addrlabel add prefix fd02::/16 label 77|ip addrlabel del prefix fd02::/16 label 77
an nftables table inet filter|nft add table inet filter|nft delete table inet filter
a policy of IPsec|ip xfrm policy add src 10.0.0.0/8 dst 10.0.0.0/8 dir out|ip xfrm policy flush
a security association of IPsec|ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 7 auth 'hmac(sha1)' 0x0123456789012345678901234567890123456789 enc 'ecb(cipher_null)' ''|ip xfrm state flush
END
for setting in "net.ipv4.ip_forward 1 0" "net.core.somaxconn 77 4096" "net.ipv4.ip_unprivileged_port_start 80 1024" \
	"net.ipv6.conf.all.forwarding 1 0" "net.ipv4.tcp_syn_retries 3 6" "net.unix.max_dgram_qlen 77 512"; do
	read -r name value before <<<"$setting"
	before=$(inside cat "/proc/sys/${name//.//}")
	sysctl_is "$name" "$value"
	if cat /ckpt/net/image >"$T/image" 2>/dev/null; then
		fail "K19 the sysctl $name is refused by name" "the checkpoint succeeded"
	else
		matches "K19 the sysctl $name is refused by name" "$(tail -n 1 /ckpt/net/log)" \
			"the container has the sysctl net\.[a-z0-9_.]* at '[0-9]*', and a new network namespace at '[0-9]*'"
	fi
	sysctl_is "$name" "$before"
done
# 'forwarding' of all sets that of each device, which stays behind on some kernels
for name in default lo; do
	sysctl_is "net.ipv6.conf.$name.forwarding" 0
done

ok "K19 set back it is taken again" checkpoint net image
is "S6 the container runs on" "$(field net state)" running
inside sh -c 'ip addr; ip route show table all; ip rule; cat /proc/sys/net/ipv4/conf/lo/*' >before 2>/dev/null
ok "K19 it ends" kill_container net
ok "K19 it is restarted" restart net image
init=$(init_of net)
inside sh -c 'ip addr; ip route show table all; ip rule; cat /proc/sys/net/ipv4/conf/lo/*' >after 2>/dev/null
is "K19 its network is as it was" "$(diff <(sed 's/expires.*//' before) <(sed 's/expires.*//' after))" ""
is "K19 the checkpointer is in its own network again" "$(ckpt-checkpoint "$init" >image2 && readlink /proc/self/ns/net)" "$(readlink /proc/1/ns/net)"

container host --net host -- sleep 100000
is "K19 with the host's network nothing is compared" "$(sysctl -qw net.ipv4.ip_forward=1; cat /ckpt/host/image >image3 && echo taken)" taken
sysctl -qw net.ipv4.ip_forward=0
