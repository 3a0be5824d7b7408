/* SPDX-License-Identifier: GPL-2.0-only */
/* What mqueues sees of its queues from outside: mqueues-look.c. */
#ifndef TESTS_MQUEUES_H
#define TESTS_MQUEUES_H

#include <mqueue.h>
#include <sys/stat.h>

#define MQ_LEN 9000	/* a message goes over more than one page of the kernel's */

#define LOOK_LEN 4096

struct look {
	struct stat named, gone, dir;
	char names[LOOK_LEN];	/* in the order of the directory */
	char states[LOOK_LEN];	/* what is read of each queue */
	char links[LOOK_LEN];	/* flags and path of each descriptor */
};

/* the queues have a file system, whose directory is somebody's */
void mount_queues(void);
/* descriptors of other kinds of the queue "/named", which is @named */
void open_queues(mqd_t named);
void check_descriptors(mqd_t named);
struct look *new_look(void);
void look_at(struct look *look, mqd_t named, mqd_t gone);
void compare(const struct look *was, const struct look *is);
/* limits that all of them are above; and others, below which who is not root may make some */
void set_limits(void);
void lift_limits(void);
void check_limits(void);
/* into a socket, and nowhere else */
void send_away(mqd_t q);
mqd_t receive_back(void);

#endif
