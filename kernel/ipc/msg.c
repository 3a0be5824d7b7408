// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message queues of System V.  Who waits in one has left it when it is frozen,
 * and its call is restarted like any other.  C8.
 */
#include <linux/capability.h>
#include <linux/idr.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "memory.h"
#include "private.h"

#define CKPT_QUEUE "message queue"
#define CKPT_MSG_LEN (PAGE_SIZE - sizeof(struct msg_msg))
#define CKPT_SEG_LEN (PAGE_SIZE - sizeof(struct ckpt_msg_msgseg))

static struct ckpt_msg_queue *msq_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct ckpt_msg_queue, q_perm);
}

/* what of the three parts is filled */
struct msgs {
	struct ckpt_image_msg_queue *queue;
	struct ckpt_image_msg *msg;
	u8 *byte;
	u64 queues, msgs, bytes;	/* left */
};

void ckpt_copy_msg(const struct msg_msg *msg, u8 *to)
{
	const struct ckpt_msg_msgseg *seg;
	size_t len = min_t(size_t, msg->m_ts, CKPT_MSG_LEN), left = msg->m_ts - len;

	memcpy(to, msg + 1, len);
	for (seg = (void *)msg->next; seg && left; seg = seg->next) {
		to += len;
		len = min_t(size_t, left, CKPT_SEG_LEN);
		memcpy(to, seg + 1, len);
		left -= len;
	}
}

/* with the queue's lock */
static int save_msgs(const struct ckpt_msg_queue *msq, struct msgs *m)
{
	struct msg_msg *msg;
	u32 nr = 0;

	list_for_each_entry(msg, &msq->q_messages, m_list) {
		if (!m->msgs || msg->m_ts > m->bytes)
			return -EAGAIN;
		m->msg->type = msg->m_type;
		m->msg->len = msg->m_ts;
		ckpt_copy_msg(msg, m->byte);
		m->byte += msg->m_ts;
		m->bytes -= msg->m_ts;
		m->msg++;
		m->msgs--;
		nr++;
	}
	m->queue->messages = nr;
	return 0;
}

static int save_queue(struct ckpt_checkpoint *cp, struct ckpt_msg_queue *msq, struct msgs *m)
{
	struct ckpt_image_msg_queue *img = m->queue;
	int ret;

	spin_lock(&msq->q_perm.lock);
	ckpt_save_perm(&msq->q_perm, &img->perm);
	img->qbytes = msq->q_qbytes;
	img->stime = msq->q_stime;
	img->rtime = msq->q_rtime;
	img->ctime = msq->q_ctime;
	img->lspid = ckpt_pid_nr(cp, msq->q_lspid);
	img->lrpid = ckpt_pid_nr(cp, msq->q_lrpid);
	ret = save_msgs(msq, m);
	spin_unlock(&msq->q_perm.lock);
	m->queue++;
	m->queues--;
	return ret;
}

static void count(struct ipc_namespace *ns, struct msgs *m)
{
	struct kern_ipc_perm *perm;
	int id;

	idr_for_each_entry(&ns->ids[CKPT_MSG_IDS].ipcs_idr, perm, id) {
		spin_lock(&perm->lock);
		m->queues++;
		m->msgs += msq_of(perm)->q_qnum;
		m->bytes += msq_of(perm)->q_cbytes;
		spin_unlock(&perm->lock);
	}
}

/* the rwsem of the ids is held: no queue comes or goes */
static int save_all(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	struct kern_ipc_perm *perm;
	struct msgs m = {};
	int id, ret = 0;

	count(ns, &m);
	if (!m.queues)
		return 0;
	m.queue = ckpt_put_nr(rec, NAMESPACE, MSG_QUEUES, m.queues);
	m.msg = ckpt_put_nr(rec, NAMESPACE, MSGS, m.msgs);
	m.byte = ckpt_put_nr(rec, NAMESPACE, MSG_BYTES, m.bytes);
	if (!m.queue || !m.msg || !m.byte)
		return -ENOMEM;
	idr_for_each_entry(&ns->ids[CKPT_MSG_IDS].ipcs_idr, perm, id) {
		ret = m.queues ? save_queue(cp, msq_of(perm), &m) : -EAGAIN;
		if (ret)
			return ret;
	}
	return m.queues || m.msgs || m.bytes ? -EAGAIN : 0;
}

