// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addrlabel.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "netlink.h"

/* the kernel answers in pieces of up to so many bytes */
#define ANSWER_MAX 32768

/* a message as it comes: its header's length is that of the protocol's own part */
struct message {
	struct inventory *inventory;
	const struct nlmsghdr *nlh;
	size_t header;
};

/* a kind of things that can be listed */
struct dump {
	const char *what;	/* for the sentence on failure */
	int protocol;		/* NETLINK_* */
	uint16_t type;		/* the request */
	uint16_t answer;	/* what comes for each thing */
	size_t header;		/* bytes of the protocol's header, in request and answer */
	uint8_t family;		/* whose things; 0: everybody's */
	uint8_t flags;		/* of a request for neighbours, or 0 */
	void (*note)(const struct message *m);
};

static const void *find(const struct message *m, uint16_t type, size_t min_len)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, m->nlh, m->header)
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) >= min_len)
			return mnl_attr_get_payload(attr);
	return NULL;
}

static uint32_t find_u32(const struct message *m, uint16_t type)
{
	const void *p = find(m, type, sizeof(uint32_t));
	uint32_t value = 0;

	if (p)
		memcpy(&value, p, sizeof(value));
	return value;
}

static void put_hex(FILE *f, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		fprintf(f, "%02x", *p++);
}

static bool is_one_of(uint16_t type, const uint16_t *list, size_t nr)
{
	while (nr--)
		if (list[nr] == type)
			return true;
	return false;
}

/* a device's name: numbers differ from namespace to namespace */
static const char *device(uint32_t index, char name[IF_NAMESIZE])
{
	if (!index || !if_indextoname(index, name))
		snprintf(name, IF_NAMESIZE, "%s", index ? "?" : "-");
	return name;
}

/*
 * All attributes as text but those in 'skip' (times, counts, or told by name).
 * To be freed; NULL: no memory.
 */
