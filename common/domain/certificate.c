/*
 * A certificate's life.
 *
 *            APPLY       DRAW       PLEDGE        ASSESS         CHECK         ISSUE
 *   (none) ───────► applied ───► drawn ───► pledged ───► assessed ───► checked ───► issued ◄── REISSUE ── lost
 *                    ▲  ▲ ◄─ DECLINE ─┴─────────┘            │           │            │ ▲  └──── LOSS ────►
 *                    │  └────────────── SEND_BACK ───────────┘           │            │ └── ISSUE ── renewing
 *                    └───── RECHECK, from issued                 REFUSE  ▼   RENEWAL  └─────────────►
 *                                              (also from applied)  refused
 *
 *   CANCEL ends all that is open or in force; who was refused, or whose certificate was cancelled, may apply again.
 *
 * What is below is pure: a step comes to the same facts wherever it is taken, at the district, and at a town that looks
 * ahead while the district is away.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define ACT(name) LM__CERTIFICATE_ACT__CERTIFICATE_ACT_##name
#define IN(name) (1u << LM__CERTIFICATE_STATE__CERTIFICATE_STATE_##name)
#define TO(name) LM__CERTIFICATE_STATE__CERTIFICATE_STATE_##name
#define UNDER_WAY (IN(APPLIED) | IN(DRAWN) | IN(PLEDGED) | IN(ASSESSED) | IN(CHECKED))
#define IN_FORCE (IN(ISSUED) | IN(LOST) | IN(RENEWING))
#define REISSUES_MOST 99

const struct certificate_move certificate_moves[] = {
	{ ACT(APPLY), BY_TOWN, IN(NONE) | IN(REFUSED) | IN(CANCELLED), TO(APPLIED), "applied for" },
	{ ACT(DRAW), BY_DISTRICT, IN(APPLIED), TO(DRAWN), "given to an assessor" },
	{ ACT(PLEDGE), BY_ASSESSOR, IN(DRAWN), TO(PLEDGED), "pledged for" },
	{ ACT(DECLINE), BY_ASSESSOR, IN(DRAWN) | IN(PLEDGED), TO(APPLIED), "declined" },
	{ ACT(ASSESS), BY_ASSESSOR, IN(PLEDGED), TO(ASSESSED), "assessed" },
	{ ACT(CHECK), BY_DISTRICT, IN(ASSESSED), TO(CHECKED), "checked" },
	{ ACT(SEND_BACK), BY_DISTRICT, IN(ASSESSED), TO(APPLIED), "sent back" },
	{ ACT(ISSUE), BY_DISTRICT, IN(CHECKED) | IN(RENEWING), TO(ISSUED), "issued" },
	{ ACT(REFUSE), BY_DISTRICT, IN(APPLIED) | IN(CHECKED), TO(REFUSED), "refused" },
	{ ACT(LOSS), BY_TOWN, IN(ISSUED), TO(LOST), "reported lost" },
	{ ACT(REISSUE), BY_DISTRICT, IN(LOST), TO(ISSUED), "issued again" },
	{ ACT(RENEWAL), BY_TOWN, IN(ISSUED), TO(RENEWING), "renewed" },
	{ ACT(RECHECK), BY_DISTRICT, IN(ISSUED), TO(APPLIED), "checked anew" },
	{ ACT(CANCEL), BY_TOWN | BY_DISTRICT, UNDER_WAY | IN_FORCE, TO(CANCELLED), "cancelled" },
	{ ACT(TRANSFER), BY_RECORD, ~IN(NONE), TO(NONE), "moved" },
};
const size_t certificate_move_count = sizeof certificate_moves / sizeof *certificate_moves;

static const char *const state_words[] = {
	[TO(NONE)] = "nobody has applied for it",
	[TO(APPLIED)] = "it waits for an assessor to be drawn",
	[TO(DRAWN)] = "its assessor has not signed the pledge",
	[TO(PLEDGED)] = "its assessor has not written down a finding",
	[TO(ASSESSED)] = "it waits for the check by a second person",
	[TO(CHECKED)] = "it waits for the decision",
	[TO(ISSUED)] = "it is issued",
	[TO(REFUSED)] = "it was refused",
	[TO(LOST)] = "it is lost and waits for a new card",
	[TO(RENEWING)] = "it waits to be renewed",
	[TO(CANCELLED)] = "it was cancelled",
};

const struct certificate_move *certificate_move_find(Lm__CertificateState state, Lm__CertificateAct act, unsigned who)
{
	for (size_t i = 0; i < certificate_move_count; i++) {
		const struct certificate_move *m = &certificate_moves[i];
		if (m->act == act && (m->who & who) && (unsigned)state < 32 && (m->from & (1u << state)))
			return m;
	}
	return NULL;
}

static int not_possible(Lm__CertificateState state, Lm__CertificateAct act, unsigned who, struct error *e)
{
	for (size_t i = 0; i < certificate_move_count; i++) {
		const struct certificate_move *m = &certificate_moves[i];
		if (m->act != act)
			continue;
		if (!(m->who & who))
			return error_set(e, ERR_DENIED, "a certificate is %s by %s", m->done,
			                 m->who & BY_ASSESSOR   ? "the assessor that was drawn"
			                 : m->who & BY_DISTRICT ? "the district"
			                 : m->who & BY_RECORD   ? "the hand-over of the resident's record"
			                                        : "the town that has the resident's record");
		return error_set(e, ERR_CONFLICT, "the certificate cannot be %s: %s", m->done, state_words[state]);
	}
	return error_set(e, ERR_INVALID, "act: there is no such act on a certificate");
}

/* ---- what a step must say ---- */

