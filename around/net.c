// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "net.h"

/* A socket in the task's network namespace; it stays there. */
static int socket_in(pid_t pid)
{
	_cleanup_fd_ int ours = -1, theirs = -1;
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (ours < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = errno;
	if (setns(ours, CLONE_NEWNET)) {
		err = errno;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	return fd < 0 ? -err : fd;
}

/* devices that a namespace has from its birth when the modules are loaded */
static bool born_with(const char *device)
{
	static const char *const names[] = {
		"lo", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0",
		"ip6_vti0", "sit0", "ip6tnl0", "ip6gre0",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(device, names[i]))
			return true;
	return false;
}

static int check_devices(pid_t pid, int sock, struct ckpt_error *e)
{
	_cleanup_file_ FILE *f = NULL;
	char path[64], line[512], *name, *end;
	struct ifreq ifr;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", pid);
	f = fopen(path, "re");
	if (!f)
		return error_sys(e, errno, "the network devices of task %d cannot be seen", pid);
	while (fgets(line, sizeof(line), f)) {
		end = strchr(line, ':');
		if (!end)
			continue;
		*end = '\0';
		name = line + strspn(line, " ");
		memset(&ifr, 0, sizeof(ifr));
		snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
		if (born_with(name) && (!strcmp(name, "lo") ||
		    (ioctl(sock, SIOCGIFFLAGS, &ifr) == 0 && !(ifr.ifr_flags & IFF_UP))))
			continue;
		return error_set(e, EOPNOTSUPP, "the container has a network device %s, which is not supported yet: only lo is",
				 name);
	}
	return 0;
}

static int check_addresses(int sock, struct ckpt_error *e)
{
	struct ifreq reqs[64];
	struct ifconf conf = { .ifc_len = sizeof(reqs), .ifc_req = reqs };
	struct sockaddr_in *sin;
	char text[INET_ADDRSTRLEN];
	size_t i;

	if (ioctl(sock, SIOCGIFCONF, &conf))
		return error_sys(e, errno, "the container's network addresses cannot be seen");
	for (i = 0; i < conf.ifc_len / sizeof(*reqs); i++) {
		sin = (struct sockaddr_in *)&reqs[i].ifr_addr;
		if (sin->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
			continue;
		inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text));
		return error_set(e, EOPNOTSUPP, "the container has the network address %s on %.16s, which is not supported yet: only 127.0.0.1 is",
				 text, reqs[i].ifr_name);
	}
	return 0;
}

int net_check(pid_t pid, bool *lo_up, struct ckpt_error *e)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	_cleanup_fd_ int sock = socket_in(pid);
	int ret;

	if (sock < 0)
		return error_sys(e, -sock, "the network namespace of task %d cannot be entered",
				 pid);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr))
		return error_sys(e, errno, "the state of lo cannot be seen");
	*lo_up = ifr.ifr_flags & IFF_UP;
	ret = check_devices(pid, sock, e);
	if (!ret)
		ret = check_addresses(sock, e);
	return ret;
}
