/* SPDX-License-Identifier: GPL-2.0-only */
/* What the daemon itself has to say: to stderr, the journal, or the system's log. */
#ifndef FS_NOTE_H
#define FS_NOTE_H

/* note - one line about something that no request can report */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* note_setup - use the journal from now on if that is where stderr goes */
void note_setup(void);

/* note_to_syslog - from now on, with no terminal, use syslog(3) */
void note_to_syslog(void);

#endif
