/*
 * The one log: a JSON object a line on standard error. Only programs and the node log; other rooms return.
 * No personal content is ever passed to it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_open(const char *program, enum log_level least); /* program: "lm-hub"; kept, not copied */
/* `event` is a short fixed name ("link-up"); the rest is a sentence. Thread-safe; a line is written by one write(2). */
void log_write(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With a field "trace" that ties lines of several programs together. */
void log_write_trace(enum log_level level, const char *event, const char *trace, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
unsigned long log_lines(enum log_level level);              /* written at this level since the start */
int log_level_parse(const char *text, enum log_level *out); /* "debug" … "error"; ERR_INVALID */

#endif
