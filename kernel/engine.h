/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of the engine know of each other, file by file.
 *
 * A checkpoint runs in checkpoint.c, a restart in restart.c; both keep their
 * state in a context that everything else is given.
 */
#ifndef _CKPT_ENGINE_H
#define _CKPT_ENGINE_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "uapi/ckpt.h"
#include "uapi/ckpt_image.h"
#include "compat.h"
#include "symbols.h"

struct cgroup;
struct pid_namespace;

/* log.c: what an operation has to say, to the caller and at debug level */

struct ckpt_log {
	struct file *file;		/* may be NULL */
	struct mutex lock;		/* one line at a time */
};

int ckpt_log_open(struct ckpt_log *log, int fd);
void ckpt_log_close(struct ckpt_log *log);
__printf(2, 3) void ckpt_log(struct ckpt_log *log, const char *fmt, ...);
/* ckpt_fail - log why, and be the error: return ckpt_fail(log, -EBUSY, "...") */
__printf(3, 4) int ckpt_fail(struct ckpt_log *log, int err, const char *fmt, ...);

/* stream.c: records on their way out and in */

struct ckpt_rec_buf {
	struct list_head list;
	u32 ref;			/* in: the object's number */
	bool used;			/* in: somebody has restored it */
	struct ckpt_rec rec;		/* the body follows it */
};

static inline void *ckpt_body(const struct ckpt_rec_buf *buf)
{
	return (void *)(&buf->rec + 1);
}

struct ckpt_out {
	struct file *file;
	struct list_head records;	/* made and not yet written */
	u64 pos;			/* bytes written */
	u64 pages;
	u32 seq;
};

void *ckpt_rec_new(struct ckpt_out *out, u16 type, size_t len);
int ckpt_out_flush(struct ckpt_out *out);
int ckpt_out_write(struct ckpt_out *out, const void *buf, size_t len);
int ckpt_out_trailer(struct ckpt_out *out);

struct ckpt_in {
	struct file *file;
	struct ckpt_log *log;
	u64 pos;			/* bytes read */
	u64 pages;
	u32 seq;
};

struct ckpt_rec_buf *ckpt_rec_read(struct ckpt_in *in);
int ckpt_in_read(struct ckpt_in *in, void *buf, size_t len);
int ckpt_in_end(struct ckpt_in *in, const struct ckpt_rec_buf *trailer);
void ckpt_rec_free(struct ckpt_rec_buf *buf);

/* a reader of a record's body that cannot run over its end */
struct ckpt_cursor {
	const u8 *p;
	size_t left;
};

#define ckpt_cursor_of(buf, type)					\
	((struct ckpt_cursor){						\
		.p = (const u8 *)ckpt_body(buf) + sizeof(type),		\
		.left = (buf)->rec.len - sizeof(type) })
/* the next @len bytes, which take up a multiple of 8; NULL: not that many */
const void *ckpt_take(struct ckpt_cursor *c, u64 len);
/* a string of @len bytes with its NUL; NULL: it is not one */
const char *ckpt_take_path(struct ckpt_cursor *c, u32 len);

/* objects.c: the shared objects of a checkpoint, each saved once */

enum ckpt_obj_type {
	CKPT_OBJ_FILE,
	CKPT_OBJ_FILES,
	CKPT_OBJ_FS,
	CKPT_OBJ_SIGHAND,
	CKPT_OBJ_MM,
	CKPT_OBJ_CRED,
	CKPT_OBJ_PIPE,
	CKPT_OBJ_SHMEM,
	CKPT_OBJ_NR,
};

struct ckpt_checkpoint;
struct ckpt_restart;

struct ckpt_obj {
	struct hlist_node hash;
	struct list_head list;		/* in the order of discovery */
	enum ckpt_obj_type type;
	void *ptr;			/* a reference is held */
	u32 ref;
	unsigned int users;		/* references that the engine has seen */
};

