/*
 * Slips of receipt printers, as dots: paper 80 mm wide, of which 72 mm are printed, 8 dots a millimetre. It knows
 * nothing of what stands in them. Letters are 14 points and more: a receipt is read by everybody.
 *
 * Text is data, never markup; what is left out of it is as for paper_pdf. Slow (tens of milliseconds): for a thread of
 * the pool.
 */
#ifndef PAPER_SLIP_H
#define PAPER_SLIP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/errors.h"

#define SLIP_WIDTH 576 /* dots */
#define SLIP_ROW_BYTES (SLIP_WIDTH / 8)
#define SLIP_HEIGHT_MOST 4000 /* dots: half a metre */
#define SLIP_PARTS_MOST 24
#define SLIP_TEXT_BYTES_MOST 4096 /* of one part */

enum slip_kind {
	SLIP_TITLE,
	SLIP_TEXT,
	SLIP_DIGITS, /* large, to be keyed in */
	SLIP_QR,     /* `text` as a QR code */
	SLIP_RULE,   /* a line across; no text */
};

struct slip_part {
	enum slip_kind kind;
	const char *text;
};

struct slip { /* rows of SLIP_ROW_BYTES, from the top; the highest bit is the leftmost dot, 1 is black */
	uint8_t *dots;
	size_t height;
};

/* `out` lies in `arena`. ERR_TOO_BIG: more parts, text or height than the limits; ERR_NOT_READY: the font is missing;
 * ERR_INVALID: text that is not UTF-8; ERR_MEMORY. */
int slip_draw(const struct slip_part *parts, size_t count, struct arena *arena, struct slip *out, struct error *e);

#endif
