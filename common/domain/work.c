/*
 * Rows of the day's work, and the checks of what is written there.
 */
#include "domain/work.h"

#include <string.h>

#include "base/clock.h"
#include "inside.h"

const struct store_table domain_table_work = { .name = "work", .number = 48, .is_projection = true };

static struct bytes work_key(enum work_kind kind, struct bytes head, struct bytes rest,
                             uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_u8(&w, (uint8_t)kind);
	write_bytes(&w, head);
	write_bytes(&w, rest);
	return BYTES(memory, w.failed ? 0 : w.size);
}

static const ProtobufCMessageDescriptor *type_of(enum work_kind kind)
{
	switch (kind) {
	case WORK_CLAIM:
		return &lm__claim_record__descriptor;
	case WORK_LEAVE:
		return &lm__leave__descriptor;
	case WORK_NOTE:
		return &lm__note_record__descriptor;
	case WORK_TEMPLATE:
		return &lm__template__descriptor;
	case WORK_VIEW:
		return &lm__saved_view__descriptor;
	default:
		return &lm__contact_record__descriptor;
	}
}

int claim_get(struct store_txn *txn, struct id request, struct arena *arena, Lm__ClaimRecord **out)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	return row_get(txn, &domain_table_work, work_key(WORK_CLAIM, key_id(&request), (struct bytes){ 0 }, memory),
	               &lm__claim_record__descriptor, arena, out);
}

int contact_get(struct store_txn *txn, struct id request, struct id contact, struct arena *arena,
                Lm__ContactRecord **out)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	return row_get(txn, &domain_table_work, work_key(WORK_CONTACT, key_id(&request), key_id(&contact), memory),
	               &lm__contact_record__descriptor, arena, out);
}

/* To the first row behind `head`, or to the last one. */
static int list_begin(struct store_cursor *c, struct bytes head, bool is_last_first, struct arena *arena,
                      struct bytes *key, struct bytes *value)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	if (!is_last_first)
		return store_cursor_seek(c, head, arena, key, value);
	memcpy(memory, head.data, head.size);
	memory[head.size - 1]++; /* what is read last first has a kind for its head, which is no 255 */
	int result = store_cursor_seek(c, BYTES(memory, head.size), arena, key, value);
	return result == ERR_NOT_FOUND ? store_cursor_last(c, arena, key, value)
	       : result                ? result
	                               : store_cursor_prev(c, arena, key, value);
}

static bool is_below(struct bytes key, struct bytes head)
{
	return key.size > head.size && memcmp(key.data, head.data, head.size) == 0;
}

int work_list(struct store_txn *txn, enum work_kind kind, struct bytes head, bool is_last_first, size_t most,
              struct arena *arena, ProtobufCMessage ***out, size_t *count)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes first = work_key(kind, head, (struct bytes){ 0 }, memory), key, value;
	struct store_cursor *c;
	*count = 0;
	*out = arena_alloc(arena, (most + 1) * sizeof **out);
	if (!*out || !first.size)
		return ERR_MEMORY;
	int result = store_cursor_open(txn, &domain_table_work, &c);
	if (result)
		return result;
	result = list_begin(c, first, is_last_first, arena, &key, &value);
	while (!result && is_below(key, first) && *count < most) {
		result = row_unpack(txn, &domain_table_work, type_of(kind), value, arena, &(*out)[*count]);
		*count += !result;
		if (!result)
			result = is_last_first ? store_cursor_prev(c, arena, &key, &value)
			                       : store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

static int work_put(struct apply *a, enum work_kind kind, struct bytes head, struct bytes rest,
                    const ProtobufCMessage *row)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	return row_put(a, &domain_table_work, work_key(kind, head, rest, memory), row);
}

static int work_remove(struct apply *a, enum work_kind kind, struct bytes head, struct bytes rest)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes key = work_key(kind, head, rest, memory);
	return store_has(a->txn, &domain_table_work, key) ? store_delete(a->txn, &domain_table_work, key)
	                                                  : store_failure(a->txn, NULL);
}

/* ---- whose a case is ---- */

