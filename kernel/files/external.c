// SPDX-License-Identifier: GPL-2.0-only
/* What stays outside of the image: a record says what it was, by a key, and never where another one is.  C3. */
#include <linux/ctype.h>

#include "file.h"

/* by who knows what it is: ckpt_save_external() */
static int save_nothing_yet(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	return 0;
}

int ckpt_save_external(struct ckpt_checkpoint *cp, void *ptr, const struct ckpt_external *x, u32 *ref)
{
	struct ckpt_image_external *img;
	struct ckpt_rec_out *rec;
	int ret;

	ret = ckpt_obj_save(cp, &ckpt_type_external, ptr, ref);
	if (ret)
		return ret;
	rec = ckpt_rec(cp, CKPT_REC_EXTERNAL);
	img = ckpt_put(rec, EXTERNAL, BASE);
	if (!img || ckpt_put_string(rec, EXTERNAL, KEY, x->key) ||
	    ckpt_put_string(rec, EXTERNAL, WAS, x->was))
		return -ENOMEM;
	img->ref = *ref;
	img->kind = x->kind;
	img->side = x->side;
	return ckpt_done(cp, rec);
}

/* the key is shown, and given as [KEY]=PATH */
static bool key_ok(const char *key)
{
	for (; *key; key++)
		if (!isascii(*key) || !isgraph(*key) || *key == '[' || *key == ']' || *key == '=')
			return false;
	return true;
}

static int check_external(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_external *img = ckpt_get(buf, EXTERNAL, BASE);

	return img->kind == CKPT_REC_PIPE && (img->side == 1 || img->side == 2) &&
	       key_ok(ckpt_get(buf, EXTERNAL, KEY)) ? 0 : ckpt_malformed(log, buf);
}

/* known by what it stands for, whose own type holds it */
const struct ckpt_type ckpt_type_external = {
	.name = "EXTERNAL",
	.record = CKPT_REC_EXTERNAL,
	.save = save_nothing_yet,
	.check = check_external,
};
