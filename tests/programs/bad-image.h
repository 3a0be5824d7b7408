/* SPDX-License-Identifier: GPL-2.0-only */
/* Images that are to be refused: taken apart, changed at one place, put together again. */
#ifndef BAD_IMAGE_H
#define BAD_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ckpt_image.h>

#include "parts.h"

struct bytes {
	uint8_t *p;
	size_t len;
};

struct record {
	struct ckpt_rec head;
	uint8_t *body;
	uint8_t *pages;		/* PAGES: the payloads behind the body */
	uint32_t nr_pages;
	int keep;		/* its FILL is what was changed */
	size_t at;		/* byte of the image at which it begins */
};

struct image {
	struct bytes raw;
	struct record *recs;
	size_t nr;
};

/* a part in a record's body */
struct slice {
	size_t at;		/* byte of the body at which its head is */
	size_t len;		/* of head, data and padding */
	struct ckpt_part head;
	const struct part_row *row;	/* NULL: not known */
};

/*
 * A case is one word that says what is changed; records, their parts and bytes count from 0.
 *
 *	flip@N+BYTE.BIT		one bit of record N, its head and pages included; checksums stay
 *	cut@BYTES		only so many bytes
 *	tail			one byte more
 *	empty, text		no image at all
 *
 * The others come with right lengths, numbers and checksums:
 *
 *	drop@N  dup@N  swap@N	without a record, with it twice, exchanged with the next
 *	late@N			moved to the end of the small records
 *	type@N=TYPE  len@N=LEN	another type; the body cut or filled with zeroes
 *	more@N+BYTES		cut in two that go on in each other
 *	set@N+BYTE:WIDTH=VALUE	another number in the body
 *	random@SEED		a few random numbers at random places of the bodies
 *	size@N.P=BYTES		elements of part P cut, or longer by zeroes
 *	junk@N.P=BYTES		elements longer, with something in the last byte
 *	count@N.P=COUNT		so many elements: the last ones, or more of the first
 *	twice@N.P  without@N.P	a part twice, or not at all
 *	after@N.P		exchanged with the next part
 *	tag@N.P=TAG		as if it were another part
 *	extra@N=TAG  skip@N=TAG	one part more, which may not or may be skipped
 *	fill@N.P=BYTE		all bytes of all elements
 *	fill@MM.AUXV=BYTE	the same of the first record and part with these names
 */

/* image_load - read and take apart; ends the program if it is no image */
void image_load(struct image *im, const char *path);
/* image_take - the same with bytes, which stay the image's; 0, or -1 if they are none */
int image_take(struct image *im, struct bytes raw);

/* image_end - bytes of record N from the start of the image to behind its pages */
size_t image_end(const struct image *im, size_t n);

/* image_change - the image with a case applied, to be freed; p is NULL when the case has no meaning for this image */
struct bytes image_change(const struct image *im, const char *what);

/* record_part - part P of a record; 0, or -1 if it has none */
int record_part(const struct record *r, size_t p, struct slice *s);

/* record_splice - other bytes in the place of 'len' bytes of a body that may be written; 0, or -1 if it gets too long */
int record_splice(struct record *r, size_t at, size_t len, const void *bytes, size_t by);

/* change_part - apply a case to a part of its record; 0, or -1 if it has no meaning */
int change_part(struct record *r, const char *verb, size_t p, uint64_t value);

/* change_fill - let the payloads of PAGES that begin at byte 'at' start at a page */
void change_fill(struct record *r, size_t at);

/*
 * Print cases, one a line; all: every place instead of a choice.
 *
 * damage: what is no image any more; hostile: an image that may say what is not true; unsound: one that breaks the
 * rules of the format; sound: one that says the same in another way, and is to be understood.
 */
void cases_damage(const struct image *im, int all, FILE *out);
void cases_hostile(const struct image *im, int all, FILE *out);
void cases_unsound(const struct image *im, int all, FILE *out);
void cases_sound(const struct image *im, int all, FILE *out);
/* unsound ones, too: a number says more than a reader knows of it */
void cases_bits(const struct image *im, int all, FILE *out);

/* cases_by_hand - those hostile ones of record N that need to know what a number means */
void cases_by_hand(const struct image *im, size_t n, FILE *out);

/* cases_segments - descriptors and mappings of segments of System V that there cannot be */
void cases_segments(const struct image *im, FILE *out);

/* is_first - has none before it the same type, and FILEs the same kind? */
int is_first(const struct image *im, size_t n);

#endif