static int text_check(const char *name, const char *text, bool is_required, long most, struct error *e)
{
	long length = utf8_length(bytes_from_text(text));
	if (is_required && !text[strspn(text, " \t\r\n")])
		return error_set(e, ERR_INVALID, "%s: this is needed here", name);
	return length < 0 || length > most ? error_set(e, ERR_INVALID, "%s: at most %ld characters", name, most) : OK;
}

static int texts_check(const Lm__CertificateStep *s, struct error *e)
{
	const long most = CERTIFICATE_TEXT_CHARACTERS_MOST;
	bool is_refusal = s->act == ACT(REFUSE);
	bool needs_reason = s->act == ACT(DECLINE) || s->act == ACT(SEND_BACK) || s->act == ACT(LOSS) ||
	                    s->act == ACT(RECHECK) || s->act == ACT(CANCEL);
	int result = text_check("staff", s->staff, true, most, e);
	if (!result)
		result = text_check("reason", s->reason, needs_reason, most, e);
	if (!result)
		result = text_check("ground", s->ground, is_refusal, most, e);
	return result ? result : text_check("remedy", s->remedy, is_refusal, most, e);
}

static int finding_check(const Lm__CertificateFinding *f, struct error *e)
{
	if (!f)
		return error_set(e, ERR_INVALID, "finding: it is missing");
	if (f->category < 1 || f->category > 7)
		return error_set(e, ERR_INVALID, "finding.category: from 1 to 7");
	if (f->grade < 1 || f->grade > 4)
		return error_set(e, ERR_INVALID, "finding.grade: from 1 to 4");
	if (f->recheck_on[0] && !clock_date_read(f->recheck_on, NULL))
		return error_set(e, ERR_INVALID, "finding.recheck_on: a day as 2026-11-22, or nothing");
	return text_check("finding.findings", f->findings, true, CERTIFICATE_FINDINGS_CHARACTERS_MOST, e);
}

static int cancel_check(const struct certificate_actor *actor, const Lm__CertificateFacts *now,
                        const Lm__CertificateStep *s, struct error *e)
{
	bool is_outcome = s->cancel == LM__CANCEL_GROUND__CANCEL_GROUND_RECHECK;
	if (!s->cancel || !protobuf_c_enum_descriptor_get_value(&lm__cancel_ground__descriptor, (int)s->cancel))
		return error_set(e, ERR_INVALID, "cancel: a death, the resident's own wish, or the outcome of a check");
	if (is_outcome && (actor->tier != LM__TIER__TIER_DISTRICT || !now->is_recheck || now->state != TO(CHECKED)))
		return error_set(e, ERR_CONFLICT, "cancel: there is no outcome of a check that was made anew");
	return OK;
}

static int content_check(const struct certificate_actor *actor, const Lm__CertificateFacts *now,
                         const Lm__CertificateStep *s, struct error *e)
{
	bool is_for_the_living = s->act == ACT(APPLY) || s->act == ACT(RENEWAL) || s->act == ACT(LOSS);
	int result = texts_check(s, e);
	if (result)
		return result;
	if (actor->has_died && is_for_the_living)
		return error_set(e, ERR_CLOSED, "this person died: the certificate can only be cancelled");
	switch (s->act) {
	case ACT(APPLY):
		return citizen_id_is_valid(s->id_number)
		               ? OK
		               : error_set(e, ERR_INVALID,
		                           "id_number: a certificate has the person's number: put it on file first");
	case ACT(PLEDGE):
		return s->pledge && s->pledge->revision
		               ? text_check("pledge.text", s->pledge->text, true, CERTIFICATE_TEXT_CHARACTERS_MOST, e)
		               : error_set(e, ERR_INVALID, "pledge: the text that was signed");
	case ACT(ASSESS):
		return finding_check(s->finding, e);
	case ACT(ISSUE):
	case ACT(REISSUE):
		return clock_date_read(s->valid_until, NULL)
		               ? OK
		               : error_set(e, ERR_INVALID, "valid_until: a day as 2036-11-22");
	case ACT(REFUSE):
		return now->is_recheck ? error_set(e, ERR_CONFLICT, "a certificate in force is cancelled, not refused")
		                       : OK;
	case ACT(CANCEL):
		return cancel_check(actor, now, s, e);
	default:
		return OK;
	}
}

