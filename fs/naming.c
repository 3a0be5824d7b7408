// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "json.h"
#include "naming.h"
#include "proc.h"

#define ID_LEN 64	/* hexadecimal digits of docker's, podman's and containerd's numbers */
#define SHORT_LEN 12	/* as the tools themselves shorten them */

struct subject {
	int proc, root;
	pid_t init;
	struct naming *out;
};

static bool take_front(const char **text, const char *front)
{
	size_t len = strlen(front);

	if (strncmp(*text, front, len))
		return false;
	*text += len;
	return true;
}

/* is @text a number of ID_LEN digits with @behind, or nothing, behind it? */
static bool is_id(const char *text, const char *behind)
{
	size_t n = strspn(text, "0123456789abcdef");

	return n == ID_LEN && (!text[n] || !strcmp(text + n, behind));
}

static void set(struct naming *out, const char *runtime, const char *name, size_t len)
{
	snprintf(out->runtime, sizeof(out->runtime), "%s", runtime);
	snprintf(out->name, sizeof(out->name), "%.*s", (int)len, name);
}

static bool is_name(const char *name)
{
	return name[0] && strlen(name) < sizeof(((struct naming *)0)->name) &&
	       !strpbrk(name, "/\n") && strcmp(name, ".") && strcmp(name, "..");
}

/* systemd writes '-' and others in a unit's name as \x2d */
static void set_unescaped(struct naming *out, const char *runtime, const char *text, size_t len)
{
	char name[256];
	unsigned int c;
	size_t n = 0;

	for (size_t i = 0; i < len && n < sizeof(name) - 1; i++) {
		if (i + 3 < len && text[i] == '\\' && text[i + 1] == 'x' &&
		    sscanf(text + i + 2, "%2x", &c) == 1) {
			name[n++] = c;
			i += 3;
		} else {
			name[n++] = text[i];
		}
	}
	name[n] = '\0';
	if (is_name(name))
		set(out, runtime, name, n);
	else
		set(out, runtime, text, len);
}

static pid_t parent_of(const struct subject *s)
{
	char path[32], text[4096];
	const char *p;
	pid_t parent;

	snprintf(path, sizeof(path), "%d/stat", s->init);
	if (proc_read(s->proc, path, text, sizeof(text)) < 0)
		return 0;
	p = strrchr(text, ')');
	return p && sscanf(p, ") %*c %d", &parent) == 1 ? parent : 0;
}

/*
 * The words of the command line of the root task's parent, if that is @program:
 * their length with a NUL behind each, or 0.
 */
static size_t parent_words(const struct subject *s, const char *program, char *words, size_t size)
{
	pid_t parent = parent_of(s);
	char path[32], text[64];
	ssize_t len;

	snprintf(path, sizeof(path), "%d/comm", parent);
	if (!parent || proc_read(s->proc, path, text, sizeof(text)) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	/* the kernel keeps 15 bytes of it */
	if (strncmp(text, program, 15))
		return 0;
	snprintf(path, sizeof(path), "%d/cmdline", parent);
	len = proc_read(s->proc, path, words, size);
	return len < 0 ? 0 : len;
}

/* the value of an option among @words: "-n VALUE", "--name VALUE" or "--name=VALUE" */
static const char *option(const char *words, size_t len, const char *letter, const char *word)
{
	const char *end = words + len, *next;
	size_t n = strlen(word);

	for (; words < end; words = next) {
		next = words + strlen(words) + 1;
		if (!strncmp(words, word, n) && words[n] == '=')
			return words + n + 1;
		if ((!strcmp(words, letter) || !strcmp(words, word)) && next < end)
			return next;
	}
	return NULL;
}

/* podman's names are in a database, and on the command line of the conmon that stays as the parent */
static void name_podman(const struct subject *s, const char *id)
{
	char words[8192];
	size_t len = parent_words(s, "conmon", words, sizeof(words));
	const char *name = option(words, len, "-n", "--name");

	if (name && is_name(name))
		set(s->out, "podman", name, strlen(name));
	else
		set(s->out, "podman", id, SHORT_LEN);
}

static void name_docker(const struct subject *s, const char *id)
{
	char path[PATH_MAX], name[256];
	const char *p = name;

	snprintf(path, sizeof(path), "var/lib/docker/containers/%.*s/config.v2.json", ID_LEN, id);
	if (!json_file_string(s->root, path, "Name", name, sizeof(name)) &&
	    (take_front(&p, "/"), is_name(p)))
		set(s->out, "docker", p, strlen(p));
	else
		set(s->out, "docker", id, SHORT_LEN);
}

/* not registered with systemd it leaves no name but on its own command line */
static bool name_nspawn(const struct subject *s)
{
	char words[8192];
	size_t len = parent_words(s, "systemd-nspawn", words, sizeof(words));
	const char *name = option(words, len, "-M", "--machine");

	if (name && is_name(name))
		set(s->out, "nspawn", name, strlen(name));
	return name;
}

static bool exists(const struct subject *s, const char *dir, const char *name, const char *file)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s/%s", dir, name, file) >= (int)sizeof(path))
		return false;
	return !fstatat(s->root, path, &st, 0);
}

