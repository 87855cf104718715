/*
 * Pages as they lie in data.mdb, read below LMDB, which believes them: it writes in place to a page that calls itself
 * dirty, and looks for rows wherever a page says that they are. So verify looks at what LMDB steers by:
 *
 *   meta page     header 16 ‖ magic, version u32 ‖ address, size of the map u64 ‖ trees: free list, list of tables
 *                 ‖ last page, transaction u64
 *   tree          pad u32 ‖ flags, depth u16 ‖ branch, leaf, overflow pages, rows, root u64
 *   header        number u64 ‖ pad, flags, lower, upper u16; of an overflow page u32 pages for lower and upper
 *   branch, leaf  header ‖ where each node lies u16, to `lower`; nodes from `upper` to the page's end, without gaps
 *   node          low, high, flags, size of its key u16 ‖ key ‖ value; of a branch low, high and flags are its child
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_private.h"

_Static_assert(MDB_VERSION_MAJOR == 0 && MDB_VERSION_MINOR == 9, "the layout of pages is that of LMDB 0.9");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a node's size lies with its low half first");

#define PAGE_BRANCH 0x01 /* flags of a page; on the disk it has one of them, and no other */
#define PAGE_LEAF 0x02
#define PAGE_OVERFLOW 0x04
#define NODE_OVERFLOW 0x01 /* flags of a leaf's node: its value lies in overflow pages */
#define NODE_TREE 0x02     /* its value is a tree */
#define NO_PAGE UINT64_MAX
#define DEPTH_MOST 32      /* LMDB's cursors have room for no more */
#define TREE_KIND 0x7fu    /* flags that say how LMDB reads a tree */
#define SNAPSHOT_TRIES 100 /* a daemon that writes overwrites the older meta page with each commit */

struct header {
	uint64_t number;
	uint16_t pad, flags, lower, upper;
};

struct node {
	uint16_t low, high, flags, key_size;
};

struct tree {
	uint32_t pad;
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, rows, root;
};

struct meta {
	uint32_t magic, version;
	uint64_t address, map_bytes;
	struct tree free_list, tables;
	uint64_t last_page, txn;
};

_Static_assert(sizeof(struct header) == 16 && sizeof(struct node) == 8 && sizeof(struct tree) == 48 &&
                       sizeof(struct meta) == 136,
               "as LMDB lays them out");

struct walk {
	const struct store *store;
	int fd;
	bool is_deep; /* into all tables, not the meta table alone */
	struct page_set seen;
	struct error *e;
};

static int damaged(const struct walk *w, uint64_t page, const char *what)
{
	return error_set(w->e, ERR_DAMAGED, "page %llu of the store in %s is damaged: %s", (unsigned long long)page,
	                 w->store->folder, what);
}

bool page_set_add(struct page_set *set, uint64_t page)
{
	if (page < LMDB_META_PAGES || page > set->last)
		return false;
	uint8_t *byte = &set->bit[page / 8], bit = (uint8_t)(1u << page % 8);
	bool is_new = !(*byte & bit);
	*byte |= bit;
	return is_new;
}

static int read_at(const struct walk *w, uint64_t page, void *to, size_t size, size_t at)
{
	ssize_t got = pread(w->fd, to, size, (off_t)(page * w->store->page_bytes + at));
	if (got < 0)
		return error_set_errno(w->e, errno, "cannot read page %llu of the store in %s",
		                       (unsigned long long)page, w->store->folder);
	return got == (ssize_t)size ? OK : damaged(w, page, "the file ends before it does");
}

/* ---- trees: a page, its nodes, what hangs from them ---- */

static int tree_check(struct walk *w, const struct tree *said, unsigned kind, bool is_of_trees);

