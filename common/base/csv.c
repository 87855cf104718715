#include "base/csv.h"

#include <string.h>

static int cell_append(struct buffer *out, const char *text)
{
	bool is_formula = text[0] && strchr("=+-@\t\r\n", text[0]);
	int result = buffer_append(out, bytes_from_text(is_formula ? "\"'" : "\""));
	for (const char *at = text; *at && !result; at++)
		result = buffer_append(out, *at == '"' ? BYTES("\"\"", 2) : BYTES(at, 1));
	return result ? result : buffer_append(out, bytes_from_text("\""));
}

int csv_line(struct buffer *out, const char *const *cells, size_t count)
{
	int result = OK;
	for (size_t i = 0; i < count && !result; i++) {
		if (i)
			result = buffer_append(out, bytes_from_text(","));
		if (!result)
			result = cell_append(out, cells[i]);
	}
	return result ? result : buffer_append(out, bytes_from_text("\r\n"));
}
