// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ptys in all their states, which it checks when it is told to: what is typed and not
 * read, settings, packets, numbers, owners.  Those of sessions are in ptys-sessions.c.
 * usage: ptys DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "ptys.h"

static struct pty watched, told;
static int epoll, epoll_pri;
static struct pty lines, raw, full, packets, closed, quoted, halted, several, hung;
static int locked, extra[3];
static struct termios raw_settings, line_settings;
static size_t full_in, full_out;

struct pty pty_open(void)
{
	struct pty p;
	int unlock = 0;

	p.master = posix_openpt(O_RDWR | O_NOCTTY);
	need(p.master >= 0);
	need(!ioctl(p.master, TIOCSPTLCK, &unlock));
	need(!ioctl(p.master, TIOCGPTN, &p.nr));
	snprintf(p.name, sizeof(p.name), "/dev/pts/%d", p.nr);
	p.slave = open(p.name, O_RDWR | O_NOCTTY);
	need(p.slave >= 0);
	return p;
}

void put(int fd, const char *text)
{
	need(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

bool quiet(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 50) == 0;
}

/* all that can be read within a while, until there is as much as is looked for */
bool reads(int fd, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[512] = "";
	size_t len = 0, want = strlen(text);

	while (len < want && poll(&p, 1, 20000) == 1) {
		ssize_t n = read(fd, buf + len, sizeof(buf) - 1 - len);

		if (n <= 0)
			break;
		len += n;
	}
	if (len == want && !memcmp(buf, text, len))
		return true;
	printf("fd %d: %zu bytes were read, %zu wanted: ", fd, len, want);
	for (size_t i = 0; i < len; i++)
		printf("%02x ", (unsigned char)buf[i]);
	printf("\n");
	return false;
}

static void make_raw(int fd)
{
	struct termios t;

	need(!tcgetattr(fd, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 7;
	need(!tcsetattr(fd, TCSANOW, &t));
}

/* as many bytes as there is room for, and then some time for the kernel to move them on */
static size_t fill(int fd, uint64_t seed)
{
	unsigned char all[65536];
	size_t done = 0;
	ssize_t n;

	pattern(all, sizeof(all), seed);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* pieces that fill the kernel's buffers to beyond their limit */
	for (int idle = 0; idle < 5;) {
		n = write(fd, all + done, 1016);
		if (n > 0) {
			done += n;
			idle = 0;
		} else {
			need(errno == EAGAIN);
			idle++;
			sleep_ms(20);
		}
		need(done < sizeof(all) - 1016);
	}
	return done;
}

static bool drained(int fd, size_t len, uint64_t seed)
{
	unsigned char all[65536], got[65536];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t done = 0;
	ssize_t n;

	pattern(all, sizeof(all), seed);
	while (done < len && poll(&p, 1, 20000) == 1) {
		n = read(fd, got + done, sizeof(got) - done);
		if (n <= 0)
			break;
		done += n;
	}
	printf("%zu of %zu bytes\n", done, len);
	return done == len && !memcmp(got, all, len) && quiet(fd);
}

/* what the kernel tells; the C library's struct has more */
static bool same_settings(int fd, const struct termios *was)
{
	struct termios is;

	need(!tcgetattr(fd, &is));
	return is.c_iflag == was->c_iflag && is.c_oflag == was->c_oflag && is.c_cflag == was->c_cflag &&
	       is.c_lflag == was->c_lflag && is.c_line == was->c_line && cfgetispeed(&is) == cfgetispeed(was) &&
	       cfgetospeed(&is) == cfgetospeed(was) && !memcmp(is.c_cc, was->c_cc, VEOL2 + 1);
}

static void prepare_lines(void)
{
	struct termios t;

	lines = pty_open();
	need(!tcgetattr(lines.slave, &t));
	t.c_cc[VERASE] = '#';
	t.c_cc[VINTR] = 'Q' - '@';
	t.c_iflag |= IUTF8;
	t.c_line = 5;
	need(!tcsetattr(lines.slave, TCSANOW, &t));
	need(!tcgetattr(lines.slave, &line_settings));
	put(lines.master, "first\nsecond\nend\004\004third\npar");
	need(!quiet(lines.slave));
	sleep_ms(100);
}

static void check_lines(void)
{
	char c;

	verdict(same_settings(lines.slave, &line_settings), "C9", "ptys: a terminal's settings are the same");
	verdict(reads(lines.slave, "first\n") && reads(lines.slave, "second\n"), "C9",
		"ptys: a read gives a line, and the next one another");
	verdict(reads(lines.slave, "end") && read(lines.slave, &c, 1) == 0, "C9",
		"ptys: ^D ends a line without a newline, and an empty one is an end of file");
	verdict(reads(lines.slave, "third\n") && quiet(lines.slave), "C9", "ptys: half a line is not to be read");
	verdict(reads(lines.master, "first\r\nsecond\r\nendthird\r\npar") && quiet(lines.master), "C9",
		"ptys: what was echoed is to be read once");
	put(lines.master, "#x\n");
	verdict(reads(lines.slave, "pax\n"), "C9", "ptys: half a line can be edited and ended");
	verdict(reads(lines.master, "\b \bx\r\n"), "C9", "ptys: that is echoed");
}

static void prepare_raw(void)
{
	struct winsize size = { 33, 77, 660, 770 };

	raw = pty_open();
	make_raw(raw.slave);
	need(!tcgetattr(raw.slave, &raw_settings));
	need(!ioctl(raw.master, TIOCSWINSZ, &size));
	put(raw.master, "\003\032\021ab");
	put(raw.slave, "out\n\tput");
	sleep_ms(50);
}

static void check_raw(void)
{
	struct winsize size;
	int n = 0;

	verdict(same_settings(raw.slave, &raw_settings), "C9", "ptys: a raw terminal's settings are the same");
	need(!ioctl(raw.slave, TIOCGWINSZ, &size));
	verdict(size.ws_row == 33 && size.ws_col == 77 && size.ws_xpixel == 660 && size.ws_ypixel == 770,
		"C9", "ptys: a terminal's size is the same");
	need(!ioctl(raw.slave, FIONREAD, &n));
	verdict_eq(n, 5, "C9", "ptys: FIONREAD says how much there is");
	verdict(reads(raw.slave, "\003\032\021ab") && quiet(raw.slave), "C9", "ptys: keys of a raw terminal are read");
	verdict(reads(raw.master, "out\n\tput") && quiet(raw.master), "C9", "ptys: output is read once");
}

/* who only waits for events is told of what there is */
static void prepare_watched(void)
{
	struct epoll_event in = { .events = EPOLLIN }, out = { .events = EPOLLPRI };
	int on = 1;

	watched = pty_open();
	told = pty_open();
	need(!ioctl(told.master, TIOCPKT, &on));
	epoll = epoll_create1(0);
	epoll_pri = epoll_create1(0);
	need(epoll >= 0 && epoll_pri >= 0);
	put(watched.slave, "seen");
	need(!tcflow(told.slave, TCOOFF));
	need(!epoll_ctl(epoll, EPOLL_CTL_ADD, watched.master, &in));
	need(!epoll_ctl(epoll_pri, EPOLL_CTL_ADD, told.master, &out));
}

static void check_watched(void)
{
	struct epoll_event ev;

	verdict(epoll_wait(epoll, &ev, 1, 1000) == 1 && ev.events == EPOLLIN, "C9",
		"ptys: an epoll file tells of output that is there");
	verdict(epoll_wait(epoll_pri, &ev, 1, 1000) == 1 && ev.events == EPOLLPRI, "C9",
		"ptys: an epoll file tells of a packet that is there");
}

static void prepare_full(void)
{
	full = pty_open();
	make_raw(full.slave);
	full_in = fill(full.master, 5);
	full_out = fill(full.slave, 6);
	need(full_in > 4096 && full_out > 4096);
}

static void check_full(void)
{
	verdict(drained(full.slave, full_in, 5), "C9", "ptys: as much as can be typed is read, and in order");
	verdict(drained(full.master, full_out, 6), "C9", "ptys: as much as can be printed is read, and in order");
}

static void prepare_packets(void)
{
	int on = 1;

	packets = pty_open();
	need(!ioctl(packets.master, TIOCPKT, &on));
	need(!tcflow(packets.slave, TCOOFF));
	need(!ioctl(packets.slave, TIOCEXCL));
}

static void check_packets(void)
{
	unsigned char buf[16];
	int on = 0, exclusive = 0;
	ssize_t n;

	need(!ioctl(packets.master, TIOCGPKT, &on));
	verdict_eq(on, 1, "C9", "ptys: packet mode stays on");
	n = read(packets.master, buf, sizeof(buf));
	verdict(n == 1 && buf[0] == TIOCPKT_STOP, "C9", "ptys: that output has stopped is still told");
	fcntl(packets.slave, F_SETFL, O_NONBLOCK);
	verdict(write(packets.slave, "x", 1) < 0 && errno == EAGAIN, "C9", "ptys: output that was stopped stays so");
	need(!tcflow(packets.slave, TCOON));
	n = read(packets.master, buf, sizeof(buf));
	verdict(n == 1 && buf[0] == TIOCPKT_START, "C9", "ptys: and that it goes on is told");
	need(!ioctl(packets.slave, TIOCGEXCL, &exclusive));
	verdict_eq(exclusive, 1, "C9", "ptys: an exclusive terminal stays so");
}

static void prepare_ends(void)
{
	struct pty gap = pty_open();

	closed = pty_open();
	need(!fchown(closed.slave, 12, 34) && !fchmod(closed.slave, 0642));
	put(closed.slave, "bye");
	need(!close(closed.slave));
	locked = posix_openpt(O_RDWR | O_NOCTTY);
	need(locked >= 0);
	quoted = pty_open();
	put(quoted.master, "\026");
	halted = pty_open();
	put(halted.master, "\023");
	several = pty_open();
	extra[0] = open(several.name, O_WRONLY | O_NOCTTY | O_NONBLOCK);
	extra[1] = open(several.name, O_RDONLY | O_NOCTTY);
	need(extra[0] >= 0 && extra[1] >= 0);
	hung = pty_open();
	put(hung.slave, "lost");
	need(!fchown(hung.slave, 56, 78));
	/* the first is hung up with its master, the other is another open of the same */
	extra[2] = open(hung.name, O_RDONLY | O_NOCTTY);
	need(extra[2] >= 0 && !close(hung.master));
	/* their numbers are not the lowest ones */
	need(!close(gap.master) && !close(gap.slave));
	sleep_ms(100);
}

static void check_ends(void)
{
	int lock = 0, nr = -1;
	struct stat st;
	char buf[16];

	need(!ioctl(closed.master, TIOCGPTN, &nr));
	verdict_eq(nr, closed.nr, "C9", "ptys: a terminal's number is the same");
	verdict(!stat(closed.name, &st) && st.st_uid == 12 && st.st_gid == 34 && (st.st_mode & 07777) == 0642,
		"C9", "ptys: owner and mode of a terminal are the same");
	verdict(reads(closed.master, "bye") && read(closed.master, buf, 1) < 0 && errno == EIO,
		"C9", "ptys: what was printed before a terminal was closed is read, and then that it is closed");
	need(!ioctl(locked, TIOCGPTLCK, &lock));
	verdict(lock == 1 && open(ptsname(locked), O_RDWR | O_NOCTTY) < 0 && errno == EIO, "C9",
		"ptys: a locked slave stays locked");
	put(quoted.master, "\003\n");
	verdict(reads(quoted.slave, "\003\n"), "C9", "ptys: a key that was quoted is none");
	fcntl(halted.slave, F_SETFL, O_NONBLOCK);
	verdict(reads(halted.master, "") && write(halted.slave, "x", 1) < 0 && errno == EAGAIN, "C9",
		"ptys: ^S holds");
	put(halted.master, "\021");
	sleep_ms(100);
	verdict(write(halted.slave, "x", 1) == 1 && reads(halted.master, "x"), "C9", "ptys: and ^Q lets it go on");
	verdict(fcntl(extra[0], F_GETFL) == (O_WRONLY | O_NONBLOCK | O_LARGEFILE_) &&
		(fcntl(extra[1], F_GETFL) & O_ACCMODE) == O_RDONLY, "C9",
		"ptys: another open of a terminal is one of its own");
	verdict(read(hung.slave, buf, 1) == 0 && read(extra[2], buf, 1) == 0 && write(hung.slave, "x", 1) < 0 &&
		errno == EIO && tcgetpgrp(hung.slave) < 0 && errno == EIO, "C9",
		"ptys: a terminal whose master is gone is hung up");
	verdict(!fstat(hung.slave, &st) && st.st_rdev == makedev(136, hung.nr) && st.st_uid == 56 &&
		access(hung.name, F_OK), "C9", "ptys: it has its number and owner, and no name");
	put(extra[0], "from the other");
	verdict(reads(several.master, "from the other"), "C9", "ptys: and is of the same");
}

int main(int argc, char **argv)
{
	need(argc == 2);
	verdict_dir(argv[1]);
	need(!chdir(argv[1]));
	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare_ends();
	prepare_lines();
	prepare_raw();
	prepare_full();
	prepare_watched();
	prepare_packets();
	prepare_sessions();
	ready();
	wait_for_check();
	check_lines();
	check_raw();
	check_full();
	check_watched();
	check_packets();
	check_ends();
	check_sessions();
	verdict_end();
	for (;;)
		pause();
}
