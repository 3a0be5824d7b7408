// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "log.h"

#define CKPT_LOG_LINE	512		/* bytes */
#define CKPT_LOG_LINES	4096		/* as many wait at most */

struct ckpt_log_line {
	struct ckpt_log_line *next;
	int len;
	char text[CKPT_LOG_LINE];
};

/* @fd: where the lines go, or -1 */
int ckpt_log_open(struct ckpt_log *log, int fd)
{
	mutex_init(&log->lock);
	log->file = NULL;
	if (fd < 0)
		return 0;
	log->file = fget(fd);
	if (!log->file)
		return -EBADF;
	if (!(log->file->f_mode & FMODE_WRITE)) {
		ckpt_log_close(log);
		return -EBADF;
	}
	return 0;
}

static void forget_lines(struct ckpt_log *log)
{
	struct ckpt_log_line *line;

	while ((line = log->first)) {
		log->first = line->next;
		kfree(line);
	}
	log->last = NULL;
	log->nr = 0;
	log->lost = 0;
}

void ckpt_log_close(struct ckpt_log *log)
{
	forget_lines(log);
	if (log->file)
		fput(log->file);
	log->file = NULL;
}

/* takes the line over; log->lock is held */
static void keep_line(struct ckpt_log *log, struct ckpt_log_line *line)
{
	if (log->nr == CKPT_LOG_LINES) {
		log->lost++;
		kfree(line);
		return;
	}
	line->next = NULL;
	if (log->last)
		log->last->next = line;
	else
		log->first = line;
	log->last = line;
	log->nr++;
}

/* log->lock is held; a log that cannot be written must not fail what it tells of */
static void write_line(struct ckpt_log *log, const char *text, int len)
{
	kernel_write(log->file, text, len, &log->file->f_pos);
}

/* bytes of the character at @s if it is one of UTF-8 that a terminal shows, or 0 */
static int shown(const u8 *s)
{
	int i, len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (s[0] < ' ' || s[0] == 0x7f || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* control characters have two bytes, too */
	return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : len;
}

/*
 * Programs name themselves and their files as they like, and an image says
 * anything: what a terminal would obey, or take for another line, becomes \xHH.
 * Returns how many bytes of @room are used.
 */
static int put_text(char *to, int room, const char *from)
{
	int used = 0, n;

	for (; *from; from += n ? : 1) {
		n = shown((const u8 *)from);
		if (used + (n ? : 4) > room)
			break;
		if (n)
			memcpy(to + used, from, n);
		else
			hex_byte_pack(memcpy(to + used, "\\x", 2) + 2, *from);
		used += n ? : 4;
	}
	return used;
}

static __printf(2, 0) void log_line(struct ckpt_log *log, const char *fmt, va_list ap)
{
	struct ckpt_log_line *line = kmalloc(sizeof(*line), GFP_KERNEL);
	char *text = kmalloc(CKPT_LOG_LINE, GFP_KERNEL);

	if (!line || !text)
		goto out;
	vscnprintf(text, CKPT_LOG_LINE, fmt, ap);
	line->len = put_text(line->text, CKPT_LOG_LINE - 1, text);
	line->text[line->len++] = '\n';
	pr_debug("ckpt: %.*s", line->len, line->text);
	mutex_lock(&log->lock);
	if (log->file && log->held) {
		keep_line(log, line);
		line = NULL;
	} else if (log->file) {
		write_line(log, line->text, line->len);
	}
	mutex_unlock(&log->lock);
out:
	kfree(text);
	kfree(line);
}

void ckpt_log_hold(struct ckpt_log *log)
{
	mutex_lock(&log->lock);
	log->held = true;
	mutex_unlock(&log->lock);
}

void ckpt_log_release(struct ckpt_log *log)
{
	struct ckpt_log_line *line;
	char more[64];

	mutex_lock(&log->lock);
	log->held = false;
	for (line = log->first; line; line = line->next)
		write_line(log, line->text, line->len);
	if (log->lost)
		write_line(log, more, scnprintf(more, sizeof(more), "and %u lines more\n", log->lost));
	forget_lines(log);
	mutex_unlock(&log->lock);
}

void ckpt_log(struct ckpt_log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(log, fmt, ap);
	va_end(ap);
}

int ckpt_fail(struct ckpt_log *log, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(log, fmt, ap);
	va_end(ap);
	return err;
}
