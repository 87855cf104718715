/* What is published for all: contents are checked here as the hub checks them, so that a person mends all faults at
 * once. */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "domain/publication.h"
#include "node/node.h"
#include "proto/json.h"

#include "ctl.h"

#define FAULTS_MOST 64

/* Prints the faults of one file and counts them; *out is NULL if it cannot be read at all. */
static size_t file_check(struct call *c, const struct collection *of, const char *path, ProtobufCMessage **out)
{
	struct service_fault faults[FAULTS_MOST];
	struct buffer text = { 0 };
	struct error e = { 0 };
	*out = NULL;
	int result = file_read(path, JSON_TEXT_BYTES_MOST, &text, &e);
	if (result) { /* the sentence names the file already */
		print_text("%s\n", e.text);
		return 1;
	}
	result = json_decode(of->type, buffer_bytes(&text), &c->arena, out, &e);
	buffer_release(&text);
	if (result) {
		print_text("%s: %s\n", path, e.text);
		*out = NULL;
		return 1;
	}
	size_t count = of->check(*out, faults, FAULTS_MOST);
	for (size_t i = 0; i < count && i < FAULTS_MOST; i++)
		print_text("%s: %s\n", path, faults[i].text);
	if (count > FAULTS_MOST)
		print_text("%s: and %zu more\n", path, count - FAULTS_MOST);
	return count;
}

/* All files of the line, each on its own and against each other. `contents` holds c->word_count. */
static int files_check(struct call *c, const struct collection *of, ProtobufCMessage **contents, struct error *e)
{
	size_t faults = 0;
	for (size_t i = 0; i < c->word_count; i++) {
		faults += file_check(c, of, c->word[i], &contents[i]);
		for (size_t k = 0; k < i && contents[i]; k++) {
			if (!contents[k] || strcmp(of->key(contents[k]), of->key(contents[i])) != 0)
				continue;
			print_text("%s: '%s' stands in %s, too\n", c->word[i], of->key(contents[i]), c->word[k]);
			faults++;
		}
	}
	if (faults)
		return error_set(e, ERR_INVALID, "%zu fault%s in the %s: mend %s", faults, faults > 1 ? "s" : "",
		                 of->name, faults > 1 ? "them and check again" : "it and check again");
	return OK;
}

static int check_run(struct call *c, const struct collection *of, const char *what, struct error *e)
{
	ProtobufCMessage *contents[CTL_WORDS_MOST];
	int result = files_check(c, of, contents, e);
	if (!result)
		print_text("%zu %s%s: good\n", c->word_count, what, c->word_count > 1 ? "s" : "");
	return result;
}

int catalogue_check_run(struct call *c, struct error *e)
{
	return check_run(c, &collection_catalogue, "service", e);
}

int calendar_check_run(struct call *c, struct error *e)
{
	return check_run(c, &collection_calendar, "year", e);
}

int wording_check_run(struct call *c, struct error *e)
{
	return check_run(c, &collection_wording, "text", e);
}

/* ---- publish ---- */

static void command_fill(Lm__PublishCommand *command, const struct collection *of, ProtobufCMessage **contents,
                         size_t count)
{
	if (of == &collection_calendar) {
		command->calendars = (Lm__Calendar **)contents;
		command->n_calendars = count;
	} else if (of == &collection_wording) {
		command->wordings = (Lm__Template **)contents;
		command->n_wordings = count;
	} else {
		command->services = (Lm__Service **)contents;
		command->n_services = count;
	}
}

/* As many from the front as fit into one request; at least one, and the daemon says if that is too big. */
static int group_take(Lm__PublishCommand *command, const struct collection *of, ProtobufCMessage **contents,
                      size_t *count, struct error *e)
{
	size_t bytes = 0;
	for (;; --*count) {
		command_fill(command, of, contents, *count);
		int result = client_body_bytes(&command->base, &bytes, e);
		if (result || bytes <= HTTP_BODY_BYTES_MOST || *count == 1)
			return result;
	}
}

static void published_show(const struct call *c, const Lm__PublishView *view)
{
	if (call_has(c, OPTION_JSON))
		return;
	for (size_t i = 0; i < view->n_published; i++)
		print_text("%s revision %u\n", view->published[i]->id, view->published[i]->revision);
	for (size_t i = 0; i < view->n_calendars; i++)
		print_text("%s revision %u\n", view->calendars[i]->year, view->calendars[i]->revision);
	for (size_t i = 0; i < view->n_wordings; i++)
		print_text("%s revision %u\n", view->wordings[i]->id, view->wordings[i]->revision);
	if (view->unchanged)
		print_text("%u unchanged\n", view->unchanged);
}

