// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an epoll file watches.  Its structs are private to fs/eventpoll.c; where
 * their members are, the kernel's type information says (core/btf.c).  Without
 * it fdinfo says what is watched, and each file is searched for from the
 * beginning, which is for few watches only.  C4, K30.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <uapi/linux/eventpoll.h>

#include "btf.h"
#include "file.h"
#include "watches.h"

/* how many are read without type information, at the cost of their square: some 20 ms */
#define CKPT_RAW_WATCHES 1000

/* bytes from the beginning of struct eventpoll and struct epitem */
static struct {
	u32 mtx, rbr;
	u32 busy_poll_usecs, busy_poll_budget, prefer_busy_poll;
	u32 rbn, file, fd, event, pwqlist;
	u32 whead;			/* of struct eppoll_entry */
	bool known, busy;
} at;

static const struct ckpt_member ep_members[] = {
	{ "mtx", "struct mutex", sizeof(struct mutex), &at.mtx },
	{ "rbr", "struct rb_root_cached", sizeof(struct rb_root_cached), &at.rbr },
};

static const struct ckpt_member item_members[] = {
	{ "rbn", "struct rb_node", sizeof(struct rb_node), &at.rbn },
	{ "ffd.file", "struct file *", sizeof(struct file *), &at.file },
	{ "ffd.fd", "int", sizeof(int), &at.fd },
	{ "event", "struct epoll_event", sizeof(struct epoll_event), &at.event },
	{ "pwqlist", "struct eppoll_entry *", sizeof(void *), &at.pwqlist },
};

static const struct ckpt_member entry_members[] = {
	{ "whead", "wait_queue_head_t *", sizeof(void *), &at.whead },
};

/* 6.9: what ioctl(EPIOCSPARAMS) sets */
static const struct ckpt_member busy_members[] = {
	{ "busy_poll_usecs", "u32", sizeof(u32), &at.busy_poll_usecs },
	{ "busy_poll_budget", "u16", sizeof(u16), &at.busy_poll_budget },
	{ "prefer_busy_poll", "bool", sizeof(bool), &at.prefer_busy_poll },
};

/* when the module is loaded, behind ckpt_symbols_init() */
void ckpt_watches_init(void)
{
	int ret = ckpt_btf_find("eventpoll", busy_members, ARRAY_SIZE(busy_members));

	at.busy = !ret;
	/* an older kernel has nothing of the kind */
	at.known = ret != -EINVAL &&
		   !ckpt_btf_find("eventpoll", ep_members, ARRAY_SIZE(ep_members)) &&
		   !ckpt_btf_find("epitem", item_members, ARRAY_SIZE(item_members)) &&
		   !ckpt_btf_find("eppoll_entry", entry_members, ARRAY_SIZE(entry_members));
	if (!at.known)
		pr_warn("ckpt: this kernel has no type information (BTF) of epoll files, which are supported with up to %u watches\n",
			CKPT_RAW_WATCHES);
}

#define member(type, base, offset) ((type *)((char *)(base) + (offset)))

static struct mutex *mutex_of(struct file *file)
{
	return member(struct mutex, file->private_data, at.mtx);
}

/* an epoll file's watches one by one; its mutex is held */
static void *first_item(struct file *file)
{
	struct rb_root_cached *root = member(struct rb_root_cached, file->private_data, at.rbr);
	struct rb_node *node = rb_first_cached(root);

	return node ? (char *)node - at.rbn : NULL;
}

static void *next_item(void *item)
{
	struct rb_node *node = rb_next(member(struct rb_node, item, at.rbn));

	return node ? (char *)node - at.rbn : NULL;
}

#define for_each_item(item, file)					\
	for (item = first_item(file); item; item = next_item(item))

static int alloc_watches(struct ckpt_watches *ws, u32 nr)
{
	ws->w = kvcalloc(nr + 1, sizeof(*ws->w), GFP_KERNEL);
	ws->target = kvcalloc(nr + 1, sizeof(*ws->target), GFP_KERNEL);
	return ws->w && ws->target ? 0 : -ENOMEM;
}

void ckpt_free_watches(struct ckpt_watches *ws)
{
	kvfree(ws->w);
	kvfree(ws->target);
}

static void read_params(struct file *file, struct ckpt_image_epoll_params *params)
{
	void *ep = file->private_data;

	if (!at.busy)
		return;
	params->busy_poll_usecs = READ_ONCE(*member(u32, ep, at.busy_poll_usecs));
	params->busy_poll_budget = READ_ONCE(*member(u16, ep, at.busy_poll_budget));
	params->prefer_busy_poll = READ_ONCE(*member(bool, ep, at.prefer_busy_poll));
}

/*
 * A watch of a signalfd waits for signals of the process that added it, also in
 * an epoll file that others have, too; when that has ended it waits for nothing.
 */
