/* The file by which a device shows the district its public keys. Nothing in it is secret. */
#include "node/device_file.h"

#include <limits.h>
#include <stdio.h>

#include "base/files.h"
#include "proto/json.h"

#define KEY_TEXT_BYTES (2 * KEY_BYTES + 1)

int device_file_write(const char *data, const struct device_keys *keys, struct error *e)
{
	char path[PATH_MAX], curve[KEY_TEXT_BYTES], signing[KEY_TEXT_BYTES], opening[KEY_TEXT_BYTES];
	char fingerprint_text[FINGERPRINT_TEXT_BYTES];
	struct hash fingerprint;
	int length = snprintf(path, sizeof path, "%s/device.json", data);
	if (length < 0 || (size_t)length >= sizeof path)
		return error_set(e, ERR_TOO_BIG, "the path of the data folder is longer than %d characters", PATH_MAX);
	int result = device_fingerprint(keys->suite, keys->curve_public, keys->signing_public, keys->opening_public,
	                                &fingerprint, e);
	if (result)
		return result;
	hex_encode(BYTES(keys->curve_public, KEY_BYTES), curve);
	hex_encode(BYTES(keys->signing_public, KEY_BYTES), signing);
	hex_encode(BYTES(keys->opening_public, KEY_BYTES), opening);
	fingerprint_to_text(&fingerprint, fingerprint_text);

	Lm__DeviceFile file = LM__DEVICE_FILE__INIT;
	file.suite = keys->suite;
	file.curve_key = curve;
	file.signing_key = signing;
	file.opening_key = opening;
	file.fingerprint = fingerprint_text;
	struct buffer json = { 0 };
	result = json_encode(&file.base, &json, e);
	if (!result && buffer_append(&json, bytes_from_text("\n")))
		result = error_set(e, ERR_MEMORY, "no memory to write %s", path);
	if (!result)
		result = file_replace(path, 0644, buffer_bytes(&json), e);
	buffer_release(&json);
	return result;
}

static int key_read(const char *path, const char *name, const char *text, uint8_t key[KEY_BYTES], struct error *e)
{
	if (hex_decode(text, key, KEY_BYTES))
		return error_set(e, ERR_INVALID, "%s: %s: expected %d hexadecimal digits", path, name, 2 * KEY_BYTES);
	return OK;
}

static int device_file_check(const char *path, const Lm__DeviceFile *file, struct hash *fingerprint, struct error *e)
{
	uint8_t curve[KEY_BYTES], signing[KEY_BYTES], opening[KEY_BYTES];
	struct hash computed, written;
	if (file->suite > UINT8_MAX || !suite_name((uint8_t)file->suite))
		return error_set(e, ERR_VERSION, "%s: suite %u is not known to this version", path, file->suite);
	int result = key_read(path, "curve_key", file->curve_key, curve, e);
	if (!result)
		result = key_read(path, "signing_key", file->signing_key, signing, e);
	if (!result)
		result = key_read(path, "opening_key", file->opening_key, opening, e);
	if (!result)
		result = device_fingerprint((uint8_t)file->suite, curve, signing, opening, &computed, e);
	if (result)
		return result;
	result = fingerprint_from_text(file->fingerprint, &written, e);
	if (result)
		return error_wrap(e, result, "%s: fingerprint", path);
	if (!crypto_equal(&computed, &written, sizeof computed))
		return error_set(
		        e, ERR_INVALID,
		        "%s: the fingerprint written in it is not that of its keys: the file was changed; take it "
		        "from the device again",
		        path);
	*fingerprint = computed;
	return OK;
}

int device_file_read(const char *path, struct arena *arena, Lm__DeviceFile **out, struct hash *fingerprint,
                     struct error *e)
{
	struct buffer text = { 0 };
	Lm__DeviceFile *file = NULL;
	int result = file_read(path, DEVICE_FILE_BYTES_MOST, &text, e);
	if (result)
		return result;
	result = JSON_DECODE(lm__device_file, buffer_bytes(&text), arena, &file, e);
	buffer_release(&text);
	if (result)
		return error_wrap(e, result, "%s", path);
	result = device_file_check(path, file, fingerprint, e);
	if (!result)
		*out = file;
	return result;
}
