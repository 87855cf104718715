/*
 * Certificates: every act in every state by everybody, numbers, who is drawn and who never is, that the district and
 * the town come to the same rows in whatever order what they told each other comes, and erasing with a replay.
 */
#include "domain/certificate.h"
#include "fixture.h"
#include "registry.h"

#define ACT(name) LM__CERTIFICATE_ACT__CERTIFICATE_ACT_##name
#define AS(name) LM__CERTIFICATE_STATE__CERTIFICATE_STATE_##name
#define NUMBER "990114195803010014" /* made up: region 990114 is none */
#define OTHER_NUMBER "990114195803010022"
#define THIRD_NUMBER "990114195803010030"
#define DISTRICT_PLACE "310114"

/* ---- steps ---- */

struct step {
	Lm__CertificateStep step;
	Lm__CertificateFinding finding;
	Lm__CertificatePledge pledge;
};

/* One that says all that any act asks. */
static Lm__CertificateStep *step_make(struct step *s, Lm__CertificateAct act, const char *staff)
{
	lm__certificate_step__init(&s->step);
	lm__certificate_finding__init(&s->finding);
	lm__certificate_pledge__init(&s->pledge);
	s->finding.category = 4;
	s->finding.grade = 2;
	s->finding.findings = "示例：右侧肢体活动受限";
	s->finding.recheck_on = "2028-11-22";
	s->pledge.revision = 1;
	s->pledge.text = "示例承诺";
	s->step.act = act;
	s->step.staff = (char *)(uintptr_t)staff;
	s->step.reason = "示例";
	s->step.id_number = NUMBER;
	s->step.finding = &s->finding;
	s->step.pledge = &s->pledge;
	s->step.valid_until = "2036-11-21";
	s->step.ground = "示例：不符合标准";
	s->step.remedy = "示例：60日内可以申请复议";
	s->step.cancel = LM__CANCEL_GROUND__CANCEL_GROUND_OWN_WISH;
	return &s->step;
}

/* ---- the table ---- */

#define STATES 11
#define ACTS 16

/* What the law of the thing is, once more and by hand: act, who, the state before, the state after. */
static const struct {
	Lm__CertificateAct act;
	unsigned who;
	Lm__CertificateState from, to;
} legal[] = {
	{ ACT(APPLY), BY_TOWN, AS(NONE), AS(APPLIED) },
	{ ACT(APPLY), BY_TOWN, AS(REFUSED), AS(APPLIED) },
	{ ACT(APPLY), BY_TOWN, AS(CANCELLED), AS(APPLIED) },
	{ ACT(DRAW), BY_DISTRICT, AS(APPLIED), AS(DRAWN) },
	{ ACT(PLEDGE), BY_ASSESSOR, AS(DRAWN), AS(PLEDGED) },
	{ ACT(DECLINE), BY_ASSESSOR, AS(DRAWN), AS(APPLIED) },
	{ ACT(DECLINE), BY_ASSESSOR, AS(PLEDGED), AS(APPLIED) },
	{ ACT(ASSESS), BY_ASSESSOR, AS(PLEDGED), AS(ASSESSED) },
	{ ACT(CHECK), BY_DISTRICT, AS(ASSESSED), AS(CHECKED) },
	{ ACT(SEND_BACK), BY_DISTRICT, AS(ASSESSED), AS(APPLIED) },
	{ ACT(ISSUE), BY_DISTRICT, AS(CHECKED), AS(ISSUED) },
	{ ACT(ISSUE), BY_DISTRICT, AS(RENEWING), AS(ISSUED) },
	{ ACT(REFUSE), BY_DISTRICT, AS(APPLIED), AS(REFUSED) },
	{ ACT(REFUSE), BY_DISTRICT, AS(CHECKED), AS(REFUSED) },
	{ ACT(LOSS), BY_TOWN, AS(ISSUED), AS(LOST) },
	{ ACT(REISSUE), BY_DISTRICT, AS(LOST), AS(ISSUED) },
	{ ACT(RENEWAL), BY_TOWN, AS(ISSUED), AS(RENEWING) },
	{ ACT(RECHECK), BY_DISTRICT, AS(ISSUED), AS(APPLIED) },
};

static Lm__CertificateState legal_to(Lm__CertificateAct act, unsigned who, Lm__CertificateState from)
{
	static const Lm__CertificateState cancelled_from[] = { AS(APPLIED), AS(DRAWN),  AS(PLEDGED), AS(ASSESSED),
		                                               AS(CHECKED), AS(ISSUED), AS(LOST),    AS(RENEWING) };
	for (size_t i = 0; i < sizeof legal / sizeof *legal; i++)
		if (legal[i].act == act && legal[i].who == who && legal[i].from == from)
			return legal[i].to;
	for (size_t i = 0; act == ACT(CANCEL) && who != BY_ASSESSOR && i < 8; i++)
		if (cancelled_from[i] == from)
			return AS(CANCELLED);
	return AS(NONE);
}

