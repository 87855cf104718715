/* Second factors under way. */
#include "second.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qrencode.h>

#include "base/clock.h"

#define KEPT_MOST 64
#define KEPT_US (UINT64_C(10) * 60 * 1000000)
#define GROUP 4

static struct kept {
	char user[33];
	uint8_t secret[TOTP_SECRET_BYTES];
	uint64_t until_us; /* 0: free */
} kept[KEPT_MOST];

static struct kept *kept_of(const char *user)
{
	for (size_t i = 0; i < KEPT_MOST; i++)
		if (kept[i].until_us > clock_monotonic_us() && strcmp(kept[i].user, user) == 0)
			return &kept[i];
	return NULL;
}

void second_keep(const char *user, const uint8_t secret[TOTP_SECRET_BYTES])
{
	struct kept *k = kept_of(user);
	bool is_own = k != NULL;
	for (size_t i = 0; i < KEPT_MOST && !is_own; i++) /* a free one, else the one that ends first */
		if (!k || kept[i].until_us < k->until_us)
			k = &kept[i];
	snprintf(k->user, sizeof k->user, "%s", user);
	memcpy(k->secret, secret, sizeof k->secret);
	k->until_us = clock_monotonic_us() + KEPT_US;
}

bool second_kept(const char *user, uint8_t secret[TOTP_SECRET_BYTES])
{
	const struct kept *k = kept_of(user);
	if (k)
		memcpy(secret, k->secret, sizeof k->secret);
	return k != NULL;
}

void second_forget(const char *user)
{
	struct kept *k = kept_of(user);
	if (k)
		crypto_wipe(k, sizeof *k);
}

/* "ABCD EFGH …" */
static char *groups_of(struct arena *arena, const char *text)
{
	size_t size = strlen(text), at = 0;
	char *out = arena_alloc(arena, size + size / GROUP + 1);
	for (size_t i = 0; out && i < size; i++) {
		if (i && i % GROUP == 0)
			out[at++] = ' ';
		out[at++] = text[i];
	}
	if (out)
		out[at] = '\0';
	return out;
}

static char *modules_of(struct arena *arena, const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (!code)
		return NULL;
	size_t width = (size_t)code->width;
	char *out = arena_alloc(arena, width * (width + 1) + 1), *at = out;
	for (size_t i = 0; out && i < width * width; i++) {
		if (i && i % width == 0)
			*at++ = '\n';
		*at++ = code->data[i] & 1 ? '1' : '0';
	}
	if (out)
		*at = '\0';
	crypto_wipe(code->data, width * width);
	QRcode_free(code);
	return out;
}

int second_view(const char *place, const char *user, const uint8_t secret[TOTP_SECRET_BYTES], struct arena *arena,
                Lm__EnrolView **out, struct error *e)
{
	char text[TOTP_SECRET_TEXT_BYTES], address[240];
	Lm__EnrolView *view = arena_alloc(arena, sizeof *view);
	int result = totp_secret_text(secret, text, e);
	if (result)
		return result;
	/* Names of accounts and codes of places have no characters that an address escapes. */
	snprintf(address, sizeof address, "otpauth://totp/Last%%20Mile%%20%s:%s?secret=%s&issuer=Last%%20Mile%%20%s",
	         place, user, text, place);
	if (view) {
		lm__enrol_view__init(view);
		view->secret = groups_of(arena, text);
		view->modules = modules_of(arena, address);
	}
	crypto_wipe(text, sizeof text);
	crypto_wipe(address, sizeof address);
	if (!view || !view->secret || !view->modules)
		return error_set(e, ERR_MEMORY, "no memory for a second factor");
	*out = view;
	return OK;
}
