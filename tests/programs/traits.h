/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the program "traits", each of which prepares and checks what processes have that is rarely looked at. */
#ifndef TESTS_TRAITS_H
#define TESTS_TRAITS_H

#include "verdict.h"

/* what all processes of the program see */
struct traits {
	volatile int ready;		/* children that are, */
	volatile int started;		/* and that there are */
	volatile int check;		/* they are to check themselves */
	volatile int done;		/* and how many have */
	volatile pid_t traced, traced_by_all;
};

extern struct traits *traits;
extern const char *traits_program;

/* child - fork; the child runs @main, says traits_ready() in it, and sleeps in traits_wait() until the check */
pid_t child(void (*main)(void));
/* grandchild - the same of a child, which is not waited for */
void grandchild(void (*main)(void));
void traits_ready(void);
void traits_wait(void);
/* it has checked itself, and sleeps on */
_Noreturn void traits_done(void);

/* text_of - what a small file says, up to its first line's end; "" if there is none */
const char *text_of(const char *path);
/* put_text - write to a file of /proc; false if it takes it not */
bool put_text(const char *path, const char *text);
/* burn - use so many ms of the calling thread's CPU time */
void burn(unsigned int ms);
/* end_of - waitpid() that does not wait for ever: the status, or -1 */
int end_of(pid_t pid);

void prepare_family(void);
void check_family(void);
void prepare_settings(void);
void check_settings(void);
void look_for_room(void);
void check_room(void);
void prepare_usage(void);
void check_usage(void);
void prepare_numbers(void);
void check_numbers(void);
void prepare_tracers(void);

/* the program as another process has called execve(2) for it; argv[2] says what it is to be */
_Noreturn void family_exec(char **argv);
_Noreturn void layout_exec(void);

#endif
