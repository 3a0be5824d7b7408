// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients of a Redis, each with one connection, which ask all the time and know each answer.
 * usage: tcp-clients DIR PORT CLIENTS
 * DIR/count has the number of rounds of the slowest, again and again; DIR/error what went wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "verdict.h"

#define MAX_CLIENTS 64
#define MAX_VALUE 30000

static struct client {
	pthread_t thread;
	int number, port, fd;
	atomic_uint rounds;
	char value[MAX_VALUE + 1], sent[MAX_VALUE + 300], want[MAX_VALUE + 100], got[MAX_VALUE + 100];
} clients[MAX_CLIENTS];

static _Noreturn void wrong(const struct client *c, const char *what)
{
	int error = errno;
	FILE *f = fopen(in_dir("error"), "ae");

	if (f)
		fprintf(f, "client %d, round %u: %s: %s\n", c->number, c->rounds, what, strerror(error));
	_exit(1);
}

/* until the server is there */
static void join_server(struct client *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(c->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (;; sleep_ms(100)) {
		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0)
			wrong(c, "socket");
		if (!connect(c->fd, (void *)&a, sizeof(a)))
			return;
		if (errno != ECONNREFUSED)
			wrong(c, "connect");
		close(c->fd);
	}
}

/* a counter, a value of another length each time, and what the server makes of them */
static void make_question(struct client *c, size_t *len, size_t *want)
{
	unsigned int n = c->rounds + 1, size = n * 7919 % MAX_VALUE;

	for (unsigned int i = 0; i < size; i++)
		c->value[i] = 'a' + (i * 31 + n) % 26;
	c->value[size] = 0;
	*len = snprintf(c->sent, sizeof(c->sent),
			"INCR counter:%d\r\nSET value:%d x%s\r\nGET value:%d\r\nSTRLEN value:%d\r\n",
			c->number, c->number, c->value, c->number, c->number);
	*want = snprintf(c->want, sizeof(c->want), ":%u\r\n+OK\r\n$%u\r\nx%s\r\n:%u\r\n", n, size + 1, c->value, size + 1);
	if (*len >= sizeof(c->sent) || *want >= sizeof(c->want))
		wrong(c, "too long");
}

/* in two parts, as one that is not done with its question */
static void ask(struct client *c, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t part = at < len / 2 ? len / 2 : len - at;
		ssize_t n = send(c->fd, c->sent + at, part, MSG_NOSIGNAL);

		if (n <= 0)
			wrong(c, "send");
		at += n;
	}
}

static void *run(void *arg)
{
	struct client *c = arg;
	size_t len, want;

	join_server(c);
	for (;; c->rounds++) {
		make_question(c, &len, &want);
		ask(c, len);
		for (size_t at = 0; at < want;) {
			ssize_t n = recv(c->fd, c->got + at, want - at, 0);

			if (n <= 0)
				wrong(c, n ? "recv" : "the connection has ended");
			at += n;
		}
		if (memcmp(c->got, c->want, want))
			wrong(c, "another answer");
		sleep_ms(1);
	}
	return NULL;
}

static void tell(int nr)
{
	unsigned int least = ~0U;
	char text[32];
	int fd;

	for (int i = 0; i < nr; i++)
		if (clients[i].rounds < least)
			least = clients[i].rounds;
	fd = open(in_dir("count"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0);
	snprintf(text, sizeof(text), "%u\n", least);
	need(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

int main(int argc, char **argv)
{
	int nr = argc == 4 ? atoi(argv[3]) : 0;

	need(nr > 0 && nr <= MAX_CLIENTS);
	verdict_dir(argv[1]);
	for (int i = 0; i < nr; i++) {
		clients[i].number = i;
		clients[i].port = atoi(argv[2]);
		need(!pthread_create(&clients[i].thread, NULL, run, &clients[i]));
	}
	for (;; sleep_ms(100))
		tell(nr);
}
