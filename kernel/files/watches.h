/* SPDX-License-Identifier: GPL-2.0-only */
/* What an epoll file watches, as the kernel's private structs have it: watches.c. */
#ifndef _CKPT_WATCHES_H
#define _CKPT_WATCHES_H

#include <linux/xarray.h>

#include "restore.h"
#include "save.h"

struct ckpt_watches {
	u32 nr;
	struct ckpt_image_epoll_watch *w;
	struct file **target;		/* compared, never used: no references */
	struct ckpt_image_epoll_params params;
	bool signals;			/* a signalfd is among what is watched */
	/* where those wait, compared only; NULL: at the queues of several, or at none any more */
	const wait_queue_head_t *queue;
};

/*
 * ckpt_read_watches - all watches of an epoll file
 *
 * Returns 0, CKPT_REFUSED with the reason in the log, or -ENOMEM.
 * ckpt_free_watches() is due in all cases.
 */
int ckpt_read_watches(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_watches *ws);
void ckpt_free_watches(struct ckpt_watches *ws);

/* has it EPOLLONESHOT, and has it fired?  Then it is silent until EPOLL_CTL_MOD. */
static inline bool ckpt_watch_fired(const struct ckpt_image_epoll_watch *w)
{
	const __poll_t kept = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;

	return w->events & (__force u32)EPOLLONESHOT && !(w->events & ~(__force u32)kept);
}

/* can ckpt_silence_watches() be done on this kernel? */
bool ckpt_can_silence_watches(void);
/*
 * ckpt_silence_watches - the watches of @nr descriptors have fired
 * @fired: an entry for each descriptor
 *
 * epoll_ctl(2) cannot make them: it adds EPOLLERR and EPOLLHUP.  Returns 0,
 * -EINTR, or -EINVAL if not all of them are there.
 */
int ckpt_silence_watches(struct file *file, struct xarray *fired, u32 nr);

#endif
