// SPDX-License-Identifier: GPL-2.0-only
#include "cleanup.h"
#include "holders.h"
#include "proc.h"

/* fdinfo is asked because it does not come back to us, as stat(2) would */
static bool has_open(pid_t pid, uint64_t ino)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *entry;
	char path[32], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	d = pid ? opendir(path) : NULL;
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' &&
		    proc_read(dirfd(d), entry->d_name, text, sizeof(text)) > 0 &&
		    proc_number(text, "ino") == (int64_t)ino)
			return true;
	return false;
}

bool still_open(pid_t opener, pid_t closer, uint64_t ino)
{
	return has_open(opener, ino) || (closer != opener && has_open(closer, ino));
}
