// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cleanup.h"
#include "fs.h"
#include "perm.h"

const struct perm perm_default = { 0, 0, 0400, 0 };

void perm_format(const struct perm *perm, char text[PERM_TEXT_MAX])
{
	snprintf(text, PERM_TEXT_MAX, "%u %u %04o %" PRId64, perm->uid, perm->gid, perm->mode,
		 perm->ctime_ns);
}

int perm_parse(const char *text, struct perm *perm)
{
	int n, at = 0, end = 0;

	perm->ctime_ns = 0;
	n = sscanf(text, "%u %u %o%n %" SCNd64 "%n", &perm->uid, &perm->gid, &perm->mode, &at,
		   &perm->ctime_ns, &end);
	/* the time may be missing */
	if (n < 3 || text[n == 3 ? at : end] || perm->mode & ~0777U)
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
	struct perm changed = *perm;
	struct store_error e;

	changed.ctime_ns = perm_now();
	perm_format(&changed, text);
	return store_attr_set(fs.store, store_ino, PERM_ATTR, text, &e);
}

int perm_touch(uint64_t store_ino)
{
	struct perm perm;
	int rc = perm_get(store_ino, &perm);

	return rc ? rc : perm_set(store_ino, &perm);
}

int64_t perm_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}
