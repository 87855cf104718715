/*
 * The same flow runs twice: once to count the pages, for the foot of each says how many there are, and once to draw.
 * A font map is made for each paper and thrown away with it, so nothing that somebody's letter said stays in its
 * caches.
 */
#include "paper/paper.h"

#include <string.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "inside.h"

/* Points; A4 with the margins of GB/T 9704-2012, about: 28 mm left, 26 mm right, 30 mm above, 30 mm below. */
#define PAGE_WIDTH 595.276
#define PAGE_HEIGHT 841.890
#define LEFT 79.0
#define RIGHT 74.0
#define TOP 85.0
#define BOTTOM 85.0
#define WIDTH (PAGE_WIDTH - LEFT - RIGHT)
#define FOOT_UP 48.0 /* from the lower edge of the page */
#define LABEL_WIDTH 120.0
#define COLUMN_GAP 8.0
#define AFTER 7.0
#define SPACE_WIDTH 200.0
#define SPACE_HEIGHT 120.0

static const struct look {
	double points;
	PangoWeight weight;
	PangoAlignment align;
	const char *tag; /* of the PDF's structure */
	double before;
} looks[] = {
	[PAPER_TITLE] = { 20, PANGO_WEIGHT_BOLD, PANGO_ALIGN_CENTER, "H1", 0 },
	[PAPER_HEADING] = { 13, PANGO_WEIGHT_BOLD, PANGO_ALIGN_LEFT, "H2", 8 },
	[PAPER_TEXT] = { 12, PANGO_WEIGHT_NORMAL, PANGO_ALIGN_LEFT, "P", 0 },
	[PAPER_FACT] = { 12, PANGO_WEIGHT_NORMAL, PANGO_ALIGN_LEFT, "P", 0 },
	[PAPER_ROW] = { 9, PANGO_WEIGHT_NORMAL, PANGO_ALIGN_LEFT, "P", 0 },
	[PAPER_SPACE] = { 10, PANGO_WEIGHT_NORMAL, PANGO_ALIGN_CENTER, "P", 12 },
};
#define FOOT_POINTS 9.0

struct flow {
	const struct paper *paper;
	struct arena *arena;
	PangoContext *context;
	cairo_t *cr; /* NULL: only counting */
	double y;
	unsigned page, pages; /* from 1; `pages` is known when it draws */
	bool is_short, is_too_long;
};

/* ---- text ---- */

static char *seen(struct flow *f, const char *text)
{
	char *out = text_seen(f->arena, text);
	f->is_short |= !out;
	return out;
}

static PangoLayout *layout_new(struct flow *f, const char *text, enum paper_kind kind, double points, double width)
{
	PangoLayout *layout = pango_layout_new(f->context);
	PangoFontDescription *font = pango_font_description_new();
	char *shown = seen(f, text ? text : "");
	pango_font_description_set_family_static(font, FONT);
	pango_font_description_set_absolute_size(font, points * PANGO_SCALE);
	pango_font_description_set_weight(font, looks[kind].weight);
	pango_layout_set_font_description(layout, font);
	pango_font_description_free(font);
	pango_layout_set_auto_dir(layout, FALSE);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_alignment(layout, looks[kind].align);
	pango_layout_set_text(layout, shown ? shown : "", -1);
	return layout;
}

/* ---- pages ---- */

static void line_draw(struct flow *f, PangoLayoutLine *line, double x, double y)
{
	if (!f->cr)
		return;
	cairo_move_to(f->cr, x, y);
	pango_cairo_show_layout_line(f->cr, line);
}

/* {page} and {pages} in their places. */
static char *foot_text(struct flow *f)
{
	const char *at = f->paper->foot;
	size_t room = strlen(at) + 64, used = 0;
	char *out = arena_alloc(f->arena, room);
	f->is_short |= !out;
	while (out && *at && used + 16 < room) {
		bool is_pages = strncmp(at, "{pages}", 7) == 0, is_page = strncmp(at, "{page}", 6) == 0;
		if (!is_pages && !is_page) {
			out[used++] = *at++;
			continue;
		}
		used += (size_t)g_snprintf(out + used, 12, "%u", is_pages ? f->pages : f->page);
		at += is_pages ? 7 : 6;
	}
	return out ? out : (char *)(uintptr_t) "";
}

static void foot_draw(struct flow *f)
{
	if (!f->cr)
		return;
	PangoLayout *layout = layout_new(f, foot_text(f), PAPER_SPACE, FOOT_POINTS, WIDTH);
	cairo_tag_begin(f->cr, "P", NULL);
	cairo_move_to(f->cr, LEFT, PAGE_HEIGHT - FOOT_UP);
	pango_cairo_show_layout(f->cr, layout);
	cairo_tag_end(f->cr, "P");
	g_object_unref(layout);
}

static void page_end(struct flow *f)
{
	foot_draw(f);
	if (f->cr)
		cairo_show_page(f->cr);
	f->is_too_long |= ++f->page > PAPER_PAGES_MOST;
	f->y = TOP;
}

