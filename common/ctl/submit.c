/* lmctl submit: hand in requests at a terminal as its page does, and watch their marks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "proto/json.h"

#include "ctl.h"
#include "sample.h"

#define COUNT_MOST 100000
#define WAIT_MOST_S (7u * 24 * 60 * 60)
#define PAUSE_MS 100
#define PATIENCE_US (30u * 1000 * 1000) /* for a daemon that says "later", as the page's */
#define VALUES_BYTES_MOST (1024u * 1024)

struct submission {
	struct id id;
	char code[RECEIPT_CODE_DIGITS + 1];
	int64_t saved_ms;
	bool is_at_town, is_at_district;
};

struct series {
	struct call *call; /* what lasts lies in its arena */
	struct call step;  /* the same, with an arena that is emptied after every request */
	const Lm__Service *service;
	const Lm__SubmitCommand *answers; /* of --values; NULL: made up */
	struct submission *list;
	size_t count;
	bool needs_district; /* the mark to wait for */
};

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

/* Sends until the daemon has answered something else than "later"; the same ids make the same request, so this is safe.
 */
static int send_patiently(struct call *step, const char *path, const ProtobufCMessage *body,
                          const ProtobufCMessageDescriptor *type, void *out, struct error *e)
{
	uint64_t end_us = clock_monotonic_us() + PATIENCE_US;
	for (;;) {
		int result = client_send(step, path, body, type, out, e);
		if (!result || error_group_of(result) != ERROR_GROUP_LATER || clock_monotonic_us() > end_us)
			return result;
		pause_ms(PAUSE_MS);
	}
}

/* ---- what to hand in ---- */

static int service_pick(struct series *s, struct error *e)
{
	Lm__CatalogueView *catalogue = NULL;
	const char *id = s->call->option[OPTION_SERVICE];
	if (!id && s->answers && s->answers->service[0])
		id = s->answers->service;
	int result = client_fetch(s->call, "/api/v1/catalogue", &lm__catalogue_view__descriptor, &catalogue, e);
	if (result)
		return result;
	if (!catalogue->n_services)
		return error_set(e, ERR_NOT_READY, "this terminal has no catalogue yet: connect it to its town first");
	for (size_t i = 0; i < catalogue->n_services && !s->service; i++)
		if (!id || strcmp(catalogue->services[i]->id, id) == 0)
			s->service = catalogue->services[i];
	if (!s->service)
		return error_set(e, ERR_NOT_FOUND, "there is no service %s: lmctl catalogue list shows them", id);
	return OK;
}

static int answers_read(struct series *s, struct error *e)
{
	const char *path = s->call->option[OPTION_VALUES];
	struct buffer text = { 0 };
	Lm__SubmitCommand *answers = NULL;
	int result = path ? file_read(path, VALUES_BYTES_MOST, &text, e) : OK;
	if (!path || result)
		return result;
	result = JSON_DECODE(lm__submit_command, buffer_bytes(&text), &s->call->arena, &answers, e);
	buffer_release(&text);
	if (result)
		return error_wrap(e, result, "%s", path);
	s->answers = answers;
	return OK;
}

static int command_fill(struct series *s, Lm__SubmitCommand *command, uint64_t nth, struct error *e)
{
	static char language[] = "zh-CN";
	if (s->answers)
		*command = *s->answers;
	if (!command->language[0])
		command->language = language;
	command->service = s->service->id;
	command->revision = s->service->revision;
	return s->answers ? OK : sample_fill(command, s->service, nth, &s->step.arena, e);
}

/* ---- one request ---- */

static int saved_check(const Lm__SubmitView *view, struct error *e)
{
	for (size_t i = 0; i < view->n_faults; i++)
		print_text("%s: %s\n", view->faults[i]->field, view->faults[i]->rule);
	if (view->n_faults)
		return error_set(e, ERR_INVALID, "not saved: %zu fault%s in the answers", view->n_faults,
		                 view->n_faults > 1 ? "s" : "");
	if (!view->is_saved || view->request_id.len != ID_BYTES)
		return error_set(e, ERR_INTERNAL, "the terminal did not say that it has saved the request");
	return OK;
}

static void submission_print(const struct series *s, const struct submission *one, const Lm__SubmitView *view)
{
	char id[ID_TEXT_BYTES], time[CLOCK_TEXT_BYTES];
	if (call_has(s->call, OPTION_JSON)) {
		print_json(&view->base, NULL);
		return;
	}
	id_to_text(one->id, id);
	clock_format_utc(one->saved_ms, time);
	print_text("%s  %s  saved     %s%s\n", id, one->code, time,
	           view->was_saved_before ? "  (was saved before)" : "");
}

static int submit_one(struct series *s, struct submission *one, uint64_t nth, struct error *e)
{
	Lm__Empty empty = LM__EMPTY__INIT;
	Lm__SubmitCommand command = LM__SUBMIT_COMMAND__INIT;
	Lm__DraftView *draft = NULL;
	Lm__SubmitView *view = NULL;
	int result = command_fill(s, &command, nth, e);
	if (!result)
		result =
		        send_patiently(&s->step, "/api/v1/drafts", &empty.base, &lm__draft_view__descriptor, &draft, e);
	if (result)
		return result;
	command.request_id = draft->request_id;
	command.code = draft->code;
	result = send_patiently(&s->step, "/api/v1/requests", &command.base, &lm__submit_view__descriptor, &view, e);
	if (!result)
		result = saved_check(view, e);
	if (result)
		return result;
	memcpy(one->id.byte, view->request_id.data, ID_BYTES);
	snprintf(one->code, sizeof one->code, "%s", view->code);
	one->saved_ms = view->saved_ms;
	submission_print(s, one, view);
	return OK;
}

