/* Slips: every part is measured, then all are drawn in grey and told black from white. */
#include "paper/slip.h"

#include <errno.h>
#include <string.h>

#include <pango/pangocairo.h>
#include <qrencode.h>

#include "inside.h"

#define DOTS_PER_INCH 203.2
#define DOTS(points) ((points)*DOTS_PER_INCH / 72)
#define MARGIN 16 /* above and below everything */
#define AFTER 10
#define RULE_HEIGHT 3
#define MODULE_DOTS 10 /* 1.25 mm: read at arm's length */
#define QUIET 4        /* modules around it, of ISO/IEC 18004 */

static const struct look {
	double points;
	PangoWeight weight;
	PangoAlignment align;
} looks[] = {
	[SLIP_TITLE] = { 20, PANGO_WEIGHT_BOLD, PANGO_ALIGN_CENTER },
	[SLIP_TEXT] = { 14, PANGO_WEIGHT_MEDIUM, PANGO_ALIGN_LEFT },
	[SLIP_DIGITS] = { 26, PANGO_WEIGHT_BOLD, PANGO_ALIGN_CENTER },
};

struct piece {
	PangoLayout *layout; /* NULL: not of letters */
	QRcode *code;        /* NULL: not a QR code */
	int height;
};

struct strip {
	const struct slip_part *parts;
	size_t count;
	struct arena *arena;
	PangoContext *context;
	struct piece piece[SLIP_PARTS_MOST];
	int height;
};

/* ---- measure ---- */

