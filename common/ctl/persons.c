/*
 * Residents' records from a file: one ImportedPerson a line, as JSON. Everything is read and checked for what a file
 * can have wrong by itself before the first record is sent; the town checks the rest, and what it leaves out is told by
 * line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "node/node.h"
#include "proto/json.h"
#include "proto/registry.pb-c.h"

#include "ctl.h"

#define FILE_BYTES_MOST (256u * 1024 * 1024)
#define AT_A_TIME 100
#define FAULTS_SHOWN 50

struct entry_line {
	Lm__ImportedPerson *person;
	size_t number;
};

struct import {
	struct call *call;
	struct entry_line *line;
	size_t count, faults;
	uint32_t taken, known;
};

static void fault_show(struct import *m, size_t number, const char *text)
{
	if (m->faults++ < FAULTS_SHOWN)
		print_text("line %zu: %s\n", number, text);
}

static int lines_read(struct import *m, char *text, struct error *e)
{
	size_t number = 0, most = 1;
	for (const char *p = text; *p; p++)
		most += *p == '\n';
	m->line = arena_alloc(&m->call->arena, most * sizeof *m->line);
	if (!m->line)
		return error_set(e, ERR_MEMORY, "no memory for %zu lines", most);
	for (char *next = text; next;) {
		char *line = next, *end = strchr(line, '\n');
		struct error why = { 0 };
		next = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		number++;
		if (!line[strspn(line, " \t\r")])
			continue;
		struct entry_line *l = &m->line[m->count];
		l->number = number;
		if (JSON_DECODE(lm__imported_person, bytes_from_text(line), &m->call->arena, &l->person, &why))
			fault_show(m, number, why.text);
		else if (!l->person->ref[0])
			fault_show(m, number, "ref: each record has a name of its own in the file");
		else
			m->count++;
	}
	return OK;
}

static int ref_compare(const void *a, const void *b)
{
	const struct entry_line *x = a, *y = b;
	return strcmp(x->person->ref, y->person->ref);
}

static const char *number_of(const struct entry_line *l)
{
	return l->person->facts ? l->person->facts->id_number : "";
}

static int number_compare(const void *a, const void *b)
{
	return strcmp(number_of(a), number_of(b));
}

static int line_compare(const void *a, const void *b)
{
	const struct entry_line *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static void doubles_find(struct import *m)
{
	qsort(m->line, m->count, sizeof *m->line, ref_compare);
	for (size_t i = 1; i < m->count; i++)
		if (!ref_compare(&m->line[i - 1], &m->line[i]))
			fault_show(m, m->line[i].number, "ref: another line has the same");
	qsort(m->line, m->count, sizeof *m->line, number_compare);
	for (size_t i = 1; i < m->count; i++)
		if (number_of(&m->line[i])[0] && !number_compare(&m->line[i - 1], &m->line[i]))
			fault_show(m, m->line[i].number, "facts.id_number: another line has the same");
	qsort(m->line, m->count, sizeof *m->line, line_compare);
}

static size_t number_of_ref(const struct entry_line *lines, size_t count, const char *ref)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(lines[i].person->ref, ref) == 0)
			return lines[i].number;
	return 0;
}

static void left_show(struct import *m, const struct entry_line *lines, size_t count, const Lm__PersonImportRow *row)
{
	size_t number = number_of_ref(lines, count, row->ref);
	for (size_t i = 0; i < row->n_faults; i++) {
		const Lm__FieldFault *f = row->faults[i];
		const char *text = arena_format(&m->call->arena, "%s: %s", f->field, f->rule);
		fault_show(m, number, text ? text : f->rule);
	}
	if (row->n_candidates)
		fault_show(m, number,
		           "somebody who may be the same person is on file: --doubles takes it all the same");
}

/* As many from the front as a request holds; at least one. */
static int part_send(struct import *m, size_t at, size_t *sent, struct error *e)
{
	Lm__PersonImportCommand command = LM__PERSON_IMPORT_COMMAND__INIT;
	Lm__ImportedPerson *persons[AT_A_TIME];
	Lm__PersonImportView *view;
	size_t bytes = 0;
	command.by = call_by(m->call);
	command.reason = m->call->option[OPTION_REASON];
	command.takes_doubles = call_has(m->call, OPTION_DOUBLES);
	command.persons = persons;
	for (*sent = 0; *sent < AT_A_TIME && at + *sent < m->count; ++*sent)
		persons[*sent] = m->line[at + *sent].person;
	int result;
	for (;; *sent = (*sent + 1) / 2) {
		command.n_persons = *sent;
		result = client_body_bytes(&command.base, &bytes, e);
		if (result || bytes <= HTTP_LARGE_BODY_BYTES_MOST || *sent == 1)
			break;
	}
	if (!result)
		result = client_send(m->call, "/ctl/v1/persons", &command.base, &lm__person_import_view__descriptor,
		                     &view, e);
	if (result)
		return result;
	m->taken += view->taken;
	m->known += view->known;
	for (size_t i = 0; i < view->n_left; i++)
		left_show(m, m->line + at, *sent, view->left[i]);
	return OK;
}

int persons_import_run(struct call *c, struct error *e)
{
	struct import m = { .call = c };
	struct buffer text = { 0 };
	size_t sent;
	int result = file_read(c->word[0], FILE_BYTES_MOST, &text, e);
	if (!result)
		result = buffer_append(&text, BYTES("", 1));
	if (!result)
		result = lines_read(&m, (char *)text.data, e);
	buffer_release(&text);
	if (result)
		return result;
	doubles_find(&m);
	if (m.faults)
		return error_set(e, ERR_INVALID, "%zu faults; nothing was taken: mend them and try again", m.faults);
	for (size_t at = 0; at < m.count && !result; at += sent)
		result = part_send(&m, at, &sent, e);
	print_text("%u taken, %u known before, %zu lines in all\n", m.taken, m.known, m.count);
	if (result)
		return error_wrap(e, result, "%u records were taken, then", m.taken);
	return m.faults ? error_set(e, ERR_INVALID, "%zu faults: what has one was left out; mend it and try again",
	                            m.faults)
	                : OK;
}