/* Facts as they may be in this state, with an assessor that was drawn. */
static void facts_in(Lm__CertificateFacts *f, Lm__AssessorDraw *draw, struct step *s, Lm__CertificateState state)
{
	static uint8_t assessor[ID_BYTES] = { 7 };
	lm__certificate_facts__init(f);
	lm__assessor_draw__init(draw);
	draw->place = HERE;
	draw->account = "drawn";
	draw->assessor_id = codec_data(BYTES_OF(assessor));
	step_make(s, ACT(NONE), "");
	f->state = state;
	f->id_number = NUMBER;
	if (state == AS(NONE) || state == AS(APPLIED))
		return;
	f->draw = draw;
	f->finding = &s->finding;
	f->category = 4;
	f->grade = 2;
}

static Lm__CertificateState try(struct node *n, Lm__CertificateAct act, unsigned who, Lm__CertificateState from,
                                int *result)
{
	Lm__CertificateFacts before, after = LM__CERTIFICATE_FACTS__INIT;
	Lm__AssessorDraw draw;
	struct step known, s;
	struct certificate_actor actor = { .tier = who == BY_DISTRICT ? DISTRICT : TOWN,
		                           .place = who == BY_DISTRICT ? DISTRICT_PLACE : HERE,
		                           .town = HERE };
	facts_in(&before, &draw, &known, from);
	*result =
	        certificate_step(n->txn, id_of(1), &actor, from ? &before : NULL,
	                         step_make(&s, act, who == BY_ASSESSOR ? "drawn" : "staff"), &n->arena, &after, &n->e);
	return after.state;
}

static int declare(struct node *n, size_t device, const char *account, const char *number, const char *relation);

static void test_every_act_in_every_state(void **state)
{
	(void)state;
	static const unsigned everybody[] = { BY_TOWN, BY_DISTRICT, BY_ASSESSOR };
	struct pair p;
	size_t possible = 0;
	int result;
	pair_open(&p);
	assert_ok(&p.hub, declare(&p.hub, TOWN_A, "somebody", OTHER_NUMBER, NULL));
	for (int act = 0; act <= ACTS; act++)
		for (int from = 0; from < STATES; from++)
			for (size_t w = 0; w < 3; w++) {
				bool is_his = act == ACT(PLEDGE) || act == ACT(DECLINE) || act == ACT(ASSESS);
				if (is_his != (everybody[w] == BY_ASSESSOR))
					continue;
				Lm__CertificateState to = legal_to(act, everybody[w], from);
				Lm__CertificateState came = try(&p.hub, act, everybody[w], from, &result);
				bool draws = act == ACT(DECLINE) || act == ACT(SEND_BACK); /* the next, at once */
				if (to && draws)
					to = AS(DRAWN);
				if (came != to || (result == OK) != (to != AS(NONE)))
					fail_msg("act %d of %u in state %d: %d, not %d: %s", act, everybody[w], from,
					         came, to, p.hub.e.text);
				if (!to)
					assert_true(p.hub.e.text[0]);
				possible += to != AS(NONE);
			}
	assert_int_equal(possible, sizeof legal / sizeof *legal + 16);
	pair_close(&p);
}

static void test_what_each_must_say(void **state)
{
	(void)state;
	struct pair p;
	Lm__CertificateFacts before, after;
	Lm__AssessorDraw draw;
	struct step known, s;
	struct certificate_actor actor = { .tier = DISTRICT, .place = DISTRICT_PLACE, .town = HERE };
	pair_open(&p);
#define REFUSED(code, words, from, act_, change)                                                                     \
	do {                                                                                                         \
		facts_in(&before, &draw, &known, AS(from));                                                          \
		step_make(&s, ACT(act_), "staff");                                                                   \
		change;                                                                                              \
		assert_refused(&p.hub, code,                                                                         \
		               certificate_step(p.hub.txn, id_of(1), &actor, &before, &s.step, &p.hub.arena, &after, \
		                                &p.hub.e));                                                          \
		assert_says(&p.hub, words);                                                                          \
	} while (0)
	REFUSED(ERR_INVALID, "ground", CHECKED, REFUSE, s.step.ground = " ");
	REFUSED(ERR_INVALID, "remedy", CHECKED, REFUSE, s.step.remedy = "");
	REFUSED(ERR_INVALID, "reason", ASSESSED, SEND_BACK, s.step.reason = "");
	REFUSED(ERR_INVALID, "staff", ASSESSED, CHECK, s.step.staff = "");
	REFUSED(ERR_INVALID, "valid_until", CHECKED, ISSUE, s.step.valid_until = "2036-02-30");
	REFUSED(ERR_INVALID, "cancel", ISSUED, CANCEL, s.step.cancel = 0);
	REFUSED(ERR_INVALID, "cancel", ISSUED, CANCEL, s.step.cancel = 9);
	REFUSED(ERR_CONFLICT, "outcome", CHECKED, CANCEL, s.step.cancel = LM__CANCEL_GROUND__CANCEL_GROUND_RECHECK);
	REFUSED(ERR_CONFLICT, "not refused", CHECKED, REFUSE, before.is_recheck = true);
	REFUSED(ERR_TOO_MANY, "99", LOST, REISSUE, before.reissued = 99);
	REFUSED(ERR_DAMAGED, "no finding", CHECKED, ISSUE, before.finding = NULL);
	REFUSED(ERR_DAMAGED, "to whom", ASSESSED, SEND_BACK, before.draw = NULL);
	actor.tier = TOWN;
	actor.place = HERE;
	REFUSED(ERR_INVALID, "id_number", NONE, APPLY, s.step.id_number = "990114195803010011");
	REFUSED(ERR_INVALID, "pledge", DRAWN, PLEDGE, s.step.staff = "drawn"; s.step.pledge = NULL);
	REFUSED(ERR_INVALID, "category", PLEDGED, ASSESS, s.step.staff = "drawn"; s.finding.category = 8);
	REFUSED(ERR_INVALID, "grade", PLEDGED, ASSESS, s.step.staff = "drawn"; s.finding.grade = 0);
	REFUSED(ERR_INVALID, "findings", PLEDGED, ASSESS, s.step.staff = "drawn"; s.finding.findings = "");
	REFUSED(ERR_INVALID, "recheck_on", PLEDGED, ASSESS, s.step.staff = "drawn"; s.finding.recheck_on = "soon");
	REFUSED(ERR_DENIED, "somebody else", PLEDGED, ASSESS, s.step.staff = "not drawn");
	REFUSED(ERR_DENIED, "somebody else", PLEDGED, ASSESS, s.step.staff = "drawn"; draw.place = "310114107");
	REFUSED(ERR_DENIED, "district", CHECKED, ISSUE, (void)0);
	actor.has_died = true;
	REFUSED(ERR_CLOSED, "died", ISSUED, RENEWAL, (void)0);
	pair_close(&p);
}