static int submit_all(struct series *s, struct error *e)
{
	uint64_t first = (uint64_t)clock_wall_ms();
	for (size_t i = 0; i < s->count; i++) {
		int result = submit_one(s, &s->list[i], first + i, e);
		if (result)
			return i ? error_wrap(e, result, "%zu saved, then", i) : result;
		fflush(stdout); /* whoever reads this through a pipe sees what is saved, also if we are killed */
		arena_reset(&s->step.arena);
	}
	return OK;
}

/* ---- marks ---- */

static void mark_print(const struct series *s, struct submission *one, const char *mark)
{
	char id[ID_TEXT_BYTES], time[CLOCK_TEXT_BYTES];
	int64_t now_ms = clock_wall_ms();
	if (call_has(s->call, OPTION_JSON)) {
		Lm__Marks3 marks = LM__MARKS3__INIT;
		Lm__SubmitView view = LM__SUBMIT_VIEW__INIT;
		marks.saved = view.is_saved = true;
		marks.town = one->is_at_town;
		marks.district = one->is_at_district;
		view.request_id = (ProtobufCBinaryData){ ID_BYTES, one->id.byte };
		view.code = one->code;
		view.saved_ms = one->saved_ms;
		view.marks = &marks;
		print_json(&view.base, NULL);
		return;
	}
	id_to_text(one->id, id);
	clock_format_utc(now_ms, time);
	print_text("%s  %s  %-8s  %s  +%.1f s\n", id, one->code, mark, time, (double)(now_ms - one->saved_ms) / 1000);
}

static bool is_done(const struct series *s, const struct submission *one)
{
	return s->needs_district ? one->is_at_district : one->is_at_town;
}

static int marks_poll(struct series *s, struct submission *one, struct error *e)
{
	char path[96], id[ID_TEXT_BYTES];
	Lm__Marks3 *marks = NULL;
	id_to_text(one->id, id);
	snprintf(path, sizeof path, "/api/v1/requests/%s/marks", id);
	int result = client_fetch(&s->step, path, &lm__marks3__descriptor, &marks, e);
	if (result)
		return error_group_of(result) == ERROR_GROUP_LATER ? OK : result; /* it is asked again */
	bool is_new_at_town = marks->town && !one->is_at_town,
	     is_new_at_district = marks->district && !one->is_at_district;
	one->is_at_town |= is_new_at_town;
	if (is_new_at_town)
		mark_print(s, one, "town");
	one->is_at_district |= is_new_at_district;
	if (is_new_at_district)
		mark_print(s, one, "district");
	return OK;
}

static int marks_wait(struct series *s, uint64_t wait_s, struct error *e)
{
	uint64_t end_us = clock_monotonic_us() + wait_s * 1000000;
	for (;;) {
		size_t missing = 0;
		for (size_t i = 0; i < s->count; i++) {
			struct submission *one = &s->list[i];
			int result = is_done(s, one) ? OK : marks_poll(s, one, e);
			if (result)
				return result;
			arena_reset(&s->step.arena);
			missing += !is_done(s, one);
		}
		fflush(stdout);
		if (!missing)
			return OK;
		if (clock_monotonic_us() >= end_us)
			return error_set(e, ERR_TIMEOUT,
			                 "after %llu s %zu of %zu requests are saved but not at the %s: lmctl status "
			                 "shows the link",
			                 (unsigned long long)wait_s, missing, s->count,
			                 s->needs_district ? "district" : "town");
		pause_ms(PAUSE_MS);
	}
}

static int until_read(struct series *s, struct error *e)
{
	const char *until = s->call->option[OPTION_UNTIL];
	if (until && strcmp(until, "town") != 0 && strcmp(until, "district") != 0)
		return error_set(e, ERR_USAGE, "--until: '%.40s' is neither town nor district", until);
	s->needs_district = !until || until[0] == 'd';
	return OK;
}

static int series_run(struct series *s, uint64_t wait_s, struct error *e)
{
	s->list = calloc(s->count, sizeof *s->list);
	if (!s->list)
		return error_set(e, ERR_MEMORY, "no memory for %zu requests", s->count);
	s->step = *s->call; /* after the first answer, so that both share the client */
	arena_init(&s->step.arena, s->call->arena.ceiling_bytes);
	int result = submit_all(s, e);
	if (!result && wait_s)
		result = marks_wait(s, wait_s, e);
	arena_release(&s->step.arena);
	free(s->list);
	return result;
}

int submit_run(struct call *c, struct error *e)
{
	struct series s = { .call = c };
	uint64_t count = 0, wait_s = 0;
	int result = call_number(c, OPTION_COUNT, 1, COUNT_MOST, 1, &count, e);
	if (!result)
		result = call_number(c, OPTION_WAIT, 1, WAIT_MOST_S, 0, &wait_s, e);
	if (!result)
		result = until_read(&s, e);
	if (!result)
		result = answers_read(&s, e);
	if (!result)
		result = service_pick(&s, e);
	s.count = (size_t)count;
	return result ? result : series_run(&s, wait_s, e);
}