/* A new page unless so much fits on this one. */
static void room_make(struct flow *f, double height)
{
	if (f->y > TOP && f->y + height > PAGE_HEIGHT - BOTTOM)
		page_end(f);
}

static void tag_begin(struct flow *f, const char *tag)
{
	if (f->cr)
		cairo_tag_begin(f->cr, tag, NULL);
}

static void tag_end(struct flow *f, const char *tag)
{
	if (f->cr)
		cairo_tag_end(f->cr, tag);
}

struct column {
	PangoLayout *layout;
	double x;
};

static double line_height(PangoLayoutLine *line)
{
	PangoRectangle r;
	pango_layout_line_get_extents(line, NULL, &r);
	return (double)r.height / PANGO_SCALE;
}

static double align_shift(PangoLayout *layout, PangoLayoutLine *line)
{
	PangoRectangle r;
	if (pango_layout_get_alignment(layout) != PANGO_ALIGN_CENTER)
		return 0;
	pango_layout_line_get_extents(line, NULL, &r);
	return (double)(pango_layout_get_width(layout) - r.width) / 2 / PANGO_SCALE;
}

/* Line for line, as many side by side as there are columns, over as many pages as it takes. */
static void columns_flow(struct flow *f, const struct column *columns, size_t count, const char *tag)
{
	int lines = 0;
	for (size_t i = 0; i < count; i++)
		lines = MAX(lines, pango_layout_get_line_count(columns[i].layout));
	for (int at = 0; at < lines && !f->is_too_long; at++) {
		double height = 0;
		for (size_t i = 0; i < count; i++) {
			PangoLayoutLine *line = pango_layout_get_line_readonly(columns[i].layout, at);
			height = line ? MAX(height, line_height(line)) : height;
		}
		room_make(f, height);
		tag_begin(f, tag);
		for (size_t i = 0; i < count; i++) {
			PangoLayoutLine *line = pango_layout_get_line_readonly(columns[i].layout, at);
			if (line)
				line_draw(f, line, columns[i].x + align_shift(columns[i].layout, line),
				          f->y + height * 0.8);
		}
		tag_end(f, tag);
		f->y += height;
	}
}

/* ---- parts ---- */

static void text_flow(struct flow *f, const struct paper_part *p)
{
	struct column column = { layout_new(f, p->text, p->kind, looks[p->kind].points, WIDTH), LEFT };
	columns_flow(f, &column, 1, looks[p->kind].tag);
	g_object_unref(column.layout);
	f->y += AFTER;
}

static void fact_flow(struct flow *f, const struct paper_part *p)
{
	double points = looks[p->kind].points;
	struct column columns[] = {
		{ layout_new(f, p->label, p->kind, points, LABEL_WIDTH - COLUMN_GAP), LEFT },
		{ layout_new(f, p->text, p->kind, points, WIDTH - LABEL_WIDTH), LEFT + LABEL_WIDTH },
	};
	columns_flow(f, columns, 2, looks[p->kind].tag);
	g_object_unref(columns[0].layout);
	g_object_unref(columns[1].layout);
	f->y += AFTER / 2;
}

static void row_flow(struct flow *f, const struct paper_part *p)
{
	struct column columns[PAPER_COLUMNS_MOST];
	double share = WIDTH / (double)(p->cell_count + 1), x = LEFT; /* the first column has two */
	for (size_t i = 0; i < p->cell_count; i++) {
		double width = i ? share : 2 * share;
		columns[i].layout = layout_new(f, p->cells[i], p->kind, looks[p->kind].points, width - COLUMN_GAP);
		columns[i].x = x;
		x += width;
	}
	columns_flow(f, columns, p->cell_count, looks[p->kind].tag);
	for (size_t i = 0; i < p->cell_count; i++)
		g_object_unref(columns[i].layout);
	f->y += AFTER / 2;
	if (f->cr) {
		cairo_set_line_width(f->cr, 0.4);
		cairo_move_to(f->cr, LEFT, f->y - AFTER / 4);
		cairo_line_to(f->cr, LEFT + WIDTH, f->y - AFTER / 4);
		cairo_stroke(f->cr);
	}
}

/* Wholly on one page. */
static void space_flow(struct flow *f, const struct paper_part *p)
{
	static const double dashes[] = { 4, 3 };
	room_make(f, SPACE_HEIGHT);
	if (f->cr) {
		double x = LEFT + WIDTH - SPACE_WIDTH;
		PangoLayout *layout =
		        layout_new(f, p->text, p->kind, looks[p->kind].points, SPACE_WIDTH - 2 * COLUMN_GAP);
		cairo_set_line_width(f->cr, 0.6);
		cairo_set_dash(f->cr, dashes, 2, 0);
		cairo_rectangle(f->cr, x, f->y, SPACE_WIDTH, SPACE_HEIGHT);
		cairo_stroke(f->cr);
		cairo_set_dash(f->cr, NULL, 0, 0);
		tag_begin(f, "P");
		cairo_move_to(f->cr, x + COLUMN_GAP, f->y + COLUMN_GAP);
		pango_cairo_show_layout(f->cr, layout);
		tag_end(f, "P");
		g_object_unref(layout);
	}
	f->y += SPACE_HEIGHT + AFTER;
}

