// SPDX-License-Identifier: GPL-2.0-only
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "cleanup.h"
#include "error.h"
#include "options.h"

#define STORE_DEFAULT "/var/lib/ckptfs/store.db"
#define CONFIG_DEFAULT "/etc/ckptfs.conf"
#define STATE_DEFAULT "state"	/* beside the store */

const char options_help[] =
	"usage: ckptfs [-f] [-d] [-o OPTIONS] [SOURCE] MOUNTPOINT\n"
	"       mount -t fuse.ckptfs [-o OPTIONS] ckptfs MOUNTPOINT\n"
	"\n"
	"Mounts the containers of this machine as a file system: reading\n"
	"NAME/image checkpoints one, writing NAME/restart restarts it.\n"
	"\n"
	"  -f              stay in the foreground\n"
	"  -d              the same, and print every request\n"
	"  -h, --help      print this\n"
	"  -V, --version   print the version\n"
	"\n"
	"options, with -o, separated by commas:\n"
	"  store=PATH      the history's file (default " STORE_DEFAULT ")\n"
	"  record=yes|no   whether completed checkpoints go into the history\n"
	"                  (default yes)\n"
	"  list=yes|no     whether listings show image and check, of which reading does\n"
	"                  something (default yes); they open by name all the same\n"
	"  state=DIR       directory of logs (default: " STATE_DEFAULT ", beside the store)\n"
	"  cgroup=DIR      where cgroup2 is mounted (default: looked up)\n"
	"  config=PATH     a file with such options, one a line, for those that are\n"
	"                  not given (default " CONFIG_DEFAULT ", if it is there)\n"
	"and those of mount(8) and libfuse.\n";

enum { KEY_FOREGROUND, KEY_DEBUG, KEY_HELP, KEY_VERSION };

struct parse {
	char *store;
	char *state;
	char *cgroup;
	char *record;
	char *list;
	char *config;
	const char *words[2];	/* [SOURCE] MOUNTPOINT */
	int nr_words;
	struct options *o;
};

#define OPT(template, member) { template, offsetof(struct parse, member), 0 }

static const struct fuse_opt option_table[] = {
	OPT("store=%s", store),
	OPT("state=%s", state),
	OPT("cgroup=%s", cgroup),
	OPT("record=%s", record),
	OPT("list=%s", list),
	OPT("config=%s", config),
	FUSE_OPT_KEY("-f", KEY_FOREGROUND),
	FUSE_OPT_KEY("-d", KEY_DEBUG),
	FUSE_OPT_KEY("debug", KEY_DEBUG),
	FUSE_OPT_KEY("-h", KEY_HELP),
	FUSE_OPT_KEY("--help", KEY_HELP),
	FUSE_OPT_KEY("-V", KEY_VERSION),
	FUSE_OPT_KEY("--version", KEY_VERSION),
	FUSE_OPT_END
};

static int take_option(void *data, const char *arg, int key, struct fuse_args *out)
{
	struct parse *p = data;

	switch (key) {
	case KEY_FOREGROUND:
		p->o->foreground = 1;
		return 0;
	case KEY_DEBUG:
		p->o->foreground = 1;
		p->o->debug = 1;
		return fuse_opt_add_arg(out, "-odebug");
	case KEY_HELP:
		p->o->help = 1;
		return 0;
	case KEY_VERSION:
		p->o->version = 1;
		return 0;
	case FUSE_OPT_KEY_NONOPT:
		if (p->nr_words < 2)
			p->words[p->nr_words] = strdup(arg);
		p->nr_words++;
		return 0;
	default:
		return 1;
	}
}