static int layout_make(struct strip *s, const struct slip_part *part, struct piece *piece, struct error *e)
{
	const struct look *look = &looks[part->kind];
	char *text = text_seen(s->arena, part->text);
	if (!text)
		return error_set(e, ERR_MEMORY, "no memory for the slip");
	PangoFontDescription *font = pango_font_description_new();
	pango_font_description_set_family_static(font, FONT);
	pango_font_description_set_absolute_size(font, DOTS(look->points) * PANGO_SCALE);
	pango_font_description_set_weight(font, look->weight);
	piece->layout = pango_layout_new(s->context);
	pango_layout_set_font_description(piece->layout, font);
	pango_font_description_free(font);
	pango_layout_set_auto_dir(piece->layout, FALSE);
	pango_layout_set_width(piece->layout, SLIP_WIDTH * PANGO_SCALE);
	pango_layout_set_wrap(piece->layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_alignment(piece->layout, look->align);
	pango_layout_set_text(piece->layout, text, -1);
	pango_layout_get_pixel_size(piece->layout, NULL, &piece->height);
	return OK;
}

static int code_make(const struct slip_part *part, struct piece *piece, struct error *e)
{
	piece->code = QRcode_encodeString(part->text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	if (!piece->code && errno == ENOMEM)
		return error_set(e, ERR_MEMORY, "no memory for the slip");
	if (!piece->code || (piece->code->width + 2 * QUIET) * MODULE_DOTS > SLIP_WIDTH)
		return error_set(e, ERR_TOO_BIG, "the text of the slip's QR code is too long");
	piece->height = (piece->code->width + 2 * QUIET) * MODULE_DOTS;
	return OK;
}

static int piece_make(struct strip *s, size_t i, struct error *e)
{
	const struct slip_part *part = &s->parts[i];
	struct piece *piece = &s->piece[i];
	if (part->kind == SLIP_RULE) {
		piece->height = RULE_HEIGHT;
		return OK;
	}
	if (strlen(part->text) > SLIP_TEXT_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "a part of the slip has more than %d bytes", SLIP_TEXT_BYTES_MOST);
	if (utf8_length(bytes_from_text(part->text)) < 0)
		return error_set(e, ERR_INVALID, "a text of the slip is not UTF-8");
	return part->kind == SLIP_QR ? code_make(part, piece, e) : layout_make(s, part, piece, e);
}

static int strip_measure(struct strip *s, struct error *e)
{
	int result = font_check(s->context, e);
	s->height = 2 * MARGIN;
	for (size_t i = 0; i < s->count && !result; i++) {
		result = piece_make(s, i, e);
		s->height += s->piece[i].height + AFTER;
		if (!result && s->height > SLIP_HEIGHT_MOST)
			result = error_set(e, ERR_TOO_BIG, "the slip is longer than %d dots", SLIP_HEIGHT_MOST);
	}
	return result;
}

/* Its pieces hold the code in clear text. */
static void strip_free(struct strip *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct piece *piece = &s->piece[i];
		if (piece->layout)
			g_object_unref(piece->layout);
		if (piece->code)
			explicit_bzero(piece->code->data, (size_t)piece->code->width * (size_t)piece->code->width);
		QRcode_free(piece->code);
	}
}

/* ---- draw ---- */

static void code_draw(cairo_t *cr, const QRcode *code, int y)
{
	int width = code->width, left = (SLIP_WIDTH - width * MODULE_DOTS) / 2, top = y + QUIET * MODULE_DOTS;
	for (int i = 0; i < width * width; i++) {
		int x = left + i % width * MODULE_DOTS, module_y = top + i / width * MODULE_DOTS;
		if (code->data[i] & 1)
			cairo_rectangle(cr, x, module_y, MODULE_DOTS, MODULE_DOTS);
	}
	cairo_fill(cr);
}

static void strip_draw(const struct strip *s, cairo_t *cr)
{
	int y = MARGIN;
	for (size_t i = 0; i < s->count; i++) {
		const struct piece *piece = &s->piece[i];
		if (piece->code) {
			code_draw(cr, piece->code, y);
		} else if (piece->layout) {
			cairo_move_to(cr, 0, y);
			pango_cairo_show_layout(cr, piece->layout);
		} else {
			cairo_rectangle(cr, 0, y, SLIP_WIDTH, RULE_HEIGHT);
			cairo_fill(cr);
		}
		y += piece->height + AFTER;
	}
}

static void dots_take(cairo_surface_t *surface, struct slip *out)
{
	cairo_surface_flush(surface);
	unsigned char *grey = cairo_image_surface_get_data(surface);
	size_t stride = (size_t)cairo_image_surface_get_stride(surface);
	for (size_t y = 0; y < out->height; y++)
		for (size_t x = 0; x < SLIP_WIDTH; x++)
			if (grey[y * stride + x] >= 0x80)
				out->dots[y * SLIP_ROW_BYTES + x / 8] |= (uint8_t)(0x80 >> x % 8);
	explicit_bzero(grey, out->height * stride);
}

static int strip_print(const struct strip *s, struct slip *out, struct error *e)
{
	struct slip made = { .height = (size_t)s->height };
	made.dots = arena_alloc(s->arena, made.height * SLIP_ROW_BYTES); /* zeroed: white */
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, SLIP_WIDTH, s->height);
	cairo_t *cr = cairo_create(surface);
	strip_draw(s, cr);
	bool is_drawn = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
	cairo_destroy(cr);
	if (is_drawn && made.dots) {
		dots_take(surface, &made);
		*out = made;
	}
	cairo_surface_destroy(surface);
	return is_drawn && made.dots ? OK : error_set(e, ERR_MEMORY, "no memory for the slip");
}

int slip_draw(const struct slip_part *parts, size_t count, struct arena *arena, struct slip *out, struct error *e)
{
	if (count > SLIP_PARTS_MOST)
		return error_set(e, ERR_TOO_BIG, "the slip has more than %d parts", SLIP_PARTS_MOST);
	PangoFontMap *map = pango_cairo_font_map_new();
	struct strip s = { .parts = parts, .count = count, .arena = arena, .context = context_new(map, "zh-CN") };
	int result = strip_measure(&s, e);
	if (!result)
		result = strip_print(&s, out, e);
	strip_free(&s);
	g_object_unref(s.context);
	g_object_unref(map);
	return result;
}
