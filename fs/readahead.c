// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs.h"
#include "note.h"
#include "readahead.h"

/* Four requests; a reader who jumps about in a mapping pays for no more. */
#define KIB "512"

static void widen(void)
{
	_cleanup_fd_ int fd = -1;
	struct statx st;
	char path[64];

	/* what the kernel knows by itself: the answer to a question would have to come from us */
	if (statx(AT_FDCWD, fs.opt.mountpoint, AT_STATX_DONT_SYNC, 0, &st))
		return;
	/* is it still ours? A disk has a major number */
	if (st.stx_dev_major || !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return;
	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", st.stx_dev_major,
		 st.stx_dev_minor);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, KIB, strlen(KIB)) < 0)
		note("%s stays as it is: %s", path, strerror(errno));
}

void readahead_widen(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, widen);
}
