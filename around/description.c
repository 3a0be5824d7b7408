// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "cgroup.h"
#include "cleanup.h"
#include "description.h"

static const struct {
	const char *name;
	uint64_t attr;
} attrs[] = {
	{ "ro", MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	{ "noatime", MOUNT_ATTR_NOATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },
};

#define NR_ATTRS (sizeof(attrs) / sizeof(*attrs))

static const char *const kinds[] = {
	[MOUNT_BIND] = "bind",
	[MOUNT_CGROUP] = "cgroup",
	[MOUNT_INNER] = "inner",
	[MOUNT_FRESH] = "fresh",
	[MOUNT_TMPFS] = "tmpfs",
	[MOUNT_CONSOLE] = "console",
};

#define NR_KINDS (sizeof(kinds) / sizeof(*kinds))

static const char *const propagations[] = {
	[PROPAGATION_PRIVATE] = "private",
	[PROPAGATION_SLAVE] = "slave",
	[PROPAGATION_UNBINDABLE] = "unbindable",
};

#define NR_PROPAGATIONS (sizeof(propagations) / sizeof(*propagations))

/* the only file systems that are mounted afresh: they show the namespaces */
static const char *const fresh_types[] = { "proc", "sysfs", "mqueue", "devpts" };

void mount_attr_text(uint64_t attr, char *buf, size_t size)
{
	size_t i, n;

	n = snprintf(buf, size, "%s", attr & MOUNT_ATTR_RDONLY ? "ro" : "rw");
	for (i = 1; i < NR_ATTRS; i++)
		if (attr & attrs[i].attr)
			n += snprintf(buf + n, size - n, ",%s", attrs[i].name);
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(text, word, len);
}

const char *mount_attr_parse(const char *text, uint64_t *attr)
{
	size_t n, i;

	*attr = 0;
	for (; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		if (is_word(text, n, "rw") || is_word(text, n, "relatime"))
			continue;
		for (i = 0; i < NR_ATTRS; i++)
			if (is_word(text, n, attrs[i].name))
				break;
		if (i == NR_ATTRS)
			return text;
		*attr |= attrs[i].attr;
	}
	return NULL;
}

/* the options of a mount: its attributes, and behind them how it propagates */
static bool parse_options(char *text, struct mount_entry *m)
{
	char *last = strrchr(text, ',');
	size_t i;

	for (i = 1; last && i < NR_PROPAGATIONS; i++)
		if (!strcmp(last + 1, propagations[i])) {
			m->propagation = i;
			*last = '\0';
			break;
		}
	if (mount_attr_parse(text, &m->attr))
		return false;
	/* the two are values of one field to mount_setattr(2) */
	return !(m->attr & MOUNT_ATTR_NOATIME) || !(m->attr & MOUNT_ATTR_STRICTATIME);
}

void description_free(struct description *d)
{
	size_t i;

	for (i = 0; i < d->nr_mounts; i++) {
		free(d->mounts[i].source);
		free(d->mounts[i].target);
		free(d->mounts[i].data);
	}
	free(d->mounts);
	memset(d, 0, sizeof(*d));
}

struct mount_entry *description_add_mount(struct description *d)
{
	struct mount_entry *more;

	if (d->nr_mounts == DESCRIPTION_MOUNTS_MAX)
		return NULL;
	more = reallocarray(d->mounts, d->nr_mounts + 1, sizeof(*more));
	if (!more)
		return NULL;
	d->mounts = more;
	memset(&more[d->nr_mounts], 0, sizeof(*more));
	return &more[d->nr_mounts++];
}

/* spaces and the like as mountinfo has them: \040 */
static void put_escaped(FILE *f, const char *s)
{
	if (!*s)
		fputs("none", f);
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == '\\' || *s == 127)
			fprintf(f, "\\%03o", (unsigned char)*s);
		else
			fputc(*s, f);
	}
}

static void put_mount(FILE *f, const struct mount_entry *m)
{
	char options[128];

	mount_attr_text(m->attr, options, sizeof(options));
	fprintf(f, "mount %s ", kinds[m->kind]);
	put_escaped(f, m->source);
	fputc(' ', f);
	put_escaped(f, m->target);
	fprintf(f, " %s", options);
	if (m->propagation != PROPAGATION_PRIVATE)
		fprintf(f, ",%s", propagations[m->propagation]);
	fputc(' ', f);
	put_escaped(f, m->data ? m->data : "none");
	fputc('\n', f);
}