/* ---- who may ---- */

static bool is_assessor(const struct certificate_actor *actor, const Lm__CertificateFacts *now, const char *staff)
{
	return now->draw && strcmp(now->draw->place, actor->place) == 0 && strcmp(now->draw->account, staff) == 0;
}

static int who_check(const struct certificate_actor *actor, const Lm__CertificateFacts *now,
                     const Lm__CertificateStep *s, struct error *e)
{
	bool decides = s->act == ACT(CHECK) || s->act == ACT(SEND_BACK) ||
	               ((s->act == ACT(ISSUE) || s->act == ACT(REFUSE)) && now->state == TO(CHECKED));
	bool is_his = s->act == ACT(PLEDGE) || s->act == ACT(DECLINE) || s->act == ACT(ASSESS);
	if (decides && is_assessor(actor, now, s->staff))
		return error_set(e, ERR_DENIED, "who assessed does not check: a second person does");
	if (is_his && !is_assessor(actor, now, s->staff))
		return error_set(e, ERR_DENIED, "this assessment was drawn for somebody else");
	return OK;
}

/* ---- what becomes of it ---- */

static int number_make(Lm__CertificateFacts *f, struct arena *arena)
{
	char text[32];
	int size = snprintf(text, sizeof text, "%.18s%u%u", f->id_number, f->category % 10, f->grade % 10);
	if (f->reissued)
		snprintf(text + size, sizeof text - (size_t)size, "B%02u", f->reissued % (REISSUES_MOST + 1));
	f->number = arena_text(arena, text);
	return f->number ? OK : ERR_MEMORY;
}

/* Another category or grade is another number, whose first card it is. */
static int issue(Lm__CertificateFacts *f, const struct certificate_actor *actor, const Lm__CertificateStep *s,
                 struct arena *arena, struct error *e)
{
	bool is_renewal = f->state == TO(RENEWING);
	if (!is_renewal && !f->finding) /* a row, or a town's copy, that no step has made */
		return error_set(e, ERR_DAMAGED, "this certificate is to be issued, and has no finding");
	if (!is_renewal) {
		if (f->category != f->finding->category || f->grade != f->finding->grade)
			f->reissued = 0;
		f->category = f->finding->category;
		f->grade = f->finding->grade;
		f->recheck_on = f->finding->recheck_on;
	}
	f->is_recheck = false;
	f->valid_until = s->valid_until;
	f->issued_ms = actor->time_ms;
	return number_make(f, arena);
}

static int pass_over(Lm__CertificateFacts *f, struct arena *arena)
{
	size_t count = f->n_passed_over;
	ProtobufCBinaryData *grown = arena_alloc(arena, (count + 1) * sizeof *grown);
	if (!grown)
		return ERR_MEMORY;
	if (count)
		memcpy(grown, f->passed_over, count * sizeof *grown);
	grown[count] = f->draw->assessor_id;
	f->passed_over = grown;
	f->n_passed_over = count + 1;
	f->draw = NULL;
	f->pledge = NULL;
	f->finding = NULL;
	return OK;
}

static void case_begin(Lm__CertificateFacts *f)
{
	f->passed_over = NULL;
	f->n_passed_over = 0;
	f->draw = NULL;
	f->pledge = NULL;
	f->finding = NULL;
	f->checked_by = f->ground = f->remedy = "";
	f->cancel = LM__CANCEL_GROUND__CANCEL_GROUND_NONE;
}

static int draw(struct store_txn *txn, struct id person, const char *town, Lm__CertificateFacts *f, struct arena *arena,
                struct error *e)
{
	Lm__AssessorDraw *drawn = arena_alloc(arena, sizeof *drawn);
	struct draw_order order = { person, town, f->id_number, f->draws + 1, f->passed_over, f->n_passed_over };
	int result = drawn ? assessor_draw(txn, &order, arena, drawn, e) : ERR_MEMORY;
	if (result)
		return result;
	f->draw = drawn;
	f->draws++;
	f->state = TO(DRAWN);
	return OK;
}

