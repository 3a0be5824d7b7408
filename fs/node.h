/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node of the tree. nodes.def lists the kinds of them; each is a row, a struct
 * node, that says where it is, whose it is and what can be done with it. What a
 * row leaves out can't be done, or is as it is with every other node.
 */
#ifndef FS_NODE_H
#define FS_NODE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "fs.h"
#include "inode.h"

struct handle;
struct listing;
struct place_info;

/* flags of a row */
#define NODE_PRIVATE 0x1	/* root's and, in a place, the container's owner's */
#define NODE_STREAM 0x2		/* is read or written in order */
#define NODE_HIDDEN 0x4		/* no listing shows it */
#define NODE_ACTS 0x10		/* to read it does something: with list=no no listing shows it */
#define NODE_FLEETING 0x8	/* the kernel is to ask each time */

/* one of the tree's */
struct node_at {
	fuse_ino_t ino;
	enum node_kind kind;
	const struct node *node;
	char place[CONTAINER_NAME_MAX + 1];	/* "": it is in none */
};

struct node {
	const char *name;	/* NULL: the directory's own look-up knows */
	enum node_kind in;	/* the directory with that name in it */
	mode_t mode;		/* type and permissions */
	unsigned int flags;
	const void *data;	/* the file's own */

	/* All that return an int return 0 or a negative errno. */

	/* stat; @st has what the row says, and the place's times. @info: NULL outside of places */
	int (*attr)(const struct node_at *at, const struct place_info *info, struct stat *st);
	/* @changed: FUSE_SET_ATTR_* */
	int (*setattr)(const struct node_at *at, const struct stat *st, int changed);
	/* @h: of who has it open, NULL: by its name; without this it is -EPERM */
	int (*truncate)(const struct node_at *at, struct handle *h, off_t size);
	/* with a handle in @h; @fi is set to be read directly and may be changed */
	int (*open)(const struct node_at *at, const struct fuse_ctx *caller,
		    struct fuse_file_info *fi, struct handle **h);
	int (*readlink)(const struct node_at *at, char target[STORE_NAME_MAX + 1]);

	/* Directories: what is in them beside the rows that name them. */

	/* sets @child's kind and place, or fills all of @e */
	int (*lookup)(const struct node_at *dir, const char *name, struct node_at *child,
		      struct fuse_entry_param *e);
	int (*list)(const struct node_at *dir, struct listing *l);
	/* an entry of a listing that has something behind it */
	int (*entry)(const void *what, struct fuse_entry_param *e);
	int (*mkdir)(const struct node_at *dir, const char *name);
	int (*rmdir)(const struct node_at *dir, const char *name);
	int (*create)(const struct node_at *dir, const char *name, struct fuse_file_info *fi,
		      struct fuse_entry_param *e, struct handle **h);
	int (*unlink)(const struct node_at *dir, const char *name);
	/* @to: a directory of the same kind; @flags: as for renameat2(2) */
	int (*rename)(const struct node_at *dir, const char *name, const struct node_at *to,
		      const char *to_name, unsigned int flags);
};

extern const struct node *const nodes[NR_NODES];

#define NODE(kind, name) extern const struct node name##_node;
#include "nodes.def"
#undef NODE

/* node_find - which one has that inode number. 0 or -ESTALE. */
int node_find(fuse_ino_t ino, struct node_at *at);

/* node_child - the row of that name in a directory; false: there is none */
bool node_child(const struct node_at *dir, const char *name, struct node_at *child);

/* node_attr - its stat; 0, -ENOENT or -ESTALE when it is no more, or another negative errno */
int node_attr(const struct node_at *at, struct stat *st);

/* node_timeout - how long the kernel may believe what is said of it, in seconds */
double node_timeout(const struct node_at *at);

/*
 * node_lookup - what @name in a directory is
 *
 * The kernel then knows the inode once more. Returns 0, or a negative errno.
 */
int node_lookup(const struct node_at *dir, const char *name, struct fuse_entry_param *e);

/* node_may_open - whether @uid may open it, as far as its mode does not say. 0 or -EACCES. */
int node_may_open(const struct node_at *at, uid_t uid);

#endif
