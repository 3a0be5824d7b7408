// SPDX-License-Identifier: GPL-2.0-only
/* Processes that talk with each other all the time, so that a checkpoint comes at any moment of that. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

enum { AT_ONCE, NODELAY, NAGLE, CORKED, STREAM, NR_MODES };

static const char *const mode_names[NR_MODES] = {
	"questions and answers", "questions and answers with TCP_NODELAY", "questions in two parts (Nagle)",
	"questions in two parts (TCP_CORK)", "a stream",
};

static struct shared {
	atomic_bool stop;
	atomic_uint rounds[2][NR_MODES], total[2];
} *shared;

static pid_t talkers[2][NR_MODES][2];

/* which of them a process is */
static int kind, mode;

static bool takes(int fd, void *p, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = recv(fd, (char *)p + at, len - at, 0);

		if (n <= 0)
			return false;
		at += n;
	}
	return true;
}

static bool puts_all(int fd, const void *p, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = send(fd, (const char *)p + at, len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
	}
	return true;
}

static bool asks(int fd, const uint8_t *question, uint32_t len)
{
	switch (mode) {
	case CORKED:
		set(fd, SOL_TCP, TCP_CORK, 1);
		if (!puts_all(fd, question, 4))
			return false;
		sleep_ms(15);
		if (!puts_all(fd, question + 4, len))
			return false;
		set(fd, SOL_TCP, TCP_CORK, 0);
		return true;
	case NAGLE:
		return puts_all(fd, question, 4) && puts_all(fd, question + 4, len);
	}
	return puts_all(fd, question, 4 + len);
}

static int run_client(int fd)
{
	static uint8_t question[4100], answer[4100];
	uint32_t at = 0, len;

	if (mode == NODELAY)
		set(fd, SOL_TCP, TCP_NODELAY, 1);
	while (!shared->stop) {
		len = 1 + at * 7 % 3001;
		memcpy(question, &len, 4);
		stream(question + 4, len, 200 + mode, at);
		if (!asks(fd, question, len) || !takes(fd, answer, len))
			return 2;
		/* the answer is the question the other way round */
		for (uint32_t i = 0; i < len; i++)
			if (answer[i] != question[4 + len - 1 - i])
				return 3;
		at += len;
		shared->rounds[kind][mode]++;
		sleep_ms(8);
	}
	return shutdown(fd, SHUT_WR) || recv(fd, answer, 1, 0) ? 4 : 0;
}

static int run_server(int fd)
{
	static uint8_t question[4096], answer[4096];
	uint32_t len;
	ssize_t n;

	while ((n = recv(fd, &len, 1, 0)) == 1) {
		if (!takes(fd, (char *)&len + 1, 3) || len > sizeof(question) || !takes(fd, question, len))
			return 2;
		for (uint32_t i = 0; i < len; i++)
			answer[i] = question[len - 1 - i];
		if (!puts_all(fd, answer, len))
			return 3;
	}
	return n ? 4 : 0;
}

static int run_source(int fd)
{
	uint32_t at = 0, len;

	for (; !shared->stop; at += len) {
		len = 1 + at * 7 % 90001;
		if (!pours(fd, 300, at, len))
			return 2;
		shared->rounds[kind][STREAM]++;
		sleep_ms(10);
	}
	shared->total[kind] = at;
	return shutdown(fd, SHUT_WR) || recv(fd, &len, 1, 0) ? 3 : 0;
}

static int run_sink(int fd)
{
	static uint8_t bytes[50000];
	uint32_t at = 0;
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		if (!stream_is(bytes, n, 300, at))
			return 2;
		at += n;
		/* now and then it is too slow */
		if (at / 200000 != (at - n) / 200000)
			sleep_ms(100);
	}
	return n || at != shared->total[kind] ? 3 : 0;
}

void prepare_talkers(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(shared != MAP_FAILED);
	for (kind = IPV4; kind <= IPV6; kind++) {
		for (mode = 0; mode < NR_MODES; mode++) {
			struct conn c = joined(kind);

			talkers[kind][mode][0] = spawn(mode == STREAM ? run_sink : run_server, c.b);
			talkers[kind][mode][1] = spawn(mode == STREAM ? run_source : run_client, c.a);
			close(c.a);
			close(c.b);
		}
	}
}

/* does it talk on? */
static bool goes_on(int k, int m)
{
	unsigned int before = shared->rounds[k][m];

	for (long long end = now_ms() + 20000; now_ms() < end; sleep_ms(10))
		if (shared->rounds[k][m] > before + 2)
			return true;
	return false;
}

void check_talkers(void)
{
	bool on[2][NR_MODES];

	for (int k = IPV4; k <= IPV6; k++)
		for (int m = 0; m < NR_MODES; m++)
			on[k][m] = goes_on(k, m);
	shared->stop = true;
	for (int k = IPV4; k <= IPV6; k++)
		for (int m = 0; m < NR_MODES; m++)
			verdict(on[k][m] & ended_well(talkers[k][m][0]) & ended_well(talkers[k][m][1]), "N4 C7",
				"tcps: %s between two processes over %s go on", mode_names[m], kind_names[k]);
}
