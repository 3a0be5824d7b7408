// SPDX-License-Identifier: GPL-2.0-only
/* The names of a uts namespace.  T10. */
#include <linux/utsname.h>

#include "namespace.h"

int ckpt_save_uts(struct uts_namespace *ns, struct ckpt_rec_out *rec)
{
	struct ckpt_image_uts *img = ckpt_put(rec, NAMESPACE, UTS);

	if (!img)
		return -ENOMEM;
	down_read(kv_uts_sem);
	strscpy(img->nodename, ns->name.nodename, sizeof(img->nodename));
	strscpy(img->domainname, ns->name.domainname, sizeof(img->domainname));
	up_read(kv_uts_sem);
	return 0;
}

int ckpt_check_uts(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_uts *img = ckpt_get(buf, NAMESPACE, UTS);
	const size_t max = sizeof_field(struct new_utsname, nodename);

	if (!img || strnlen(img->nodename, max) == max || strnlen(img->domainname, max) == max)
		return ckpt_fail(log, -EINVAL, "the image's host name does not end");
	return 0;
}

void ckpt_restore_uts(struct uts_namespace *ns, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_uts *img = ckpt_get(buf, NAMESPACE, UTS);

	down_write(kv_uts_sem);
	strscpy_pad(ns->name.nodename, img->nodename, sizeof(ns->name.nodename));
	strscpy_pad(ns->name.domainname, img->domainname, sizeof(ns->name.domainname));
	up_write(kv_uts_sem);
}
