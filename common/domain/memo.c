/*
 * What the entries of one turn ask for again and again: their service's form, their sender's record, this node's
 * secret. Unpacking a service costs more than all the rest of taking up a request.
 */
#include <string.h>

#include "inside.h"

void domain_memo_clear(struct domain_memo *memo)
{
	memset(memo, 0, sizeof *memo);
}

int memo_service(struct apply *a, const char *id, uint32_t revision, Lm__Service **out)
{
	struct domain_memo *memo = a->d->memo;
	for (size_t i = 0; memo && i < DOMAIN_MEMO_MOST && memo->service[i]; i++) {
		if (memo->service[i]->revision == revision && strcmp(memo->service[i]->id, id) == 0) {
			*out = memo->service[i];
			return OK;
		}
	}
	int result = service_get(a->txn, id, revision, a->arena, out);
	if (!result && memo)
		memo->service[memo->services++ % DOMAIN_MEMO_MOST] = *out;
	return result;
}

int memo_device(struct apply *a, uint64_t device, Lm__DeviceRecord **out)
{
	struct domain_memo *memo = a->d->memo;
	for (size_t i = 0; memo && i < DOMAIN_MEMO_MOST && memo->device[i]; i++) {
		if (memo->device[i]->device == device) {
			*out = memo->device[i];
			return OK;
		}
	}
	int result = device_get(a->txn, device, a->arena, out);
	if (!result && memo)
		memo->device[memo->devices++ % DOMAIN_MEMO_MOST] = *out;
	return result;
}

int memo_secret(struct apply *a, Lm__NodeSecretPayload **out)
{
	struct domain_memo *memo = a->d->memo;
	if (memo && memo->secret) {
		*out = memo->secret;
		return OK;
	}
	int result = secret_get(a->txn, a->arena, out);
	if (!result && memo)
		memo->secret = *out;
	return result;
}
