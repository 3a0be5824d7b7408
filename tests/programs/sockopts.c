// SPDX-License-Identifier: GPL-2.0-only
/*
 * A socket of every kind for every option that it can have, with that option set
 * to what is not its default, and a last one of each kind with all of them.  All
 * that getsockopt(2) has to say of each must be the same later, under whatever
 * number.  DIR/missing names the options that this kernel does not have.
 * usage: sockopts DIR
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"
#include "verdict.h"

static const struct kind {
	const char *name;
	int family, type;
	bool listens;
} kinds[] = {
	{ "tcp4", AF_INET, SOCK_STREAM, true }, { "tcp6", AF_INET6, SOCK_STREAM, false },
	{ "udp4", AF_INET, SOCK_DGRAM, false }, { "udp6", AF_INET6, SOCK_DGRAM, false },
	{ "unix stream", AF_UNIX, SOCK_STREAM, true }, { "unix dgram", AF_UNIX, SOCK_DGRAM, false },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* socket [option][kind]; the last has all options */
static int sockets[MAX_OPTIONS + 1][NR_KINDS];
static uint32_t answers[MAX_OPTIONS + 1][NR_KINDS][NR_ANSWERS];

/* bind it to an address of loopback's and a port that the kernel chooses */
static void start(int fd, const struct kind *k)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	/* an address with nothing in it: the kernel makes up an abstract name */
	struct sockaddr un = { .sa_family = AF_UNIX };

	if (k->family == AF_INET)
		need(!bind(fd, (void *)&a4, sizeof(a4)));
	else if (k->family == AF_INET6)
		need(!bind(fd, (void *)&a6, sizeof(a6)));
	else
		need(!bind(fd, &un, sizeof(sa_family_t)));
	if (k->listens)
		need(!listen(fd, 5));
}

static int new_socket(const struct kind *k)
{
	int fd = socket(k->family, k->type | SOCK_CLOEXEC, 0);

	need(fd >= 0);
	return fd;
}

/* sockets with this option alone; 0: it was set in one of them at least, else why not */
static int prepare_option(size_t i)
{
	const struct option *o = &options[i];
	int error = ENOPROTOOPT;

	for (size_t k = 0; k < NR_KINDS; k++) {
		sockets[i][k] = -1;
		if (!is_for(o, kinds[k].family, kinds[k].type))
			continue;
		sockets[i][k] = new_socket(&kinds[k]);
		if (!setsockopt(sockets[i][k], o->level, o->name, &o->value, o->len))
			error = 0;
		else if (error)
			error = errno;
		start(sockets[i][k], &kinds[k]);
		ask_options(sockets[i][k], STILL, answers[i][k]);
	}
	return error;
}

static void prepare_all(size_t k)
{
	int fd = new_socket(&kinds[k]);

	for (const struct option *o = options; o < options + nr_options; o++)
		if (is_for(o, kinds[k].family, kinds[k].type))
			setsockopt(fd, o->level, o->name, &o->value, o->len);
	start(fd, &kinds[k]);
	sockets[nr_options][k] = fd;
	ask_options(fd, STILL, answers[nr_options][k]);
}

/* say what differs */
static bool is_same(const char *what, size_t i, size_t k)
{
	uint32_t now[NR_ANSWERS] = { 0 };
	char text[128];

	if (sockets[i][k] < 0)
		return true;
	ask_options(sockets[i][k], STILL, now);
	snprintf(text, sizeof(text), "%s socket with %s", kinds[k].name, what);
	return same_answers(answers[i][k], now, text);
}

static void check(const char *what, size_t i)
{
	bool same = true;

	for (size_t k = 0; k < NR_KINDS; k++)
		same &= is_same(what, i, k);
	verdict(same, "C7", "sockets keep %s", what);
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 4096, 4096 };
	bool has[MAX_OPTIONS];
	FILE *missing;

	need(argc == 2 && nr_options <= MAX_OPTIONS);
	verdict_dir(argv[1]);
	need(!setrlimit(RLIMIT_NOFILE, &limit));
	missing = fopen(in_dir("missing"), "we");
	need(missing);
	for (size_t i = 0; i < nr_options; i++) {
		int error = prepare_option(i);

		has[i] = !error;
		if (error)
			fprintf(missing, "%s: %s\n", options[i].text, strerror(error));
	}
	fclose(missing);
	for (size_t k = 0; k < NR_KINDS; k++)
		prepare_all(k);
	ready();
	wait_for_check();
	for (size_t i = 0; i < nr_options; i++)
		if (has[i])
			check(options[i].text, i);
	check("all options at once", nr_options);
	verdict_end();
	for (;;)
		pause();
}