/* ---- at real nodes ---- */

static int apply_payload(struct node *n, const Lm__Header *h, Lm__CertificatePayload *p, bool is_absent)
{
	struct bytes plain = { 0 };
	if (!is_absent)
		assert_ok(n, CODEC_PACK(p, &n->arena, &plain, &n->e));
	struct domain_item item = item_make(n, h, plain);
	item.is_absent = is_absent;
	domain_effects_clear(&n->fx);
	return node_apply_item(n, &item);
}

/* At the district, as its own or as a town's. `number` NULL: draws nobody any more. */
static int declare(struct node *n, size_t device, const char *account, const char *number, const char *relation)
{
	Lm__CertificatePayload p = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__AssessorDeclaration d = LM__ASSESSOR_DECLARATION__INIT;
	bool is_own = n->domain.device == devices[device].id && device == HUB;
	Lm__Header h = entry_make(device, is_own ? OWN : UP, is_own ? KIND(CERTIFICATE) : KIND(CERTIFICATE_ASK));
	struct id id;
	char *relations[] = { (char *)(uintptr_t)relation };
	assert_ok(n, assessor_id(devices[device].place, account, &id, &n->e));
	h.person_id = codec_data(BYTES_OF(id.byte));
	d.place = devices[device].place;
	d.account = d.by = (char *)(uintptr_t)account;
	d.own_number = (char *)(uintptr_t)(number ? number : "");
	d.is_over = !number;
	d.relations = relations;
	d.n_relations = relation ? 1 : 0;
	p.declaration = &d;
	return apply_payload(n, &h, &p, false);
}

static bool is_step_absent; /* as after an erasing */

static Lm__Header ask_header(struct node *town, const struct id *person)
{
	Lm__Header h =
	        entry_make(town->domain.device == devices[TOWN_B].id ? TOWN_B : TOWN_A, UP, KIND(CERTIFICATE_ASK));
	h.person_id = codec_data(BYTES(person->byte, ID_BYTES));
	h.epoch = node_person(town, person)->epoch;
	return h;
}

static struct passed certificate_told(struct node *hub, struct hash *source)
{
	const struct domain_effect *fx = effect_find(hub, DOMAIN_CERTIFICATE_COPY);
	assert_non_null(fx);
	*source = fx->source;
	return (struct passed){ fx->device, fx->message };
}

static Lm__Header copy_header(uint64_t receiver, const struct id *person, const struct hash *source)
{
	Lm__Header h = entry_make(HUB, DOWN, KIND(CERTIFICATE_COPY));
	h.receiver = receiver;
	h.person_id = codec_data(BYTES(person->byte, ID_BYTES));
	h.source = codec_data(BYTES(source->byte, HASH_BYTES));
	return h;
}

static void tell(struct node *hub, struct node *town, const struct id *person)
{
	struct hash source;
	struct passed told = certificate_told(hub, &source);
	assert_int_equal(told.device, town->domain.device);
	Lm__Header h = copy_header(told.device, person, &source);
	assert_ok(town, node_apply(town, &h, told.message));
}

static Lm__CertificateRecord *certificate_at(struct node *n, const struct id *person)
{
	Lm__CertificateRecord *record;
	assert_ok(n, certificate_get(n->txn, *person, &n->arena, &record));
	return record;
}

