/*
 * Two machines claim to be one device: the district says which of the two histories goes on. Nothing of it is a row
 * here; what it means to the streams of that device is the journal's.
 */
#include <stdio.h>
#include <string.h>

#include "inside.h"

#define BY_BYTES_MOST 64
#define REASON_BYTES_MOST 200 /* the machine that is closed shows it */

void history_to_text(const Lm__History *history, char out[HISTORY_TEXT_BYTES])
{
	snprintf(out, HISTORY_TEXT_BYTES, "%016llx-%llu", (unsigned long long)history->incarnation,
	         (unsigned long long)history->seq);
}

int history_check(const Lm__HistoryPayload *p, struct error *e)
{
	if (!p->goes_on || !p->closed || !p->goes_on->seq || !p->closed->seq || !p->closed_from)
		return error_set(e, ERR_INVALID,
		                 "history: two are needed, the one that goes on and the one that is closed");
	if (p->goes_on->incarnation == p->closed->incarnation)
		return error_set(e, ERR_INVALID,
		                 "history: both are of one process, as two copies of a running machine are, and cannot "
		                 "be told apart: revoke the device, and let one machine join with new keys");
	if (!p->by[0] || strlen(p->by) > BY_BYTES_MOST)
		return error_set(e, ERR_INVALID, "by: say who does it, in at most %d bytes", BY_BYTES_MOST);
	if (!p->reason[strspn(p->reason, " \t\r\n")] || strlen(p->reason) > REASON_BYTES_MOST)
		return error_set(e, ERR_INVALID, "reason: say why, in at most %d bytes; the other machine shows it",
		                 REASON_BYTES_MOST);
	return OK;
}

int apply_history(struct apply *a)
{
	Lm__HistoryPayload *payload;
	Lm__DeviceRecord *record;
	int result = CODEC_UNPACK(lm__history_payload, a->item->plain, a->arena, &payload, a->e);
	if (!result)
		result = history_check(payload, a->e);
	if (!result)
		result = memo_device(a, payload->device, &record);
	if (result == ERR_NOT_FOUND)
		return error_set(a->e, ERR_INVALID, "device %016llx is not in the directory",
		                 (unsigned long long)payload->device);
	return result ? result
	              : effect_add(a, (struct domain_effect){ .type = DOMAIN_HISTORY,
	                                                      .device = payload->device,
	                                                      .message = a->item->plain });
}
