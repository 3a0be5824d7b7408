// SPDX-License-Identifier: GPL-2.0-only
/*
 * An end of a pty: its settings, what is queued to be read or echoed, and what the
 * line discipline has had no room for.  Put back as it was, and not typed again:
 * nothing is echoed twice, and no key sends its signal twice.  C9.
 */
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/tty_flip.h>
#include <linux/tty_ldisc.h>
#include <linux/tty_port.h>

#include "btf.h"
#include "tty.h"

/* n_tty's, private to it; ckpt_ttys_init() sees whether this kernel has it so */
struct ckpt_n_tty {
	size_t read_head;
	size_t commit_head;
	size_t canon_head;
	size_t echo_head;
	size_t echo_commit;
	size_t echo_mark;
	DECLARE_BITMAP(char_map, 256);
	unsigned long overrun_time;
	unsigned int num_overrun;
	bool no_room;
	unsigned char lnext:1, erasing:1, raw:1, real_raw:1, icanon:1;
	unsigned char push:1;
	u8 read_buf[N_TTY_BUF_SIZE];
	DECLARE_BITMAP(read_flags, N_TTY_BUF_SIZE);
	u8 echo_buf[N_TTY_BUF_SIZE];
	size_t read_tail;
	size_t line_start;
	size_t lookahead_count;
	unsigned int column;
	unsigned int canon_column;
	size_t echo_tail;
	struct mutex atomic_read_lock;
	struct mutex output_lock;
};

static_assert(CKPT_TTY_QUEUE == N_TTY_BUF_SIZE);
#define MASK(i) ((i) & (N_TTY_BUF_SIZE - 1))

static bool known;

#define MEMBER(member, type)						\
	{ { #member, type, sizeof_field(struct ckpt_n_tty, member), NULL }, \
	  offsetof(struct ckpt_n_tty, member) }

/* when the module is loaded, behind ckpt_symbols_init() */
void ckpt_ttys_init(void)
{
	static const struct {
		struct ckpt_member member;
		u32 offset;
	} members[] = {
		MEMBER(read_head, "size_t"), MEMBER(commit_head, "size_t"), MEMBER(canon_head, "size_t"),
		MEMBER(echo_head, "size_t"), MEMBER(echo_commit, "size_t"), MEMBER(echo_mark, "size_t"),
		MEMBER(no_room, "bool"), MEMBER(read_tail, "size_t"), MEMBER(lookahead_count, "size_t"),
		MEMBER(column, "unsigned int"), MEMBER(canon_column, "unsigned int"),
		MEMBER(echo_tail, "size_t"), MEMBER(output_lock, "struct mutex"),
	};
	int i;

	known = true;
	for (i = 0; i < ARRAY_SIZE(members) && known; i++) {
		struct ckpt_member m = members[i].member;
		u32 offset = 0;

		m.offset = &offset;
		known = !ckpt_btf_find("n_tty_data", &m, 1) && offset == members[i].offset;
	}
	if (!known)
		pr_warn("ckpt: this kernel keeps terminals' input otherwise than is known here: terminals are not supported\n");
}

bool ckpt_tty_known(void)
{
	return known;
}

static const struct {
	u32 flag;
	int bit;
} bits[] = {
	{ CKPT_TTY_THROTTLED, TTY_THROTTLED },
	{ CKPT_TTY_IO_ERROR, TTY_IO_ERROR },
	{ CKPT_TTY_OTHER_CLOSED, TTY_OTHER_CLOSED },
	{ CKPT_TTY_EXCLUSIVE, TTY_EXCLUSIVE },
	{ CKPT_TTY_WRITE_WAKEUP, TTY_DO_WRITE_WAKEUP },
	{ CKPT_TTY_LOCK, TTY_PTY_LOCK },
};

bool ckpt_tty_is_moving(struct tty_struct *tty)
{
	struct tty_struct *master = ckpt_master_of(tty);

	/* in this order: what comes to the slave may be echoed to the master */
	return work_busy(&master->link->port->buf.work) || work_busy(&master->port->buf.work);
}

/* what there is no part for is as in a new pty */
static int check_plain(struct ckpt_checkpoint *cp, struct tty_struct *tty, struct tty_ldisc *ld)
{
	unsigned long flags = READ_ONCE(tty->flags) & ~BIT(TTY_LDISC_OPEN);
	const struct ktermios *def = &tty->driver->init_termios, *t = &tty->termios;
	int i;

	if (!ld || ld->ops->num != N_TTY || !tty->disc_data)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d has a line discipline of its own, which is not supported",
					 tty->index);
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		flags &= ~BIT(bits[i].bit);
	if (flags || tty->closing || tty->hw_stopped)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d is being hung up, or changed (flags %#lx), which is not supported",
					 tty->index, flags);
	if (memchr_inv(&tty->termios_locked, 0, sizeof(tty->termios_locked)))
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d has locked settings (TIOCSLCKTRMIOS), which are not supported",
					 tty->index);
	if (t->c_lflag & EXTPROC)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d has its lines edited outside (EXTPROC), which is not supported",
					 tty->index);
	/* no call sets them */
	if (ckpt_is_master(tty) && (t->c_iflag != def->c_iflag || t->c_oflag != def->c_oflag ||
				    t->c_lflag != def->c_lflag || t->c_cflag != def->c_cflag))
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d has a master with settings of its own, which is not supported",
					 tty->index);
	return 0;
}

