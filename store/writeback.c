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

	pthread_mutex_lock(&wb->worker.mutex);
	while (!wb->worker.stop) {
		if (!wb->wanted) {
			pthread_cond_wait(&wb->worker.wake, &wb->worker.mutex);
			continue;
		}
		wb->wanted = false;
		pthread_mutex_unlock(&wb->worker.mutex);
		/* Errors are seen by the sync of the commit. */
		sync_file_range(st->sync_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		pthread_mutex_lock(&wb->worker.mutex);
	}
	pthread_mutex_unlock(&wb->worker.mutex);
	return NULL;
}

int store_writeback_start(struct store *st, struct store_error *e)
{
	return store_worker_start(st, &st->writeback.worker, writeback_main, e);
}

/* @bytes more have gone into the file. */
void store_writeback(struct store *st, uint64_t bytes)
{
	struct writeback *wb = &st->writeback;

	wb->bytes += bytes;
	if (wb->bytes < WRITEBACK_BYTES)
		return;
	wb->bytes = 0;
	pthread_mutex_lock(&wb->worker.mutex);
	wb->wanted = true;
	store_worker_wake(&wb->worker);
	pthread_mutex_unlock(&wb->worker.mutex);
}

/* Wait until the disk has what was in the file at the time; without the lock. */
void store_writeback_wait(struct store *st)
{
	if (st->txn_bytes >= SETTLE_BYTES)
		sync_file_range(st->sync_fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE |
				SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}
