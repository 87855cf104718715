/* After a restore: the district's own copies stand for its lost events; what `own` keeps of backups and restores. */
#include "fixture.h"

#include "domain/backup.h"

static void district_open(struct node *n, const Lm__Header *request)
{
	node_open(n, &devices[HUB]);
	node_directory(n);
	assert_ok(n, node_publish(n, "district", 1, DISTRICT));
	if (request)
		assert_ok(n, node_apply(n, request, request_plain(n, CODE, "张三")));
}

static Lm__Header copy_of(const Lm__Header *event)
{
	Lm__Header h = *event;
	h.kind = KIND(CASE_COPY);
	h.stream = DOWN;
	h.receiver = devices[TOWN_A].id;
	h.seq = next_seq++;
	return h;
}

/* A district that lives on, and what it wrote: an acceptance, a question, and that its answer was taken. */
struct life {
	struct node hub;
	struct id id;
	Lm__Header request, answer, event[3], copy[3];
	struct hash ask_hash;
	ProtobufCBinaryData cited;
};

static void life_make(struct life *l)
{
	static const Lm__CaseAction actions[] = { ACTION(ACCEPT), ACTION(ASK), ACTION(ANSWER_TAKEN) };
	memset(l, 0, sizeof *l);
	l->id = id_of(1);
	l->request = request_entry(T1, &l->id, "district", 1);
	district_open(&l->hub, &l->request);
	l->answer = ask_entry(T1, &l->id, KIND(ANSWER), 2);
	l->ask_hash = entry_hash_of(&l->answer);
	l->cited = codec_data(BYTES_OF(l->ask_hash));
	for (size_t i = 0; i < 3; i++) {
		if (i == 2)
			assert_ok(&l->hub, node_apply(&l->hub, &l->answer, BYTES(NULL, 0)));
		l->event[i] = event_entry(&l->hub, &l->id, actions[i]);
		if (i == 2) {
			l->event[i].n_asks = 1;
			l->event[i].asks = &l->cited;
		}
		assert_ok(&l->hub, node_apply(&l->hub, &l->event[i], BYTES(NULL, 0)));
		l->copy[i] = copy_of(&l->event[i]);
		struct hash before = node_hash(&l->hub);
		assert_ok(&l->hub, node_apply(&l->hub, &l->copy[i], BYTES(NULL, 0)));
		struct hash after = node_hash(&l->hub);
		assert_memory_equal(&before, &after, sizeof before); /* its event was applied just before it */
	}
}

static void same_case(struct life *l, struct node *restored)
{
	const Lm__CaseRecord *a = node_case(&l->hub, &l->id), *b = node_case(restored, &l->id);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->epoch, b->epoch);
	assert_int_equal(a->n_events, b->n_events);
	assert_int_equal(1, b->n_asks);
	assert_true(b->asks[0]->is_answered);
}

static void test_copies_stand_for_lost_events(void **state)
{
	(void)state;
	struct life l;
	struct node restored;
	life_make(&l);
	district_open(&restored, &l.request);
	for (size_t i = 0; i < 3; i++)
		assert_ok(&restored, node_apply(&restored, &l.copy[i], BYTES(NULL, 0)));
	/* The ask itself comes last, over another stream: it was answered before the restore. */
	assert_ok(&restored, node_apply(&restored, &l.answer, BYTES(NULL, 0)));
	assert_int_equal(0, effect_count(&restored, DOMAIN_ANSWER_ASK));
	domain_effects_clear(&restored.fx);
	assert_ok(&restored,
	          case_asks_unanswered(&restored.domain, restored.txn, &restored.arena, &restored.fx, &restored.e));
	assert_int_equal(0, restored.fx.count);
	same_case(&l, &restored);
	node_close(&restored);
	node_close(&l.hub);
}

static void test_an_ask_that_nobody_answered_is_found(void **state)
{
	(void)state;
	struct life l;
	struct node restored;
	life_make(&l);
	district_open(&restored, &l.request);
	assert_ok(&restored, node_apply(&restored, &l.copy[0], BYTES(NULL, 0)));
	assert_ok(&restored, node_apply(&restored, &l.copy[1], BYTES(NULL, 0)));
	assert_ok(&restored, node_apply(&restored, &l.answer, BYTES(NULL, 0)));
	domain_effects_clear(&restored.fx);
	assert_ok(&restored,
	          case_asks_unanswered(&restored.domain, restored.txn, &restored.arena, &restored.fx, &restored.e));
	assert_int_equal(1, effect_count(&restored, DOMAIN_ANSWER_ASK));
	const struct domain_effect *fx = effect_find(&restored, DOMAIN_ANSWER_ASK);
	assert_memory_equal(fx->ask.byte, l.ask_hash.byte, HASH_BYTES);
	assert_int_equal(KIND(ANSWER), fx->kind);
	node_close(&restored);
	node_close(&l.hub);
}

