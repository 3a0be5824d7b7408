// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are the kernel's private structs of System V's objects those of private.h?
 * Its type information says it, once, when the module is loaded.  C8.
 */
#include "btf.h"
#include "private.h"

#define CKPT_MEMBERS 12

struct member {
	const char *name, *type;
	u32 size, offset;
};

#define M(of, member, type)						\
	{ #member, type, sizeof_field(struct ckpt_##of, member), offsetof(struct ckpt_##of, member) }

static const struct member shmid_kernel[] = {
	M(shmid_kernel, shm_perm, "struct kern_ipc_perm"),
	M(shmid_kernel, shm_file, "struct file *"),
	M(shmid_kernel, shm_nattch, "long unsigned int"),
	M(shmid_kernel, shm_segsz, "long unsigned int"),
	M(shmid_kernel, shm_atim, "time64_t"),
	M(shmid_kernel, shm_dtim, "time64_t"),
	M(shmid_kernel, shm_ctim, "time64_t"),
	M(shmid_kernel, shm_cprid, "struct pid *"),
	M(shmid_kernel, shm_lprid, "struct pid *"),
	M(shmid_kernel, mlock_ucounts, "struct ucounts *"),
	M(shmid_kernel, shm_creator, "struct task_struct *"),
	M(shmid_kernel, shm_clist, "struct list_head"),
};

static const struct member shm_file_data[] = {
	M(shm_file_data, id, "int"),
	M(shm_file_data, ns, "struct ipc_namespace *"),
	M(shm_file_data, file, "struct file *"),
	M(shm_file_data, vm_ops, " *"),		/* to something const */
};

static const struct member msg_queue[] = {
	M(msg_queue, q_perm, "struct kern_ipc_perm"),
	M(msg_queue, q_stime, "time64_t"),
	M(msg_queue, q_rtime, "time64_t"),
	M(msg_queue, q_ctime, "time64_t"),
	M(msg_queue, q_cbytes, "long unsigned int"),
	M(msg_queue, q_qnum, "long unsigned int"),
	M(msg_queue, q_qbytes, "long unsigned int"),
	M(msg_queue, q_lspid, "struct pid *"),
	M(msg_queue, q_lrpid, "struct pid *"),
	M(msg_queue, q_messages, "struct list_head"),
};

static const struct member msg_msgseg[] = {
	M(msg_msgseg, next, "struct msg_msgseg *"),
};

static const struct member sem[] = {
	M(sem, semval, "int"),
	M(sem, sempid, "struct pid *"),
	M(sem, lock, "spinlock_t"),
	M(sem, pending_alter, "struct list_head"),
	M(sem, pending_const, "struct list_head"),
	M(sem, sem_otime, "time64_t"),
};

static const struct member sem_array[] = {
	M(sem_array, sem_perm, "struct kern_ipc_perm"),
	M(sem_array, sem_ctime, "time64_t"),
	M(sem_array, list_id, "struct list_head"),
	M(sem_array, sem_nsems, "int"),
	M(sem_array, complex_count, "int"),
	M(sem_array, use_global_lock, "unsigned int"),
	{ "sems", "struct sem []", 0, offsetof(struct ckpt_sem_array, sems) },
};

static const struct member sem_undo[] = {
	M(sem_undo, list_proc, "struct list_head"),
	M(sem_undo, ulp, "struct sem_undo_list *"),
	M(sem_undo, list_id, "struct list_head"),
	M(sem_undo, semid, "int"),
};

static const struct member sem_undo_list[] = {
	M(sem_undo_list, refcnt, "refcount_t"),
	M(sem_undo_list, lock, "spinlock_t"),
	M(sem_undo_list, list_proc, "struct list_head"),
};

/* one of the two */
static const struct member semadj_pointer[] = {
	M(sem_undo, semadj, "short int *"),
};

static const struct member semadj_array[] = {
	{ "semadj", "short int []", 0, offsetofend(struct ckpt_sem_undo, semid) },
};

static bool known, semadj_is_pointer;

static bool same(const char *of, const struct member *ours, size_t nr)
{
	struct ckpt_member m[CKPT_MEMBERS];
	u32 i, at[CKPT_MEMBERS];

	for (i = 0; i < nr; i++)
		m[i] = (struct ckpt_member) {
			ours[i].name, ours[i].type, ours[i].size, &at[i],
		};
	if (ckpt_btf_find(of, m, nr))
		return false;
	for (i = 0; i < nr; i++)
		if (at[i] != ours[i].offset)
			return false;
	return true;
}

#define SAME(of) same(#of, of, ARRAY_SIZE(of))
#define SAME_SIZE(of) (ckpt_btf_size(#of) == sizeof(struct ckpt_##of))

/* behind ckpt_symbols_init() */
void ckpt_ipc_init(void)
{
	ckpt_mqueue_init();
	/* one is an element of an array, the other is ours to make */
	known = !ckpt_lacks(CKPT_FOR_IPC) && SAME(shmid_kernel) && SAME(shm_file_data) &&
		SAME(msg_queue) && SAME(msg_msgseg) && SAME(sem) && SAME(sem_array) &&
		SAME(sem_undo) && SAME(sem_undo_list) && SAME_SIZE(sem) && SAME_SIZE(shm_file_data);
	semadj_is_pointer = same("sem_undo", semadj_pointer, 1);
	known = known && (semadj_is_pointer || same("sem_undo", semadj_array, 1));
	if (!known)
		pr_warn("ckpt: objects of System V IPC are not supported: this kernel's structs are not known\n");
}

bool ckpt_ipc_known(void)
{
	return known;
}

/* 6.6: they lie in the struct itself, right behind semid */
short *ckpt_semadj_of(struct ckpt_sem_undo *un)
{
	return semadj_is_pointer ? un->semadj : (short *)(&un->semid + 1);
}
