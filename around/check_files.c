// SPDX-License-Identifier: GPL-2.0-only
/* The files that an image needs: are they there, are they what they were, are addresses free? */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_restart.h"
#include "cleanup.h"

struct noted {
	uint32_t ref;
	uint32_t mode;
	struct ckpt_image_file_path was;
	char *path;		/* in the container */
};

struct files {
	struct image_check *check;
	struct noted *list;
	size_t nr;
	uint32_t *mapped;	/* refs of what memories have as their program or mapped privately */
	size_t nr_mapped;
};

struct files *files_new(struct image_check *c)
{
	struct files *f = calloc(1, sizeof(*f));

	if (f)
		f->check = c;
	return f;
}

/* ---- addresses ---- */

static void name_address(const struct ckpt_image_file_sock *s, char *text, size_t size)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)s->addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)s->addr;
	char ip[INET6_ADDRSTRLEN] = "?";

	if (s->family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
		snprintf(text, size, "%s:%u", ip, ntohs(in->sin_port));
	} else if (s->family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
		snprintf(text, size, "[%s]:%u", ip, ntohs(in6->sin6_port));
	} else {
		snprintf(text, size, "@%.*s", (int)(s->addr_len > 3 ? s->addr_len - 3 : 0),
			 (const char *)s->addr + 3);
	}
}

/* the options that decide who may have an address, as the image has them; bind(2) says the rest */
static void set_options(int fd, const struct image_reader *im)
{
	static const struct { int level, name; } which[] = {
		{ SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_REUSEPORT },
		{ IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_IP, IP_FREEBIND },
	};
	const struct ckpt_image_sockopt *o;
	uint32_t nr, i;
	size_t n;

	o = image_part(im, FILE, OPTIONS, &nr);
	for (i = 0; i < nr; i++)
		for (n = 0; n < sizeof(which) / sizeof(*which); n++)
			if (o[i].level == which[n].level && o[i].name == which[n].name &&
			    o[i].len <= sizeof(o[i].value))
				setsockopt(fd, o[i].level, o[i].name, o[i].value, o[i].len);
}

/* One of the host's network is tried: it can be bound as it was, or it is taken. */
static void check_address(struct files *f, const struct image_reader *im,
			  const struct ckpt_image_file_sock *s)
{
	_cleanup_fd_ int fd = -1;
	char text[160];

	if (f->check->description->net_new || !(s->state & CKPT_SOCK_BOUND) ||
	    (s->family == AF_UNIX && (s->state & CKPT_SOCK_PATH)) || s->addr_len > sizeof(s->addr))
		return;
	fd = socket(s->family, s->type | SOCK_CLOEXEC, s->protocol);
	name_address(s, text, sizeof(text));
	if (fd < 0) {
		reason(&f->check->reasons, "address: there can be no socket for %s: %s", text, strerror(errno));
		return;
	}
	set_options(fd, im);
	if (bind(fd, (const struct sockaddr *)s->addr, s->addr_len))
		reason(&f->check->reasons, "address: %s cannot be had: %s", text, strerror(errno));
}

/* ---- files ---- */

static int note_path(struct files *f, const struct ckpt_image_file *file,
		     const struct ckpt_image_file_path *was, const char *path, size_t len,
		     struct ckpt_error *e)
{
	struct noted *more = reallocarray(f->list, f->nr + 1, sizeof(*more)), *new;

	if (more)
		f->list = more;
	if (!more)
		return error_set(e, ENOMEM, "no memory for the image's files");
	new = &more[f->nr];
	*new = (struct noted){ .ref = file->ref, .mode = file->mode, .was = *was,
			       .path = strndup(path, len) };
	if (!new->path)
		return error_set(e, ENOMEM, "no memory for the image's files");
	f->nr++;
	return 0;
}

/* what inotify watches; of a symbolic link and of a device the engine says what is wrong */
static int note_watches(struct files *f, const struct image_reader *im,
			const struct ckpt_image_file *file, struct ckpt_error *e)
{
	static const struct ckpt_image_file_path any;
	const struct ckpt_image_inotify_watch *w;
	struct ckpt_image_file watched = *file;
	const char *path;
	uint32_t i, nr, len;
	int ret = 0;

	w = image_part(im, FILE, WATCHES, &nr);
	path = (const char *)image_part(im, FILE, WATCH_PATHS, &len);
	for (i = 0; !ret && i < nr && w[i].path_len && w[i].path_len <= len; i++) {
		watched.mode = w[i].type;
		if (path[0] == '/' && !S_ISLNK(w[i].type) && !S_ISCHR(w[i].type))
			ret = note_path(f, &watched, &any, path, w[i].path_len, e);
		path += w[i].path_len;
		len -= w[i].path_len;
	}
	return ret;
}

