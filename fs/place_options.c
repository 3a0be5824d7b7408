// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "error.h"
#include "place_options.h"
#include "state.h"
#include "words.h"

/* ---- what there is, and what it means ---- */

struct key {
	const char *name;
	const char *argument;
	unsigned int programs;		/* FOR_* */
	const char *takes;		/* what a value has to be, for people */
	bool (*good)(const char *value);
	bool subject;			/* "external pipe[12]": there may be one for each */
};

/* "500ms", "5s": more than nothing, at most an hour */
static bool is_time(const char *value)
{
	char *unit;
	unsigned long n = strtoul(value, &unit, 10);

	if (!isdigit((unsigned char)value[0]) || !n)
		return false;
	return (!strcmp(unit, "ms") && n <= 3600000) || (!strcmp(unit, "s") && n <= 3600);
}

static bool is_path(const char *value)
{
	return value[0] == '/';
}

static const struct key keys[] = {
	{ "freeze-timeout", "--freeze-timeout", FOR_CHECKPOINT, "a time such as 500ms or 1s", is_time, false },
	{ "max-frozen", "--max-frozen", FOR_CHECKPOINT, "a time such as 500ms or 5s", is_time, false },
	{ "external", "--external", FOR_RESTART, "a path from the root directory on", is_path, true },
};

#define NR_KEYS (sizeof(keys) / sizeof(*keys))

/* ---- lines ---- */

struct line {
	int nr;				/* from 1 */
	const struct key *key;		/* NULL: it says nothing */
	char *subject;			/* of a key that has one, else NULL */
	char *value;
};

static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	for (len = strlen(s); len && strchr(" \t\r", s[len - 1]); len--)
		;
	s[len] = '\0';
	return s;
}

/* a key may have a subject in brackets, with any character in it */
static char *find_colon(char *text)
{
	char *bracket = strchr(text, '['), *colon = strchr(text, ':');

	if (bracket && colon && bracket < colon) {
		bracket = strstr(bracket, "]:");
		colon = bracket ? bracket + 1 : NULL;
	}
	return colon;
}

/* "pipe[12]" behind "external", cut from it; or NULL */
static char *take_subject(char *text)
{
	char *bracket = strchr(text, '['), *space = strchr(text, ' ');

	if (!bracket || !space || space > bracket || text[strlen(text) - 1] != ']' ||
	    strncmp(space + 1, "pipe[", strlen("pipe[")))
		return NULL;
	/* it goes on as SUBJECT=VALUE */
	if (strpbrk(bracket + 1, "[=") || strchr(bracket, ']') != text + strlen(text) - 1)
		return NULL;
	*space = '\0';
	return space + 1;
}

/* @text is changed, and @line points into it */
static int parse_line(char *text, struct line *line, struct ckpt_error *e)
{
	char *colon;

	line->key = NULL;
	text = trim(text);
	if (!*text || *text == '#')
		return 0;
	colon = find_colon(text);
	if (!colon)
		return error_set(e, EINVAL, "line %d is not 'key: value'", line->nr);
	*colon = '\0';
	text = trim(text);
	line->value = trim(colon + 1);
	line->subject = take_subject(text);
	for (size_t i = 0; i < NR_KEYS; i++)
		if (!strcmp(keys[i].name, text) && keys[i].subject == !!line->subject)
			line->key = &keys[i];
	if (!line->key)
		return error_set(e, EINVAL, "line %d: there is no option '%.100s'", line->nr, text);
	if (!line->key->good(line->value))
		return error_set(e, EINVAL, "line %d: %s takes %s, not '%.100s'", line->nr, text,
				 line->key->takes, line->value);
	return 0;
}

/* each line that says something, until @use does not return 0 */
static int each_line(char *text, int (*use)(const struct line *line, void *arg), void *arg,
		     struct ckpt_error *e)
{
	struct line line = { .nr = 1 };
	char *next;
	int rc = 0;

	for (; !rc && text; text = next, line.nr++) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		rc = parse_line(text, &line, e);
		if (!rc && line.key)
			rc = use(&line, arg);
	}
	return rc;
}

struct seen {
	bool keys[NR_KEYS];
	struct words subjects;
	unsigned int programs;		/* FOR_*: whose options may be there */
	struct ckpt_error *e;
};

static int note_subject(const struct line *line, struct seen *seen)
{
	for (size_t i = 0; i < seen->subjects.count; i++)
		if (!strcmp(seen->subjects.all[i], line->subject))
			return error_set(seen->e, EINVAL, "line %d: %s %s is there twice", line->nr,
					 line->key->name, line->subject);
	return words_add(&seen->subjects, "%s", line->subject) ?
		error_set(seen->e, E2BIG, "line %d: these are too many", line->nr) : 0;
}

static int note_key(const struct line *line, void *arg)
{
	struct seen *seen = arg;
	size_t i = line->key - keys;

	if (!(line->key->programs & seen->programs))
		return error_set(seen->e, EPERM, "line %d: %s is for root to say", line->nr, keys[i].name);
	if (line->subject)
		return note_subject(line, seen);
	if (seen->keys[i])
		return error_set(seen->e, EINVAL, "line %d: %s is there twice", line->nr, keys[i].name);
	seen->keys[i] = true;
	return 0;
}

int place_options_check(const char *text, size_t len, int whole, unsigned int programs,
			struct ckpt_error *e)
{
	_cleanup_free_ char *copy = NULL;
	struct seen seen = { .programs = programs, .e = e };
	int rc;

	if (memchr(text, '\0', len))
		return error_set(e, EINVAL, "there is a zero byte in it");
	while (!whole && len && text[len - 1] != '\n')
		len--;
	copy = strndup(text, len);
	if (!copy)
		return error_set(e, ENOMEM, "no memory for it");
	rc = each_line(copy, note_key, &seen, e);
	words_free(&seen.subjects);
	return rc;
}

struct wanted {
	unsigned int program;
	struct words *words;
};

static int add_word(const struct line *line, void *arg)
{
	struct wanted *w = arg;

	if (!(line->key->programs & w->program))
		return 0;
	if (line->subject)
		return words_add(w->words, "%s=%s=%s", line->key->argument, line->subject, line->value);
	return words_add(w->words, "%s=%s", line->key->argument, line->value);
}

int place_options_arguments(const char *place, unsigned int program, struct words *words)
{
	_cleanup_free_ char *text = NULL;
	struct wanted wanted = { program, words };
	struct ckpt_error e;
	int rc = state_read(place, PLACE_OPTIONS, &text);

	return rc ? rc : each_line(text, add_word, &wanted, &e);
}
