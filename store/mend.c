// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mending table idx, the one thing in the store that is there twice: the packs have
 * all keys. A damaged page of it is replaced in its place, and by what is around it:
 *
 *   with pages below it   the pointer map says which, and their last keys in what order
 *   without               it is empty, but for a row that leads nowhere (SQLite has no
 *                         leaf without one); then the packs are asked for the keys
 *                         that belong there
 *
 * The formats are those of https://www.sqlite.org/fileformat2.html. All that needs
 * the lock wants it for a look at the whole pointer map, a page for 50 MiB of the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define LEAF 0x0d
#define INTERIOR 0x05
#define LEAF_HEAD 8
#define INTERIOR_HEAD 12
#define AT_COUNT 3		/* of cells, 16 bits */
#define AT_START 5		/* of the first cell's bytes, 16 bits */
#define AT_RIGHT 8		/* number of the last page below */
#define CELL_POINTER 2
#define VARINT_MAX 9
#define CELL_MAX (4 + VARINT_MAX)
#define CELL_SPACE (2 * VARINT_MAX)	/* what is looked at of one */
#define DEPTH_MAX 20
#define SLICE_PACKS 64

struct mend {
	struct store *st;
	uint64_t root;		/* of table idx; 0: unknown */
	uint64_t pages;		/* of the file */
	struct page_map map;
	uint8_t page[DB_PAGE];	/* that is made */
	uint8_t other[DB_PAGE + CELL_SPACE];	/* that is read */
	struct below {
		uint32_t number;
		int64_t last;	/* key */
	} *below;
	size_t belows, below_room;
	struct span {		/* keys that are to be entered again */
		int64_t after, last;
	} *span;
	size_t spans, span_room;
};

/* The list with room for one more; NULL: no memory, and it is as it was. */
static void *make_room(void *list, size_t count, size_t *room, size_t size)
{
	size_t want = *room * 2 + 16;
	void *bigger;

	if (count < *room)
		return list;
	bigger = reallocarray(list, want, size);
	if (bigger)
		*room = want;
	return bigger;
}

static int no_memory(struct mend *m, struct store_error *e)
{
	return store_fail(e, ENOMEM, "no memory to mend the store %s", m->st->path);
}

/* ---- numbers and cells ---- */

