// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "damage.h"
#include "fs.h"
#include "log.h"
#include "note.h"
#include "state.h"

#define FILE_NAME "damage"

static void tell(const struct store_info *info, const char *what)
{
	_cleanup_free_ char *known = NULL;
	char text[DAMAGE_MAX + 32];
	int len = snprintf(text, sizeof(text), "%" PRIu64 " snapshot %.255s: %.300s\n", info->ino,
			   info->name, what);
	const char *sentence = strchr(text, ' ') + 1;
	int rc;

	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	/* a reader who tries again and again is told once */
	if (!state_read(info->group, FILE_NAME, &known) && !strcmp(known, text))
		return;
	rc = state_write(info->group, FILE_NAME, text, len, true);
	if (rc)
		note("the damage in %s can't be noted: %s", info->group, strerror(-rc));
	text[len - 1] = '\0';
	note("the history of %s is damaged: %s", info->group, sentence);
	log_more(info->group, "the history is damaged: %s", sentence);
}

void damage_found(uint64_t store_ino, const char *what)
{
	struct store_info info;
	struct store_error e;

	if (!store_stat_ino(fs.store, store_ino, &info, &e) && info.name[0])
		tell(&info, what);
}

/* "damaged: snapshot PLACE/NAME: 1 of 20 blocks"; a name may have any of these in it */
void damage_line(const char *line)
{
	static const char front[] = "damaged: snapshot ";
	char place[STORE_NAME_MAX + 1], name[STORE_NAME_MAX + 1];
	const char *slash, *colon;
	struct store_info info;
	struct store_error e;

	if (strncmp(line, front, sizeof(front) - 1))
		return;
	line += sizeof(front) - 1;
	slash = strchr(line, '/');
	for (colon = slash; colon && (colon = strstr(colon, ": ")); colon++) {
		snprintf(place, sizeof(place), "%.*s", (int)(slash - line), line);
		snprintf(name, sizeof(name), "%.*s", (int)(colon - slash - 1), slash + 1);
		if (!store_stat(fs.store, place, name, &info, &e)) {
			tell(&info, colon + 2);
			return;
		}
	}
}

void damage_none(void)
{
	_cleanup_dir_ DIR *d = opendir(fs.opt.state);
	struct dirent *entry;
	char path[PATH_MAX];

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && !state_path(entry->d_name, FILE_NAME, path))
			unlink(path);
}

void damage_get(const char *place, char text[DAMAGE_MAX])
{
	_cleanup_free_ char *known = NULL;
	struct store_info info;
	struct store_error e;
	char path[PATH_MAX];
	uint64_t ino;
	int at = 0;

	text[0] = '\0';
	if (state_read(place, FILE_NAME, &known) || sscanf(known, "%" SCNu64 " %n", &ino, &at) != 1)
		return;
	known[strcspn(known, "\n")] = '\0';
	if (!store_stat_ino(fs.store, ino, &info, &e) && info.name[0])
		snprintf(text, DAMAGE_MAX, "%s", known + at);
	else if (!state_path(place, FILE_NAME, path))
		unlink(path);
}
