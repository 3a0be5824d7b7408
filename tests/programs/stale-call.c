// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call that waits is ended by a signal; later its system call is filtered, and restart_syscall(2) must not be a way
 * around that.
 *
 *	stale-call DIR	makes DIR/ready before the call; DIR/verdict after all
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "verdict.h"

static void handler(int sig)
{
	(void)sig;
}

/* recvfrom(2) is denied */
static void filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvfrom, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sigaction sa = { .sa_handler = handler };
	struct timeval timeout = { 3600, 0 };
	socklen_t len = sizeof(a);
	char byte = 0;
	int fd;

	if (argc != 2)
		errx(2, "usage: stale-call DIR");
	verdict_dir(argv[1]);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	need(fd >= 0 && !bind(fd, (void *)&a, sizeof(a)) && !getsockname(fd, (void *)&a, &len));
	need(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)));
	need(!sigaction(SIGUSR1, &sa, NULL));
	ready();
	verdict(recv(fd, &byte, 1, 0) == -1 && errno == EINTR, "N4", "a call that a signal ends answers EINTR");
	filter();
	verdict(recv(fd, &byte, 1, 0) == -1 && errno == EPERM, "N4", "the call is denied");
	need(sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)) == 1);
	verdict(syscall(SYS_restart_syscall, fd, &byte, 1, 0, NULL, NULL) == -1 && errno == EINTR && !byte, "N4",
		"nor does restart_syscall() make it");
	verdict_end();
	for (;;)
		pause();
}
