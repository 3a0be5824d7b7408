/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files.  A kind of file is a file in files/ or sockets/, and a row of the
 * table in files/file.c.
 */
#ifndef _CKPT_FILE_H
#define _CKPT_FILE_H

#include <linux/fs.h>

#include "restore.h"
#include "save.h"

struct ckpt_file_ops {
	const char *name;
	u32 kind;			/* enum ckpt_file_kind */
	enum ckpt_purpose needs;	/* the symbols that it needs, beside those of ALL */
	bool has_path;			/* the path is saved, and must be found again */
	bool saves_path;		/* save() does it itself, if there is one */
	bool has_cred;			/* restore() looks after @cred; else it runs under it */
	bool (*mine)(struct file *file);
	/* add the kind's own part to the record */
	int (*save)(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec);
	/* are its numbers right? */
	int (*check)(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
	/*
	 * Make the file; with open_flags, of O_* only those that may be opened
	 * with.  The lock of making is held.  @cred: with what it was opened.
	 */
	struct file *(*restore)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				const struct cred *cred);
	/* for what sees what becomes of other files: by the coordinator, when no more are closed */
	int (*see)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct file *file);
};

extern const struct ckpt_file_ops ckpt_file_path, ckpt_file_pipe, ckpt_file_eventfd,
	ckpt_file_epoll, ckpt_file_timerfd, ckpt_file_tcp, ckpt_file_udp,
	ckpt_file_unix, ckpt_file_shmem, ckpt_file_signalfd, ckpt_file_inotify,
	ckpt_file_pidfd, ckpt_file_tty_ops, ckpt_file_deleted, ckpt_file_shm, ckpt_file_fifo,
	ckpt_file_mqueue;

#define CKPT_OPEN_FLAGS (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | \
			 O_DIRECTORY | O_NOATIME | O_PATH | O_LARGEFILE | O_NOFOLLOW)

/* take the file that a system call has just put at @fd out of the table */
struct file *ckpt_file_of_fd(long fd);
/* what was made of @file: itself, or the error @err, and it is closed */
struct file *ckpt_file_or(struct file *file, int err);
/* owner and permissions of what is behind @file, as fchown(2) and fchmod(2) set them */
int ckpt_set_owner(struct file *file, u32 mode, u32 uid, u32 gid);
/* text that a file's show_fdinfo() gives: for kinds whose structs are private */
char *ckpt_fdinfo(struct file *file);
int ckpt_fdinfo_u64(const char *info, const char *key, int base, u64 *val);

/* save/hold.c: close what current was the last to hold */
void ckpt_end_files(void);

/*
 * tasks/creds.c: the credentials of a CRED, with a reference, if current may give
 * itself these; or an error pointer.  The lock of making is held.
 */
const struct cred *ckpt_file_cred(struct ckpt_restart *rs, u32 ref);

/* files/fs.c */
void ckpt_put_fs(struct fs_struct *fs);

/*
 * ckpt_path_name - the name of a path in the container: files/name.c
 * @buf: PATH_MAX bytes
 * @name: set to the name, which lies in @buf
 *
 * A path that is deleted, or that its name does not lead to from the container's
 * root, is refused.  Waits for nobody.
 */
int ckpt_path_name(struct ckpt_checkpoint *cp, const struct path *path,
		   char *buf, const char **name);

/* the same of a path that may have no name: NULL then, and nothing is refused */
const char *ckpt_path_name_if(struct ckpt_checkpoint *cp, const struct path *path, char *buf);

/* nobody finds it by its name any more */
bool ckpt_is_deleted(const struct dentry *dentry);

/* the @n-th name of @inode that is not deleted and that the kernel has at hand, with a reference, or NULL */
struct dentry *ckpt_nth_name(struct inode *inode, u32 n);
/* a path that is deleted: another name of its file in the same mount, which lies in @buf of PATH_MAX bytes; or NULL */
const char *ckpt_other_name(struct ckpt_checkpoint *cp, const struct path *path, char *buf);
/*
 * files/path.c: where a name leads to, and what is there, opened: with the credentials that
 * it was opened with, or by the restarter's right
 */
