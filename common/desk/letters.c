/*
 * A letter of a case as PDF, made on the pool of the case's own facts and the texts of the district. Who had it made is
 * an event of this node before the letter leaves it.
 */
#include "letters.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "errand.h"
#include "paper/paper.h"
#include "proto/json.h"

#define FILE_BYTES_MOST (256 * 1024)
#define DAY_BYTES 40

int texts_read(const char *path, const ProtobufCMessageDescriptor *type, struct arena *arena, void *out,
               size_t (*check)(const void *file, struct service_fault *faults, size_t most), struct error *e)
{
	struct buffer text = { 0 };
	struct service_fault fault;
	ProtobufCMessage *file;
	arena_init(arena, 8 * FILE_BYTES_MOST);
	if (!path)
		return OK;
	int result = file_read(path, FILE_BYTES_MOST, &text, e);
	if (!result)
		result = json_decode(type, buffer_bytes(&text), arena, &file, e);
	buffer_release(&text);
	if (!result && check(file, &fault, 1))
		result = error_set(e, ERR_CONFIG, "%s", fault.text);
	if (result)
		return error_wrap(e, result, "%s", path);
	*(void **)out = file;
	return OK;
}

static size_t check(const void *file, struct service_fault *faults, size_t most)
{
	return letter_texts_check(file, faults, most);
}

int letters_open(struct letters *l, const char *path, struct error *e)
{
	return texts_read(path, &lm__letters_file__descriptor, &l->arena, &l->file, check, e);
}

void letters_release(struct letters *l)
{
	arena_release(&l->arena);
}

/* ---- what stands in it ---- */

struct letter { /* one under way; lies in the errand's arena */
	Lm__LetterPayload payload;
	char language[8];
	struct bytes pdf;
};

struct writing {
	struct node *node;
	struct arena *arena;
	const Lm__CaseView *view;
	const Lm__EventView *event;
	const Lm__LettersFile *file;
	bool is_english;
	const char *values[LETTER_PLACES];
	struct paper_part parts[PAPER_PARTS_MOST];
	size_t part_count;
};

static const char *words_of(const Lm__Words *words, bool is_english)
{
	const char *text = !words ? "" : is_english ? words->en : words->zh;
	return text ? text : "";
}

static const char *words_in(const struct writing *w, const Lm__Words *words)
{
	return words_of(words, w->is_english);
}

/* The last event of this kind; for who asks for a letter on what has not happened, why not. */
static int event_find(const Lm__CaseView *view, Lm__LetterKind kind, const Lm__EventView **out, struct error *e)
{
	static const struct {
		Lm__CaseAction action;
		const char *why;
	} tells[] = {
		[LM__LETTER_KIND__LETTER_KIND_ACCEPTED] = { LM__CASE_ACTION__CASE_ACTION_ACCEPT,
		                                            "nobody has accepted this request yet" },
		[LM__LETTER_KIND__LETTER_KIND_MISSING] = { LM__CASE_ACTION__CASE_ACTION_ASK,
		                                           "the resident was asked for nothing" },
		[LM__LETTER_KIND__LETTER_KIND_DECIDED] = { LM__CASE_ACTION__CASE_ACTION_DECIDE,
		                                           "nothing was decided yet" },
	};
	if ((size_t)kind >= sizeof tells / sizeof *tells || !tells[kind].why)
		return error_set(e, ERR_INVALID, "kind: which letter?");
	for (size_t i = view->n_events; i-- > 0;)
		if (view->events[i]->action == tells[kind].action) {
			*out = view->events[i];
			return (*out)->is_absent
			               ? error_set(e, ERR_ABSENT, "what the letter would say cannot be opened")
			               : OK;
		}
	return error_set(e, ERR_CONFLICT, "there is nothing to write: %s", tells[kind].why);
}

/* In Shanghai. */
static const char *day_text(int64_t ms, bool is_english, struct arena *arena)
{
	int date = clock_shanghai_date(ms);
	return arena_format(arena, is_english ? "%04d-%02d-%02d" : "%d年%d月%d日", date / 10000, date / 100 % 100,
	                    date % 100);
}