/* termios_rwsem is held */
static void save_settings(struct tty_struct *tty, struct ckpt_image_tty_end *img)
{
	const struct ktermios *t = &tty->termios;
	int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		img->flags |= test_bit(bits[i].bit, &tty->flags) ? bits[i].flag : 0;
	spin_lock_irq(&tty->flow.lock);
	img->flags |= (tty->flow.stopped ? CKPT_TTY_STOPPED : 0) |
		      (tty->flow.tco_stopped ? CKPT_TTY_TCO_STOPPED : 0);
	spin_unlock_irq(&tty->flow.lock);
	spin_lock_irq(&tty->ctrl.lock);
	img->flags |= tty->ctrl.packet ? CKPT_TTY_PACKET : 0;
	img->pktstatus = tty->ctrl.pktstatus;
	spin_unlock_irq(&tty->ctrl.lock);
	if (ckpt_is_master(tty))
		return;
	img->iflag = t->c_iflag;
	img->oflag = t->c_oflag;
	img->cflag = t->c_cflag;
	img->lflag = t->c_lflag;
	img->line = t->c_line;
	img->ispeed = t->c_ispeed;
	img->ospeed = t->c_ospeed;
	memcpy(img->cc, t->c_cc, NCCS);
}

static void save_winsize(struct tty_struct *tty, struct ckpt_image_tty_end *img)
{
	mutex_lock(&tty->winsize_mutex);
	img->rows = tty->winsize.ws_row;
	img->cols = tty->winsize.ws_col;
	img->xpixel = tty->winsize.ws_xpixel;
	img->ypixel = tty->winsize.ws_ypixel;
	mutex_unlock(&tty->winsize_mutex);
}

/* its buffer is held exclusively, so that nothing comes; output_lock is held */
static bool save_queues(const struct ckpt_n_tty *n, struct ckpt_tty_state *to)
{
	struct ckpt_image_tty_end *img = &to->img;
	size_t i, queued = n->read_head - n->read_tail, echo = n->echo_head - n->echo_tail;
	size_t canon = n->icanon ? n->canon_head - n->read_tail : 0;
	size_t committed = n->icanon ? 0 : n->commit_head - n->read_tail;

	if (queued > N_TTY_BUF_SIZE || echo > N_TTY_BUF_SIZE || canon > queued || committed > queued ||
	    n->echo_commit - n->echo_tail > echo || n->echo_mark - n->echo_tail > echo)
		return false;
	img->queued = queued;
	img->canon = canon;
	img->committed = committed;
	for (i = 0; i < queued; i++) {
		to->bytes[to->len++] = n->read_buf[MASK(n->read_tail + i)];
		if (n->icanon && test_bit(MASK(n->read_tail + i), n->read_flags))
			to->lines[img->lines++] = i;
	}
	img->echo = echo;
	img->echo_commit = n->echo_commit - n->echo_tail;
	img->echo_mark = n->echo_mark - n->echo_tail;
	for (i = 0; i < echo; i++)
		to->bytes[to->len++] = n->echo_buf[MASK(n->echo_tail + i)];
	img->column = n->column;
	img->canon_column = n->canon_column;
	img->flags |= (n->lnext ? CKPT_TTY_LNEXT : 0) | (n->erasing ? CKPT_TTY_ERASING : 0) |
		      (n->push ? CKPT_TTY_PUSH : 0) | (n->no_room ? CKPT_TTY_NO_ROOM : 0);
	return true;
}

/* what the line discipline has not taken; the buffer is held exclusively */
static bool save_input(struct tty_port *port, struct ckpt_tty_state *to)
{
	struct tty_buffer *b;

	for (b = port->buf.head; b; b = b->next) {
		u32 n = b->commit - b->read;

		if (n > CKPT_TTY_INPUT - to->img.input || b->used != b->commit ||
		    (ckpt_tty_buffer_has_flags(b) && memchr_inv(flag_buf_ptr(b, b->read), TTY_NORMAL, n)))
			return false;
		memcpy(to->bytes + to->len, char_buf_ptr(b, b->read), n);
		to->len += n;
		to->img.input += n;
		if (b->lookahead > b->read)
			to->img.lookahead += b->lookahead - b->read;
	}
	return true;
}

