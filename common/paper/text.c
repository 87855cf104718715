/* What letters and slips have in common: which signs of a text are drawn, and in which font. */
#include <string.h>

#include <pango/pangocairo.h>

#include "inside.h"

/* Unicode 15: C0 and C1 but the line's end, soft hyphen, Arabic letter mark, zero widths, bidi controls, line and
 * paragraph separators, invisible operators, byte order mark, noncharacters of the first plane, interlinear marks,
 * tags. */
static bool is_left_out(gunichar c)
{
	static const struct {
		gunichar from, to;
	} ranges[] = { { 0, 9 },           { 0xB, 0x1F },       { 0x7F, 0x9F },     { 0xAD, 0xAD },
		       { 0x61C, 0x61C },   { 0x180E, 0x180E },  { 0x200B, 0x200F }, { 0x2028, 0x202E },
		       { 0x2060, 0x206F }, { 0xFDD0, 0xFDEF },  { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB },
		       { 0xFFFE, 0xFFFF }, { 0xE0000, 0xE007F } };
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

char *text_seen(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, strlen(text) + 1), *to = out;
	for (const char *at = text; out && *at; at = g_utf8_next_char(at)) {
		size_t size = (size_t)(g_utf8_next_char(at) - at);
		if (!is_left_out(g_utf8_get_char(at))) {
			memcpy(to, at, size);
			to += size;
		}
	}
	if (out)
		*to = '\0';
	return out;
}

PangoContext *context_new(PangoFontMap *map, const char *language)
{
	PangoContext *context = pango_font_map_create_context(map);
	cairo_font_options_t *options = cairo_font_options_create();
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	pango_cairo_context_set_font_options(context, options);
	pango_cairo_context_set_resolution(context, 72);
	pango_context_set_language(context, pango_language_from_string(language));
	pango_context_set_base_dir(context, PANGO_DIRECTION_LTR);
	cairo_font_options_destroy(options);
	return context;
}

/* Another font would do, but not for Chinese: better no letter than one of boxes. */
int font_check(PangoContext *context, struct error *e)
{
	PangoFontDescription *want = pango_font_description_from_string(FONT " 12");
	PangoFont *font = pango_context_load_font(context, want);
	PangoFontDescription *have = font ? pango_font_describe(font) : NULL;
	bool is_there = have && strcmp(pango_font_description_get_family(have), FONT) == 0;
	pango_font_description_free(want);
	pango_font_description_free(have);
	if (font)
		g_object_unref(font);
	return is_there ? OK
	                : error_set(e, ERR_NOT_READY,
	                            "the font %s is not on this machine: install Debian's fonts-noto-cjk", FONT);
}