char *description_text(const struct description *d, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);
	size_t i;

	if (!f)
		return NULL;
	fprintf(f, "name %s\ncgroup ", d->name);
	put_escaped(f, d->cgroup);
	fprintf(f, "\nnet %s\n", d->net_new ? "new" : "host");
	if (d->net_new)
		fprintf(f, "lo %s\n", d->lo_up ? "up" : "down");
	for (i = 0; i < d->nr_mounts; i++)
		put_mount(f, &d->mounts[i]);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* undo put_escaped() in place; false if it is not of its making */
static bool unescape(char *s)
{
	char *to = s;
	unsigned int c;

	for (; *s; s++) {
		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		if (s[1] < '0' || s[1] > '3' || s[2] < '0' || s[2] > '7' ||
		    s[3] < '0' || s[3] > '7')
			return false;
		c = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
		if (!c)
			return false;
		*to++ = c;
		s += 3;
	}
	*to = '\0';
	return true;
}

static bool parse_mount(struct description *d, char *value)
{
	struct mount_entry *m = description_add_mount(d);
	char *save, *word[5];
	size_t i;

	if (!m)
		return false;
	for (i = 0; i < 5; i++, value = NULL) {
		word[i] = strtok_r(value, " ", &save);
		if (!word[i] || !unescape(word[i]))
			return false;
	}
	for (i = 0; i < NR_KINDS; i++)
		if (!strcmp(word[0], kinds[i]))
			break;
	if (i == NR_KINDS || strtok_r(NULL, " ", &save))
		return false;
	m->kind = i;
	m->source = strdup(word[1]);
	m->target = strdup(word[2]);
	m->data = strdup(strcmp(word[4], "none") ? word[4] : "");
	if (!m->source || !m->target || !m->data || !parse_options(word[3], m))
		return false;
	if (m->target[0] != '/' || (!m->target[1] != (d->nr_mounts == 1)) ||
	    (d->nr_mounts == 1 && m->kind != MOUNT_BIND))
		return false;
	if (m->kind == MOUNT_CONSOLE)
		return !strcmp(m->source, "none");
	if (m->kind == MOUNT_TMPFS)
		return true;
	if (m->kind != MOUNT_FRESH)
		return m->source[0] == '/';
	for (i = 0; i < sizeof(fresh_types) / sizeof(*fresh_types); i++)
		if (!strcmp(m->source, fresh_types[i]))
			return true;
	return false;
}

static bool parse_line(struct description *d, char *line)
{
	char *value = strchr(line, ' ');

	if (!value)
		return false;
	*value++ = '\0';
	if (!strcmp(line, "mount"))
		return parse_mount(d, value);
	if (!unescape(value))
		return false;
	if (!strcmp(line, "name")) {
		if (name_check(value, NULL))
			return false;
		strcpy(d->name, value);
	} else if (!strcmp(line, "cgroup")) {
		if (cgroup_path_check(value, NULL))
			return false;
		strcpy(d->cgroup, value);
	} else if (!strcmp(line, "net")) {
		d->net_new = !strcmp(value, "new");
		return d->net_new || !strcmp(value, "host");
	} else if (!strcmp(line, "lo")) {
		d->lo_up = !strcmp(value, "up");
		return d->lo_up || !strcmp(value, "down");
	} else {
		return false;
	}
	return true;
}

int description_parse(struct description *d, const char *text, size_t len,
		      struct ckpt_error *e)
{
	_cleanup_free_ char *copy = strndup(text, len);
	char *line, *rest = copy;
	unsigned int n = 0;

	memset(d, 0, sizeof(*d));
	if (!copy)
		return error_set(e, ENOMEM, "no memory for the container's description");
	if (!*copy)
		return error_set(e, EINVAL, "the image does not describe its container, so that ckpt-restart cannot make it again");
	while ((line = strsep(&rest, "\n"))) {
		n++;
		if (*line && !parse_line(d, line))
			return error_set(e, EINVAL, "the image is damaged: line %u of its container's description cannot be understood",
					 n);
	}
	if (!d->name[0] || !d->cgroup[0] || !d->nr_mounts)
		return error_set(e, EINVAL, "the image is damaged: its container's description has no name, cgroup or root");
	return 0;
}
