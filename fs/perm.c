// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "fs.h"
#include "perm.h"

const struct perm perm_default = { 0, 0, 0400 };

void perm_format(const struct perm *perm, char text[PERM_TEXT_MAX])
{
	snprintf(text, PERM_TEXT_MAX, "%u %u %04o", perm->uid, perm->gid, perm->mode);
}

int perm_parse(const char *text, struct perm *perm)
{
	char behind;

	if (sscanf(text, "%u %u %o%c", &perm->uid, &perm->gid, &perm->mode, &behind) != 3 ||
	    perm->mode & ~0777U)
		return -EINVAL;
	return 0;
}

int perm_get(uint64_t store_ino, struct perm *perm)
{
	_cleanup_free_ char *text = NULL;
	struct store_error e;
	int rc;

	*perm = perm_default;
	rc = store_attr_get(fs.store, store_ino, PERM_ATTR, &text, &e);
	if (rc == -ENODATA)
		return 0;
	/* what can't be read is root's */
	if (!rc && perm_parse(text, perm))
		*perm = perm_default;
	return rc;
}

int perm_set(uint64_t store_ino, const struct perm *perm)
{
	char text[PERM_TEXT_MAX];
	struct store_error e;

	perm_format(perm, text);
	return store_attr_set(fs.store, store_ino, PERM_ATTR, text, &e);
}