int ckpt_find_path(const char *name, const struct cred *cred, struct path *path);
struct file *ckpt_open_path(const struct path *path, u32 flags, const struct cred *cred);

/* files/file.c: save the NAME of a file that is found by it */
int ckpt_save_path(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec);
/* files/deleted.c: can a file there be read without a wait for anybody but a disk? */
bool ckpt_is_local(const struct super_block *sb);

/*
 * files/unnamed.c: a file for reading and writing that has no name, in the directory of
 * @name or, if that is gone, the nearest one above it; or an error pointer
 */
struct file *ckpt_make_unnamed(struct ckpt_restart *rs, const char *name, bool linkable);
/* the same of a directory, for reading, or a named pipe, which is not opened: S_IFDIR or S_IFIFO */
struct file *ckpt_make_unnamed_empty(struct ckpt_restart *rs, const char *name, u32 type);

/* files/xattrs.c: extended attributes in an INODE; of one that @is ("is deleted") */
int ckpt_save_xattrs(struct ckpt_checkpoint *cp, const struct path *path, struct ckpt_rec_out *rec,
		     const char *is);
bool ckpt_xattrs_ok(const struct ckpt_rec_buf *buf);
int ckpt_restore_xattrs(struct ckpt_restart *rs, const struct path *path,
			const struct ckpt_rec_buf *buf);

/* files/deleted.c: is it a deleted file's? */
bool ckpt_is_deleted_rec(const struct ckpt_rec_buf *file);
/* its contents are here: it gets what else it had, and nobody but the container writes to it */
int ckpt_finish_deleted(struct ckpt_restart *rs, const struct ckpt_rec_buf *file);
/* a deleted directory or named pipe that is somebody's: its number, and at a restart where it is */
int ckpt_save_deleted_dir(struct ckpt_checkpoint *cp, const struct path *path, u32 *ref);
int ckpt_save_deleted_fifo(struct ckpt_checkpoint *cp, const struct path *path, u32 *ref);
const struct path *ckpt_restore_deleted(struct ckpt_restart *rs, u32 ref, u32 type);

/*
 * files/inode.c: what lies nowhere but in the image.  A checkpoint asks whether a new one of
 * its like would lack something that it has, and notes what all have; a restart puts down what
 * is in a tmpfs, and finishes one before its turn.  Of one that is here again there are its
 * path, the inode in whose memory its contents are written, or the file, or neither (NULL).
 */
bool ckpt_has_attributes(struct dentry *dentry, const struct inode *real);
void ckpt_inode_fields(struct ckpt_image_inode *img, u32 ref, struct inode *inode,
		       struct inode *real);
int ckpt_add_named(struct ckpt_restart *rs, u32 ref, const struct path *path);
int ckpt_finish_inode(struct ckpt_restart *rs, u32 ref);
int ckpt_set_inode_times(const struct path *path, const struct ckpt_image_inode *img);
const struct path *ckpt_inode_path(void *restored);
struct inode *ckpt_inode_memory(void *restored);
struct file *ckpt_inode_writer(void *restored);

/* files/tmpfs.c: every tmpfs of the container's own, and how many there are */
int ckpt_save_tmpfs(struct ckpt_checkpoint *cp, u32 *nr);

