/* Tables for other programs: RFC 4180, as UTF-8. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/bytes.h"

#define CSV_BEGIN "\xEF\xBB\xBF" /* by it spreadsheets know UTF-8 */

/* One line of cells. What a spreadsheet would take for a formula (= + - @, a tab or a line's end in front) gets a ' in
 * front of it. ERR_MEMORY. */
int csv_line(struct buffer *out, const char *const *cells, size_t count);

#endif
