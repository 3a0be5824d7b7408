// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases that give a program a descriptor of what shmat(2) maps, or of a segment's memory, or map it in another way
 * than shmat(2) does: no kernel gives out such a thing, and what it counts with the segment's size would be wrong.
 */
#include <string.h>

#include "bad-image.h"

/* the elements of a part, or NULL; 'at': set to the byte of the body at which they are */
static const void *elements(const struct record *r, uint16_t type, uint16_t tag, size_t size, size_t *at, size_t *nr)
{
	struct slice s;
	size_t p;

	for (p = 0; r->head.type == type && !record_part(r, p, &s); p++) {
		if (s.head.tag != tag || s.head.size != size)
			continue;
		*at = s.at + sizeof(s.head);
		*nr = s.head.len / size;
		return r->body + *at;
	}
	return NULL;
}

#define ELEMENTS(r, rec, tag, type, at, nr)						\
	((const type *)elements(r, CKPT_REC_##rec, CKPT_TAG_##rec##_##tag, sizeof(type), at, nr))

static void print(FILE *out, size_t n, size_t at, uint32_t value)
{
	fprintf(out, "set@%zu+%zu:4=%x\n", n, at, value);
}

/* the first FILE that shmat(2) maps, or 0 */
static uint32_t find_attached(const struct image *im)
{
	const struct ckpt_image_file *file;
	size_t n, at, nr;

	for (n = 0; n < im->nr; n++) {
		file = ELEMENTS(&im->recs[n], FILE, BASE, struct ckpt_image_file, &at, &nr);
		if (file && nr && file->kind == CKPT_FILE_SHM)
			return file->ref;
	}
	return 0;
}

/* the SHMEM of the first segment, or 0 */
static uint32_t find_memory(const struct image *im)
{
	const struct ckpt_image_shm *shm;
	size_t n, at, nr;

	for (n = 0; n < im->nr; n++) {
		shm = ELEMENTS(&im->recs[n], NAMESPACE, SHM, struct ckpt_image_shm, &at, &nr);
		if (shm && nr)
			return shm->shmem;
	}
	return 0;
}

/* mapped privately */
static void print_private(const struct record *r, size_t n, uint32_t attached, FILE *out)
{
	const struct ckpt_image_vma *vma;
	size_t at, nr, i;

	vma = ELEMENTS(r, MM, VMAS, struct ckpt_image_vma, &at, &nr);
	for (i = 0; vma && i < nr; i++)
		if (vma[i].file == attached)
			print(out, n, at + i * sizeof(*vma) + offsetof(struct ckpt_image_vma, flags),
			      vma[i].flags & ~CKPT_VMA_SHARED);
}

void cases_segments(const struct image *im, FILE *out)
{
	uint32_t attached = find_attached(im), memory = find_memory(im);
	size_t n, at, nr;

	if (!attached || !memory)
		return;
	for (n = 0; n < im->nr; n++) {
		const struct record *r = &im->recs[n];

		if (ELEMENTS(r, FILES, FDS, struct ckpt_image_fd, &at, &nr) && nr)
			print(out, n, at + offsetof(struct ckpt_image_fd, file), attached);
		if (ELEMENTS(r, UNIX, FILES, uint32_t, &at, &nr) && nr)
			print(out, n, at, attached);
		if (ELEMENTS(r, FILE, SHMEM, struct ckpt_image_file_shmem, &at, &nr) && nr)
			print(out, n, at + offsetof(struct ckpt_image_file_shmem, shmem), memory);
		if (ELEMENTS(r, MM, BASE, struct ckpt_image_mm, &at, &nr) && nr)
			print(out, n, at + offsetof(struct ckpt_image_mm, exe), attached);
		print_private(r, n, attached, out);
	}
}
