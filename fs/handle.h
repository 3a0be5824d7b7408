/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open file. Each kind is a row of operations, and has its own struct with a
 * struct handle in front; fuse_file_info.fh points to that. An operation
 * replies to its request, now or later.
 */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include "fs.h"

struct handle;

struct handle_ops {
	/* those that are NULL can't be done on such a file */
	void (*read)(struct handle *h, fuse_req_t req, size_t size, off_t off);
	void (*write)(struct handle *h, fuse_req_t req, const char *data, size_t size,
		      off_t off);
	void (*seek)(struct handle *h, fuse_req_t req, off_t off, int whence);
	void (*flush)(struct handle *h, fuse_req_t req);
	void (*release)(struct handle *h);
};

/* so many files of ours a user other than root can have open at once */
#define HANDLES_MAX 128

struct handle {
	const struct handle_ops *ops;
	uid_t uid;		/* who opened it */
	fuse_ino_t ino;		/* the file's number */
	pid_t opener;		/* the thread that opened it, as we see it; 0: we don't */
};

static inline struct handle *handle_of(struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

/*
 * handle_admit - @uid is about to open one
 *
 * Returns 0 or -EMFILE: he has too many. After a 0 follows handle_set, or
 * handle_refuse when it can't be opened.
 */
int handle_admit(uid_t uid);
void handle_refuse(uid_t uid);

/* handle_set - the file @ino is being opened by @caller */
void handle_set(struct fuse_file_info *fi, struct handle *h, fuse_ino_t ino,
		const struct fuse_ctx *caller);

/* handle_release - and closed */
void handle_release(struct fuse_file_info *fi);

/* handles_open - how many are open */
unsigned int handles_open(void);

/*
 * handle_buffer - a buffer of this thread's for one reply
 * @size: in bytes
 *
 * Returns NULL when there is no memory. It is given back when the thread ends.
 */
void *handle_buffer(size_t size);

/* text_open - a handle that gives @text, which it takes over; NULL: no memory */
struct handle *text_open(char *text, size_t len);

/* fd_open - a handle that reads from @fd, which it takes over; NULL: no memory */
struct handle *fd_open(int fd);

#endif