static void note_queue(struct ckpt_watches *ws, void *item)
{
	void *entry = *member(void *, item, at.pwqlist);
	const wait_queue_head_t *queue = NULL;

	if (entry)
		queue = READ_ONCE(*member(wait_queue_head_t *, entry, at.whead));
	if (ws->signals && queue != ws->queue)
		queue = NULL;
	ws->signals = true;
	ws->queue = queue;
}

/* its mutex is held */
static int read_items(struct file *file, struct ckpt_watches *ws)
{
	void *item;
	u32 nr = 0;
	int ret;

	for_each_item(item, file)
		nr++;
	ret = alloc_watches(ws, nr);
	if (ret)
		return ret;
	for_each_item(item, file) {
		const struct epoll_event *ev = member(struct epoll_event, item, at.event);
		struct ckpt_image_epoll_watch *w = &ws->w[ws->nr];

		w->fd = *member(int, item, at.fd);
		w->events = (__force u32)ev->events;
		w->data = ev->data;
		ws->target[ws->nr] = *member(struct file *, item, at.file);
		if (ckpt_is_signalfd(ws->target[ws->nr++]))
			note_queue(ws, item);
	}
	return 0;
}

/*
 * Nobody of the container is in epoll_wait(2) now, but whoever has the file from
 * it and is outside may be, and may fault there for as long as it likes.
 */
static bool lock_watches(struct file *file)
{
	int i;

	for (i = 0; i < 200; i++) {
		if (mutex_trylock(mutex_of(file)))
			return true;
		usleep_range(200, 1000);
	}
	return false;
}

static int read_quickly(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_watches *ws)
{
	int ret;

	if (!lock_watches(file))
		return ckpt_refuse(cp, -EBUSY, "an epoll file is in use outside of the container");
	ret = read_items(file, ws);
	mutex_unlock(mutex_of(file));
	return ret;
}

/* Without type information */

/* how many watches before @nr are on the same descriptor number */
static unsigned long same_before(const struct ckpt_watches *ws, u32 nr)
{
	unsigned long same = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		same += ws->w[i].fd == ws->w[nr].fd;
	return same;
}

static int parse_info(struct ckpt_checkpoint *cp, struct file *file, const char *info,
		      struct ckpt_watches *ws)
{
	const char *p = info;

	while ((p = strstr(p, "tfd:"))) {
		struct ckpt_image_epoll_watch *w = &ws->w[ws->nr];
		unsigned long long data;
		int fd;
		u32 events;

		if (sscanf(p, "tfd: %d events: %x data: %llx", &fd, &events, &data) != 3)
			return -EINVAL;
		w->fd = fd;
		w->events = events;
		w->data = data;
		if (ckpt_watch_fired(w))
			return ckpt_refuse(cp, -EOPNOTSUPP,
					   "a watch with EPOLLONESHOT that has fired is not supported on this kernel, which has no type information (BTF) of epoll files");
		ws->target[ws->nr] = k_get_epoll_tfile_raw_ptr(file, fd, same_before(ws, ws->nr));
		if (!IS_ERR_OR_NULL(ws->target[ws->nr]) && ckpt_is_signalfd(ws->target[ws->nr]))
			return ckpt_refuse(cp, -EOPNOTSUPP,
					   "an epoll file that watches a signalfd is not supported on this kernel, which has no type information (BTF) of it");
		ws->nr++;
		p += 4;
	}
	return 0;
}

static int read_slowly(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_watches *ws)
{
	const char *p;
	char *info;
	int ret;
	u32 nr = 0;

	if (ckpt_lacks(CKPT_FOR_RAW_WATCHES))
		return ckpt_refuse_lack(cp, CKPT_FOR_RAW_WATCHES);
	info = ckpt_fdinfo(file);
	if (!info)
		return -ENOMEM;
	for (p = info; (p = strstr(p, "tfd:")); p += 4)
		nr++;
	if (nr > CKPT_RAW_WATCHES)
		ret = ckpt_refuse(cp, -EOPNOTSUPP,
				  "an epoll file with %u watches is not supported on this kernel, which has no type information (BTF) of it: at most %u",
				  nr, CKPT_RAW_WATCHES);
	else
		ret = alloc_watches(ws, nr) ? : parse_info(cp, file, info, ws);
	kvfree(info);
	return ret;
}

int ckpt_read_watches(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_watches *ws)
{
	read_params(file, &ws->params);
	return at.known ? read_quickly(cp, file, ws) : read_slowly(cp, file, ws);
}

bool ckpt_can_silence_watches(void)
{
	return at.known;
}

int ckpt_silence_watches(struct file *file, struct xarray *fired, u32 nr)
{
	u32 silent = 0;
	void *item;

	if (mutex_lock_killable(mutex_of(file)))
		return -EINTR;
	for_each_item(item, file) {
		struct epoll_event *ev = member(struct epoll_event, item, at.event);

		if (!xa_load(fired, *member(int, item, at.fd)))
			continue;
		/* as the kernel does it when such a watch fires, under this mutex */
		ev->events &= EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;
		silent++;
	}
	mutex_unlock(mutex_of(file));
	return silent == nr ? 0 : -EINVAL;
}