static int publish_run(struct call *c, const struct collection *of, struct error *e)
{
	ProtobufCMessage *contents[CTL_WORDS_MOST];
	Lm__PublishCommand command = LM__PUBLISH_COMMAND__INIT;
	int result = files_check(c, of, contents, e);
	if (result)
		return result;
	command.by = call_by(c);
	command.second = c->option[OPTION_SECOND];
	for (size_t at = 0, count; at < c->word_count; at += count) {
		Lm__PublishView *view = NULL;
		count = c->word_count - at;
		result = group_take(&command, of, contents + at, &count, e);
		if (!result)
			result = client_post(c, "/ctl/v1/catalogue", &command.base, &lm__publish_view__descriptor,
			                     &view, e);
		if (result && at)
			return error_wrap(e, result, "the first %zu of %zu files are published, then", at,
			                  c->word_count);
		if (result)
			return result;
		published_show(c, view);
	}
	return OK;
}

int catalogue_publish_run(struct call *c, struct error *e)
{
	return publish_run(c, &collection_catalogue, e);
}

int calendar_publish_run(struct call *c, struct error *e)
{
	return publish_run(c, &collection_calendar, e);
}

int wording_publish_run(struct call *c, struct error *e)
{
	return publish_run(c, &collection_wording, e);
}

/* ---- list ---- */

/* At the hub; "?" while no site has been heard of since it started. */
static const char *arrived_text(struct arena *a, const Lm__CatalogueView *view, size_t i)
{
	if (i >= view->n_arrivals)
		return "";
	const Lm__Arrival *v = view->arrivals[i];
	if (!v->heard && v->sites)
		return "not heard yet";
	const char *silent = v->heard < v->sites ? arena_format(a, " (%u not heard)", v->sites - v->heard) : "";
	return arena_format(a, "%u of %u%s", v->arrived, v->sites, silent ? silent : "");
}

static void service_row(struct print_table *t, const Lm__CatalogueView *view, size_t i)
{
	const Lm__Service *s = view->services[i];
	struct arena *a = t->arena;
	print_table_row(t, (const char *const[]){
	                           s->id,
	                           arena_format(a, "%u", s->revision),
	                           print_enum(a, &lm__module__descriptor, (int)s->module),
	                           print_enum(a, &lm__tier__descriptor, (int)s->owner),
	                           print_time(a, s->published_ms),
	                           s->published_by,
	                           arrived_text(a, view, i),
	                           s->name ? s->name->zh : "",
	                           s->name ? s->name->en : "",
	                   });
}

int catalogue_list_run(struct call *c, struct error *e)
{
	Lm__CatalogueView *view = NULL;
	int result = client_get(c, "/api/v1/catalogue", &lm__catalogue_view__descriptor, &view, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	struct print_table t = print_table_of(
	        &c->arena, 9,
	        (const char *const[]){ "service", "rev", "module", "decides", "published", "by", "arrived", "", "" });
	for (size_t i = 0; i < view->n_services; i++)
		service_row(&t, view, i);
	print_table_show(&t);
	return OK;
}

static void calendar_row(struct print_table *t, const Lm__Calendar *calendar)
{
	print_table_row(t, (const char *const[]){
	                           calendar->year,
	                           arena_format(t->arena, "%u", calendar->revision),
	                           print_time(t->arena, calendar->published_ms),
	                           calendar->published_by,
	                           arena_format(t->arena, "%zu", calendar->n_off),
	                           arena_format(t->arena, "%zu", calendar->n_make_up),
	                           calendar->basis ? calendar->basis->source : "",
	                   });
}

int calendar_list_run(struct call *c, struct error *e)
{
	Lm__CalendarsView *view = NULL;
	int result = client_get(c, "/api/v1/calendars", &lm__calendars_view__descriptor, &view, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	struct print_table t = print_table_of(
	        &c->arena, 7,
	        (const char *const[]){ "year", "rev", "published", "by", "holidays", "make-up days", "" });
	for (size_t i = 0; i < view->n_calendars; i++)
		calendar_row(&t, view->calendars[i]);
	print_table_show(&t);
	return OK;
}