static const char *name_of(const Lm__CaseView *view)
{
	for (size_t i = 0; view->service && i < view->service->n_fields && i < view->n_fields; i++)
		if (view->service->fields[i]->meaning == LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME &&
		    view->fields[i]->n_values)
			return view->fields[i]->values[0];
	return "";
}

static const char *outcome_text(const struct writing *w)
{
	const Lm__Words *words[] = { [LM__OUTCOME__OUTCOME_GRANTED] = w->file->granted,
		                     [LM__OUTCOME__OUTCOME_PARTLY_GRANTED] = w->file->partly_granted,
		                     [LM__OUTCOME__OUTCOME_REFUSED] = w->file->refused };
	return (size_t)w->event->outcome < sizeof words / sizeof *words ? words_in(w, words[w->event->outcome]) : "";
}

int case_values(struct node *n, const Lm__CaseView *view, Lm__Tier office, int64_t day_ms, bool is_english,
                struct arena *arena, const char *values[LETTER_PLACES], struct error *e)
{
	const Lm__CaseRow *row = view->row;
	const char *at = arena_format(arena, "%.*s", office == LM__TIER__TIER_TOWN ? 9 : 6, row->place);
	const Lm__Contact *contact = node_place_contact(n, row->place);
	char *number = arena_alloc(arena, 2 * ID_BYTES + 1);
	if (!at || !number)
		return error_set(e, ERR_MEMORY, "no memory for what the case says");
	hex_encode(codec_bytes(row->request_id), number);
	values[LETTER_NAME] = name_of(view);
	values[LETTER_SERVICE] = words_of(row->service_name, is_english);
	values[LETTER_NUMBER] = number;
	values[LETTER_RECEIVED] = day_text(row->received_ms, is_english, arena);
	values[LETTER_DAY] = day_text(day_ms, is_english, arena);
	values[LETTER_DUE] = row->due_ms ? day_text(row->due_ms, is_english, arena) : "";
	values[LETTER_OFFICE] = words_of(node_place_words(n, at, arena), is_english);
	values[LETTER_CONTACT] = contact ? contact->phone : "";
	values[LETTER_CARER] = view->carer ? view->carer->name : "";
	return values[LETTER_RECEIVED] && values[LETTER_DAY] && values[LETTER_DUE]
	               ? OK
	               : error_set(e, ERR_MEMORY, "no memory for what the case says");
}

static int values_fill(struct writing *w, struct error *e)
{
	w->values[LETTER_OUTCOME] = outcome_text(w);
	w->values[LETTER_TEXT] = w->event->text;
	w->values[LETTER_GROUND] = w->event->ground;
	w->values[LETTER_REMEDY] = w->event->remedy;
	return case_values(w->node, w->view, w->event->by_tier, w->event->time_ms, w->is_english, w->arena, w->values,
	                   e);
}

static const char *filled(struct writing *w, const Lm__Words *words, struct error *e)
{
	char *text = letter_fill(words_in(w, words), w->values, w->arena);
	if (!text)
		error_set(e, ERR_MEMORY, "no memory for the letter");
	return text;
}

static int part_add(struct writing *w, enum paper_kind kind, const Lm__Words *label, const Lm__Words *text,
                    struct error *e)
{
	struct paper_part *p = &w->parts[w->part_count++]; /* a file has fewer */
	*p = (struct paper_part){ .kind = kind, .text = filled(w, text, e) };
	p->label = label ? filled(w, label, e) : "";
	return p->text && p->label ? OK : ERR_MEMORY;
}