static char *all_but(const struct message *m, const void *header, size_t len,
		     const uint16_t *skip, size_t nr)
{
	const struct nlattr *attr;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_hex(f, header, len);
	mnl_attr_for_each(attr, m->nlh, m->header) {
		if (is_one_of(mnl_attr_get_type(attr), skip, nr))
			continue;
		fprintf(f, " %u:", mnl_attr_get_type(attr));
		put_hex(f, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

#define ALL_BUT(m, header, len, ...) \
	all_but(m, header, len, (const uint16_t[]){ __VA_ARGS__ }, \
		sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static const char *address(int family, const void *p, char text[INET6_ADDRSTRLEN])
{
	if (!p)
		return family == AF_INET6 ? "::" : "0.0.0.0";
	return inet_ntop(family, p, text, INET6_ADDRSTRLEN) ? text : "?";
}

static size_t address_len(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

static const char *family_name(int family)
{
	return family == AF_INET ? "IPv4" : family == AF_INET6 ? "IPv6" : "another protocol";
}

/* ---- devices ---- */

static const struct {
	uint16_t type;
	const char *name;
	bool is_text;
} link_names[] = {
	{ IFLA_MTU, "mtu", false },
	{ IFLA_TXQLEN, "tx queue length", false },
	{ IFLA_GROUP, "group", false },
	{ IFLA_QDISC, "queueing discipline", true },
	{ IFLA_IFALIAS, "alias", true },
};

static void note_link_attr(const struct message *m, const struct nlattr *attr,
			   const char *name)
{
	uint16_t type = mnl_attr_get_type(attr);
	size_t len = mnl_attr_get_payload_len(attr), size, i;
	_cleanup_free_ char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	if (!f) {
		m->inventory->lost = true;
		return;
	}
	for (i = 0; i < sizeof(link_names) / sizeof(*link_names); i++)
		if (link_names[i].type == type)
			break;
	if (i == sizeof(link_names) / sizeof(*link_names))
		put_hex(f, mnl_attr_get_payload(attr), len);
	else if (link_names[i].is_text)
		fprintf(f, "%.*s", (int)len, mnl_attr_get_str(attr));
	else if (len >= sizeof(uint32_t))
		fprintf(f, "%u", mnl_attr_get_u32(attr));
	fclose(f);
	if (i < sizeof(link_names) / sizeof(*link_names))
		inventory_add(m->inventory, NET_DEVICE_PROPERTY, true, text, "the %s of the network device %s",
			  link_names[i].name, name);
	else
		inventory_add(m->inventory, NET_DEVICE_PROPERTY, false, text,
			  "the network device %s (attribute %u)", name, type);
}

static void note_link(const struct message *m)
{
	/* counts and states, the namespace's own numbers, and what is in sysctls, too */
	static const uint16_t skip[] = {
		IFLA_IFNAME, IFLA_STATS, IFLA_STATS64, IFLA_AF_SPEC, IFLA_MAP, IFLA_OPERSTATE,
		IFLA_CARRIER, IFLA_CARRIER_CHANGES, IFLA_CARRIER_UP_COUNT, IFLA_CARRIER_DOWN_COUNT,
		IFLA_LINK, IFLA_LINK_NETNSID, IFLA_NEW_NETNSID, IFLA_NEW_IFINDEX,
	};
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m->nlh);
	const char *name = find(m, IFLA_IFNAME, 1);
	const struct nlattr *attr;
	char flags[32];

	if (!name)
		return;
	inventory_add(m->inventory, NET_DEVICE, false, "", "a network device %s", name);
	/* what a driver says of its line is no setting */
	snprintf(flags, sizeof(flags), "%#x", info->ifi_flags &
		 ~(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT));
	inventory_add(m->inventory, NET_DEVICE_PROPERTY, true, flags, "the flags of the network device %s",
		  name);
	mnl_attr_for_each(attr, m->nlh, m->header)
		if (!is_one_of(mnl_attr_get_type(attr), skip, sizeof(skip) / sizeof(*skip)))
			note_link_attr(m, attr, name);
}

/* ---- addresses and routes ---- */

static void note_address(const struct message *m)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(m->nlh);
	const struct { uint8_t family, prefix, flags, scope; } head = {
		a->ifa_family, a->ifa_prefixlen, a->ifa_flags, a->ifa_scope,
	};
	_cleanup_free_ char *value = ALL_BUT(m, &head, sizeof(head), IFA_CACHEINFO, IFA_FLAGS);
	const void *p = find(m, IFA_LOCAL, address_len(a->ifa_family));
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	if (!p)
		p = find(m, IFA_ADDRESS, address_len(a->ifa_family));
	inventory_add(m->inventory, NET_ADDRESS, false, value ? value : "",
		  "the network address %s/%u on %s", address(a->ifa_family, p, text),
		  a->ifa_prefixlen, device(a->ifa_index, name));
	m->inventory->lost |= !value;
}

static void note_route(const struct message *m)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(m->nlh);
	_cleanup_free_ char *value = NULL;
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	/* the kernel's own memory of where packets went */
	if (r->rtm_flags & RTM_F_CLONED)
		return;
	value = ALL_BUT(m, r, sizeof(*r), RTA_DST, RTA_OIF, RTA_TABLE, RTA_CACHEINFO, RTA_EXPIRES);
	inventory_add(m->inventory, NET_ROUTE, false, value ? value : "",
		  "the route to %s/%u through %s in table %u",
		  address(r->rtm_family, find(m, RTA_DST, address_len(r->rtm_family)), text),
		  r->rtm_dst_len, device(find_u32(m, RTA_OIF), name),
		  find_u32(m, RTA_TABLE) ? find_u32(m, RTA_TABLE) : r->rtm_table);
	m->inventory->lost |= !value;
}

static void note_rule(const struct message *m)
{
	const struct fib_rule_hdr *r = mnl_nlmsg_get_payload(m->nlh);
	_cleanup_free_ char *value = ALL_BUT(m, r, sizeof(*r), FRA_PRIORITY);

	inventory_add(m->inventory, NET_RULE, false, value ? value : "",
		  "the routing rule of priority %u for %s", find_u32(m, FRA_PRIORITY),
		  family_name(r->family));
	m->inventory->lost |= !value;
}

static void note_neighbour(const struct message *m)
{
	const struct ndmsg *n = mnl_nlmsg_get_payload(m->nlh);
	_cleanup_free_ char *value = NULL;
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	const void *p;

	/* the others were learnt, and will be again */
	if (!(n->ndm_state & NUD_PERMANENT) && !(n->ndm_flags & NTF_PROXY))
		return;
	value = ALL_BUT(m, &n->ndm_flags, sizeof(n->ndm_flags), NDA_CACHEINFO, NDA_PROBES);
	p = find(m, NDA_DST, address_len(n->ndm_family));
	inventory_add(m->inventory, NET_NEIGHBOUR, false, value ? value : "", "the neighbour %s on %s",
		  address(n->ndm_family, p, text), device(n->ndm_ifindex, name));
	m->inventory->lost |= !value;
}

static void note_nexthop(const struct message *m)
{
	const struct nhmsg *n = mnl_nlmsg_get_payload(m->nlh);
	_cleanup_free_ char *value = ALL_BUT(m, n, sizeof(*n), NHA_ID);

	inventory_add(m->inventory, NET_NEXTHOP, false, value ? value : "", "the next hop %u",
		  find_u32(m, NHA_ID));
	m->inventory->lost |= !value;
}

static void note_label(const struct message *m)
{
	const struct ifaddrlblmsg *l = mnl_nlmsg_get_payload(m->nlh);
	char text[INET6_ADDRSTRLEN], value[32];

	snprintf(value, sizeof(value), "%u", find_u32(m, IFAL_LABEL));
	inventory_add(m->inventory, NET_LABEL, true, value, "the label of the addresses %s/%u",
		  address(AF_INET6, find(m, IFAL_ADDRESS, 16), text), l->ifal_prefixlen);
}

static void note_qdisc(const struct message *m)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(m->nlh);
	const uint32_t head[] = { t->tcm_handle, t->tcm_parent };
	_cleanup_free_ char *value = ALL_BUT(m, head, sizeof(head), TCA_KIND, TCA_STATS, TCA_STATS2,
					     TCA_XSTATS);
	const char *kind = find(m, TCA_KIND, 1);
	char name[IF_NAMESIZE];

	inventory_add(m->inventory, NET_QDISC, false, value ? value : "", "the queueing discipline %s of %s",
		  kind ? kind : "?", device(t->tcm_ifindex, name));
	m->inventory->lost |= !value;
}

/* ---- filters ---- */

static void note_table(const struct message *m)
{
	static const char *const families[] = {
		[NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(m->nlh);
	const char *name = find(m, NFTA_TABLE_NAME, 1), *family = NULL;

	if (g->nfgen_family < sizeof(families) / sizeof(*families))
		family = families[g->nfgen_family];
	inventory_add(m->inventory, NET_FILTER, false, "", "an nftables table %s %s",
		  family ? family : "?", name ? name : "?");
}

static void note_state(const struct message *m)
{
	inventory_add(m->inventory, NET_IPSEC, false, "", "a security association of IPsec");
}

static void note_policy(const struct message *m)
{
	inventory_add(m->inventory, NET_IPSEC, false, "", "a policy of IPsec");
}

#define NFTABLES(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))

static const struct dump dumps[] = {
	{ "network devices", NETLINK_ROUTE, RTM_GETLINK, RTM_NEWLINK, sizeof(struct ifinfomsg), 0, 0,
	  note_link },
	{ "network addresses", NETLINK_ROUTE, RTM_GETADDR, RTM_NEWADDR, sizeof(struct ifaddrmsg), 0, 0,
	  note_address },
	{ "routes", NETLINK_ROUTE, RTM_GETROUTE, RTM_NEWROUTE, sizeof(struct rtmsg), 0, 0,
	  note_route },
	{ "routing rules", NETLINK_ROUTE, RTM_GETRULE, RTM_NEWRULE, sizeof(struct fib_rule_hdr), 0, 0,
	  note_rule },
	{ "neighbours", NETLINK_ROUTE, RTM_GETNEIGH, RTM_NEWNEIGH, sizeof(struct ndmsg), 0, 0,
	  note_neighbour },
	{ "proxied neighbours", NETLINK_ROUTE, RTM_GETNEIGH, RTM_NEWNEIGH, sizeof(struct ndmsg), 0,
	  NTF_PROXY, note_neighbour },
	{ "queueing disciplines", NETLINK_ROUTE, RTM_GETQDISC, RTM_NEWQDISC, sizeof(struct tcmsg), 0, 0,
	  note_qdisc },
	{ "next hops", NETLINK_ROUTE, RTM_GETNEXTHOP, RTM_NEWNEXTHOP, sizeof(struct nhmsg), 0, 0,
	  note_nexthop },
	{ "address labels", NETLINK_ROUTE, RTM_GETADDRLABEL, RTM_NEWADDRLABEL,
	  sizeof(struct ifaddrlblmsg), AF_INET6, 0, note_label },
	{ "nftables", NETLINK_NETFILTER, NFTABLES(NFT_MSG_GETTABLE), NFTABLES(NFT_MSG_NEWTABLE),
	  sizeof(struct nfgenmsg), 0, 0, note_table },
	{ "states of IPsec", NETLINK_XFRM, XFRM_MSG_GETSA, XFRM_MSG_NEWSA, 0, 0, 0, note_state },
	{ "policies of IPsec", NETLINK_XFRM, XFRM_MSG_GETPOLICY, XFRM_MSG_NEWPOLICY, 0, 0, 0,
	  note_policy },
};

struct listener {
	const struct dump *dump;
	struct inventory *inventory;
};

static int hear(const struct nlmsghdr *nlh, void *arg)
{
	const struct listener *l = arg;
	const struct message m = { .inventory = l->inventory, .nlh = nlh, .header = l->dump->header };

	if (nlh->nlmsg_type == l->dump->answer && mnl_nlmsg_get_payload_len(nlh) >= m.header)
		l->dump->note(&m);
	return MNL_CB_OK;
}

static int ask(struct mnl_socket *s, const struct dump *d, struct inventory *f)
{
	struct listener l = { .dump = d, .inventory = f };
	char buf[ANSWER_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	ssize_t n;
	int ret;

	nlh->nlmsg_type = d->type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (d->header)
		memset(mnl_nlmsg_put_extra_header(nlh, d->header), 0, d->header);
	/* the family is the first byte of each of these headers */
	if (d->family)
		*(uint8_t *)mnl_nlmsg_get_payload(nlh) = d->family;
	if (d->flags)
		((struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_flags = d->flags;
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(s, buf, sizeof(buf));
		ret = n < 0 ? -1 : mnl_cb_run(buf, n, 0, 0, hear, &l);
	} while (ret == MNL_CB_OK);
	return ret < 0 ? -errno : 0;
}

/* what this kernel does not have, nobody has used */
static bool is_absent(const struct dump *d, int err)
{
	/* the base of all networking is always there; IPv6 may not be, nor scheduling of packets */
	if (d->protocol == NETLINK_ROUTE)
		return (d->family || d->type == RTM_GETQDISC) && err == EOPNOTSUPP;
	return err == EPROTONOSUPPORT || err == EOPNOTSUPP || err == EINVAL || err == ENOENT;
}

static int list(const struct dump *d, struct inventory *f, struct ckpt_error *e)
{
	struct mnl_socket *s;
	size_t before = f->nr;
	int ret, tries;

	/* a list that changes while it is told is told again */
	for (tries = 0; tries < 10; tries++) {
		s = mnl_socket_open2(d->protocol, SOCK_CLOEXEC);
		if (!s)
			ret = -errno;
		else
			ret = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) ? -errno : ask(s, d, f);
		if (s)
			mnl_socket_close(s);
		if (ret != -EINTR)
			break;
		while (f->nr > before) {
			f->nr--;
			free(f->list[f->nr].what);
			free(f->list[f->nr].value);
		}
	}
	if (ret && !is_absent(d, -ret))
		return error_sys(e, -ret, "the %s of the container cannot be listed", d->what);
	return 0;
}

int netlink_list(struct inventory *f, struct ckpt_error *e)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < sizeof(dumps) / sizeof(*dumps); i++)
		ret = list(&dumps[i], f, e);
	return ret;
}