/* A town's step: at the town, at the district, and back. */
static void ask(struct pair *p, const struct id *person, Lm__CertificateAct act, const char *staff)
{
	struct step s;
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__Header h = ask_header(&p->town, person);
	payload.step = step_make(&s, act, staff);
	assert_ok(&p->town, apply_payload(&p->town, &h, &payload, is_step_absent));
	assert_ok(&p->hub, apply_payload(&p->hub, &h, &payload, is_step_absent));
	tell(&p->hub, &p->town, person);
}

static int own_step(struct node *hub, const struct id *person, Lm__CertificateStep *step)
{
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__CertificateRecord *record = NULL;
	Lm__Header h = entry_make(HUB, OWN, KIND(CERTIFICATE));
	if (certificate_get(hub->txn, *person, &hub->arena, &record))
		record = NULL;
	certificate_event_header(person, record, DISTRICT_PLACE, &h);
	payload.step = step;
	return apply_payload(hub, &h, &payload, is_step_absent);
}

static void decide(struct pair *p, const struct id *person, Lm__CertificateAct act, const char *staff)
{
	struct step s;
	assert_ok(&p->hub, own_step(&p->hub, person, step_make(&s, act, staff)));
	tell(&p->hub, &p->town, person);
}

static void resident_open(struct pair *p, struct facts *f, const struct id *person)
{
	pair_open(p);
	facts_make(f, "王小明", "310114106001");
	assert_ok(&p->town, pair_act(p, person, DO(CREATE), &f->facts, HERE));
}

static void to_issued(struct pair *p, const struct id *person)
{
	assert_ok(&p->hub, declare(&p->hub, TOWN_A, "doctor", OTHER_NUMBER, NULL));
	ask(p, person, ACT(APPLY), "clerk");
	decide(p, person, ACT(DRAW), "operator");
	ask(p, person, ACT(PLEDGE), "doctor");
	ask(p, person, ACT(ASSESS), "doctor");
	decide(p, person, ACT(CHECK), "operator");
	decide(p, person, ACT(ISSUE), "operator");
}

static void same_certificate(struct pair *p, const struct id *person)
{
	struct bytes packed[2];
	assert_ok(&p->hub, CODEC_PACK(certificate_at(&p->town, person), &p->hub.arena, &packed[0], &p->hub.e));
	assert_ok(&p->hub, CODEC_PACK(certificate_at(&p->hub, person), &p->hub.arena, &packed[1], &p->hub.e));
	assert_true(bytes_equal(packed[0], packed[1]));
}

static void test_a_life(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct id person = id_of(1);
	struct certificate_event *events;
	size_t count;
	resident_open(&p, &f, &person);
	to_issued(&p, &person);
	Lm__CertificateFacts *c = certificate_at(&p.town, &person)->facts;
	assert_string_equal(c->number, NUMBER "42");
	assert_true(certificate_number_is_valid(c->number));
	assert_string_equal(c->valid_until, "2036-11-21");
	assert_string_equal(c->pledge->text, "示例承诺");
	assert_false(certificate_recheck_is_due(c, "2028-11-21"));
	assert_true(certificate_recheck_is_due(c, "2028-11-22"));
	ask(&p, &person, ACT(LOSS), "clerk");
	decide(&p, &person, ACT(REISSUE), "operator");
	assert_string_equal(certificate_at(&p.town, &person)->facts->number, NUMBER "42B01");
	ask(&p, &person, ACT(LOSS), "clerk");
	decide(&p, &person, ACT(REISSUE), "operator");
	assert_string_equal(certificate_at(&p.town, &person)->facts->number, NUMBER "42B02");
	ask(&p, &person, ACT(RENEWAL), "clerk");
	decide(&p, &person, ACT(ISSUE), "operator");
	assert_string_equal(certificate_at(&p.town, &person)->facts->number, NUMBER "42B02");
	decide(&p, &person, ACT(RECHECK), "operator");
	assert_true(certificate_at(&p.town, &person)->facts->is_recheck);
	assert_string_equal(certificate_at(&p.town, &person)->facts->number, NUMBER "42B02"); /* in force meanwhile */
	ask(&p, &person, ACT(CANCEL), "clerk");
	same_certificate(&p, &person);
	assert_int_equal(certificate_at(&p.hub, &person)->version, 14);
	assert_ok(&p.town, certificate_events(p.town.txn, person, &p.town.arena, &events, &count));
	assert_int_equal(count, 14);
	assert_int_equal(events[0].version, 14);
	pair_close(&p);
}

/* Another grade is another number, whose first card it is. */
static void test_another_grade(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct step s;
	struct id person = id_of(1);
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	resident_open(&p, &f, &person);
	to_issued(&p, &person);
	ask(&p, &person, ACT(LOSS), "clerk");
	decide(&p, &person, ACT(REISSUE), "operator");
	decide(&p, &person, ACT(RECHECK), "operator");
	decide(&p, &person, ACT(DRAW), "operator");
	ask(&p, &person, ACT(PLEDGE), "doctor");
	Lm__Header h = ask_header(&p.town, &person);
	payload.step = step_make(&s, ACT(ASSESS), "doctor");
	s.finding.grade = 3;
	assert_ok(&p.hub, apply_payload(&p.hub, &h, &payload, false));
	decide(&p, &person, ACT(CHECK), "operator");
	decide(&p, &person, ACT(ISSUE), "operator");
	assert_string_equal(certificate_at(&p.town, &person)->facts->number, NUMBER "43");
	pair_close(&p);
}

