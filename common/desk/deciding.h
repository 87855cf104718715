/*
 * Who may decide what on a case, and with which evidence: rules over the case as its page shows it, that the owner asks
 * before it writes an event. What both tiers hold each other to stands in domain/case_move.c.
 */
#ifndef DESK_DECIDING_H
#define DESK_DECIDING_H

#include "inside.h"

struct actor {
	const char *user, *role;
};
/* May this person do this now? ERR_INVALID, ERR_DENIED, ERR_CONFLICT, ERR_ABSENT with a sentence for who acts. An
 * approval takes the words of what was proposed into `content`. */
int deciding_check(struct turn *t, struct id request, const Lm__CaseRecord *record, const Lm__CaseCommand *in,
                   const struct actor *actor, Lm__CasePayload *content, struct error *e);
/* Why this user may not decide what others may: proposed it, or decided what is objected to. NULL: may. */
const char *deciding_stranger_why(const Lm__CaseView *view, const Lm__CaseRecord *record, const char *user);

/* proof.c: fills in view->proofs, from its service and events, and what is there (`payload` and `person` may be NULL).
 * ERR_MEMORY. */
int proofs_fill(const Lm__RequestPayload *payload, const Lm__PersonRecord *person, struct arena *arena,
                Lm__CaseView *view);

#endif
