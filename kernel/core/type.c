// SPDX-License-Identifier: GPL-2.0-only
/* The table of the types of objects: what a checkpoint and a restart know by number. */
#include "type.h"

static const struct ckpt_type * const types[] = {
	&ckpt_type_file,
	&ckpt_type_files,
	&ckpt_type_fs,
	&ckpt_type_sighand,
	&ckpt_type_mm,
	&ckpt_type_cred,
	&ckpt_type_pipe,
	&ckpt_type_shmem,
	&ckpt_type_inode,
	&ckpt_type_tmpfs,
	&ckpt_type_namespace,
	&ckpt_type_external,
	&ckpt_type_autogroup,
	&ckpt_type_filter,
	&ckpt_type_unix,
	&ckpt_type_tcp,
	&ckpt_type_tty,
};

const struct ckpt_type *ckpt_type_of(u16 record)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i]->record == record)
			return types[i];
	return NULL;
}