int apply_claim(struct apply *a)
{
	struct id request = header_request(a->item->header);
	Lm__CaseRecord *record;
	Lm__ClaimPayload *claim;
	Lm__ClaimRecord row = LM__CLAIM_RECORD__INIT;
	int result = CODEC_UNPACK(lm__claim_payload, a->item->plain, a->arena, &claim, a->e);
	if (!result)
		result = case_get(a->txn, request, a->arena, &record);
	if (result == ERR_NOT_FOUND)
		return error_set(a->e, result, "there is no such case here");
	if (!result && (!claim->by[0] || strlen(claim->by) > WORK_ACCOUNT_BYTES_MOST ||
	                strlen(claim->staff) > WORK_ACCOUNT_BYTES_MOST))
		return error_set(a->e, ERR_INVALID, "staff: the name of an account, or nothing");
	if (result)
		return result;
	row.staff = claim->staff;
	row.by = claim->by;
	row.since_ms = a->item->header->time_ms;
	result = work_put(a, WORK_CLAIM, key_id(&request), (struct bytes){ 0 }, &row.base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}

/* ---- views, leave, notes, texts ---- */

static int name_check(const char *what, const char *text, size_t most, struct error *e)
{
	size_t size = strlen(text);
	if (!text[strspn(text, " \t\r\n")])
		return error_set(e, ERR_INVALID, "%s: this is needed here", what);
	return size > most ? error_set(e, ERR_TOO_BIG, "%s: at most %zu bytes", what, most) : OK;
}

static int leave_check(const Lm__Leave *leave, bool is_whole, struct error *e)
{
	int64_t from, until;
	int result = name_check("leave.staff", leave->staff, WORK_ACCOUNT_BYTES_MOST, e);
	if (result || !is_whole)
		return result;
	if (!clock_date_read(leave->from, &from) || !clock_date_read(leave->until, &until) || until < from)
		return error_set(e, ERR_INVALID, "leave: a first and a last day like 2026-11-22, in this order");
	result = name_check("leave.deputy", leave->deputy, WORK_ACCOUNT_BYTES_MOST, e);
	if (!result && strcmp(leave->deputy, leave->staff) == 0)
		return error_set(e, ERR_INVALID, "leave.deputy: somebody else");
	return result;
}

static int view_check(const Lm__SavedView *view, bool is_whole, struct error *e)
{
	if (!service_id_is_good(view->id) || strlen(view->id) > VIEW_ID_BYTES_MOST)
		return error_set(e, ERR_INVALID, "view.id: lower case letters, digits, - and _, at most %d",
		                 VIEW_ID_BYTES_MOST);
	if (!is_whole)
		return OK;
	if (!view->filter)
		return error_set(e, ERR_INVALID, "view.filter: this is needed here");
	return name_check("view.name", view->name, WORK_NAME_BYTES_MOST, e);
}

static int template_check(const Lm__Template *wording, struct error *e)
{
	struct service_fault fault;
	if (wording->revision || wording->is_withdrawn)
		return error_set(e, ERR_INVALID, "template.revision: only what the district publishes has one");
	return own_wording_check(wording, &fault, 1) ? error_set(e, ERR_INVALID, "%s", fault.text) : OK;
}

int desk_payload_check(const Lm__DeskPayload *p, struct error *e)
{
	bool is_view = p->act == LM__DESK_ACT__DESK_ACT_KEEP_VIEW || p->act == LM__DESK_ACT__DESK_ACT_DROP_VIEW;
	bool is_leave = p->act == LM__DESK_ACT__DESK_ACT_SET_LEAVE || p->act == LM__DESK_ACT__DESK_ACT_END_LEAVE;
	bool is_template =
	        p->act == LM__DESK_ACT__DESK_ACT_KEEP_TEMPLATE || p->act == LM__DESK_ACT__DESK_ACT_DROP_TEMPLATE;
	if (!p->act || !protobuf_c_enum_descriptor_get_value(&lm__desk_act__descriptor, (int)p->act))
		return error_set(e, ERR_INVALID, "act: there is no such thing to do");
	if ((is_view && !p->view) || (is_leave && !p->leave) || (is_template && !p->wording))
		return error_set(e, ERR_INVALID, "act: what it is about is missing");
	int result = name_check("by", p->by, WORK_ACCOUNT_BYTES_MOST, e);
	if (!result && is_view)
		result = view_check(p->view, p->act == LM__DESK_ACT__DESK_ACT_KEEP_VIEW, e);
	if (!result && is_leave)
		result = leave_check(p->leave, p->act == LM__DESK_ACT__DESK_ACT_SET_LEAVE, e);
	if (!result && p->act == LM__DESK_ACT__DESK_ACT_WRITE_NOTE)
		result = name_check("text", p->text, WORK_TEXT_BYTES_MOST, e);
	if (!result && p->act == LM__DESK_ACT__DESK_ACT_KEEP_TEMPLATE)
		result = template_check(p->wording, e);
	if (!result && p->act == LM__DESK_ACT__DESK_ACT_DROP_TEMPLATE && !service_id_is_good(p->wording->id))
		result = error_set(e, ERR_INVALID, "template.id: the name of a text");
	return result;
}

static int note_write(struct apply *a, const Lm__DeskPayload *p)
{
	Lm__NoteRecord row = LM__NOTE_RECORD__INIT;
	uint8_t memory[8];
	row.note = a->item->position;
	row.by = p->by;
	row.time_ms = a->item->header->time_ms;
	row.text = p->text;
	return work_put(a, WORK_NOTE, key_u64(row.note, memory), (struct bytes){ 0 }, &row.base);
}

/* Once by each. */
static int note_tick(struct apply *a, const Lm__DeskPayload *p)
{
	uint8_t memory[STORE_KEY_BYTES_MOST], position[8];
	struct bytes key = work_key(WORK_NOTE, key_u64(p->note, position), (struct bytes){ 0 }, memory);
	Lm__NoteRecord *row;
	Lm__NoteTick tick = LM__NOTE_TICK__INIT;
	int result = row_get(a->txn, &domain_table_work, key, &lm__note_record__descriptor, a->arena, &row);
	if (result)
		return result == ERR_NOT_FOUND ? error_set(a->e, result, "note: there is no such note here") : result;
	for (size_t i = 0; i < row->n_ticks; i++)
		if (strcmp(row->ticks[i]->by, p->by) == 0)
			return OK;
	Lm__NoteTick **grown = arena_alloc(a->arena, (row->n_ticks + 1) * sizeof *grown);
	if (!grown)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a note");
	if (row->n_ticks)
		memcpy(grown, row->ticks, row->n_ticks * sizeof *grown);
	tick.by = p->by;
	tick.time_ms = a->item->header->time_ms;
	grown[row->n_ticks++] = &tick;
	row->ticks = grown;
	return row_put(a, &domain_table_work, key, &row->base);
}

int apply_desk(struct apply *a)
{
	Lm__DeskPayload *p;
	uint8_t memory[WORK_ACCOUNT_BYTES_MOST + 1];
	int result = CODEC_UNPACK(lm__desk_payload, a->item->plain, a->arena, &p, a->e);
	if (!result)
		result = desk_payload_check(p, a->e);
	if (result)
		return result;
	struct writer account = writer_over(memory, sizeof memory); /* and the 0 behind it */
	write_bytes(&account, BYTES(p->by, strlen(p->by) + 1));
	struct bytes mine = BYTES(memory, account.size), none = { 0 };
	switch (p->act) {
	case LM__DESK_ACT__DESK_ACT_KEEP_VIEW:
		return work_put(a, WORK_VIEW, mine, bytes_from_text(p->view->id), &p->view->base);
	case LM__DESK_ACT__DESK_ACT_DROP_VIEW:
		return work_remove(a, WORK_VIEW, mine, bytes_from_text(p->view->id));
	case LM__DESK_ACT__DESK_ACT_SET_LEAVE:
		return work_put(a, WORK_LEAVE, bytes_from_text(p->leave->staff), none, &p->leave->base);
	case LM__DESK_ACT__DESK_ACT_END_LEAVE:
		return work_remove(a, WORK_LEAVE, bytes_from_text(p->leave->staff), none);
	case LM__DESK_ACT__DESK_ACT_WRITE_NOTE:
		return note_write(a, p);
	case LM__DESK_ACT__DESK_ACT_TICK_NOTE:
		return note_tick(a, p);
	case LM__DESK_ACT__DESK_ACT_KEEP_TEMPLATE:
		return work_put(a, WORK_TEMPLATE, bytes_from_text(p->wording->id), none, &p->wording->base);
	default:
		return work_remove(a, WORK_TEMPLATE, bytes_from_text(p->wording->id), none);
	}
}

bool leave_counts(const Lm__Leave *leave, const char *day)
{
	return strcmp(leave->from, day) <= 0 && strcmp(day, leave->until) <= 0;
}

/* ---- telling the resident ---- */

static bool time_is_good(const char *text) /* 09:30 */
{
	return strlen(text) == 5 && text[2] == ':' && strspn(text, "0123456789:") == 5 && strcmp(text, "24:00") < 0 &&
	       text[3] < '6';
}

bool contact_is_done(const Lm__ContactPayload *p)
{
	Lm__ContactOutcome last =
	        p->n_tries ? p->tries[p->n_tries - 1]->outcome : LM__CONTACT_OUTCOME__CONTACT_OUTCOME_NONE;
	return last == LM__CONTACT_OUTCOME__CONTACT_OUTCOME_REACHED ||
	       last == LM__CONTACT_OUTCOME__CONTACT_OUTCOME_SENT ||
	       last == LM__CONTACT_OUTCOME__CONTACT_OUTCOME_DROPPED;
}

int contact_check(const Lm__ContactPayload *p, struct error *e)
{
	int64_t day;
	if (p->contact.len != ID_BYTES)
		return error_set(e, ERR_INVALID, "contact: 32 hexadecimal digits");
	if (!p->way || !protobuf_c_enum_descriptor_get_value(&lm__contact_way__descriptor, (int)p->way))
		return error_set(e, ERR_INVALID, "way: a call, a letter, a visit or a text message");
	if (!clock_date_read(p->day, &day))
		return error_set(e, ERR_INVALID, "day: a day like 2026-11-24");
	bool has_window = p->from[0] || p->until[0];
	if (has_window && (!time_is_good(p->from) || !time_is_good(p->until) || strcmp(p->from, p->until) >= 0))
		return error_set(e, ERR_INVALID, "from, until: times like 09:00, in this order, or none");
	if (p->n_tries > CONTACT_TRIES_MOST)
		return error_set(e, ERR_TOO_MANY, "tries: at most %d; drop this one and begin another",
		                 CONTACT_TRIES_MOST);
	for (size_t i = 0; i < p->n_tries; i++)
		if (!p->tries[i]->outcome ||
		    !protobuf_c_enum_descriptor_get_value(&lm__contact_outcome__descriptor,
		                                          (int)p->tries[i]->outcome) ||
		    strlen(p->tries[i]->note) > WORK_TEXT_BYTES_MOST)
			return error_set(e, ERR_INVALID, "outcome: what came of it, and a note of at most %d bytes",
			                 WORK_TEXT_BYTES_MOST);
	return name_check("text", p->text, WORK_TEXT_BYTES_MOST, e);
}

int apply_contact(struct apply *a)
{
	struct id request = header_request(a->item->header), contact = { { 0 } };
	Lm__ContactPayload *p;
	Lm__ContactRecord *known, row = LM__CONTACT_RECORD__INIT;
	if (a->item->is_absent) /* erased: its rows went with the request */
		return OK;
	int result = CODEC_UNPACK(lm__contact_payload, a->item->plain, a->arena, &p, a->e);
	if (!result)
		result = contact_check(p, a->e);
	if (result)
		return result;
	memcpy(contact.byte, p->contact.data, ID_BYTES);
	if (!store_has(a->txn, &domain_table_case, key_id(&request)))
		return error_set(a->e, ERR_NOT_FOUND, "there is no such case here");
	result = contact_get(a->txn, request, contact, a->arena, &known);
	if (!result && known->is_done)
		return error_set(a->e, ERR_CLOSED, "this was done already");
	if (result && result != ERR_NOT_FOUND)
		return result;
	if (!result)
		work_remove(a, WORK_OPEN, bytes_from_text(known->day), key_id(&contact));
	row.request_id = a->item->header->request_id;
	row.contact = p->contact;
	row.position = a->item->position;
	row.day = p->day;
	row.is_done = contact_is_done(p);
	result = work_put(a, WORK_CONTACT, key_id(&request), key_id(&contact), &row.base);
	if (!result && !row.is_done)
		result = work_put(a, WORK_OPEN, bytes_from_text(row.day), key_id(&contact), &row.base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}

int contacts_remove(struct apply *a, struct id request)
{
	ProtobufCMessage **rows;
	size_t count;
	int result = work_list(a->txn, WORK_CONTACT, key_id(&request), false, CONTACTS_MOST, a->arena, &rows, &count);
	for (size_t i = 0; i < count && !result; i++) {
		const Lm__ContactRecord *row = (Lm__ContactRecord *)rows[i];
		result = work_remove(a, WORK_OPEN, bytes_from_text(row->day), codec_bytes(row->contact));
		if (!result)
			result = work_remove(a, WORK_CONTACT, key_id(&request), codec_bytes(row->contact));
	}
	return result;
}