static unsigned int half_at(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static void put_half(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static int64_t get_varint(const uint8_t *p)
{
	uint64_t value = 0;

	for (int i = 0; i < VARINT_MAX - 1; i++) {
		value = value << 7 | (p[i] & 0x7f);
		if (!(p[i] & 0x80))
			return (int64_t)value;
	}
	return (int64_t)(value << 8 | p[VARINT_MAX - 1]);
}

/* As short as can be, as SQLite does: a page that was full has room for no more. */
static unsigned int put_varint(uint8_t *p, int64_t key)
{
	uint64_t value = (uint64_t)key;
	unsigned int n = 1;

	if (value >> 56) {
		p[VARINT_MAX - 1] = (uint8_t)value;
		value >>= 8;
		for (int i = VARINT_MAX - 2; i >= 0; i--, value >>= 7)
			p[i] = (uint8_t)(value | 0x80);
		return VARINT_MAX;
	}
	while (value >> 7 * n)
		n++;
	for (unsigned int i = n; i--; value >>= 7)
		p[i] = (uint8_t)((value & 0x7f) | (i + 1 < n ? 0x80 : 0));
	return n;
}

/* A cell of m->other; NULL: the page is not what it should be. */
static const uint8_t *cell_at(const uint8_t *page, unsigned int i)
{
	unsigned int head = page[0] == LEAF ? LEAF_HEAD : INTERIOR_HEAD;
	unsigned int pointer = head + i * CELL_POINTER, at;

	if (pointer + CELL_POINTER > DB_USABLE)
		return NULL;
	at = half_at(page + pointer);
	return at < DB_USABLE ? page + at : NULL;
}

/* The page below cell @i, or behind the last cell, and the last key that may be there. */
static bool interior_cell(const uint8_t *page, unsigned int i, uint64_t *number, int64_t *key)
{
	const uint8_t *cell;

	if (i == half_at(page + AT_COUNT)) {
		*number = store_number_at(page + AT_RIGHT);
		return true;
	}
	cell = cell_at(page, i);
	if (!cell)
		return false;
	*number = store_number_at(cell);
	*key = get_varint(cell + 4);
	return true;
}

/* A page into m->other; false: it is damaged as well. */
static bool read_good(struct mend *m, uint64_t number)
{
	return store_page_read(m->st, number, m->other) && store_page_good(m->other, number);
}

/* Forget what is known of the file. */
static void look_again(struct mend *m)
{
	int64_t root = store_number(m->st, STMT_IDX_ROOT, NULL);
	int64_t pages = store_number(m->st, STMT_PAGE_COUNT, NULL);

	m->root = root > 0 ? (uint64_t)root : 0;
	m->pages = pages > 0 ? (uint64_t)pages : 0;
	m->map.number = 0;
}

/* ---- where it belongs ---- */

/* Is it in table idx, as the file has it, which may be behind an open transaction? With the lock. */
bool store_mend_is_index(struct mend *m, uint64_t number)
{
	uint64_t parent = 0;

	look_again(m);
	for (int depth = 0; depth < DEPTH_MAX && number != m->root; depth++) {
		if (store_page_use(m->st, &m->map, number, &parent) != PAGE_TREE)
			return false;
		number = parent;
	}
	return number == m->root;
}

/* Which keys belong in a page, as those above it have it; false: they can't be read. */
static bool span_of(struct mend *m, uint64_t number, struct span *span)
{
	bool after = false, last = false;
	uint64_t parent = 0, child;
	int64_t key = 0, before = 0;
	unsigned int i, count;

	*span = (struct span){ .after = INT64_MIN, .last = INT64_MAX };
	for (; number != m->root; number = parent) {
		if (store_page_use(m->st, &m->map, number, &parent) != PAGE_TREE ||
		    !read_good(m, parent) || m->other[0] != INTERIOR)
			return false;
		count = half_at(m->other + AT_COUNT);
		for (i = 0, child = 0; i <= count; i++) {
			before = key;
			if (!interior_cell(m->other, i, &child, &key))
				return false;
			if (child == number)
				break;
		}
		if (child != number)
			return false;
		if (i > 0 && !after)
			span->after = before;
		if (i < count && !last)
			span->last = key;
		after |= i > 0;
		last |= i < count;
	}
	return true;
}

/* The last key of what is below a page. */
static bool last_key(struct mend *m, uint64_t number, int64_t *key)
{
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		const uint8_t *cell, *p;
		unsigned int count;

		if (!read_good(m, number))
			return false;
		count = half_at(m->other + AT_COUNT);
		if (m->other[0] == INTERIOR) {
			number = store_number_at(m->other + AT_RIGHT);
			continue;
		}
		cell = m->other[0] == LEAF && count ? cell_at(m->other, count - 1) : NULL;
		if (!cell)
			return false;
		/* behind the length of the row */
		for (p = cell; *p & 0x80; p++)
			;
		*key = get_varint(p + 1);
		return true;
	}
	return false;
}

static int by_last(const void *a, const void *b)
{
	int64_t x = ((const struct below *)a)->last, y = ((const struct below *)b)->last;

	return (x > y) - (x < y);
}

/* The pages below one, in order: 1, or 0 when one of them can't be read. */
static int find_below(struct mend *m, uint64_t number, struct store_error *e)
{
	uint64_t parent = 0;
	struct below *list;

	m->belows = 0;
	for (uint64_t page = 1; page <= m->pages; page++) {
		enum page_use use = store_page_use(m->st, &m->map, page, &parent);

		if (use == PAGE_UNKNOWN)
			return 0;
		if (use != PAGE_TREE || parent != number)
			continue;
		list = make_room(m->below, m->belows, &m->below_room, sizeof(*list));
		if (!list)
			return no_memory(m, e);
		m->below = list;
		m->below[m->belows++].number = (uint32_t)page;
	}
	for (size_t i = 0; i < m->belows; i++)
		if (!last_key(m, m->below[i].number, &m->below[i].last))
			return 0;
	if (m->belows)
		qsort(m->below, m->belows, sizeof(*m->below), by_last);
	return 1;
}

/* ---- making it anew ---- */

/* A page without cells. */
static void begin_page(struct mend *m, uint8_t type)
{
	memset(m->page, 0, DB_PAGE);
	m->page[0] = type;
	put_half(m->page + AT_START, DB_USABLE);
}

/* A cell behind those that are there; false: no room. */
static bool add_cell(struct mend *m, const uint8_t *cell, unsigned int len)
{
	unsigned int head = m->page[0] == LEAF ? LEAF_HEAD : INTERIOR_HEAD;
	unsigned int count = half_at(m->page + AT_COUNT);
	unsigned int start = half_at(m->page + AT_START);
	unsigned int pointer = head + count * CELL_POINTER;

	if (pointer + CELL_POINTER + len > start)
		return false;
	start -= len;
	memcpy(m->page + start, cell, len);
	put_half(m->page + pointer, start);
	put_half(m->page + AT_START, start);
	put_half(m->page + AT_COUNT, count + 1);
	return true;
}

static void put_number(uint8_t *p, uint32_t value)
{
	put_half(p, value >> 16);
	put_half(p + 2, value & 0xffff);
}

/* 1, or 0 when there are more below than a page has room for. */
static int make_interior(struct mend *m)
{
	uint8_t cell[CELL_MAX];

	begin_page(m, INTERIOR);
	for (size_t i = 0; i + 1 < m->belows; i++) {
		put_number(cell, m->below[i].number);
		if (!add_cell(m, cell, 4 + put_varint(cell + 4, m->below[i].last)))
			return 0;
	}
	put_number(m->page + AT_RIGHT, m->below[m->belows - 1].number);
	return 1;
}

/* With a row of zeros, at the last key that may be there: 1, or 0 when nobody knows that. */
static int make_leaf(struct mend *m, uint64_t number, struct store_error *e)
{
	/* the length of its head, and the types NULL (it is the key), 0, 0 */
	static const uint8_t row[] = { 4, 0, 8, 8 };
	uint8_t cell[1 + VARINT_MAX + sizeof(row)];
	unsigned int len = 1;
	struct span span, *list;

	if (!span_of(m, number, &span))
		return 0;
	list = make_room(m->span, m->spans, &m->span_room, sizeof(*list));
	if (!list)
		return no_memory(m, e);
	m->span = list;
	m->span[m->spans++] = span;
	begin_page(m, LEAF);
	cell[0] = sizeof(row);
	len += put_varint(cell + len, span.last);
	memcpy(cell + len, row, sizeof(row));
	add_cell(m, cell, len + (unsigned int)sizeof(row));
	return 1;
}

/* m->page to its place on the disk, past SQLite, but with a checksum: 1. */
static int write_page(struct mend *m, uint64_t number, struct store_error *e)
{
	struct store *st = m->st;
	sqlite3_file *file = NULL;
	int rc = sqlite3_file_control(st->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	if (!rc)
		rc = file->pMethods->xWrite(file, m->page, DB_PAGE,
					    (sqlite3_int64)((number - 1) * DB_PAGE));
	if (!rc)
		rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
	return rc ? store_fail(e, EIO, "page %llu of the file of the store %s can't be written",
			       (unsigned long long)number, st->path) : 1;
}

/* All is in the file, and SQLite remembers nothing of it. */
static int put_down(struct store *st, struct store_error *e)
{
	int ret = store_txn_commit(st, e);

	if (ret)
		return ret;
	store_pack_close(st);
	sqlite3_file_control(st->db, "main", STORE_FCNTL_WRITE, NULL);
	sqlite3_db_release_memory(st->db);
	return 0;
}

/*
 * Mend a damaged page: 1, or 0 when what is around it does not say how. A page that
 * is whole by now, or of something else, is left as it is. With the lock.
 */
int store_mend_page(struct mend *m, uint64_t number, struct store_error *e)
{
	struct store *st = m->st;
	int ret;

	if (st->flags & STORE_READONLY)
		return store_fail(e, EROFS, "the store %s was opened for reading", st->path);
	ret = put_down(st, e);
	if (ret)
		return ret;
	if (read_good(m, number))
		return 1;
	if (!store_mend_is_index(m, number))
		return 0;
	ret = find_below(m, number, e);
	if (ret > 0)
		ret = m->belows ? make_interior(m) : make_leaf(m, number, e);
	if (ret > 0)
		ret = write_page(m, number, e);
	return ret;
}

/* ---- the keys that were in it ---- */

static bool is_wanted(const struct mend *m, int64_t key)
{
	for (size_t i = 0; i < m->spans; i++)
		if (key > m->span[i].after && key <= m->span[i].last)
			return true;
	return false;
}

static int enter_pack(struct mend *m, uint64_t pack, uint64_t *entered, struct store_error *e)
{
	struct key key[PACK_SLOTS];
	uint64_t mask;
	int ret = 0;

	/* A damaged pack is of no use for deduplication. */
	if (store_pack_keys(m->st, pack, &mask, key, NULL))
		return 0;
	for (unsigned int slot = 0, i = 0; slot < PACK_SLOTS && !ret; slot++) {
		if (!(mask >> slot & 1))
			continue;
		if (is_wanted(m, (int64_t)key[i].hi)) {
			ret = store_index_enter(m->st, key[i], pack * PACK_SLOTS + slot, e);
			++*entered;
		}
		i++;
	}
	return ret;
}

/* Enter what some packs have, from *pack on: 1, at the end 0. With the lock. */
static int enter_slice(struct mend *m, uint64_t *pack, uint64_t *entered, struct store_error *e)
{
	struct store *st = m->st;
	int ret = store_txn_begin(st, e);

	for (int i = 0; i < SLICE_PACKS && !ret; i++) {
		sqlite3_stmt *s = store_stmt(st, STMT_PACK_NEXT);

		if (s)
			sqlite3_bind_int64(s, 1, (sqlite3_int64)*pack);
		ret = store_row(st, s, e);
		if (ret <= 0)
			return ret ? ret : store_txn_commit(st, e);
		*pack = (uint64_t)sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
		ret = enter_pack(m, (*pack)++, entered, e);
	}
	store_txn_grow(st, DB_PAGE);
	return ret ? ret : 1;
}

/* Enter the keys again that were in the pages without others below: *entered. Without the lock. */
int store_mend_keys(struct mend *m, uint64_t *entered, struct store_error *e)
{
	uint64_t pack = 1;
	int ret = m->spans > 0, err;

	*entered = 0;
	while (ret > 0) {
		store_lock(m->st);
		ret = enter_slice(m, &pack, entered, e);
		store_unlock(m->st);
		err = ret > 0 ? store_txn_settle(m->st, e) : 0;
		ret = err ? err : ret;
	}
	return ret;
}

/* NULL: no memory. */
struct mend *store_mend_begin(struct store *st)
{
	struct mend *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->st = st;
	return m;
}

void store_mend_end(struct mend *m)
{
	if (!m)
		return;
	free(m->below);
	free(m->span);
	free(m);
}