static void test_a_copy_waits_for_what_it_follows(void **state)
{
	(void)state;
	struct life l;
	struct node restored;
	life_make(&l);
	district_open(&restored, NULL);
	assert_refused(&restored, ERR_HELD, node_apply(&restored, &l.copy[0], BYTES(NULL, 0))); /* for the request */
	assert_ok(&restored, node_apply(&restored, &l.request, request_plain(&restored, CODE, "张三")));
	assert_refused(&restored, ERR_HELD, node_apply(&restored, &l.copy[1], BYTES(NULL, 0))); /* for the version */
	assert_ok(&restored, node_apply(&restored, &l.copy[0], BYTES(NULL, 0)));
	assert_non_null(effect_find(&restored, DOMAIN_RELEASE_HELD));
	node_close(&restored);
	node_close(&l.hub);
}

/* ---- `own` ---- */

static int own_apply(struct node *n, Lm__Kind kind, const ProtobufCMessage *payload)
{
	Lm__Header h = entry_make(HUB, OWN, kind);
	return node_apply_message(n, &h, payload);
}

static int backup_step(struct node *n, Lm__BackupStep step, uint8_t name)
{
	static uint8_t id[BACKUP_ID_BYTES], key[KEY_BYTES];
	Lm__BackupPayload p = LM__BACKUP_PAYLOAD__INIT;
	memset(id, name, sizeof id);
	p.step = step;
	p.backup = codec_data(BYTES_OF(id));
	p.proof_key = codec_data(BYTES(key, step == LM__BACKUP_STEP__BACKUP_STEP_MADE ? sizeof key : 0));
	p.made_ms = name;
	return own_apply(n, KIND(BACKUP), &p.base);
}

#define MADE LM__BACKUP_STEP__BACKUP_STEP_MADE
#define VERIFIED LM__BACKUP_STEP__BACKUP_STEP_VERIFIED

static void test_backups_are_made_and_verified(void **state)
{
	(void)state;
	struct node n;
	Lm__BackupRecord *record;
	district_open(&n, NULL);
	assert_int_equal(ERR_NOT_FOUND, backup_get(n.txn, &n.arena, &record));
	assert_refused(&n, ERR_NOT_FOUND, backup_step(&n, VERIFIED, 1));
	for (uint8_t name = 1; name <= 3; name++)
		assert_ok(&n, backup_step(&n, MADE, name));
	assert_ok(&n, backup_step(&n, VERIFIED, 2));
	assert_ok(&n, backup_get(n.txn, &n.arena, &record));
	assert_int_equal(2, record->verified->made_ms);
	assert_int_equal(1, record->n_made); /* the first is no news any more */
	assert_int_equal(3, record->made[0]->made_ms);
	assert_refused(&n, ERR_NOT_FOUND, backup_step(&n, VERIFIED, 1));
	assert_refused(&n, ERR_INVALID, backup_step(&n, LM__BACKUP_STEP__BACKUP_STEP_NONE, 4));
	for (uint8_t name = 10; name < 10 + 2 * BACKUPS_WAITING_MOST; name++)
		assert_ok(&n, backup_step(&n, MADE, name));
	assert_ok(&n, backup_get(n.txn, &n.arena, &record));
	assert_int_equal(BACKUPS_WAITING_MOST, record->n_made);
	assert_int_equal(9 + 2 * BACKUPS_WAITING_MOST, record->made[BACKUPS_WAITING_MOST - 1]->made_ms);
	node_close(&n);
}

static int restore_step(struct node *n, Lm__RestoreStep step, uint64_t device)
{
	Lm__RestorePayload p = LM__RESTORE_PAYLOAD__INIT;
	p.step = step;
	p.device = device;
	p.position = 77;
	return own_apply(n, KIND(RESTORE), &p.base);
}

static void test_a_restore_begins_and_ends(void **state)
{
	(void)state;
	struct node n;
	Lm__RestoreRecord *record;
	district_open(&n, NULL);
	assert_refused(&n, ERR_CONFLICT, restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_ENDED, 0));
	assert_refused(&n, ERR_CONFLICT, restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_LEFT_OUT, 1));
	assert_ok(&n, restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_BEGUN, 0));
	assert_ok(&n, restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_LEFT_OUT, 5));
	assert_ok(&n, restore_get(n.txn, &n.arena, &record));
	assert_false(record->is_over);
	assert_int_equal(77, record->position);
	assert_int_equal(1, record->n_left_out);
	assert_int_equal(5, record->left_out[0]);
	assert_ok(&n, restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_ENDED, 0));
	assert_ok(&n, restore_get(n.txn, &n.arena, &record));
	assert_true(record->is_over);
	assert_refused(&n, ERR_CONFLICT, restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_ENDED, 0));
	assert_ok(&n, restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_BEGUN, 0)); /* a second time, years later */
	assert_ok(&n, restore_get(n.txn, &n.arena, &record));
	assert_int_equal(0, record->n_left_out);
	node_close(&n);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_stand_for_lost_events),
		cmocka_unit_test(test_an_ask_that_nobody_answered_is_found),
		cmocka_unit_test(test_a_copy_waits_for_what_it_follows),
		cmocka_unit_test(test_backups_are_made_and_verified),
		cmocka_unit_test(test_a_restore_begins_and_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