/* runc and crun call the cgroup as the container, and note it below /run */
static void name_plain(const struct subject *s, const char *leaf, const char *parent)
{
	const char *runtime = "";

	if (!strcmp(parent, "ckpt"))
		runtime = "ckpt";
	else if (exists(s, "run/crun", leaf, "status"))
		runtime = "crun";
	else if (exists(s, "run/runc", leaf, "state.json"))
		runtime = "runc";
	set(s->out, runtime, leaf, strlen(leaf));
}

static size_t scope_len(const char *leaf)
{
	size_t len = strlen(leaf);

	return len > 6 && !strcmp(leaf + len - 6, ".scope") ? len - 6 : 0;
}

/* PREFIX-ID.scope of any other that uses such numbers: containerd, cri-o */
static bool name_scope(const struct subject *s, const char *leaf)
{
	const char *dash = strrchr(leaf, '-');
	char runtime[RUNTIME_MAX];

	if (!dash || !is_id(dash + 1, ".scope"))
		return false;
	snprintf(runtime, sizeof(runtime), "%.*s", (int)(dash - leaf), leaf);
	set(s->out, runtime, dash + 1, SHORT_LEN);
	return true;
}

static void name_leaf(const struct subject *s, const char *leaf, const char *parent)
{
	size_t scope = scope_len(leaf), len = strlen(leaf);
	const char *p = leaf;

	if (take_front(&p, "libpod-") && is_id(p, ".scope"))
		name_podman(s, p);
	else if ((p = leaf, take_front(&p, "docker-")) && is_id(p, ".scope"))
		name_docker(s, p);
	else if (is_id(leaf, "") && !strcmp(parent, "docker"))
		name_docker(s, leaf);
	else if ((p = leaf, take_front(&p, "machine-")) && scope)
		set_unescaped(s->out, "nspawn", p, scope - (p - leaf));
	else if ((p = leaf, take_front(&p, "systemd-nspawn@")) && len > 8 &&
		 !strcmp(leaf + len - 8, ".service"))
		set_unescaped(s->out, "nspawn", p, len - 8 - (p - leaf));
	else if (((p = leaf, take_front(&p, "runc-")) || take_front(&p, "crun-")) && scope)
		set(s->out, leaf[0] == 'r' ? "runc" : "crun", p, scope - (p - leaf));
	else if (is_id(leaf, ""))
		set(s->out, "", leaf, SHORT_LEN);
	else if (!name_scope(s, leaf))
		name_plain(s, leaf, parent);
}

/* cut the last component off; false: there would be nothing left */
static bool cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == path)
		return false;
	*slash = '\0';
	return true;
}

static const char *last_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* the component before the last one, in @buf */
static const char *parent_name(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/'), *p = slash;

	while (p > path && p[-1] != '/')
		p--;
	snprintf(buf, size, "%.*s", (int)(slash - p), p);
	return buf;
}

/* take off what is below the container's own cgroup; true: it has its name, too */
static bool find_top(const struct subject *s, char *path)
{
	char parent[256];
	const char *p;

	/* a systemd inside puts itself there */
	if (!strcmp(last_of(path), "init.scope"))
		cut_last(path);
	p = parent_name(path, parent, sizeof(parent));
	if (!strcmp(last_of(path), "container") && take_front(&p, "libpod-")) {
		cut_last(path);
	} else if (!strcmp(last_of(path), "payload")) {
		if (scope_len(parent) || !strncmp(parent, "systemd-nspawn@", 15))
			cut_last(path);
		else
			return name_nspawn(s);
	}
	return false;
}

int naming_of(int proc, int root, const char *path, pid_t init, struct naming *out)
{
	struct subject s = { .proc = proc, .root = root, .init = init, .out = out };
	char top[PATH_MAX], parent[256];
	bool named;

	snprintf(top, sizeof(top), "%s", path);
	named = find_top(&s, top);
	out->top = strlen(top);
	if (!named && strlen(last_of(top)) >= sizeof(out->name))
		return -ENAMETOOLONG;
	if (!named)
		name_leaf(&s, last_of(top), parent_name(top, parent, sizeof(parent)));
	/* "runc-.scope", "runc-...scope": what is between could be no file's name */
	if (!is_name(out->name))
		set(out, "", last_of(top), strlen(last_of(top)));
	return 0;
}
