/* The catalogue: services are checked here as the hub checks them, so that a person mends all faults at once. */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "domain/domain.h"
#include "node/node.h"
#include "proto/json.h"

#include "ctl.h"

#define FAULTS_MOST 64

/* Prints the faults of one file and counts them; *out is NULL if it cannot be read at all. */
static size_t file_check(struct call *c, const char *path, Lm__Service **out)
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
	result = JSON_DECODE(lm__service, buffer_bytes(&text), &c->arena, out, &e);
	buffer_release(&text);
	if (result) {
		print_text("%s: %s\n", path, e.text);
		*out = NULL;
		return 1;
	}
	size_t count = service_readable_check(*out, faults, FAULTS_MOST);
	for (size_t i = 0; i < count && i < FAULTS_MOST; i++)
		print_text("%s: %s\n", path, faults[i].text);
	if (count > FAULTS_MOST)
		print_text("%s: and %zu more\n", path, count - FAULTS_MOST);
	return count;
}

/* All files of the line, each on its own and against each other. `services` holds c->word_count. */
static int files_check(struct call *c, Lm__Service **services, struct error *e)
{
	size_t faults = 0;
	for (size_t i = 0; i < c->word_count; i++) {
		faults += file_check(c, c->word[i], &services[i]);
		for (size_t k = 0; k < i && services[i]; k++) {
			if (!services[k] || strcmp(services[k]->id, services[i]->id) != 0)
				continue;
			print_text("%s: id: '%s' stands in %s, too\n", c->word[i], services[i]->id, c->word[k]);
			faults++;
		}
	}
	if (faults)
		return error_set(e, ERR_INVALID, "%zu fault%s in the catalogue: mend %s", faults, faults > 1 ? "s" : "",
		                 faults > 1 ? "them and check again" : "it and check again");
	return OK;
}

int catalogue_check_run(struct call *c, struct error *e)
{
	Lm__Service *services[CTL_WORDS_MOST];
	int result = files_check(c, services, e);
	if (!result)
		print_text("%zu service%s: good\n", c->word_count, c->word_count > 1 ? "s" : "");
	return result;
}

/* ---- publish ---- */

/* How many services from the front fit into one request; at least one, and the daemon says if that is too big. */
static int group_take(Lm__PublishCommand *command, Lm__Service **services, size_t count, struct error *e)
{
	size_t bytes = 0;
	command->services = services;
	for (command->n_services = count; command->n_services > 1; command->n_services--) {
		int result = client_body_bytes(&command->base, &bytes, e);
		if (result)
			return result;
		if (bytes <= HTTP_BODY_BYTES_MOST)
			break;
	}
	return OK;
}

static void published_show(const struct call *c, const Lm__PublishView *view)
{
	if (call_has(c, OPTION_JSON))
		return;
	for (size_t i = 0; i < view->n_published; i++)
		print_text("%s revision %u\n", view->published[i]->id, view->published[i]->revision);
	if (view->unchanged)
		print_text("%u unchanged\n", view->unchanged);
}

int catalogue_publish_run(struct call *c, struct error *e)
{
	Lm__Service *services[CTL_WORDS_MOST];
	Lm__PublishCommand command = LM__PUBLISH_COMMAND__INIT;
	int result = files_check(c, services, e);
	if (result)
		return result;
	command.by = call_by(c);
	command.second = c->option[OPTION_SECOND];
	for (size_t at = 0; at < c->word_count; at += command.n_services) {
		Lm__PublishView *view = NULL;
		result = group_take(&command, services + at, c->word_count - at, e);
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