/* @path made absolute, whether it exists or not */
static int make_absolute(const char *path, char out[PATH_MAX], struct ckpt_error *e)
{
	char cwd[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = snprintf(out, PATH_MAX, "%s", path);
	else if (!getcwd(cwd, sizeof(cwd)))
		return error_sys(e, errno, "the current directory has no path");
	else
		n = snprintf(out, PATH_MAX, "%s/%s", cwd, path);
	if (n >= PATH_MAX)
		return error_set(e, ENAMETOOLONG, "the path %.60s... is too long", path);
	return 0;
}

/* 0 or an errno. For an instant stat(2) of a dead mount is still answered from memory; opening never is. */
static int look_at(const char *path, struct stat *st)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* what can be no directory is told by its kind */
	if (fd < 0 && errno != ENOTDIR)
		return errno;
	return stat(path, st) ? errno : 0;
}

/*
 * A daemon that was killed leaves a mount behind that answers ENOTCONN to
 * everything; a new one takes its place.
 */
static int take_mountpoint(const char *path, struct options *o, struct ckpt_error *e)
{
	struct stat st;
	int rc;

	rc = make_absolute(path, o->mountpoint, e);
	if (rc)
		return rc;
	rc = look_at(o->mountpoint, &st);
	if (rc == ENOTCONN || rc == ECONNABORTED) {
		if (umount2(o->mountpoint, MNT_DETACH))
			return error_sys(e, errno, "%s is a dead mount that can't be removed",
					 o->mountpoint);
		rc = look_at(o->mountpoint, &st);
	}
	if (rc)
		return error_sys(e, rc, "can't mount on %s", o->mountpoint);
	if (!S_ISDIR(st.st_mode))
		return error_set(e, ENOTDIR, "can't mount on %s: it is no directory",
				 o->mountpoint);
	return 0;
}

static int take_yes_no(const char *name, const char *word, _Atomic int *value,
		       struct ckpt_error *e)
{
	if (!word || !strcmp(word, "yes"))
		*value = 1;
	else if (!strcmp(word, "no"))
		*value = 0;
	else
		return error_set(e, EINVAL, "option %s takes yes or no, not '%s'", name, word);
	return 0;
}

/* where the value of a line's option goes; NULL: there is no such option */
static char **member(struct parse *p, const char *name)
{
	const struct {
		const char *name;
		char **value;
	} all[] = {
		{ "store", &p->store },
		{ "state", &p->state },
		{ "cgroup", &p->cgroup },
		{ "record", &p->record },
		{ "list", &p->list },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(name, all[i].name))
			return all[i].value;
	return NULL;
}

static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r\n");
	for (len = strlen(s); len && strchr(" \t\r\n", s[len - 1]); len--)
		;
	s[len] = '\0';
	return s;
}

static int take_line(struct parse *p, char *line, const char *path, int nr, struct ckpt_error *e)
{
	char *value, **to;

	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	value = strchr(line, '=');
	if (!value)
		return error_set(e, EINVAL, "line %d of %s is not OPTION=VALUE", nr, path);
	*value++ = '\0';
	to = member(p, trim(line));
	if (!to)
		return error_set(e, EINVAL, "line %d of %s: there is no option '%s'", nr, path,
				 trim(line));
	/* what was said before counts: the command line, and the file's first word */
	if (!*to)
		*to = strdup(trim(value));
	return *to ? 0 : error_set(e, ENOMEM, "no memory for the options");
}

/* a file that nobody named need not be there */
static int read_config(struct parse *p, const char *path, int named, struct ckpt_error *e)
{
	_cleanup_file_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int nr = 0, rc = 0;

	if (!f)
		return errno == ENOENT && !named ? 0 :
			error_sys(e, errno, "the options can't be read from %s", path);
	while (!rc && getline(&line, &size, f) > 0)
		rc = take_line(p, line, path, ++nr, e);
	return rc;
}

static int take_config(struct parse *p, struct ckpt_error *e)
{
	struct options *o = p->o;
	int rc = make_absolute(p->config ? p->config : CONFIG_DEFAULT, o->config, e);

	o->record_given = p->record != NULL;
	o->list_given = p->list != NULL;
	return rc ? rc : read_config(p, o->config, p->config != NULL, e);
}

