// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own type information (BTF): see btf.h. */
#include <linux/btf.h>

#include "btf.h"
#include "symbols.h"

/* the kernel's own for good, or NULL */
static const struct btf *own_btf(void)
{
	const struct btf *btf = ckpt_lacks(CKPT_FOR_BTF) ? NULL : k_bpf_get_btf_vmlinux();

	return IS_ERR(btf) ? NULL : btf;
}

/* the member of struct or union @t, or of what has no name in it; adds to @bits where it is */
static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *t,
					    const char *name, size_t len, u32 *bits)
{
	const struct btf_member *m = (const struct btf_member *)(t + 1), *found;
	u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const struct btf_type *inner = k_btf_type_by_id(btf, m->type);
		const char *is = k_btf_name_by_offset(btf, m->name_off);
		u32 at = *bits + __btf_member_bit_offset(t, m);

		found = NULL;
		if (*is && strlen(is) == len && !strncmp(is, name, len))
			found = m;
		else if (!*is && inner && btf_type_is_struct(inner))
			found = find_member(btf, inner, name, len, &at);
		if (found) {
			*bits = at;
			return found;
		}
	}
	return NULL;
}

/* bytes of @t behind its typedefs; 0: it has no size */
static u32 size_of(const struct btf *btf, const struct btf_type *t)
{
	while (t && (btf_kind(t) == BTF_KIND_TYPEDEF || btf_kind(t) == BTF_KIND_CONST ||
		     btf_kind(t) == BTF_KIND_VOLATILE))
		t = k_btf_type_by_id(btf, t->type);
	if (!t)
		return 0;
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
		return sizeof(void *);
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return t->size;
	}
	return 0;
}

/* is it the type of that name in C, of that size? */
static bool is_type(const struct btf *btf, const struct btf_type *t, const char *name, u32 size)
{
	bool pointer = btf_type_is_ptr(t);
	char is[64];

	if (size_of(btf, t) != size)
		return false;
	if (pointer)
		t = k_btf_type_by_id(btf, t->type);
	if (!t)
		return false;
	snprintf(is, sizeof(is), "%s%s%s", btf_kind(t) == BTF_KIND_STRUCT ? "struct " : "",
		 k_btf_name_by_offset(btf, t->name_off), pointer ? " *" : "");
	return !strcmp(is, name);
}

static int find(const struct btf *btf, const struct btf_type *of, const struct ckpt_member *m)
{
	const struct btf_type *t = of;
	const struct btf_member *found;
	const char *name = m->name;
	u32 bits = 0;
	size_t len;

	while (t && *name) {
		len = strcspn(name, ".");
		found = btf_type_is_struct(t) ? find_member(btf, t, name, len, &bits) : NULL;
		t = found ? k_btf_type_by_id(btf, found->type) : NULL;
		name += len + (name[len] == '.');
	}
	if (!t)
		return -ENOENT;
	if (!is_type(btf, t, m->type, m->size) || bits % BITS_PER_BYTE ||
	    bits / BITS_PER_BYTE + m->size > of->size)
		return -EINVAL;
	*m->offset = bits / BITS_PER_BYTE;
	return 0;
}

int ckpt_btf_find(const char *of, const struct ckpt_member *m, size_t nr)
{
	const struct btf *btf = own_btf();
	s32 id = btf ? k_btf_find_by_name_kind(btf, of, BTF_KIND_STRUCT) : -ENOENT;
	const struct btf_type *t = id > 0 ? k_btf_type_by_id(btf, id) : NULL;
	int ret = t ? 0 : -ENOENT;
	size_t i;

	for (i = 0; i < nr && !ret; i++)
		ret = find(btf, t, &m[i]);
	return ret;
}