/* What is not possible is answered with a sentence, and changes nothing else. */
static void test_an_ask_that_is_refused(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct id person = id_of(1);
	struct certificate_event *events;
	Lm__CertificateWaiting **waiting;
	size_t count;
	resident_open(&p, &f, &person);
	ask(&p, &person, ACT(APPLY), "clerk");
	ask(&p, &person, ACT(LOSS), "clerk");
	assert_int_equal(certificate_at(&p.town, &person)->facts->state, AS(APPLIED));
	assert_ok(&p.town, certificate_events(p.town.txn, person, &p.town.arena, &events, &count));
	assert_int_equal(count, 2);
	assert_non_null(strstr(events[0].refusal, "it waits for an assessor to be drawn"));
	assert_ok(&p.town, certificate_waiting(p.town.txn, person, &p.town.arena, &waiting, &count));
	assert_int_equal(count, 0);
	same_certificate(&p, &person);
	pair_close(&p);
}

/* ---- while the district is away ---- */

static void test_the_town_looks_ahead(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct step s;
	struct id person = id_of(1);
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__CertificateFacts *expected;
	Lm__CertificateWaiting **waiting;
	struct certificate_actor town = { .tier = TOWN, .place = HERE, .town = HERE, .is_guess = true };
	size_t count;
	resident_open(&p, &f, &person);
	assert_ok(&p.town, certificate_expected(p.town.txn, person, &town, &p.town.arena, &expected));
	assert_null(expected);
	Lm__Header h = ask_header(&p.town, &person);
	payload.step = step_make(&s, ACT(APPLY), "clerk");
	assert_ok(&p.town, apply_payload(&p.town, &h, &payload, false));
	assert_ok(&p.town, certificate_expected(p.town.txn, person, &town, &p.town.arena, &expected));
	assert_int_equal(expected->state, AS(APPLIED));
	Lm__Header second = ask_header(&p.town, &person);
	payload.step = step_make(&s, ACT(CANCEL), "clerk");
	assert_ok(&p.town, apply_payload(&p.town, &second, &payload, false));
	assert_ok(&p.town, certificate_expected(p.town.txn, person, &town, &p.town.arena, &expected));
	assert_int_equal(expected->state, AS(CANCELLED));
	assert_ok(&p.town, certificate_waiting(p.town.txn, person, &p.town.arena, &waiting, &count));
	assert_int_equal(count, 2);
	assert_int_equal(waiting[0]->step->act, ACT(APPLY));
	payload.step = step_make(&s, ACT(APPLY), "clerk");
	assert_ok(&p.hub, apply_payload(&p.hub, &h, &payload, false));
	tell(&p.hub, &p.town, &person);
	assert_ok(&p.town, certificate_waiting(p.town.txn, person, &p.town.arena, &waiting, &count));
	assert_int_equal(count, 1);
	/* the same ask once more, as after a restore: answered once */
	uint32_t version = certificate_at(&p.hub, &person)->version;
	assert_ok(&p.hub, apply_payload(&p.hub, &h, &payload, false));
	assert_int_equal(certificate_at(&p.hub, &person)->version, version);
	assert_null(effect_find(&p.hub, DOMAIN_CERTIFICATE_COPY));
	pair_close(&p);
}

/* Before the record, or before its hand-over to the town that asks: held until that comes. */
static void test_too_early(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct step s;
	struct id person = id_of(1), other = id_of(2);
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	resident_open(&p, &f, &person);
	Lm__Header h = entry_make(TOWN_A, UP, KIND(CERTIFICATE_ASK));
	h.person_id = codec_data(BYTES_OF(other.byte));
	h.epoch = 1;
	payload.step = step_make(&s, ACT(APPLY), "clerk");
	assert_refused(&p.hub, ERR_HELD, apply_payload(&p.hub, &h, &payload, false));
	h = entry_make(TOWN_B, UP, KIND(CERTIFICATE_ASK));
	h.person_id = codec_data(BYTES_OF(person.byte));
	h.epoch = 2;
	assert_refused(&p.hub, ERR_HELD, apply_payload(&p.hub, &h, &payload, false));
	h.epoch = 1; /* not its record, and it does not say so */
	assert_refused(&p.hub, ERR_DENIED, apply_payload(&p.hub, &h, &payload, false));
	h = entry_make(T1, UP, KIND(CERTIFICATE_ASK));
	h.person_id = codec_data(BYTES_OF(person.byte));
	assert_refused(&p.hub, ERR_DENIED, apply_payload(&p.hub, &h, &payload, false)); /* a terminal's */
	pair_close(&p);
}