static int overflow_check(struct walk *w, uint64_t page, size_t value_size, struct tree *found)
{
	struct header h;
	uint32_t pages;
	int rc = page_set_add(&w->seen, page)
	                 ? read_at(w, page, &h, sizeof(h), 0)
	                 : damaged(w, page, "more than one place leads to it, or it is beyond the end");
	if (rc != OK)
		return rc;
	memcpy(&pages, &h.lower, sizeof(pages));
	if (h.number != page || h.flags != PAGE_OVERFLOW)
		return damaged(w, page, "its header is not that of a long value");
	/* It may have more than its value needs: a shorter one took the place of a longer one. */
	if ((sizeof(h) + value_size - 1) / w->store->page_bytes >= pages)
		return damaged(w, page, "its value is longer than its pages");
	for (uint32_t i = 1; i < pages; i++) {
		if (!page_set_add(&w->seen, page + i))
			return damaged(w, page + i, "more than one place leads to it, or it is beyond the end");
	}
	found->overflows += pages;
	return OK;
}

struct place { /* of a node in its page */
	struct node node;
	const uint8_t *value; /* of a leaf's */
	size_t value_size;    /* as the node says it, also of a value that lies elsewhere */
	size_t bytes;         /* that it takes in the page, rounded up to even */
};

/* False: it reaches out of its page. */
static bool node_find(const uint8_t *page, size_t page_bytes, const struct header *h, size_t i, struct place *out)
{
	uint16_t at;
	memcpy(&at, page + sizeof(*h) + i * sizeof(at), sizeof(at));
	if (at % 2 || at < h->upper || at + sizeof(out->node) > page_bytes)
		return false;
	memcpy(&out->node, page + at, sizeof(out->node));
	size_t behind_key = sizeof(out->node) + out->node.key_size, here = 0;
	out->value_size = h->flags == PAGE_LEAF ? out->node.low | (size_t)out->node.high << 16 : 0;
	if (h->flags == PAGE_LEAF)
		here = out->node.flags & NODE_OVERFLOW ? sizeof(uint64_t) : out->value_size;
	out->bytes = (behind_key + here + 1) & ~(size_t)1;
	out->value = page + at + behind_key;
	return out->bytes <= page_bytes - at;
}

static int page_check(struct walk *w, uint64_t number, unsigned levels, bool is_of_trees, struct tree *found);

static int node_check(struct walk *w, uint64_t page, const struct place *p, unsigned levels, bool is_of_trees,
                      struct tree *found)
{
	struct tree table;
	uint64_t overflow;
	bool is_meta =
	        bytes_equal(BYTES(p->value - p->node.key_size, p->node.key_size), bytes_from_text(META_TABLE_NAME));
	if (levels > 1)
		return page_check(w, p->node.low | (uint64_t)p->node.high << 16 | (uint64_t)p->node.flags << 32,
		                  levels - 1, is_of_trees, found);
	found->rows++;
	if (p->node.key_size == 0 || p->node.flags & ~(is_of_trees ? NODE_TREE : NODE_OVERFLOW) ||
	    (is_of_trees && (p->node.flags != NODE_TREE || p->value_size != sizeof(table))))
		return damaged(w, page, "a row in it says that it is of another kind");
	if (is_of_trees) {
		memcpy(&table, p->value, sizeof(table));
		return w->is_deep || is_meta ? tree_check(w, &table, 0, false) : OK;
	}
	if (!(p->node.flags & NODE_OVERFLOW))
		return OK;
	memcpy(&overflow, p->value, sizeof(overflow));
	return overflow_check(w, overflow, p->value_size, found);
}

static int nodes_check(struct walk *w, const uint8_t *page, const struct header *h, unsigned levels, bool is_of_trees,
                       struct tree *found)
{
	size_t page_bytes = w->store->page_bytes, bytes = 0;
	if (h->lower < sizeof(*h) || h->lower % 2 || h->lower > h->upper || h->upper > page_bytes)
		return damaged(w, h->number, "its bounds are not those of a page");
	size_t count = (h->lower - sizeof(*h)) / sizeof(uint16_t);
	if (count == 0)
		return damaged(w, h->number, "it is empty");
	for (size_t i = 0; i < count; i++) {
		struct place p;
		if (!node_find(page, page_bytes, h, i, &p))
			return damaged(w, h->number, "a row reaches out of it");
		bytes += p.bytes;
		int rc = node_check(w, h->number, &p, levels, is_of_trees, found);
		if (rc != OK)
			return rc;
	}
	return bytes == page_bytes - h->upper ? OK : damaged(w, h->number, "its rows lie over one another");
}