int ckpt_save_msgs(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec,
		   struct ckpt_image_ipc_ids *img)
{
	struct ipc_ids *ids = &ns->ids[CKPT_MSG_IDS];
	int ret;

	down_read(&ids->rwsem);
	ckpt_save_ids(ns, CKPT_MSG_IDS, &img[CKPT_MSG_IDS]);
	ret = save_all(cp, ns, rec);
	up_read(&ids->rwsem);
	return ret;
}

static bool queue_ok(const struct ckpt_image_msg_queue *img)
{
	return ckpt_perm_ok(&img->perm, CKPT_IPC_MODES) && img->lspid >= 0 && img->lrpid >= 0 &&
	       !img->reserved;
}

int ckpt_check_msgs(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_msg_queue *queue;
	u64 i, queues, msgs, bytes, nr = 0, len = 0;
	const struct ckpt_image_msg *msg;

	queue = ckpt_get_nr(buf, NAMESPACE, MSG_QUEUES, &queues);
	msg = ckpt_get_nr(buf, NAMESPACE, MSGS, &msgs);
	ckpt_get_nr(buf, NAMESPACE, MSG_BYTES, &bytes);
	for (i = 0; i < queues; i++) {
		if (!queue_ok(&queue[i]))
			return ckpt_malformed(log, buf);
		nr += queue[i].messages;
	}
	if (nr != msgs)
		return ckpt_malformed(log, buf);
	for (i = 0; i < msgs; i++) {
		if (msg[i].type < 1 || msg[i].reserved || msg[i].len > bytes - len)
			return ckpt_malformed(log, buf);
		len += msg[i].len;
	}
	return len == bytes ? 0 : ckpt_malformed(log, buf);
}

/* where msgsnd(2) finds what it is to send: a type and bytes, in memory of current's */
struct outgoing {
	unsigned long addr;
	size_t size;
};

static int make_room(struct outgoing *out, const struct ckpt_image_msg *msg, u64 nr)
{
	u64 i;

	out->size = 0;
	for (i = 0; i < nr; i++)
		out->size = max_t(size_t, out->size, msg[i].len);
	out->size += sizeof(long);
	out->addr = vm_mmap(NULL, 0, out->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, 0);
	return IS_ERR_VALUE(out->addr) ? out->addr : 0;
}

static int send(const struct outgoing *out, int id, const struct ckpt_image_msg *msg,
		const u8 *bytes)
{
	void __user *to = (void __user *)out->addr;
	long type = msg->type;

	if (copy_to_user(to, &type, sizeof(type)) ||
	    copy_to_user(to + sizeof(type), bytes, msg->len))
		return -EFAULT;
	return ckpt_syscall(msgsnd, id, out->addr, msg->len, IPC_NOWAIT);
}

/* they were sent when it, or the namespace, took as much */
static bool lift_limit(struct ipc_namespace *ns, int id)
{
	struct kern_ipc_perm *perm = ckpt_ipc_hold(ns, CKPT_MSG_IDS, id);

	if (perm) {
		spin_lock(&perm->lock);
		msq_of(perm)->q_qbytes = ULONG_MAX;
		spin_unlock(&perm->lock);
	}
	ckpt_ipc_unhold(ns, CKPT_MSG_IDS);
	return perm;
}

/* @lspid and @lrpid are swapped with what it had */
static bool set_queue(struct ipc_namespace *ns, const struct ckpt_image_msg_queue *img,
		      struct pid **lspid, struct pid **lrpid)
{
	struct kern_ipc_perm *perm = ckpt_ipc_hold(ns, CKPT_MSG_IDS, img->perm.id);

	if (perm) {
		struct ckpt_msg_queue *msq = msq_of(perm);

		spin_lock(&perm->lock);
		swap(msq->q_lspid, *lspid);
		swap(msq->q_lrpid, *lrpid);
		msq->q_qbytes = img->qbytes;
		msq->q_stime = img->stime;
		msq->q_rtime = img->rtime;
		msq->q_ctime = img->ctime;
		spin_unlock(&perm->lock);
	}
	ckpt_ipc_unhold(ns, CKPT_MSG_IDS);
	return perm;
}