/* the line discipline is held, so that disc_data is what it is */
static int save_end(struct ckpt_checkpoint *cp, struct tty_struct *tty, struct ckpt_tty_state *to)
{
	struct ckpt_n_tty *n = tty->disc_data;
	bool ok;

	save_winsize(tty, &to->img);
	/* it waits for a worker at most: of who is frozen nobody holds any of these */
	tty_buffer_lock_exclusive(tty->port);
	down_read(&tty->termios_rwsem);
	mutex_lock(&n->output_lock);
	save_settings(tty, &to->img);
	ok = save_queues(n, to) && save_input(tty->port, to);
	mutex_unlock(&n->output_lock);
	up_read(&tty->termios_rwsem);
	tty_buffer_unlock_exclusive(tty->port);
	if (!ok || to->img.lookahead > to->img.input)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d has its input in a state that is not supported",
					 tty->index);
	/* what has room will be taken in a moment */
	return to->img.input && !(to->img.flags & CKPT_TTY_NO_ROOM) ? -EAGAIN : 0;
}

int ckpt_save_tty_end(struct ckpt_checkpoint *cp, struct tty_struct *tty, struct ckpt_tty_state *to)
{
	struct tty_ldisc *ld = tty_ldisc_ref(tty);
	int ret = check_plain(cp, tty, ld);

	if (!ret)
		ret = save_end(cp, tty, to);
	if (ld)
		tty_ldisc_deref(ld);
	return ret;
}

static bool end_ok(const struct ckpt_image_tty_end *img, bool slave)
{
	bool icanon = slave && img->lflag & ICANON;

	if (!slave && (img->iflag || img->oflag || img->cflag || img->lflag || img->ispeed || img->ospeed ||
		       memchr_inv(img->cc, 0, sizeof(img->cc))))
		return false;
	return img->pktstatus <= U8_MAX && img->line <= (slave ? U8_MAX : 0) && !(img->lflag & EXTPROC) && !memchr_inv(img->cc + NCCS, 0, sizeof(img->cc) - NCCS) &&
	       img->queued <= CKPT_TTY_QUEUE && img->echo <= CKPT_TTY_QUEUE && img->input <= CKPT_TTY_INPUT &&
	       img->canon <= (icanon ? img->queued : 0) && img->committed <= (icanon ? 0 : img->queued) &&
	       img->lines <= (icanon ? img->queued : 0) && img->echo_commit <= img->echo &&
	       img->echo_mark <= img->echo && img->lookahead <= img->input;
}

int ckpt_check_tty_ends(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tty_end *end = ckpt_get(buf, TTY, ENDS);
	u64 nr_lines, nr_bytes, lines_sum = 0, bytes_sum = 0;
	const u16 *lines = ckpt_get_nr(buf, TTY, LINES, &nr_lines);
	u32 i, j;

	ckpt_get_nr(buf, TTY, BYTES, &nr_bytes);
	for (i = 0; i < 2; i++) {
		if (!end_ok(&end[i], i))
			return ckpt_malformed(log, buf);
		lines_sum += end[i].lines;
		bytes_sum += end[i].queued + end[i].echo + end[i].input;
		if (lines_sum > nr_lines)
			return ckpt_malformed(log, buf);
		for (j = 0; j < end[i].lines; j++, lines++)
			if (*lines >= end[i].queued || (j && *lines <= lines[-1]))
				return ckpt_malformed(log, buf);
	}
	return lines_sum == nr_lines && bytes_sum == nr_bytes ? 0 : ckpt_malformed(log, buf);
}

/* nothing is queued yet, and nobody waits */
static int restore_termios(struct tty_struct *tty, const struct ckpt_image_tty_end *img)
{
	struct ktermios t = tty->termios;

	t.c_iflag = img->iflag;
	t.c_oflag = img->oflag;
	t.c_cflag = img->cflag;
	t.c_lflag = img->lflag;
	t.c_line = img->line;
	t.c_ispeed = img->ispeed;
	t.c_ospeed = img->ospeed;
	memcpy(t.c_cc, img->cc, NCCS);
	tty_set_termios(tty, &t);
	/* some a pty cannot have */
	return tty->termios.c_cflag == img->cflag ? 0 : -EINVAL;
}

