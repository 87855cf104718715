/*
 * The check of a service is written in five files: service_check.c, service_deciding.c and service_steps.c (its shape,
 * on which daemons rely), service_parts.c (do its parts agree, can a person get through) and service_words.c (can a
 * person read it). Daemons that apply a service ask for the shape only: what is hard to read is the publisher's affair,
 * and to refuse it at a terminal would hold up requests.
 */
#ifndef DOMAIN_SERVICE_CHECK_H
#define DOMAIN_SERVICE_CHECK_H

#include "inside.h"

struct check {
	struct service_fault *faults;
	size_t most, count;
};

/* "path: what is wrong". Beyond `most` they are only counted. */
void fault_add(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A fact has a source and its date, or says that it is a sample. */
void basis_check(struct check *c, const char *path, const Lm__Basis *b);

/* The shape of one field of the list; `list` is its path. Of staff: who fills it in knows the answer. */
void field_check(struct check *c, const char *list, Lm__Field *const *fields, size_t i, bool is_of_staff);
/* What the files of a request, or of one of its steps, may have together. */
void files_limit_check(struct check *c, const char *list, Lm__Field *const *fields, size_t count, bool is_step);

/* letter.c: every place that the text names is among the first `known` of enum letter_place */
void places_check(struct check *c, const char *path, const char *text, size_t known);

/* service_steps.c: what staff fill in at this step */
void step_fields_check(struct check *c, const Lm__Service *s, size_t step);
#define STEP_FIELDS_PATH_BYTES 40 /* "steps[1].fields" */
void step_fields_path(size_t step, char path[STEP_FIELDS_PATH_BYTES]);

/* service_deciding.c: evidence, decisions by two, objections */
void service_deciding_check(struct check *c, const Lm__Service *s);

void parts_check(struct check *c, const Lm__Service *s);
void texts_check(struct check *c, const Lm__Service *s);
void notice_texts_check(struct check *c, const Lm__TownNotice *n); /* what is written */

#endif
