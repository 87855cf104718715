/*
 * Letters and lists on A4, as PDF: black on white, one column, no pictures. It knows nothing of what stands in them.
 * The same paper gives the same bytes: its time is that of what it tells, and nothing of the machine goes in.
 *
 * Text is data, never markup. What cannot be seen or turns the writing round (control and bidi characters) is left out;
 * a word that is too long for a line is broken. Slow (tens of milliseconds): for a thread of the pool.
 */
#ifndef PAPER_PAPER_H
#define PAPER_PAPER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

#define PAPER_PARTS_MOST 600
#define PAPER_TEXT_BYTES_MOST (128 * 1024) /* of all parts together */
#define PAPER_PAGES_MOST 60
#define PAPER_COLUMNS_MOST 12

enum paper_kind {
	PAPER_TITLE, /* at the top, once */
	PAPER_HEADING,
	PAPER_TEXT,
	PAPER_FACT,  /* `label` and what it is, side by side */
	PAPER_ROW,   /* of a table: `cells`; the first column is the widest */
	PAPER_SPACE, /* an empty field for a seal or a signature, with `text` small in it */
};

struct paper_part {
	enum paper_kind kind;
	const char *label;
	const char *text;
	const char *const *cells;
	size_t cell_count; /* 1 to PAPER_COLUMNS_MOST */
};

struct paper {
	const char *title;    /* of the file, as readers show it */
	const char *language; /* "zh-CN", "en" */
	const char *foot;     /* on every page; {page} and {pages} are replaced; may be empty */
	int64_t time_ms;      /* of what the paper tells: the file's date */
	const struct paper_part *parts;
	size_t part_count;
};

/* `out` lies in `arena`. ERR_TOO_BIG: more text, parts or pages than the limits; ERR_NOT_READY: the font is missing;
 * ERR_INVALID: text that is not UTF-8; ERR_MEMORY. */
int paper_pdf(const struct paper *p, struct arena *arena, struct bytes *out, struct error *e);

#endif
