#include "request.h"

#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "proto/json.h"

#define FORM_BYTES_MOST 65536

int form_read(const char *path, struct arena *arena, Lm__SubmitCommand **form, struct error *e)
{
	struct buffer text = { 0 };
	arena_init(arena, FORM_BYTES_MOST * 8);
	int result = file_read(path, FORM_BYTES_MOST, &text, e);
	if (!result)
		result = JSON_DECODE(lm__submit_command, buffer_bytes(&text), arena, form, e);
	buffer_release(&text);
	return result;
}

static int receipt_draw(struct ready_receipt *r, struct error *e)
{
	uint8_t random[16];
	int result = crypto_random(random, sizeof random, e);
	if (!result)
		result = crypto_random(r->key, sizeof r->key, e);
	if (!result)
		result = crypto_random(&r->secret, sizeof r->secret, e);
	receipt_code_make(random, r->code);
	return result;
}

int request_make(const Lm__SubmitCommand *form, struct submission *out, uint8_t packed[PACKED_BYTES_MOST],
                 struct arena *arena, struct error *e)
{
	uint8_t random[10];
	arena_reset(arena);
	*out = (struct submission){ .service = form->service, .revision = form->revision };
	int result = crypto_random(random, sizeof random, e);
	out->request = id_make(clock_wall_ms(), random);
	if (!result)
		result = receipt_draw(&out->receipt, e);
	if (!result)
		result = submission_pack(out, form, arena, e);
	if (!result && out->payload.size > PACKED_BYTES_MOST)
		result = error_set(e, ERR_TOO_BIG, "the form packs to %zu bytes", out->payload.size);
	if (!result)
		out->payload = BYTES(memcpy(packed, out->payload.data, out->payload.size), out->payload.size);
	return result;
}
