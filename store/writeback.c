// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that has the kernel write to the disk what has gone into the file,
 * while writers fill in more: a commit then waits for little, and whoever waits
 * for the commit with it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "internal.h"

#define WRITEBACK_BYTES (8ULL << 20)
/* Not worth a system call before a commit. */
#define SETTLE_BYTES (4ULL << 20)

static void *writeback_main(void *arg)
{
	struct store *st = arg;
	struct writeback *wb = &st->writeback;

	pthread_mutex_lock(&wb->mutex);
	while (!wb->stop) {
		if (!wb->wanted) {
			pthread_cond_wait(&wb->wake, &wb->mutex);
			continue;
		}
		wb->wanted = false;
		pthread_mutex_unlock(&wb->mutex);
		/* Errors are seen by the sync of the commit. */
		sync_file_range(st->sync_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		pthread_mutex_lock(&wb->mutex);
	}
	pthread_mutex_unlock(&wb->mutex);
	return NULL;
}

int store_writeback_start(struct store *st, struct store_error *e)
{
	return store_thread(st, &st->writeback.thread, writeback_main, &st->writeback.running, e);
}

void store_writeback_stop(struct store *st)
{
	struct writeback *wb = &st->writeback;

	if (!wb->running)
		return;
	pthread_mutex_lock(&wb->mutex);
	wb->stop = true;
	pthread_cond_broadcast(&wb->wake);
	pthread_mutex_unlock(&wb->mutex);
	pthread_join(wb->thread, NULL);
	wb->running = false;
}

/* @bytes more have gone into the file. */
void store_writeback(struct store *st, uint64_t bytes)
{
	struct writeback *wb = &st->writeback;

	wb->bytes += bytes;
	if (wb->bytes < WRITEBACK_BYTES)
		return;
	wb->bytes = 0;
	pthread_mutex_lock(&wb->mutex);
	wb->wanted = true;
	pthread_cond_broadcast(&wb->wake);
	pthread_mutex_unlock(&wb->mutex);
}

/* Wait until the disk has what was in the file at the time; without the lock. */
void store_writeback_wait(struct store *st)
{
	if (st->txn_bytes >= SETTLE_BYTES)
		sync_file_range(st->sync_fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE |
				SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}
