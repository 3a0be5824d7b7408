// SPDX-License-Identifier: GPL-2.0-only
/* What a pid namespace has beside its tasks.  T10. */
#include <linux/idr.h>
#include <linux/pid_namespace.h>
#include <linux/threads.h>

#include "namespace.h"

/* MEMFD_NOEXEC_SCOPE_NOEXEC_ENFORCED */
#define CKPT_MEMFD_NOEXEC_MAX 2

int ckpt_save_pid(struct ckpt_checkpoint *cp, struct pid_namespace *ns, struct ckpt_rec_out *rec)
{
	struct ckpt_image_pid *img = ckpt_put(rec, NAMESPACE, PID);

	if (!img)
		return -ENOMEM;
#ifdef CONFIG_BSD_PROCESS_ACCT
	if (READ_ONCE(ns->bacct))
		return ckpt_refuse_whole(cp, -EOPNOTSUPP,
					 "the container has process accounting (acct(2)), which is not supported");
#endif
	/* or a number that has just been given back would be the next again */
	img->cursor = idr_get_cursor(&ns->idr);
	img->memfd_noexec = ckpt_memfd_noexec(ns);
	return 0;
}

int ckpt_check_pid(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pid *img = ckpt_get(buf, NAMESPACE, PID);

	return !img || (img->cursor <= PID_MAX_LIMIT && img->memfd_noexec <= CKPT_MEMFD_NOEXEC_MAX) ?
		0 : ckpt_malformed(log, buf);
}

/* all its tasks are there */
int ckpt_restore_pid(struct ckpt_restart *rs, struct pid_namespace *ns,
		     const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pid *img = ckpt_get(buf, NAMESPACE, PID);

	if (!img)
		return 0;
	idr_set_cursor(&ns->idr, img->cursor);
	return ckpt_set_memfd_noexec(ns, img->memfd_noexec) ? 0 :
		ckpt_fail(ckpt_restore_log(rs), -EOPNOTSUPP, "this kernel has no vm.memfd_noexec, which the image's container has set");
}