static void paper_flow(struct flow *f)
{
	const struct paper *p = f->paper;
	f->y = TOP;
	f->page = 1;
	for (size_t i = 0; i < p->part_count && !f->is_too_long && !f->is_short; i++) {
		const struct paper_part *part = &p->parts[i];
		f->y += f->y > TOP ? looks[part->kind].before : 0;
		if (part->kind == PAPER_HEADING) /* not alone at the foot of a page */
			room_make(f, 4 * looks[PAPER_HEADING].points);
		if (part->kind == PAPER_FACT)
			fact_flow(f, part);
		else if (part->kind == PAPER_ROW)
			row_flow(f, part);
		else if (part->kind == PAPER_SPACE)
			space_flow(f, part);
		else
			text_flow(f, part);
	}
	f->pages = f->page;
	page_end(f);
}

/* ---- the file ---- */

struct file {
	struct buffer *buffer;
	bool is_short;
};

static cairo_status_t file_write(void *context, const unsigned char *data, unsigned int size)
{
	struct file *file = context;
	file->is_short |= buffer_append(file->buffer, BYTES(data, size)) != OK;
	return file->is_short ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static int text_add(const char *text, size_t *bytes, struct error *e)
{
	size_t size = text ? strlen(text) : 0;
	if (text && utf8_length(bytes_from_text(text)) < 0)
		return error_set(e, ERR_INVALID, "a text of the paper is not UTF-8");
	*bytes += size;
	if (*bytes > PAPER_TEXT_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "the paper has more than %d bytes of text", PAPER_TEXT_BYTES_MOST);
	return OK;
}

static int paper_check(const struct paper *p, struct error *e)
{
	size_t bytes = 0;
	int result = text_add(p->title, &bytes, e);
	if (!result)
		result = text_add(p->foot, &bytes, e);
	if (p->part_count > PAPER_PARTS_MOST)
		return error_set(e, ERR_TOO_BIG, "the paper has more than %d parts", PAPER_PARTS_MOST);
	for (size_t i = 0; i < p->part_count && !result; i++) {
		const struct paper_part *part = &p->parts[i];
		if (part->kind == PAPER_ROW && (!part->cell_count || part->cell_count > PAPER_COLUMNS_MOST))
			return error_set(e, ERR_INVALID, "a table of the paper has %zu columns", part->cell_count);
		result = text_add(part->label, &bytes, e);
		if (!result)
			result = text_add(part->text, &bytes, e);
		for (size_t k = 0; k < part->cell_count && part->kind == PAPER_ROW && !result; k++)
			result = text_add(part->cells[k], &bytes, e);
	}
	return result;
}

static cairo_surface_t *surface_new(const struct paper *p, struct file *file)
{
	cairo_surface_t *s = cairo_pdf_surface_create_for_stream(file_write, file, PAGE_WIDTH, PAGE_HEIGHT);
	GDateTime *time = g_date_time_new_from_unix_utc(p->time_ms / 1000);
	gchar *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, p->title);
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, text ? text : "1970-01-01T00:00:00Z");
	g_free(text);
	if (time)
		g_date_time_unref(time);
	return s;
}

static int paper_draw(struct flow *f, struct file *file, struct error *e)
{
	cairo_surface_t *s = surface_new(f->paper, file);
	f->cr = cairo_create(s);
	cairo_set_source_rgb(f->cr, 0, 0, 0);
	paper_flow(f);
	cairo_destroy(f->cr);
	cairo_surface_finish(s);
	cairo_status_t status = cairo_surface_status(s);
	cairo_surface_destroy(s);
	if (file->is_short || status == CAIRO_STATUS_NO_MEMORY)
		return error_set(e, ERR_MEMORY, "no memory for the paper");
	return status ? error_set(e, ERR_INTERNAL, "the paper: %s", cairo_status_to_string(status)) : OK;
}

int paper_pdf(const struct paper *p, struct arena *arena, struct bytes *out, struct error *e)
{
	int result = paper_check(p, e);
	if (result)
		return result;
	PangoFontMap *map = pango_cairo_font_map_new();
	struct flow f = { .paper = p, .arena = arena, .context = context_new(map, p->language) };
	struct buffer buffer = { 0 };
	struct file file = { .buffer = &buffer };
	result = font_check(f.context, e);
	if (!result)
		paper_flow(&f);
	if (!result && f.is_too_long)
		result = error_set(e, ERR_TOO_BIG, "the paper has more than %d pages", PAPER_PAGES_MOST);
	if (!result && !f.is_short)
		result = paper_draw(&f, &file, e);
	if (!result && f.is_short)
		result = error_set(e, ERR_MEMORY, "no memory for the paper");
	g_object_unref(f.context);
	g_object_unref(map);
	if (!result)
		result = catalog_amend(&buffer, p->language, e);
	void *copy = result ? NULL : arena_copy(arena, buffer.data, buffer.size);
	if (!result && !copy)
		result = error_set(e, ERR_MEMORY, "no memory for the paper");
	if (!result)
		*out = BYTES(copy, buffer.size);
	buffer_release(&buffer);
	return result;
}