static void restore_queues(struct ckpt_n_tty *n, const struct ckpt_image_tty_end *img,
			   const u16 *lines, const u8 *bytes)
{
	u32 i;

	memcpy(n->read_buf, bytes, img->queued);
	n->read_tail = 0;
	n->line_start = 0;
	n->read_head = img->queued;
	n->canon_head = img->canon;
	n->commit_head = img->committed;
	bitmap_zero(n->read_flags, N_TTY_BUF_SIZE);
	for (i = 0; i < img->lines; i++)
		__set_bit(lines[i], n->read_flags);
	memcpy(n->echo_buf, bytes + img->queued, img->echo);
	n->echo_tail = 0;
	n->echo_head = img->echo;
	n->echo_commit = img->echo_commit;
	n->echo_mark = img->echo_mark;
	n->column = img->column;
	n->canon_column = img->canon_column;
	n->lnext = !!(img->flags & CKPT_TTY_LNEXT);
	n->erasing = !!(img->flags & CKPT_TTY_ERASING);
	n->push = !!(img->flags & CKPT_TTY_PUSH);
	n->no_room = !!(img->flags & CKPT_TTY_NO_ROOM);
	n->lookahead_count = img->lookahead;
}

/* there may have been more than the limit, which is looked at before a piece, and not behind it */
static int restore_input(struct tty_port *port, const u8 *bytes, u32 len, u32 lookahead)
{
	struct tty_buffer *b;
	int limit = port->buf.mem_limit;
	u32 done, n;

	if (!len)
		return 0;
	tty_buffer_set_limit(port, 2 * CKPT_TTY_INPUT);
	spin_lock_irq(&port->lock);
	done = tty_insert_flip_string(port, bytes, len);
	for (b = port->buf.head; b; b = b->next) {
		b->commit = b->used;
		n = min_t(u32, b->commit - b->read, lookahead);
		b->lookahead = b->read + n;
		lookahead -= n;
	}
	spin_unlock_irq(&port->lock);
	tty_buffer_set_limit(port, limit);
	return done == len ? 0 : -ENOMEM;
}

static void restore_flags(struct tty_struct *tty, const struct ckpt_image_tty_end *img)
{
	int i;

	spin_lock_irq(&tty->flow.lock);
	tty->flow.stopped = !!(img->flags & CKPT_TTY_STOPPED);
	tty->flow.tco_stopped = !!(img->flags & CKPT_TTY_TCO_STOPPED);
	spin_unlock_irq(&tty->flow.lock);
	spin_lock_irq(&tty->ctrl.lock);
	tty->ctrl.packet = !!(img->flags & CKPT_TTY_PACKET);
	tty->ctrl.pktstatus = img->pktstatus;
	spin_unlock_irq(&tty->ctrl.lock);
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (img->flags & bits[i].flag)
			set_bit(bits[i].bit, &tty->flags);
		else
			clear_bit(bits[i].bit, &tty->flags);
	mutex_lock(&tty->winsize_mutex);
	tty->winsize = (struct winsize){ img->rows, img->cols, img->xpixel, img->ypixel };
	mutex_unlock(&tty->winsize_mutex);
}

static int restore_end(struct tty_struct *tty, const struct ckpt_image_tty_end *img,
		       const u16 *lines, const u8 *bytes)
{
	struct ckpt_n_tty *n = tty->disc_data;
	int ret;

	if (!ckpt_is_master(tty)) {
		ret = restore_termios(tty, img);
		if (ret)
			return ret;
	}
	tty_buffer_lock_exclusive(tty->port);
	down_write(&tty->termios_rwsem);
	mutex_lock(&n->output_lock);
	restore_queues(n, img, lines, bytes);
	mutex_unlock(&n->output_lock);
	up_write(&tty->termios_rwsem);
	ret = restore_input(tty->port, bytes + img->queued + img->echo, img->input, img->lookahead);
	/* the worker is called, and finds no room, as before */
	tty_buffer_unlock_exclusive(tty->port);
	restore_flags(tty, img);
	return ret;
}

int ckpt_restore_tty_ends(const struct ckpt_rec_buf *buf, struct tty_struct *master)
{
	const struct ckpt_image_tty_end *end = ckpt_get(buf, TTY, ENDS);
	const u16 *lines = ckpt_get(buf, TTY, LINES);
	const u8 *bytes = ckpt_get(buf, TTY, BYTES);
	int i, ret;

	ret = restore_end(master, &end[0], lines, bytes);
	lines += end[0].lines;
	bytes += end[0].queued + end[0].echo + end[0].input;
	ret = ret ? : restore_end(master->link, &end[1], lines, bytes);
	/* epoll files watch them already, and are to look */
	for (i = 0; i < 2; i++) {
		struct tty_struct *tty = i ? master->link : master;

		wake_up_interruptible(&tty->read_wait);
		wake_up_interruptible(&tty->write_wait);
	}
	return ret;
}