static int letter_write(struct writing *w, const Lm__LetterText *letter, struct bytes *pdf, struct error *e)
{
	int result = values_fill(w, e);
	if (!result)
		result = part_add(w, PAPER_TITLE, NULL, letter->title, e);
	for (size_t i = 0; i < letter->n_parts && !result; i++) {
		const Lm__LetterPart *p = letter->parts[i];
		if (p->only_with[0] && !letter_has_place(p->only_with, w->values))
			continue;
		if (p->heading)
			result = part_add(w, PAPER_HEADING, NULL, p->heading, e);
		else if (p->seal)
			result = part_add(w, PAPER_SPACE, NULL, p->seal, e);
		else
			result = part_add(w, p->label ? PAPER_FACT : PAPER_TEXT, p->label, p->text, e);
	}
	if (result)
		return result;
	struct paper paper = { .title = w->parts[0].text,
		               .language = w->is_english ? "en" : "zh-CN",
		               .foot = filled(w, w->file->foot, e),
		               .time_ms = w->event->time_ms,
		               .parts = w->parts,
		               .part_count = w->part_count };
	return paper.foot ? paper_pdf(&paper, w->arena, pdf, e) : ERR_MEMORY;
}

/* ---- made, noted, handed out ---- */

static int letter_make(struct node *n, struct errand *x, struct store_txn *txn)
{
	const Lm__LetterCommand *in = (Lm__LetterCommand *)x->input;
	struct letter *letter = x->context;
	struct writing *w = arena_alloc(&x->arena, sizeof *w);
	Lm__CaseRecord *record;
	Lm__CaseView *view;
	if (!w)
		return error_set(&x->error, ERR_MEMORY, "no memory for the letter");
	int result = case_shown(n, txn, x->person, &x->arena, &record, &x->error);
	if (!result)
		result = case_view(n, txn, x->person, x->user, &x->arena, &view, &x->error);
	if (!result && view->row->is_absent)
		result = error_set(&x->error, ERR_ABSENT,
		                   "what the resident told was erased or cannot be opened: no letter");
	*w = (struct writing){ .node = n, .arena = &x->arena, .file = letters_in(n)->file };
	if (!result)
		result = event_find(view, in->kind, &w->event, &x->error);
	if (result)
		return result;
	w->view = view;
	w->is_english = strcmp(in->language[0] ? in->language : view->language, "en") == 0;
	snprintf(letter->language, sizeof letter->language, "%s", w->is_english ? "en" : "zh-CN");
	letter->payload.version = w->event->version;
	return letter_write(w, letter_find(w->file, in->kind), &letter->pdf, &x->error);
}

static void letter_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct store_txn *txn;
	x->result = store_begin_read(node_store(n), &txn, &x->error);
	if (x->result)
		return;
	x->result = letter_make(n, x, txn);
	store_abort(txn);
}

static int letter_note(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	struct letter *letter = x->context;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	letter->payload.kind = ((Lm__LetterCommand *)x->input)->kind;
	letter->payload.language = letter->language;
	letter->payload.by = x->user;
	h.kind = LM__KIND__KIND_LETTER;
	h.request_id = codec_data(BYTES_OF(x->person.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	int result = CODEC_PACK(&letter->payload, t->arena, &packed, e);
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static void letter_noted(struct node *n, struct command *c)
{
	struct errand *x = c->context;
	const struct letter *letter = x->context;
	Lm__FileView view = LM__FILE_VIEW__INIT;
	(void)n;
	view.type = (char *)(uintptr_t) "application/pdf";
	view.content = codec_data(letter->pdf);
	x->output = &view.base;
	errand_answer(x, c->result, &c->error);
}

static void letter_made(struct node *n, void *context)
{
	struct errand *x = context;
	if (x->result)
		errand_answer(x, x->result, &x->error);
	else
		errand_command(n, x, letter_note, letter_noted);
}

void letter_post(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, &lm__letter_command__descriptor);
	if (!x)
		return;
	struct letter *letter = arena_alloc(&x->arena, sizeof *letter);
	int result = OK;
	if (!letters_in(context)->file)
		result = error_set(&x->error, ERR_NOT_READY,
		                   "no texts of letters are configured here: an administrator sets `letters`");
	else if (!letter)
		result = error_set(&x->error, ERR_MEMORY, "no memory for the letter");
	if (letter)
		lm__letter_payload__init(&letter->payload);
	x->context = letter;
	if (!result)
		result = node_pool(context, letter_pool, letter_made, x);
	if (result) /* otherwise it is the pool's */
		errand_answer(x, result, &x->error);
}