static int note_file(struct files *f, const struct image_reader *im, struct ckpt_error *e)
{
	static const struct ckpt_image_file_path any;
	const struct ckpt_image_file *file = image_part(im, FILE, BASE, NULL);
	const struct ckpt_image_file_path *was = image_part(im, FILE, PATH, NULL);
	const struct ckpt_image_file_sock *sock = image_part(im, FILE, SOCK, NULL);
	const char *path;
	uint32_t len;

	path = image_part(im, FILE, NAME, &len);
	if (file->kind == CKPT_FILE_PATH && was && len && path[0] == '/')
		return note_path(f, file, was, path, len, e);
	if (file->kind == CKPT_FILE_FIFO && len && path[0] == '/')
		return note_path(f, file, &any, path, len, e);
	if (file->kind == CKPT_FILE_INOTIFY)
		return note_watches(f, im, file, e);
	if (sock && (file->kind == CKPT_FILE_TCP || file->kind == CKPT_FILE_UDP ||
		     file->kind == CKPT_FILE_UNIX))
		check_address(f, im, sock);
	return 0;
}

static int note_mapped(struct files *f, uint32_t ref, struct ckpt_error *e)
{
	uint32_t *more;

	if (!ref || (f->nr_mapped && f->mapped[f->nr_mapped - 1] == ref))
		return 0;
	more = reallocarray(f->mapped, f->nr_mapped + 1, sizeof(*more));
	if (!more)
		return error_set(e, ENOMEM, "no memory for the image's mappings");
	f->mapped = more;
	f->mapped[f->nr_mapped++] = ref;
	return 0;
}

static int note_mm(struct files *f, const struct image_reader *im, struct ckpt_error *e)
{
	const struct ckpt_image_mm *mm = image_part(im, MM, BASE, NULL);
	const struct ckpt_image_vma *vma;
	uint32_t i, nr;
	int ret;

	vma = image_part(im, MM, VMAS, &nr);
	ret = note_mapped(f, mm->exe, e);
	for (i = 0; !ret && i < nr; i++)
		if (!(vma[i].flags & CKPT_VMA_SHARED))
			ret = note_mapped(f, vma[i].file, e);
	return ret;
}

int files_note(struct files *f, struct image_reader *im, struct ckpt_error *e)
{
	int ret = image_parts(im, e);

	if (ret)
		return ret;
	return im->rec.type == CKPT_REC_MM ? note_mm(f, im, e) : note_file(f, im, e);
}

/* The rest of a path below a mount's target, NULL if it is not below it. */
static const char *below(const char *path, const char *target)
{
	size_t n = strcmp(target, "/") ? strlen(target) : 0;

	return strncmp(path, target, n) || (path[n] && path[n] != '/') ? NULL : path + n;
}

/*
 * Open what a path of the container will lead to; -1 with errno set, or -2: it
 * lies in what is made afresh.
 */
static int open_inside(const struct description *d, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	const struct mount_entry *m = NULL;
	_cleanup_fd_ int dir = -1;
	const char *rest = NULL, *r;
	size_t i;

	/* a later mount lies over an earlier one */
	for (i = 0; i < d->nr_mounts; i++) {
		r = below(path, d->mounts[i].target);
		if (r) {
			m = &d->mounts[i];
			rest = r;
		}
	}
	if (!m || m->kind != MOUNT_BIND)
		return -2;
	rest += strspn(rest, "/");
	dir = open(m->source, O_PATH | O_CLOEXEC);
	if (dir < 0 || !*rest)
		return steal_fd(&dir);
	return syscall(SYS_openat2, dir, rest, &how, sizeof(how));
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* f->mapped is sorted by now */
static bool is_mapped(const struct files *f, uint32_t ref)
{
	return f->nr_mapped && bsearch(&ref, f->mapped, f->nr_mapped, sizeof(ref), by_number);
}

/* the kernel's number of a device, in 32 bits, as stat(2) has it */
static dev_t device_of(uint32_t rdev)
{
	return makedev(rdev >> 8 & 0xfff, (rdev & 0xff) | (rdev >> 12 & 0xfff00));
}

static void check_file(struct files *f, const struct noted *n)
{
	_cleanup_fd_ int fd = open_inside(f->check->description, n->path);
	uint64_t mtime;
	struct stat st;

	if (fd == -2)
		return;
	if (fd < 0 || fstat(fd, &st)) {
		reason(&f->check->reasons, "file: %s is gone: %s; put it back", n->path, strerror(errno));
		return;
	}
	mtime = (uint64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if ((st.st_mode ^ n->mode) & S_IFMT)
		reason(&f->check->reasons, "file: %s is of another type than it was", n->path);
	else if (S_ISCHR(st.st_mode) && device_of(n->was.rdev) != st.st_rdev)
		reason(&f->check->reasons, "file: %s is another device than it was", n->path);
	else if (S_ISREG(st.st_mode) && is_mapped(f, n->ref) &&
		 (n->was.size != (uint64_t)st.st_size || n->was.mtime_ns != mtime))
		reason(&f->check->reasons, "file: %s, which is mapped, has changed since: put the old one back",
		       n->path);
}

void files_end(struct files *f, bool print)
{
	size_t i;

	if (!f)
		return;
	if (f->nr_mapped)
		qsort(f->mapped, f->nr_mapped, sizeof(*f->mapped), by_number);
	for (i = 0; i < f->nr; i++) {
		if (print)
			check_file(f, &f->list[i]);
		free(f->list[i].path);
	}
	free(f->list);
	free(f->mapped);
	free(f);
}