/* Where the resident's record goes the certificate goes, and the former town keeps who has it. */
static void test_moves_with_the_record(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct id person = id_of(1);
	resident_open(&p, &f, &person);
	to_issued(&p, &person);
	assert_ok(&p.town, pair_act(&p, &person, DO(HAND_OVER), &f.facts, "310114107"));
	assert_string_equal(certificate_at(&p.hub, &person)->town, "310114107");
	size_t told = 0;
	for (size_t i = 0; i < p.hub.fx.count; i++) {
		const struct domain_effect *fx = &p.hub.fx.list[i];
		if (fx->type != DOMAIN_CERTIFICATE_COPY)
			continue;
		told++;
		if (fx->device != devices[TOWN_A].id)
			continue;
		Lm__Header h = copy_header(fx->device, &person, &fx->source);
		assert_ok(&p.town, node_apply(&p.town, &h, fx->message));
	}
	assert_int_equal(told, 2);
	assert_null(certificate_at(&p.town, &person)->facts);
	assert_string_equal(certificate_at(&p.town, &person)->town, "310114107");
	pair_close(&p);
}

/* ---- who is drawn ---- */

static void test_who_is_drawn(void **state)
{
	(void)state;
	struct pair p;
	struct id person = id_of(1), id;
	Lm__AssessorDraw draw, again;
	struct draw_order order = { person, HERE, NUMBER, 1, NULL, 0 };
	pair_open(&p);
	assert_refused(&p.hub, ERR_NOT_FOUND, assessor_draw(p.hub.txn, &order, &p.hub.arena, &draw, &p.hub.e));
	assert_ok(&p.hub, declare(&p.hub, TOWN_A, "himself", NUMBER, NULL));
	assert_ok(&p.hub, declare(&p.hub, TOWN_A, "relative", OTHER_NUMBER, NUMBER));
	assert_ok(&p.hub, declare(&p.hub, TOWN_B, "elsewhere", OTHER_NUMBER, NULL));
	assert_refused(&p.hub, ERR_NOT_FOUND, assessor_draw(p.hub.txn, &order, &p.hub.arena, &draw, &p.hub.e));
	assert_refused(&p.hub, ERR_INVALID, declare(&p.hub, TOWN_A, "wrong", "990114195803010011", NULL));
	assert_ok(&p.hub, declare(&p.hub, TOWN_A, "one", OTHER_NUMBER, THIRD_NUMBER));
	assert_ok(&p.hub, declare(&p.hub, HUB, "two", OTHER_NUMBER, NULL));
	assert_ok(&p.hub, assessor_draw(p.hub.txn, &order, &p.hub.arena, &draw, &p.hub.e));
	assert_int_equal(draw.candidates, 2);
	assert_ok(&p.hub, assessor_draw(p.hub.txn, &order, &p.hub.arena, &again, &p.hub.e));
	assert_string_equal(draw.account, again.account);
	assert_true(bytes_equal(codec_bytes(draw.list_hash), codec_bytes(again.list_hash)));
	bool seen[2] = { false, false }; /* in the long run everybody */
	for (order.sequence = 1; order.sequence < 64; order.sequence++) {
		assert_ok(&p.hub, assessor_draw(p.hub.txn, &order, &p.hub.arena, &draw, &p.hub.e));
		seen[strcmp(draw.account, "two") == 0] = true;
	}
	assert_true(seen[0] && seen[1]);
	assert_ok(&p.hub, assessor_id(HERE, "one", &id, &p.hub.e));
	ProtobufCBinaryData passed[] = { codec_data(BYTES_OF(id.byte)) };
	order.passed = passed;
	order.passed_count = 1;
	assert_ok(&p.hub, assessor_draw(p.hub.txn, &order, &p.hub.arena, &draw, &p.hub.e));
	assert_string_equal(draw.account, "two");
	assert_ok(&p.hub, declare(&p.hub, HUB, "two", NULL, NULL)); /* gives it up */
	assert_refused(&p.hub, ERR_NOT_FOUND, assessor_draw(p.hub.txn, &order, &p.hub.arena, &draw, &p.hub.e));
	pair_close(&p);
}

static void test_declined_and_sent_back(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct step s;
	struct id person = id_of(1);
	resident_open(&p, &f, &person);
	assert_ok(&p.hub, declare(&p.hub, TOWN_A, "doctor", OTHER_NUMBER, NULL));
	assert_ok(&p.hub, declare(&p.hub, HUB, "operator", THIRD_NUMBER, NULL));
	ask(&p, &person, ACT(APPLY), "clerk");
	decide(&p, &person, ACT(DRAW), "operator");
	const char *first = certificate_at(&p.hub, &person)->facts->draw->account;
	bool is_town = strcmp(first, "doctor") == 0;
	if (is_town)
		ask(&p, &person, ACT(DECLINE), "doctor");
	else
		decide(&p, &person, ACT(DECLINE), "operator");
	const Lm__CertificateFacts *c = certificate_at(&p.hub, &person)->facts;
	assert_int_equal(c->state, AS(DRAWN));
	assert_string_equal(c->draw->account, is_town ? "operator" : "doctor");
	assert_int_equal(c->draw->sequence, 2);
	if (is_town) {
		decide(&p, &person, ACT(PLEDGE), "operator");
		decide(&p, &person, ACT(ASSESS), "operator");
		assert_refused(&p.hub, ERR_DENIED, own_step(&p.hub, &person, step_make(&s, ACT(CHECK), "operator")));
		assert_says(&p.hub, "second person");
	} else {
		ask(&p, &person, ACT(PLEDGE), "doctor");
		ask(&p, &person, ACT(ASSESS), "doctor");
	}
	decide(&p, &person, ACT(SEND_BACK), "somebody");
	c = certificate_at(&p.hub, &person)->facts;
	assert_int_equal(c->state, AS(APPLIED)); /* nobody is left */
	assert_null(c->draw);
	assert_null(c->finding);
	assert_refused(&p.hub, ERR_NOT_FOUND, own_step(&p.hub, &person, step_make(&s, ACT(DRAW), "somebody")));
	pair_close(&p);
}

