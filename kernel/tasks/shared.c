// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which descriptor table, directories and credentials a task has; others may
 * share them.  A zombie still has credentials.  T1.
 */
#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_shared *img = ckpt_put(rec, TASK, SHARED);
	int ret, refused = 0;

	if (!img)
		return -ENOMEM;
	if (!h->mm)
		return ckpt_obj_save(cp, &ckpt_type_cred, (void *)h->cred, &img->cred);
	ret = ckpt_obj_save(cp, &ckpt_type_files, h->files, &img->files);
	if (ckpt_go_on(ret))
		return ret;
	refused = ret;
	ret = ckpt_obj_save(cp, &ckpt_type_fs, h->fs, &img->fs);
	if (ckpt_go_on(ret))
		return ret;
	refused = ret ? : refused;
	ret = ckpt_obj_save(cp, &ckpt_type_cred, (void *)h->cred, &img->cred);
	return ret ? : refused;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_is_zombie_rec(buf) || ckpt_get(buf, TASK, SHARED) ? 0 : ckpt_malformed(log, buf);
}

const struct ckpt_task_part ckpt_part_shared = {
	.name = "shared",
	.dead = true,
	.save = save,
	.check = check,
};