/* Who declined is followed by the next at once, if somebody may. */
static int redraw(struct store_txn *txn, struct id person, const struct certificate_actor *actor, const char *town,
                  Lm__CertificateFacts *f, struct arena *arena, struct error *e)
{
	if (!f->draw) /* as in issue */
		return error_set(e, ERR_DAMAGED, "this certificate was given to an assessor, and does not say to whom");
	int result = pass_over(f, arena);
	f->state = TO(APPLIED);
	if (!result && !actor->is_guess)
		result = draw(txn, person, town, f, arena, e);
	return result == ERR_NOT_FOUND ? OK : result;
}

static int stamped_finding(Lm__CertificateFacts *f, const struct certificate_actor *actor, const Lm__CertificateStep *s,
                           struct arena *arena)
{
	f->finding = arena_copy(arena, s->finding, sizeof *s->finding);
	if (!f->finding)
		return ERR_MEMORY;
	f->finding->time_ms = actor->time_ms;
	return OK;
}

static int stamped_pledge(Lm__CertificateFacts *f, const struct certificate_actor *actor, const Lm__CertificateStep *s,
                          struct arena *arena)
{
	f->pledge = arena_copy(arena, s->pledge, sizeof *s->pledge);
	if (!f->pledge)
		return ERR_MEMORY;
	f->pledge->time_ms = actor->time_ms;
	return OK;
}

static int change(struct store_txn *txn, struct id person, const struct certificate_actor *actor,
                  const Lm__CertificateStep *s, struct arena *arena, Lm__CertificateFacts *f, struct error *e)
{
	switch (s->act) {
	case ACT(APPLY):
		case_begin(f);
		f->id_number = s->id_number;
		f->note = s->reason;
		f->is_recheck = false;
		return OK;
	case ACT(RECHECK):
		case_begin(f);
		f->is_recheck = true;
		return OK;
	case ACT(DRAW):
		return draw(txn, person, actor->town, f, arena, e);
	case ACT(DECLINE):
	case ACT(SEND_BACK):
		return redraw(txn, person, actor, actor->town, f, arena, e);
	case ACT(PLEDGE):
		return stamped_pledge(f, actor, s, arena);
	case ACT(ASSESS):
		return stamped_finding(f, actor, s, arena);
	case ACT(CHECK):
		f->checked_by = s->staff;
		return OK;
	case ACT(REISSUE):
		f->reissued++;
		f->valid_until = s->valid_until;
		f->issued_ms = actor->time_ms;
		return number_make(f, arena);
	case ACT(REFUSE):
		f->ground = s->ground;
		f->remedy = s->remedy;
		return OK;
	case ACT(CANCEL):
		f->cancel = s->cancel;
		f->is_recheck = false;
		return OK;
	default:
		return OK;
	}
}

int certificate_step(struct store_txn *txn, struct id person, const struct certificate_actor *actor,
                     const Lm__CertificateFacts *before, const Lm__CertificateStep *step, struct arena *arena,
                     Lm__CertificateFacts *after, struct error *e)
{
	static const Lm__CertificateFacts none = LM__CERTIFICATE_FACTS__INIT;
	const Lm__CertificateFacts *now = before ? before : &none;
	bool is_his = step->act == ACT(PLEDGE) || step->act == ACT(DECLINE) || step->act == ACT(ASSESS);
	unsigned who = is_his ? BY_ASSESSOR : actor->tier == LM__TIER__TIER_DISTRICT ? BY_DISTRICT : BY_TOWN;
	const struct certificate_move *move = certificate_move_find(now->state, step->act, who);
	Lm__CertificateFacts f = *now;
	if (!move)
		return not_possible(now->state, step->act, who, e);
	int result = content_check(actor, now, step, e);
	if (!result)
		result = who_check(actor, now, step, e);
	if (!result && step->act == ACT(REISSUE) && f.reissued >= REISSUES_MOST)
		result = error_set(e, ERR_TOO_MANY, "a card is issued again at most %d times", REISSUES_MOST);
	if (!result && step->act == ACT(ISSUE))
		result = issue(&f, actor, step, arena, e);
	f.reason = step->reason;
	if (!result && move->to)
		f.state = move->to;
	if (!result)
		result = change(txn, person, actor, step, arena, &f, e);
	if (result)
		return result == ERR_MEMORY ? error_set(e, result, "no memory for a certificate") : result;
	*after = f;
	return OK;
}

bool certificate_recheck_is_due(const Lm__CertificateFacts *facts, const char *day)
{
	return facts->state == TO(ISSUED) && facts->recheck_on[0] && strcmp(facts->recheck_on, day) <= 0;
}