/* ---- a restored district ---- */

/* What it told the town comes back and stands for its lost word; what the town had asked waits until then. */
static void test_given_back(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct step s;
	struct id person = id_of(1);
	struct hash source[2];
	struct passed told[2];
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	resident_open(&p, &f, &person);
	assert_ok(&p.hub, declare(&p.hub, TOWN_A, "doctor", OTHER_NUMBER, NULL));
	Lm__Header h = ask_header(&p.town, &person);
	payload.step = step_make(&s, ACT(APPLY), "clerk");
	struct node spare = p.hub; /* the backup is from before the ask */
	spare.domain.memo = &spare.memo;
	node_open(&p.hub, &devices[HUB]);
	node_directory(&p.hub);
	Lm__Header create = person_entry(TOWN_A, &person, NULL, HERE);
	assert_ok(&p.hub, apply_person_entry(&p.hub, &create, DO(CREATE), &f.facts));
	assert_ok(&spare, apply_payload(&spare, &h, &payload, false));
	told[0] = certificate_told(&spare, &source[0]);
	assert_ok(&spare, own_step(&spare, &person, step_make(&s, ACT(DRAW), "operator")));
	told[1] = certificate_told(&spare, &source[1]);
	node_restore_step(&p.hub, LM__RESTORE_STEP__RESTORE_STEP_BEGUN);
	payload.step = step_make(&s, ACT(APPLY), "clerk");
	assert_refused(&p.hub, ERR_HELD, apply_payload(&p.hub, &h, &payload, false));
	for (size_t i = 0; i < 2; i++) {
		Lm__Header copy = copy_header(told[i].device, &person, &source[i]);
		assert_ok(&p.hub, node_apply(&p.hub, &copy, told[i].message));
	}
	node_restore_step(&p.hub, LM__RESTORE_STEP__RESTORE_STEP_ENDED);
	assert_non_null(effect_find(&p.hub, DOMAIN_RELEASE_HELD));
	assert_ok(&p.hub, apply_payload(&p.hub, &h, &payload, false)); /* it was answered before */
	assert_int_equal(certificate_at(&p.hub, &person)->version, 2);
	assert_int_equal(certificate_at(&p.hub, &person)->facts->state, AS(DRAWN));
	assert_string_equal(certificate_at(&p.hub, &person)->facts->draw->account, "doctor");
	node_close(&spare);
	pair_close(&p);
}

/* A town that was put back hears the answer before it is given back what it had asked. */
static void test_an_ask_comes_back_behind_its_answer(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct step s;
	struct hash source;
	struct id person = id_of(1);
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__CertificateWaiting **waiting;
	size_t count;
	resident_open(&p, &f, &person);
	Lm__Header h = ask_header(&p.town, &person);
	payload.step = step_make(&s, ACT(APPLY), "clerk");
	assert_ok(&p.hub, apply_payload(&p.hub, &h, &payload, false));
	struct passed told = certificate_told(&p.hub, &source);
	Lm__Header copy = copy_header(told.device, &person, &source);
	node_restore_step(&p.town, LM__RESTORE_STEP__RESTORE_STEP_BEGUN);
	assert_ok(&p.town, node_apply(&p.town, &copy, told.message));
	assert_ok(&p.town, apply_payload(&p.town, &h, &payload, false));
	assert_ok(&p.town, certificate_waiting(p.town.txn, person, &p.town.arena, &waiting, &count));
	assert_int_equal(count, 0);
	assert_int_equal(certificate_at(&p.town, &person)->version, 1);
	pair_close(&p);
}

/* ---- samples ---- */

static void test_samples(void **state)
{
	(void)state;
	struct id ids[100], again[100];
	uint8_t seed[SAMPLE_SEED_BYTES] = { 1 };
	struct hash frame;
	struct error e;
	for (size_t i = 0; i < 100; i++)
		ids[i] = again[99 - i] = id_of(i); /* the order of the frame does not matter */
	assert_int_equal(sample_frame_hash(ids, 100, &frame, &e), OK);
	assert_int_equal(sample_draw(seed, ids, 100, 10, &e), OK);
	assert_int_equal(sample_draw(seed, again, 100, 10, &e), OK);
	assert_memory_equal(ids, again, 10 * sizeof *ids);
	seed[0] = 2;
	assert_int_equal(sample_draw(seed, again, 100, 10, &e), OK);
	assert_memory_not_equal(ids, again, 10 * sizeof *ids);
}

