// SPDX-License-Identifier: GPL-2.0-only
/* What /proc/PID/fdinfo says of a file: for kinds whose structs are private. */
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "file.h"

#define CKPT_FDINFO_MAX (4U << 20)

/* the text is the caller's to kvfree(); NULL: no memory, or it is too long */
char *ckpt_fdinfo(struct file *file)
{
	struct seq_file m = {};
	size_t size;

	mutex_init(&m.lock);
	for (size = PAGE_SIZE; size <= CKPT_FDINFO_MAX; size *= 4) {
		m.buf = kvmalloc(size, GFP_KERNEL);
		if (!m.buf)
			return NULL;
		m.size = size;
		m.count = 0;
		file->f_op->show_fdinfo(&m, file);
		if (m.count < size) {
			m.buf[m.count] = 0;
			return m.buf;
		}
		kvfree(m.buf);
	}
	return NULL;
}

/* the number behind "key:"; -ENOENT if there is none */
int ckpt_fdinfo_u64(const char *info, const char *key, int base, u64 *val)
{
	const char *p = strstr(info, key);
	char word[32];

	if (!p)
		return -ENOENT;
	p = skip_spaces(p + strlen(key));
	strscpy(word, p, min(sizeof(word), strcspn(p, " \n,)") + 1));
	return kstrtou64(word, base, val);
}