/* files/fill.c: what is in them at a restart; is a file system one of them? */
int ckpt_check_tmpfs(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_check_trees(struct ckpt_restart *rs);
int ckpt_fill_tmpfs(struct ckpt_restart *rs);
bool ckpt_is_filled(struct ckpt_restart *rs, const struct super_block *sb);
int ckpt_finish_named(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, const struct path *at);
int ckpt_last_tmpfs(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr);
void ckpt_put_tmpfs(void *ptr);

/* files of proc, sysfs and their like: files/pseudo.c */
bool ckpt_is_pseudo(const struct super_block *sb);
bool ckpt_is_known_pseudo(const struct super_block *sb);
int ckpt_check_pseudo(struct ckpt_checkpoint *cp, struct file *file);
int ckpt_restored_pseudo(struct file *file);

/* files/table.c: the file at @fd of a table, with a reference, or NULL */
struct file *ckpt_file_at(struct files_struct *files, unsigned int fd, bool *cloexec);

/* locks and leases of an open file, and locks of a table: files/locks.c, files/leases.c */
int ckpt_save_locks(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec);
int ckpt_check_locks(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_restore_locks(struct ckpt_restart *rs, struct file *file, const struct ckpt_rec_buf *buf);
int ckpt_save_table_locks(struct ckpt_checkpoint *cp, struct files_struct *files,
			  const struct ckpt_image_fd *fds, u64 nr, struct ckpt_rec_out *rec);
/* files/leases.c */
int ckpt_check_leases(struct ckpt_restart *rs, const char *name, struct inode *inode, u32 flags);
int ckpt_check_table_locks(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_restore_table_locks(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);

/* who is told of input and output: files/owner.c */
int ckpt_save_file_owner(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec);
int ckpt_check_file_owner(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_restore_file_owner(struct ckpt_restart *rs, struct file *file,
			    const struct ckpt_rec_buf *buf);
int ckpt_restore_async(struct ckpt_restart *rs, struct file *file, const struct ckpt_rec_buf *buf);

/* when all files are known: files/pipe.c, files/epoll.c */
int ckpt_save_pipes(struct ckpt_checkpoint *cp);
void ckpt_tell_pipes(struct ckpt_checkpoint *cp);

/* what stays outside of the image */
struct ckpt_external {
	u32 kind;			/* enum ckpt_rec_type of what it stands for */
	u32 side;			/* that the container has */
	const char *key;		/* what it is found by at restart */
	const char *was;		/* for people */
};

/* @ptr: what it stands for, which an object of its own keeps */
int ckpt_save_external(struct ckpt_checkpoint *cp, void *ptr, const struct ckpt_external *x, u32 *ref);
int ckpt_save_epolls(struct ckpt_checkpoint *cp);
int ckpt_check_epoll(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_restore_epolls(struct ckpt_restart *rs, u32 files);
/*
 * sockets/peers.c, sockets/join.c: what unix sockets are connected with, and what
 * waits in them.  Saved before pipes are looked at, as it may be files.  Restored
 * by the root task, when all tables are there, with the lock of making held.
 */
int ckpt_save_unixes(struct ckpt_checkpoint *cp);
int ckpt_restore_unixes(struct ckpt_restart *rs);
/*
 * sockets/tcp_ends.c, sockets/tcp_restore.c: the same of TCP, behind unix sockets, which
 * may have some on their way
 */
int ckpt_save_tcps(struct ckpt_checkpoint *cp);
int ckpt_restore_tcps(struct ckpt_restart *rs);
/* files/table.c: a FILE that a program has a descriptor of, or is sent one */
struct file *ckpt_restore_fd(struct ckpt_restart *rs, u32 ref);
/* files/table.c: may current have a descriptor of that number, or may it raise its limit? */
int ckpt_allow_fd(unsigned long fd);
/* files/signalfd.c: what wakes who polls it is the signals of the process that began to */
bool ckpt_is_signalfd(const struct file *file);
/* files/watches.c: when the module is loaded */
void ckpt_watches_init(void);
/*
 * files/mounts.c: the same.  Where it is not known how mounts are kept, none of the others
 * may be asked: the namespace of a mount; the @n-th of those of @sb that a namespace has,
 * with a reference, or NULL; in which namespaces @sb is mounted.
 */
void ckpt_mounts_init(void);
bool ckpt_mounts_known(void);
struct mnt_namespace *ckpt_mount_ns(const struct vfsmount *mnt);
struct vfsmount *ckpt_nth_mount(struct super_block *sb, const struct mnt_namespace *ns, u32 n);

#define CKPT_MOUNTED_HERE	0x1	/* in @ns */
#define CKPT_MOUNTED_OUTSIDE	0x2	/* in @outside */
#define CKPT_MOUNTED_ELSEWHERE	0x4
u32 ckpt_mounted_in(struct super_block *sb, const struct mnt_namespace *ns,
		    const struct mnt_namespace *outside);
/*
 * ttys/: ptys, when all files are known, behind unix sockets, which may have some on
 * their way; -EAGAIN if something is on its way to their other end
 */
int ckpt_save_ttys(struct ckpt_checkpoint *cp);
void ckpt_ttys_init(void);

#endif
