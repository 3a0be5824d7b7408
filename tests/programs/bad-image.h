/* SPDX-License-Identifier: GPL-2.0-only */
/* Images that are to be refused: taken apart, changed at one place, put together again. */
#ifndef BAD_IMAGE_H
#define BAD_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ckpt_image.h>

struct bytes {
	uint8_t *p;
	size_t len;
};

struct record {
	struct ckpt_rec head;
	uint8_t *body;
	uint8_t *pages;		/* PAGES: the payloads behind the body */
	uint32_t nr_pages;
	size_t at;		/* byte of the image at which it begins */
};

struct image {
	struct bytes raw;
	struct record *recs;
	size_t nr;
};

/*
 * A case is one word that says what is changed; record numbers count from 0, and so do bytes in them.
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
 *	set@N+BYTE:WIDTH=VALUE	another number in the body
 *	random@SEED		a few random numbers at random places of the bodies
 */

/* image_load - read and take apart; ends the program if it is no image */
void image_load(struct image *im, const char *path);

/* image_end - bytes of record N from the start of the image to behind its pages */
size_t image_end(const struct image *im, size_t n);

/* image_change - the image with a case applied, to be freed; p is NULL when the case has no meaning for this image */
struct bytes image_change(const struct image *im, const char *what);

/* cases_damage, cases_hostile - print cases, one a line; all: every place instead of a choice */
void cases_damage(const struct image *im, int all, FILE *out);
void cases_hostile(const struct image *im, int all, FILE *out);

#endif