static void test_results_of_a_sample(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct id person = id_of(1), other = id_of(2), sample = id_of(9);
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__QualitySample s = LM__QUALITY_SAMPLE__INIT;
	Lm__QualityResult r = LM__QUALITY_RESULT__INIT;
	Lm__QualityRow *row;
	uint8_t seed[SAMPLE_SEED_BYTES] = { 1 }, frame[HASH_BYTES] = { 2 };
	ProtobufCBinaryData drawn[] = { codec_data(BYTES_OF(person.byte)) };
	resident_open(&p, &f, &person);
	Lm__Header h = entry_make(HUB, OWN, KIND(CERTIFICATE));
	h.person_id = codec_data(BYTES_OF(sample.byte));
	s.seed = codec_data(BYTES_OF(seed));
	s.frame_hash = codec_data(BYTES_OF(frame));
	s.person_id = drawn;
	s.n_person_id = 1;
	s.by = "operator";
	payload.sample = &s;
	assert_refused(&p.hub, ERR_INVALID, apply_payload(&p.hub, &h, &payload, false)); /* from a frame of none */
	s.frame = 3;
	assert_ok(&p.hub, apply_payload(&p.hub, &h, &payload, false));
	payload.sample = NULL;
	payload.result = &r;
	r.sample_id = codec_data(BYTES_OF(sample.byte));
	r.outcome = LM__QUALITY_OUTCOME__QUALITY_OUTCOME_PAPERS;
	r.by = "operator";
	h = entry_make(HUB, OWN, KIND(CERTIFICATE));
	h.person_id = codec_data(BYTES_OF(other.byte));
	assert_refused(&p.hub, ERR_NOT_FOUND, apply_payload(&p.hub, &h, &payload, false));
	h.person_id = codec_data(BYTES_OF(person.byte));
	assert_refused(&p.hub, ERR_INVALID, apply_payload(&p.hub, &h, &payload, false)); /* what is wrong? */
	r.note = "示例：缺少近照";
	assert_ok(&p.hub, apply_payload(&p.hub, &h, &payload, false));
	assert_ok(&p.hub, sample_result_get(p.hub.txn, sample, person, &p.hub.arena, &row));
	assert_string_equal(row->by, "operator");
	pair_close(&p);
}

/* ---- erasing ---- */

/* The certificate goes with the resident's record, and a replay that finds it absent comes to the same rows. */
static void test_erased_with_the_record(void **state)
{
	(void)state;
	struct hash hash[2][2];
	uint64_t seq = next_seq;
	for (int is_absent = 0; is_absent < 2; is_absent++) {
		struct pair p;
		struct facts f;
		struct id person = id_of(1);
		Lm__CertificateRecord *record;
		next_seq = seq;
		n_is_absent = is_absent;
		resident_open(&p, &f, &person);
		n_is_absent = false;
		is_step_absent = is_absent;
		to_issued(&p, &person);
		is_step_absent = false;
		struct bytes word;
		Lm__ErasePayload told = LM__ERASE_PAYLOAD__INIT;
		ProtobufCBinaryData persons[] = { codec_data(BYTES_OF(person.byte)) };
		told.act = persons[0];
		told.person_id = persons;
		told.n_person_id = 1;
		assert_ok(&p.hub, CODEC_PACK(&told, &p.hub.arena, &word, &p.hub.e));
		assert_ok(&p.town, erase_done(&p.town, word));
		Lm__Header h = entry_make(HUB, OWN, KIND(ERASURE));
		assert_ok(&p.hub, node_apply(&p.hub, &h, word));
		assert_int_equal(certificate_get(p.hub.txn, person, &p.hub.arena, &record), ERR_NOT_FOUND);
		assert_int_equal(certificate_get(p.town.txn, person, &p.town.arena, &record), ERR_NOT_FOUND);
		hash[is_absent][0] = node_hash(&p.town);
		hash[is_absent][1] = node_hash(&p.hub);
		pair_close(&p);
	}
	assert_memory_equal(hash[0], hash[1], sizeof hash[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_act_in_every_state),
		cmocka_unit_test(test_what_each_must_say),
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_another_grade),
		cmocka_unit_test(test_an_ask_that_is_refused),
		cmocka_unit_test(test_the_town_looks_ahead),
		cmocka_unit_test(test_too_early),
		cmocka_unit_test(test_moves_with_the_record),
		cmocka_unit_test(test_who_is_drawn),
		cmocka_unit_test(test_declined_and_sent_back),
		cmocka_unit_test(test_given_back),
		cmocka_unit_test(test_an_ask_comes_back_behind_its_answer),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_results_of_a_sample),
		cmocka_unit_test(test_erased_with_the_record),
	};
	devices_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
