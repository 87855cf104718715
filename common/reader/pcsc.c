/*
 * One card of one reader at a time: of those with a card the first. Nobody else talks with it meanwhile, and it forgets
 * the PIN when we let go of it.
 */
#include "pcsc.h"

#include <string.h>
#include <winscard.h>

#define READERS_MOST 8
#define NAMES_BYTES_MOST 2048

static SCARDCONTEXT scard;

int pcsc_begin(struct error *e)
{
	LONG said = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &scard);
	return said == SCARD_S_SUCCESS
	               ? OK
	               : error_set(e, ERR_NOT_READY, "pcscd does not answer: %s", pcsc_stringify_error(said));
}

/* A context that is dead stays so: the next process has another one. */
static bool is_end(LONG said)
{
	return said == SCARD_E_NO_SERVICE || said == SCARD_E_SERVICE_STOPPED || said == SCARD_E_INVALID_HANDLE ||
	       said == SCARD_F_COMM_ERROR || said == SCARD_F_INTERNAL_ERROR;
}

/* Readers by name, in `names`; as many as there is room for. */
static LONG readers_list(char names[NAMES_BYTES_MOST], SCARD_READERSTATE *list, DWORD *count)
{
	DWORD size = NAMES_BYTES_MOST - 1;
	memset(names, 0, NAMES_BYTES_MOST);
	memset(list, 0, READERS_MOST * sizeof *list);
	*count = 0;
	LONG said = SCardListReaders(scard, NULL, names, &size);
	if (said == SCARD_E_NO_READERS_AVAILABLE || said == SCARD_E_INSUFFICIENT_BUFFER)
		return SCARD_S_SUCCESS;
	for (char *at = names; said == SCARD_S_SUCCESS && *at && *count < READERS_MOST; at += strlen(at) + 1)
		list[(*count)++].szReader = at;
	return said == SCARD_S_SUCCESS && *count ? SCardGetStatusChange(scard, 0, list, *count) : said;
}

/* The reader to talk with; NULL: no reader has a card. */
static const SCARD_READERSTATE *reader_choose(const SCARD_READERSTATE *list, DWORD count, uint32_t *presence)
{
	const SCARD_READERSTATE *found = NULL;
	for (DWORD i = 0; i < count; i++) {
		*presence = *presence * 31 + (uint32_t)(list[i].dwEventState >> 16); /* times of putting and taking */
		if (!found && list[i].dwEventState & SCARD_STATE_PRESENT)
			found = &list[i];
	}
	return found;
}

struct grip {
	SCARDHANDLE card;
	DWORD protocol;
};

static int card_transmit(void *context, struct bytes command, uint8_t *response, size_t *size)
{
	const struct grip *g = context;
	DWORD got = RESPONSE_BYTES_MOST;
	LONG said = SCardTransmit(g->card, g->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1, command.data,
	                          command.size, NULL, response, &got);
	*size = got;
	return said == SCARD_S_SUCCESS ? OK : ERR_CLOSED;
}

int pcsc_ask(const struct card_question *q, struct session_memory *memory, struct card_answer *out, struct error *e)
{
	char names[NAMES_BYTES_MOST];
	SCARD_READERSTATE list[READERS_MOST];
	DWORD count;
	struct grip grip;
	struct transport transport = { card_transmit, &grip };
	*out = (struct card_answer){ .state = CARD_NO_READER, .tries = CARD_TRIES_UNKNOWN };
	LONG said = readers_list(names, list, &count);
	if (is_end(said))
		return error_set(e, ERR_NOT_READY, "pcscd has ended: %s", pcsc_stringify_error(said));
	if ((said != SCARD_S_SUCCESS && said != SCARD_E_TIMEOUT) || !count)
		return OK;
	out->state = CARD_EMPTY;
	const SCARD_READERSTATE *reader = reader_choose(list, count, &out->presence);
	if (!reader)
		return OK;
	out->state = CARD_STRANGE;
	said = SCardConnect(scard, reader->szReader, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
	                    &grip.card, &grip.protocol);
	if (said != SCARD_S_SUCCESS)
		return OK; /* mute, just taken away, or held by somebody else */
	session_run(&transport, q, memory, out);
	SCardDisconnect(grip.card, SCARD_RESET_CARD);
	return OK;
}