/* what every kind of object can do; a new kind is a row in objects.c */
struct ckpt_obj_ops {
	const char *name;
	void (*take)(void *ptr);
	void (*drop)(void *ptr);
	/* write the record; objects that it uses are saved before */
	int (*save)(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
};

struct ckpt_objects {
	DECLARE_HASHTABLE(hash, 10);
	struct list_head list;
	u32 last_ref;
};

void ckpt_objects_init(struct ckpt_objects *objs);
void ckpt_objects_free(struct ckpt_objects *objs);
struct ckpt_obj *ckpt_obj_find(struct ckpt_objects *objs, enum ckpt_obj_type type, void *ptr);
int ckpt_obj_save(struct ckpt_checkpoint *cp, enum ckpt_obj_type type, void *ptr,
		  u32 *ref);

/* freezer.c: the container's cgroup, stopped and let go */

struct ckpt_freezer {
	struct cgroup *cgrp;		/* a reference is held */
	bool frozen;			/* by us */
	ktime_t since;
};

int ckpt_freeze(struct ckpt_freezer *fz, struct task_struct *root, struct ckpt_log *log);
void ckpt_thaw(struct ckpt_freezer *fz, u64 *pause_ns);
bool ckpt_freezer_has(struct ckpt_freezer *fz, struct task_struct *task);

/* hold.c: the parts of a task, kept while they are read */

struct ckpt_held {
	struct task_struct *task;
	/* of the living only; a reference each */
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct sighand_struct *sighand;
	const struct cred *cred;
	bool stack;
};

int ckpt_hold(struct ckpt_held *h);
void ckpt_unhold(struct ckpt_held *h);
bool ckpt_wait_inactive(struct task_struct *t);
void ckpt_put_fs(struct fs_struct *fs);

/* checkpoint.c */

struct ckpt_checkpoint {
	struct ckpt_log log;
	struct ckpt_out out;
	struct ckpt_objects objs;
	struct ckpt_freezer freezer;
	struct task_struct *root;
	struct pid_namespace *pid_ns;	/* the container's */
	struct path root_path;		/* the container's root directory */
	struct ckpt_held *tasks;	/* leaders before their threads */
	int nr_tasks;
	struct task_struct *task;	/* the one at work, for the log */
	int fd;				/* the descriptor at work, or -1 */
	u32 flags;
	u64 clock_ns;			/* monotonic, as SYSTEM has it */
	struct list_head copies;	/* struct ckpt_mm_copy */
	struct list_head shmems;	/* struct ckpt_shmem_copy */
};

int ckpt_next_id(void);
int ckpt_checkpoint(struct ckpt_checkpoint_args *args, const char *desc);
/* ckpt_refuse - log what cannot be saved, with task and descriptor at work */
__printf(3, 4) int ckpt_refuse(struct ckpt_checkpoint *cp, int err, const char *fmt, ...);

/* restart.c: the coordinator's part and the meeting of all tasks */

enum ckpt_restart_state {
	CKPT_RESTART_NEW,
	CKPT_RESTART_LOADING,
	CKPT_RESTART_JOINED,		/* all are here, nobody joins any more */
	CKPT_RESTART_DYING,		/* zombies die */
	CKPT_RESTART_LOADED,		/* the others restore themselves */
	CKPT_RESTART_GO,
	CKPT_RESTART_FAILED,
};

struct ckpt_member {
	struct list_head list;
	struct task_struct *task;	/* a reference is held */
	struct ckpt_rec_buf *rec;	/* its TASK */
	pid_t pid;			/* in the container */
	struct ckpt_restart *rs;	/* references until it is on its way */
	struct file *dev;
	struct callback_head work;
};

struct ckpt_restored {			/* an object that is here again */
	enum ckpt_obj_type type;
	void *ptr;			/* a reference is held */
	void *extra;			/* PIPE: the other end */
};

struct ckpt_restart {
	struct kref kref;
	struct mutex lock;		/* objects; state, together with wait.lock */
	wait_queue_head_t wait;		/* its lock: state, members, nr_*, err */
	enum ckpt_restart_state state;
	int err;			/* why it failed, negative */
	struct ckpt_log log;
	struct ckpt_in in;
	struct list_head records;	/* all but those in memory's part */
	struct xarray by_ref;		/* object records */
	struct xarray by_pid;		/* TASK records */
	struct xarray by_tgid;		/* PROCESS records */
	struct xarray restored;		/* struct ckpt_restored, by ref */
	struct ckpt_rec_buf *system;
	struct ckpt_rec_buf *uts;
	struct ckpt_rec_buf *ipc;
	struct list_head members;
	struct task_struct *root;
	struct uts_namespace *uts_ns;	/* the coordinator's, to compare with */
	struct ipc_namespace *ipc_ns;
	int nr_joined;
	int nr_filed;			/* have their tables */
	int nr_ready;
	int nr_tasks;
	int nr_live;			/* but the zombies */
	pid_t killed;			/* the first member that somebody killed, or 0 */
	s64 shift_ns;			/* monotonic clock: here minus there */
};

struct ckpt_restart *ckpt_restart_new(void);
void ckpt_restart_put(struct ckpt_restart *rs);
int ckpt_restart(struct ckpt_restart *rs, struct ckpt_restart_args *args);
void ckpt_restart_abort(struct ckpt_restart *rs, int err);
struct ckpt_rec_buf *ckpt_find_rec(struct ckpt_restart *rs, u32 ref, u16 type);
void *ckpt_find_restored(struct ckpt_restart *rs, u32 ref, enum ckpt_obj_type type);
int ckpt_add_restored(struct ckpt_restart *rs, u32 ref, enum ckpt_obj_type type,
		      void *ptr, void *extra);

/* members.c: a task that turns into the one of the image */
long ckpt_restore_task(struct ckpt_restart *rs, struct file *dev,
		       struct ckpt_restore_task_args *args);

/* tasks.c: which tasks there are, and the TREE */
int ckpt_collect_tasks(struct ckpt_checkpoint *cp);
int ckpt_check_still_there(struct ckpt_checkpoint *cp);
int ckpt_save_tree(struct ckpt_checkpoint *cp);

/* task.c: one task and its process */
int ckpt_check_task(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_save_process(struct ckpt_checkpoint *cp, struct ckpt_held *leader);
int ckpt_save_task(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_check_task_rec(struct ckpt_log *log, struct ckpt_rec_buf *buf);
int ckpt_check_process_rec(struct ckpt_log *log, struct ckpt_rec_buf *buf);
int ckpt_restore_process(struct ckpt_restart *rs, const struct ckpt_image_process *img);
int ckpt_restore_task_state(struct ckpt_restart *rs, const struct ckpt_image_task *img);
void ckpt_go_process(struct ckpt_restart *rs, const struct ckpt_image_process *img);

/* restart_block.c: sleeps that go on */
int ckpt_save_restart_block(struct ckpt_checkpoint *cp, struct task_struct *t,
			    struct ckpt_image_restart_block *img);
int ckpt_restore_restart_block(struct ckpt_restart *rs,
			       const struct ckpt_image_restart_block *img);

/* signals.c */
/* current's, or that of a task that is locked: it does not change */
static inline struct sighand_struct *ckpt_sighand(struct task_struct *t)
{
	return rcu_dereference_raw(t->sighand);
}

int ckpt_save_sighand(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
int ckpt_restore_sighand(struct ckpt_restart *rs, u32 ref);
int ckpt_count_pending(struct ckpt_held *h, bool shared);
void ckpt_save_pending(struct ckpt_held *h, bool shared,
		       struct ckpt_image_siginfo *infos, int nr);
bool ckpt_stop_pending(struct ckpt_held *h);
bool ckpt_siginfos_ok(const struct ckpt_image_siginfo *infos, int nr);
int ckpt_queue_pending(const struct ckpt_image_siginfo *infos, int nr, bool shared);

/* creds.c */
int ckpt_save_cred(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
int ckpt_restore_cred(struct ckpt_restart *rs, u32 ref);

/* namespaces.c */
int ckpt_check_namespaces(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_save_namespaces(struct ckpt_checkpoint *cp);
int ckpt_restore_namespaces(struct ckpt_restart *rs);

/* system.c: what a restart must find again, and the clocks */
int ckpt_system_init(void);
int ckpt_save_system(struct ckpt_checkpoint *cp);
int ckpt_check_system(struct ckpt_restart *rs);

/* fs.c: root, working directory, umask; paths */
int ckpt_save_fs(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
int ckpt_restore_fs(struct ckpt_restart *rs, u32 ref);
int ckpt_path_name(struct ckpt_checkpoint *cp, const struct path *path,
		   char *buf, const char **name);

/* files.c: descriptor tables, and the table of kinds of files */
int ckpt_save_files(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
int ckpt_save_file(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
int ckpt_restore_files(struct ckpt_restart *rs, u32 ref, unsigned long scratch);
struct file *ckpt_restore_file(struct ckpt_restart *rs, u32 ref, unsigned long scratch);

struct ckpt_file_rec {			/* a FILE record, taken apart */
	const struct ckpt_image_file *img;
	const char *path;
	const void *data;
};

/* A kind of file.  A new kind is a file of its own and a row in files.c. */
struct ckpt_file_ops {
	const char *name;
	u32 kind;			/* enum ckpt_file_kind */
	u32 data_len;			/* bytes of the kind's data */
	bool has_path;			/* the path is saved, and must be found again */
	bool (*mine)(struct file *file);
	int (*save)(struct ckpt_checkpoint *cp, struct file *file, void *data);
	/*
	 * Make the file; with open_flags, of O_* only those that may be opened
	 * with.  @scratch is a writable page of the user's.
	 */
	struct file *(*restore)(struct ckpt_restart *rs, const struct ckpt_file_rec *rec,
				unsigned long scratch);
};

extern const struct ckpt_file_ops ckpt_file_path, ckpt_file_pipe, ckpt_file_eventfd,
	ckpt_file_epoll, ckpt_file_timerfd, ckpt_file_tcp, ckpt_file_udp,
	ckpt_file_unix, ckpt_file_shmem;

#define CKPT_OPEN_FLAGS (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | \
			 O_DIRECTORY | O_NOATIME | O_PATH | O_LARGEFILE | O_NOFOLLOW)

/* take the file that a system call has just put at @fd out of the table */
struct file *ckpt_file_of_fd(long fd);
/* text that a file's show_fdinfo() gives: for kinds whose structs are private */
char *ckpt_fdinfo(struct file *file);
int ckpt_fdinfo_u64(const char *info, const char *key, int base, u64 *val);

/* pipe.c, shmem.c, epoll.c: objects behind files */
int ckpt_save_pipe(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
int ckpt_check_pipes(struct ckpt_checkpoint *cp);
int ckpt_save_shmem(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
bool ckpt_is_shmem(struct file *file);
void ckpt_shmem_free(struct ckpt_checkpoint *cp);
int ckpt_stream_shmem(struct ckpt_checkpoint *cp);
int ckpt_save_epolls(struct ckpt_checkpoint *cp);
int ckpt_restore_epolls(struct ckpt_restart *rs, u32 files, unsigned long scratch);

/* mm.c: an address space's layout; mm_copy.c: its copy on write */
struct ckpt_mm_copy {
	struct list_head list;
	struct mm_struct *mm;		/* the container's, a reference is held */
	struct mm_struct *copy;		/* ours, a reference is held */
	u32 ref;
};

int ckpt_save_mm(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);
int ckpt_copy_mms(struct ckpt_checkpoint *cp);
void ckpt_copies_free(struct ckpt_checkpoint *cp);
/* mm_restore.c */
int ckpt_open_mm_files(struct ckpt_restart *rs, u32 ref, unsigned long scratch);
int ckpt_restore_mm(struct ckpt_restart *rs, u32 ref);
void ckpt_restore_dumpable(struct ckpt_restart *rs, u32 ref);
int ckpt_restore_membarrier(u32 cmds);
int ckpt_check_mm_rec(struct ckpt_log *log, struct ckpt_rec_buf *buf);

/* pages.c: contents of memory, out and in */
int ckpt_stream_mms(struct ckpt_checkpoint *cp);
struct ckpt_page_batch {
	u32 nr;
	u32 ref;
	u64 addr[CKPT_PAGES_MAX];
	struct page *page[CKPT_PAGES_MAX];
};
int ckpt_write_batch(struct ckpt_checkpoint *cp, struct ckpt_page_batch *b);
int ckpt_read_pages(struct ckpt_restart *rs);

/* arch/ */
int ckpt_arch_check_task(struct ckpt_checkpoint *cp, struct task_struct *t);
size_t ckpt_arch_xstate_len(struct task_struct *t);
int ckpt_arch_save(struct task_struct *t, struct ckpt_image_x86 *img, void *xstate);
int ckpt_arch_restore(struct ckpt_log *log, struct task_struct *t,
		      const struct ckpt_image_x86 *img, const void *xstate);
int ckpt_arch_restore_tls(const struct ckpt_image_x86 *img);
void ckpt_arch_resume(struct task_struct *t, const struct ckpt_image_x86 *img);
int ckpt_arch_save_ldt(struct mm_struct *mm, u64 *ldt, u32 nr);
u32 ckpt_arch_nr_ldt(struct mm_struct *mm);
int ckpt_arch_restore_ldt(const u64 *ldt, u32 nr, unsigned long scratch);
void ckpt_arch_save_vdso(struct mm_struct *mm, struct ckpt_image_mm *img);
bool ckpt_arch_vma_is_vdso(struct vm_area_struct *vma);
int ckpt_arch_restore_vdso(struct ckpt_log *log, const struct ckpt_image_mm *img);
void ckpt_arch_system(struct ckpt_image_system *sys);

#endif
