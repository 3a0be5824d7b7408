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

/* is it the type of that name in C, of that size?  Of arrays only those without a length */
static bool is_type(const struct btf *btf, const struct btf_type *t, const char *name, u32 size)
{
	const char *end = "";
	char is[64];

	if (btf_kind(t) == BTF_KIND_ARRAY) {
		if (btf_array(t)->nelems || size)
			return false;
		end = " []";
		t = k_btf_type_by_id(btf, btf_array(t)->type);
	} else if (!size || size_of(btf, t) != size) {
		return false;
	} else if (btf_type_is_ptr(t)) {
		end = " *";
		t = k_btf_type_by_id(btf, t->type);
	}
	if (!t)
		return false;
	snprintf(is, sizeof(is), "%s%s%s", btf_kind(t) == BTF_KIND_STRUCT ? "struct " : "",
		 k_btf_name_by_offset(btf, t->name_off), end);
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

static const struct btf_type *find_struct(const struct btf *btf, const char *name)
{
	s32 id = btf ? k_btf_find_by_name_kind(btf, name, BTF_KIND_STRUCT) : -ENOENT;

	return id > 0 ? k_btf_type_by_id(btf, id) : NULL;
}

u32 ckpt_btf_size(const char *of)
{
	const struct btf_type *t = find_struct(own_btf(), of);

	return t ? t->size : 0;
}

int ckpt_btf_find(const char *of, const struct ckpt_member *m, size_t nr)
{
	const struct btf *btf = own_btf();
	const struct btf_type *t = find_struct(btf, of);
	int ret = t ? 0 : -ENOENT;
	size_t i;

	for (i = 0; i < nr && !ret; i++)
		ret = find(btf, t, &m[i]);
	return ret;
}