static int take_cgroup(const char *path, struct options *o, struct ckpt_error *e)
{
	if (path)
		return make_absolute(path, o->cgroup, e);
	/* without cgroup2 there are no containers, but the history is there */
	if (cgroup_mount_point(o->cgroup, NULL))
		o->cgroup[0] = '\0';
	return 0;
}

static int take_state(const char *path, struct options *o, struct ckpt_error *e)
{
	int dir = strrchr(o->store, '/') - o->store;
	int n;

	if (path)
		return make_absolute(path, o->state, e);
	n = snprintf(o->state, PATH_MAX, "%.*s/" STATE_DEFAULT, dir, o->store);
	return n < PATH_MAX ? 0 : error_set(e, ENAMETOOLONG, "the store's path is too long");
}

static int mount_options(struct fuse_args *args, const char *source, struct ckpt_error *e)
{
	_cleanup_free_ char *name = NULL;
	int rc;

	if (asprintf(&name, "-ofsname=%s", source) < 0)
		return error_set(e, ENOMEM, "no memory for the options");
	rc = fuse_opt_add_arg(args, name) ||
	     fuse_opt_add_arg(args, "-osubtype=ckptfs") ||
	     fuse_opt_add_arg(args, "-odefault_permissions");
	/* only root may let others in without leave of /etc/fuse.conf */
	if (!rc && geteuid() == 0)
		rc = fuse_opt_add_arg(args, "-oallow_other");
	return rc ? error_set(e, ENOMEM, "no memory for the options") : 0;
}

static int parse_words(struct fuse_args *args, struct parse *p, struct ckpt_error *e)
{
	struct options *o = p->o;
	int rc;

	if (o->help || o->version)
		return 0;
	if (p->nr_words < 1 || p->nr_words > 2)
		return error_set(e, EINVAL, "%s", p->nr_words ?
				 "too many arguments: see ckptfs --help" :
				 "no mountpoint given: see ckptfs --help");
	rc = take_config(p, e);
	if (!rc)
		rc = take_yes_no("record", p->record, &o->record, e);
	if (!rc)
		rc = take_yes_no("list", p->list, &o->list, e);
	if (!rc)
		rc = make_absolute(p->store ? p->store : STORE_DEFAULT, o->store, e);
	if (!rc)
		rc = take_state(p->state, o, e);
	if (!rc)
		rc = take_cgroup(p->cgroup, o, e);
	if (!rc)
		rc = take_mountpoint(p->words[p->nr_words - 1], o, e);
	if (!rc)
		rc = mount_options(args, p->nr_words == 2 ? p->words[0] : "ckptfs", e);
	return rc;
}

static void free_parse(struct parse *p)
{
	free(p->store);
	free(p->state);
	free(p->cgroup);
	free(p->record);
	free(p->list);
	free(p->config);
	free((char *)p->words[0]);
	free((char *)p->words[1]);
}

int options_reload(struct options *o, struct ckpt_error *e)
{
	struct parse p = { .o = o };
	_Atomic int record = 0, list = 0;
	int rc = read_config(&p, o->config, 0, e);

	/* all or nothing */
	if (!rc)
		rc = take_yes_no("record", p.record, &record, e);
	if (!rc)
		rc = take_yes_no("list", p.list, &list, e);
	if (!rc && !o->record_given)
		o->record = record;
	if (!rc && !o->list_given)
		o->list = list;
	free_parse(&p);
	return rc;
}

int options_parse(struct fuse_args *args, struct options *o, struct ckpt_error *e)
{
	struct parse p = { .o = o };
	int rc;

	memset(o, 0, sizeof(*o));
	if (fuse_opt_parse(args, &p, option_table, take_option))
		rc = error_set(e, EINVAL, "the command line can't be read: see ckptfs --help");
	else
		rc = parse_words(args, &p, e);
	free_parse(&p);
	return rc;
}

void options_free(struct fuse_args *args)
{
	fuse_opt_free_args(args);
}
