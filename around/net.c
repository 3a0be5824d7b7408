// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "inventory.h"
#include "lo.h"
#include "net.h"
#include "netlink.h"
#include "proc.h"

/* not settings: how many there are now */
static bool is_no_setting(const char *name)
{
	/* the key is drawn when the first socket listens with TCP_FASTOPEN; clients do without the old one */
	return !strcmp(name, "net.netfilter.nf_conntrack_count") ||
	       !strcmp(name, "net.ipv4.tcp_fastopen_key");
}

/* A setting in a line: blanks for tabs and newlines. */
static void note_sysctl(struct inventory *f, int dirfd, const char *file, const char *name)
{
	char value[4096];
	ssize_t n;
	size_t i;

	if (is_no_setting(name))
		return;
	n = proc_read_value(dirfd, file, value, sizeof(value));
	/* what can't be read is to be written only, or has no value yet */
	if (n < 0)
		snprintf(value, sizeof(value), "(%s)", strerror(-n));
	for (i = 0; value[i]; i++)
		if (value[i] == '\n' || value[i] == '\t')
			value[i] = ' ';
	while (i && value[i - 1] == ' ')
		value[--i] = '\0';
	inventory_add(f, NET_SYSCTL, true, value, "the sysctl %s", name);
}

/* everything below a directory of /proc/sys, which shows the caller's namespace */
static void note_sysctls(struct inventory *f, int fd, const char *name)
{
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	char path[512];
	struct dirent *d;
	int below;

	if (!dir) {
		close(fd);
		f->lost = true;
		return;
	}
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.250s.%s", name, d->d_name);
		if (d->d_type != DT_DIR) {
			note_sysctl(f, fd, d->d_name, path);
			continue;
		}
		below = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (below >= 0)
			note_sysctls(f, below, path);
	}
}

/* what older interfaces have is seen in /proc alone */
static void note_old_filters(struct inventory *f)
{
	static const char *const files[] = { "ip_tables_names", "ip6_tables_names", "arp_tables_names" };
	_cleanup_file_ FILE *services = NULL;
	char path[64], line[512];
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		_cleanup_file_ FILE *tables = NULL;

		snprintf(path, sizeof(path), "/proc/self/net/%s", files[i]);
		tables = fopen(path, "re");
		while (tables && fgets(line, sizeof(line), tables)) {
			line[strcspn(line, "\n")] = '\0';
			inventory_add(f, NET_FILTER, false, "", "a table %s of iptables (%.*s)", line,
				  (int)strcspn(files[i], "_"), files[i]);
		}
	}
	services = fopen("/proc/self/net/ip_vs", "re");
	/* two lines are headings, or three */
	while (services && fgets(line, sizeof(line), services))
		if (strchr(line, ':') && !strstr(line, "LocalAddress:") && !strstr(line, "RemoteAddress:"))
			n++;
	if (n)
		inventory_add(f, NET_FILTER, false, "", "a virtual server of IPVS");
}

static void note_programs(struct inventory *f)
{
	static const struct {
		enum bpf_attach_type type;
		const char *name;
	} kinds[] = {
		{ BPF_FLOW_DISSECTOR, "a flow dissector" },
		{ BPF_SK_LOOKUP, "a look-up of sockets" },
	};
	_cleanup_fd_ int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		union bpf_attr attr = { .query = { .target_fd = ns, .attach_type = kinds[i].type } };

		if (!syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) && attr.query.prog_cnt)
			inventory_add(f, NET_BPF, false, "", "%s in BPF", kinds[i].name);
	}
}

/* everything in the caller's network namespace */
static int gather(struct inventory *f, struct ckpt_error *e)
{
	int sysctls = open("/proc/sys/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (sysctls < 0)
		return error_sys(e, errno, "/proc/sys/net cannot be read");
	note_sysctls(f, sysctls, "net");
	note_old_filters(f);
	note_programs(f);
	return netlink_list(f, e);
}

static int is_lo_up(bool *up, struct ckpt_error *e)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr))
		return error_sys(e, errno, "the state of lo cannot be seen");
	*up = ifr.ifr_flags & IFF_UP;
	return 0;
}

/* From within the container's network namespace, and then a new one. */
static int compare(struct inventory *theirs, struct inventory *fresh, bool *up, struct reasons *r)
{
	struct ckpt_error *e = r->e;
	int ret = is_lo_up(up, e);

	if (!ret)
		ret = gather(theirs, e);
	if (!ret && unshare(CLONE_NEWNET))
		ret = error_sys(e, errno, "no network namespace can be made");
	if (!ret && *up)
		ret = lo_up(e);
	if (!ret)
		ret = gather(fresh, e);
	return ret ? ret : inventory_compare(theirs, fresh, "network namespace", r);
}

int net_check(pid_t pid, bool *up, struct reasons *r)
{
	struct inventory theirs = { 0 }, fresh = { 0 };
	_cleanup_fd_ int here = -1, there = -1;
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
		return error_sys(r->e, errno, "the network namespace of task %d cannot be entered",
				 pid);
	ret = compare(&theirs, &fresh, up, r);
	inventory_free(&theirs);
	inventory_free(&fresh);
	if (setns(here, CLONE_NEWNET) && !ret)
		ret = error_sys(r->e, errno, "the network namespace of task %d cannot be left", pid);
	return ret;
}
