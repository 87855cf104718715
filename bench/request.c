#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "proto/json.h"

#define FORM_BYTES_MOST 65536
#define PEOPLE_BYTES_MOST (64u * 1024 * 1024)

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

int people_read(const char *path, struct people *out, struct error *e)
{
	*out = (struct people){ 0 };
	int result = file_read(path, PEOPLE_BYTES_MOST, &out->text, e);
	if (result)
		return result;
	size_t lines = 0;
	for (const uint8_t *p = out->text.data; *p; p++)
		lines += *p == '\n';
	out->row = calloc(lines + 1, sizeof *out->row);
	if (!out->row)
		return error_set(e, ERR_MEMORY, "no memory for %zu people", lines);
	char *rest = NULL;
	for (char *line = strtok_r((char *)out->text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *tab = strchr(line, '\t');
		if (!tab)
			return error_set(e, ERR_INVALID, "%s: a line without a tab", path);
		*tab = '\0';
		out->row[out->count++] = (struct applicant){ line, tab + 1 };
	}
	return out->count ? OK : error_set(e, ERR_INVALID, "%s: nobody", path);
}

static int value_put(Lm__SubmitCommand *form, const char *field, const char *text, struct arena *arena)
{
	for (size_t i = 0; i < form->n_values; i++) {
		if (strcmp(form->values[i]->field, field) != 0 || form->values[i]->n_values != 1)
			continue;
		Lm__FieldValue *value = arena_copy(arena, form->values[i], sizeof *value);
		char **list = arena_copy(arena, &text, sizeof text);
		if (!value || !list)
			return ERR_MEMORY;
		value->values = list;
		form->values[i] = value;
		return OK;
	}
	return ERR_NOT_FOUND;
}

/* `mine`: the same form, of this person; the other answers stay where they are. */
static int form_of(const Lm__SubmitCommand *form, const struct applicant *who, Lm__SubmitCommand *mine,
                   struct arena *arena, struct error *e)
{
	*mine = *form;
	if (!who)
		return OK;
	mine->values = arena_copy(arena, form->values, form->n_values * sizeof *form->values);
	if (!mine->values || value_put(mine, "name", who->name, arena) || value_put(mine, "phone", who->phone, arena))
		return error_set(e, ERR_INVALID, "the form has no name and phone, or no memory");
	return OK;
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

int request_make(const Lm__SubmitCommand *form, const struct applicant *who, struct submission *out,
                 uint8_t packed[PACKED_BYTES_MOST], struct arena *arena, struct error *e)
{
	Lm__SubmitCommand mine;
	uint8_t random[10];
	arena_reset(arena);
	*out = (struct submission){ .service = form->service, .revision = form->revision };
	int result = crypto_random(random, sizeof random, e);
	out->request = id_make(clock_wall_ms(), random);
	if (!result)
		result = receipt_draw(&out->receipt, e);
	if (!result)
		result = form_of(form, who, &mine, arena, e);
	if (!result)
		result = submission_pack(out, &mine, arena, e);
	if (!result && out->payload.size > PACKED_BYTES_MOST)
		result = error_set(e, ERR_TOO_BIG, "the form packs to %zu bytes", out->payload.size);
	if (!result)
		out->payload = BYTES(memcpy(packed, out->payload.data, out->payload.size), out->payload.size);
	return result;
}
