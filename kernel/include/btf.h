/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where members of the kernel's private structs are: core/btf.c.  Releases move
 * them, and no header has them, but the kernel has its own type information.
 */
#ifndef _CKPT_BTF_H
#define _CKPT_BTF_H

#include <linux/types.h>

struct ckpt_member {
	const char *name;		/* with dots for a member of a member */
	const char *type;		/* as in C: "struct mutex", "struct file *", "int []" */
	u32 size;			/* bytes that we take it for; 0: of an array without a length */
	u32 *offset;			/* set to bytes from the struct's beginning */
};

/*
 * ckpt_btf_find - the offsets of @nr members of a struct
 * @of: the struct's name
 *
 * Returns 0; -ENOENT: the kernel has no type information, no such struct or one
 * without one of the members; -EINVAL: it has one of another type.  May sleep,
 * and looks at all of the kernel's types.
 */
int ckpt_btf_find(const char *of, const struct ckpt_member *m, size_t nr);
/* a struct's size in bytes; 0: it, or all type information, is missing.  May sleep */
u32 ckpt_btf_size(const char *of);

#endif