/* `levels` down to the leaves, with this one: a leaf is met at 1 and nowhere else, so that no circle goes on. */
static int page_check(struct walk *w, uint64_t number, unsigned levels, bool is_of_trees, struct tree *found)
{
	struct header h = { 0 };
	if (!page_set_add(&w->seen, number))
		return damaged(w, number, "more than one place leads to it, or it is beyond the end");
	uint8_t *page = malloc(w->store->page_bytes);
	if (!page)
		return error_set(w->e, ERR_MEMORY, "no memory to look at the pages of %s", w->store->folder);
	int rc = read_at(w, number, page, w->store->page_bytes, 0);
	if (rc == OK)
		memcpy(&h, page, sizeof(h));
	found->leaves += levels == 1;
	found->branches += levels > 1;
	if (rc == OK && (h.number != number || h.flags != (levels == 1 ? PAGE_LEAF : PAGE_BRANCH)))
		rc = damaged(w, number, "its header is that of another page");
	if (rc == OK)
		rc = nodes_check(w, page, &h, levels, is_of_trees, found);
	free(page);
	return rc;
}

static int tree_check(struct walk *w, const struct tree *said, unsigned kind, bool is_of_trees)
{
	struct tree found = { .root = NO_PAGE };
	int rc = OK;
	if (said->depth > DEPTH_MOST || (said->flags & TREE_KIND) != kind || (said->root == NO_PAGE) != !said->depth)
		return damaged(w, said->root, "it cannot be the first of a table");
	if (said->depth)
		rc = page_check(w, said->root, said->depth, is_of_trees, &found);
	if (rc == OK && (said->branches != found.branches || said->leaves != found.leaves ||
	                 said->overflows != found.overflows || said->rows != found.rows))
		return damaged(w, said->root, "its table counts other pages or rows than it has");
	return rc;
}

/* ---- the whole ---- */

/* The meta page of the snapshot that `txn` reads. ERR_NOT_FOUND: two commits have gone over it since it began. */
static int meta_find(struct walk *w, MDB_txn *txn, struct meta *out)
{
	for (uint64_t page = 0; page < LMDB_META_PAGES; page++) {
		int rc = read_at(w, page, out, sizeof(*out), sizeof(struct header));
		if (rc != OK || out->txn == mdb_txn_id(txn))
			return rc;
	}
	return ERR_NOT_FOUND;
}

static int snapshot_check(struct walk *w, MDB_txn *txn)
{
	struct meta meta;
	uint64_t count;
	int rc = meta_find(w, txn, &meta);
	if (rc != OK)
		return rc;
	if (meta.last_page >= w->store->map_bytes / w->store->page_bytes)
		return damaged(w, meta.last_page, "it cannot be the last one of this store");
	w->seen = (struct page_set){ .bit = calloc(1, meta.last_page / 8 + 1), .last = meta.last_page };
	if (!w->seen.bit)
		return error_set(w->e, ERR_MEMORY, "no memory to look at the pages of %s", w->store->folder);
	rc = tree_check(w, &meta.tables, 0, true);
	if (rc == OK)
		rc = tree_check(w, &meta.free_list, MDB_INTEGERKEY, false);
	if (rc == OK)
		rc = pages_free(w->store, txn, &w->seen, &count, w->e);
	free(w->seen.bit);
	return rc;
}

int pages_verify(struct store *s, bool is_deep, struct error *e)
{
	struct walk w = { .store = s, .is_deep = is_deep, .e = e };
	struct store_txn *t;
	int rc = ERR_NOT_FOUND;
	if (mdb_env_get_fd(s->env, &w.fd) != 0)
		return error_set(e, ERR_INTERNAL, "the store in %s has no file", s->folder);
	for (int i = 0; i < SNAPSHOT_TRIES && rc == ERR_NOT_FOUND; i++) {
		rc = store_begin_read(s, &t, e);
		if (rc != OK)
			return rc;
		rc = snapshot_check(&w, t->mdb);
		store_abort(t);
	}
	if (rc != ERR_NOT_FOUND)
		return rc;
	return error_set(e, ERR_DAMAGED, "neither of the first two pages of the store in %s is that of what it shows",
	                 s->folder);
}