static int be_as_it_was(struct ckpt_restart *rs, struct ipc_namespace *ns,
			const struct ckpt_image_msg_queue *img)
{
	struct pid *lspid = NULL, *lrpid = NULL;
	int ret = 0;

	if (ckpt_ipc_pid(&lspid, img->lspid) || ckpt_ipc_pid(&lrpid, img->lrpid))
		ret = ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				"message queue %d: process %d cannot be named", img->perm.id,
				lspid || !img->lspid ? img->lrpid : img->lspid);
	else if (!set_queue(ns, img, &lspid, &lrpid))
		ret = ckpt_was_removed(rs, CKPT_QUEUE, img->perm.id);
	put_pid(lspid);
	put_pid(lrpid);
	return ret ? : ckpt_restore_perm(rs, CKPT_QUEUE, ns, CKPT_MSG_IDS, &img->perm);
}

static int send_all(struct ckpt_restart *rs, const struct ckpt_image_msg_queue *img,
		    const struct outgoing *out, const struct ckpt_image_msg *msg, const u8 *bytes)
{
	int ret;
	u32 i;

	for (i = 0; i < img->messages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = send(out, img->perm.id, &msg[i], bytes);
		if (ret)
			return ckpt_fail(ckpt_restore_log(rs), ret,
					 "message %u of queue %d cannot be sent: error %d", i,
					 img->perm.id, -ret);
		bytes += msg[i].len;
		cond_resched();
	}
	return 0;
}

static int restore_queue(struct ckpt_restart *rs, struct ipc_namespace *ns,
			 const struct ckpt_image_msg_queue *img, const struct outgoing *out,
			 const struct ckpt_image_msg *msg, const u8 *bytes)
{
	int ret;

	ckpt_ask_for_id(ns, CKPT_MSG_IDS, img->perm.id);
	ret = ckpt_made_id(rs, CKPT_QUEUE, img->perm.id,
			   ckpt_syscall(msgget, img->perm.key, IPC_CREAT | IPC_EXCL | 0600));
	if (ret)
		return ret;
	if (!lift_limit(ns, img->perm.id))
		return ckpt_was_removed(rs, CKPT_QUEUE, img->perm.id);
	return send_all(rs, img, out, msg, bytes) ? : be_as_it_was(rs, ns, img);
}

static u64 bytes_of(const struct ckpt_image_msg *msg, u64 nr)
{
	u64 i, len = 0;

	for (i = 0; i < nr; i++)
		len += msg[i].len;
	return len;
}

/* as msgctl(IPC_SET) asks */
static int may_take(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	u32 limit = ckpt_get(buf, NAMESPACE, IPC)->msgmnb;
	const struct ckpt_image_msg_queue *img;
	u64 i, nr;

	img = ckpt_get_nr(buf, NAMESPACE, MSG_QUEUES, &nr);
	for (i = 0; i < nr; i++)
		if (img[i].qbytes > limit && !capable(CAP_SYS_RESOURCE))
			return ckpt_fail(ckpt_restore_log(rs), -EPERM,
					 "message queue %d takes more than kernel.msgmnb allows, which needs CAP_SYS_RESOURCE",
					 img[i].perm.id);
	return 0;
}

int ckpt_restore_msgs(struct ckpt_restart *rs, struct ipc_namespace *ns,
		      const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_msg_queue *img;
	const struct ckpt_image_msg *msg;
	struct outgoing out;
	const u8 *bytes;
	u64 i, nr, msgs;
	int ret;

	img = ckpt_get_nr(buf, NAMESPACE, MSG_QUEUES, &nr);
	msg = ckpt_get_nr(buf, NAMESPACE, MSGS, &msgs);
	bytes = ckpt_get(buf, NAMESPACE, MSG_BYTES);
	if (!nr)
		return 0;
	ret = may_take(rs, buf);
	if (ret)
		return ret;
	ret = make_room(&out, msg, msgs);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret,
				 "there is no room for the longest of the messages (%zu bytes): error %d",
				 out.size, -ret);
	for (i = 0; i < nr && !ret; i++) {
		ret = restore_queue(rs, ns, &img[i], &out, msg, bytes);
		bytes += bytes_of(msg, img[i].messages);
		msg += img[i].messages;
	}
	vm_munmap(out.addr, out.size);
	return ret;
}
