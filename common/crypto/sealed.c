/*
 * Files sealed to a key that lies offline, written and read in one pass whatever their size.
 *
 *   "LMSEALED" ‖ format (1) ‖ suite (1) ‖ recovery key (32) ‖ ephemeral key (32) ‖ wrapped content key (48)
 *   ‖ size of the head (4) ‖ head                                            in clear: who reads it must not trust it
 *   then chunks: AES-256-GCM of 64 KiB each, the last one shorter or empty; nonce = number (8) ‖ 1 for the last (4)
 *
 *   ephemeral × recovery ──"lm sealed file v1"──▶ key that wraps the content key
 *
 * All before the chunks is associated data of each of them (its SHA-256), so that a head belongs to its content. A
 * chunk that is missing, moved or taken from elsewhere does not verify; nor does a file that ends early, for its last
 * chunk then is not one that was sealed as the last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "parts.h"

#define FORMAT 1
#define CHUNK_BYTES 65536
#define FRONT_BYTES (8 + 1 + 1 + KEY_BYTES + KEY_BYTES + KEY_BYTES + TAG_BYTES + 4)
#define CONTEXT_BYTES (2 * KEY_BYTES)

static const char magic[] = "LMSEALED";
static const char label[] = "lm sealed file v1";

struct sealed_file {
	int fd;
	bool is_writer, is_over;
	uint8_t suite;
	uint8_t key[KEY_BYTES];
	struct hash bound; /* of all before the chunks */
	uint64_t chunk;    /* number of the next */
	uint8_t plain[CHUNK_BYTES];
	size_t plain_size, plain_at;
	uint8_t raw[CHUNK_BYTES + TAG_BYTES + 1]; /* reader: one byte ahead tells whether this chunk is the last */
	size_t raw_size;
};

/* ---- the key ---- */

static struct keyfile recovery_file(struct recovery_key *k)
{
	return (struct keyfile){ .title = "last-mile recovery key v1, suite 1",
		                 .line_count = 2,
		                 .line = { { "recovery_public", k->public_key },
		                           { "recovery_secret", k->secret_key } } };
}

int recovery_key_create(const char *path, uint8_t public_key[KEY_BYTES], struct error *e)
{
	struct recovery_key key;
	struct keyfile file = recovery_file(&key);
	int code = agree_keypair(SUITE_INTERNATIONAL, key.public_key, key.secret_key, e);
	if (!code)
		code = keyfile_create(path, &file, e);
	if (!code)
		memcpy(public_key, key.public_key, KEY_BYTES);
	crypto_wipe(&key, sizeof key);
	return code;
}

int recovery_key_read(const char *path, struct recovery_key *out, struct error *e)
{
	struct recovery_key key;
	uint8_t public_key[KEY_BYTES];
	struct keyfile file = recovery_file(&key);
	int code = keyfile_read(path, &file, e);
	if (!code)
		code = agree_public(SUITE_INTERNATIONAL, key.secret_key, public_key, e);
	if (!code && memcmp(public_key, key.public_key, KEY_BYTES) != 0)
		code = error_set(e, ERR_DAMAGED, "%s holds a public key that does not belong to its secret key", path);
	if (!code)
		*out = key;
	crypto_wipe(&key, sizeof key);
	return code;
}

/* ---- both directions ---- */

static int wrap_key_derive(uint8_t suite, const uint8_t shared[KEY_BYTES], const uint8_t ephemeral[KEY_BYTES],
                           const uint8_t recovery[KEY_BYTES], uint8_t key[KEY_BYTES], struct error *e)
{
	uint8_t context[CONTEXT_BYTES];
	memcpy(context, ephemeral, KEY_BYTES);
	memcpy(context + KEY_BYTES, recovery, KEY_BYTES);
	return crypto_derive(suite, BYTES(shared, KEY_BYTES), BYTES_OF(context), label, key, KEY_BYTES, e);
}

static void nonce_make(uint64_t chunk, bool is_last, uint8_t nonce[NONCE_BYTES])
{
	struct writer w = writer_over(nonce, NONCE_BYTES);
	write_u64(&w, chunk);
	write_u32(&w, is_last);
}

static int file_new(int fd, bool is_writer, struct sealed_file **out, struct error *e)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return error_set(e, ERR_MEMORY, "no memory for a sealed file");
	(*out)->fd = fd;
	(*out)->is_writer = is_writer;
	(*out)->suite = SUITE_INTERNATIONAL;
	return OK;
}

void sealed_close(struct sealed_file *f)
{
	if (f)
		crypto_wipe(f, sizeof *f);
	free(f);
}

/* ---- writing ---- */

static int all_write(int fd, struct bytes content, struct error *e)
{
	while (content.size) {
		ssize_t put = write(fd, content.data, content.size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return error_set_errno(e, errno, "cannot write the sealed file");
		content.data += put;
		content.size -= (size_t)put;
	}
	return OK;
}

static int content_key_wrap(struct sealed_file *f, const uint8_t recovery[KEY_BYTES], uint8_t ephemeral[KEY_BYTES],
                            uint8_t wrapped[KEY_BYTES + TAG_BYTES], struct error *e)
{
	uint8_t secret[KEY_BYTES], shared[KEY_BYTES], key[KEY_BYTES];
	int code = crypto_random(f->key, KEY_BYTES, e);
	if (!code)
		code = agree_keypair(f->suite, ephemeral, secret, e);
	if (!code)
		code = agree_secret(f->suite, secret, recovery, shared, e);
	if (!code)
		code = wrap_key_derive(f->suite, shared, ephemeral, recovery, key, e);
	if (!code)
		code = aead_seal(f->suite, key, nonce_zero, (struct bytes){ 0 }, BYTES_OF(f->key), wrapped, e);
	crypto_wipe(secret, sizeof secret);
	crypto_wipe(shared, sizeof shared);
	crypto_wipe(key, sizeof key);
	return code;
}

int sealed_create(int fd, const uint8_t recovery_public[KEY_BYTES], struct bytes head, struct sealed_file **out,
                  struct error *e)
{
	uint8_t front[FRONT_BYTES], ephemeral[KEY_BYTES], wrapped[KEY_BYTES + TAG_BYTES];
	struct sealed_file *f;
	if (head.size > SEALED_HEAD_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "the head of a sealed file has at most %d bytes, not %zu",
		                 SEALED_HEAD_BYTES_MOST, head.size);
	int code = file_new(fd, true, &f, e);
	if (code)
		return code;
	code = content_key_wrap(f, recovery_public, ephemeral, wrapped, e);
	struct writer w = writer_over(front, sizeof front);
	write_bytes(&w, bytes_from_text(magic));
	write_u8(&w, FORMAT);
	write_u8(&w, f->suite);
	write_bytes(&w, BYTES(recovery_public, KEY_BYTES));
	write_bytes(&w, BYTES_OF(ephemeral));
	write_bytes(&w, BYTES_OF(wrapped));
	write_u32(&w, (uint32_t)head.size);
	struct bytes parts[] = { BYTES_OF(front), head };
	if (!code)
		code = crypto_hash(f->suite, parts, 2, &f->bound, e);
	for (size_t i = 0; i < 2 && !code; i++)
		code = all_write(fd, parts[i], e);
	if (code)
		sealed_close(f);
	else
		*out = f;
	return code;
}

static int chunk_write(struct sealed_file *f, bool is_last, struct error *e)
{
	uint8_t nonce[NONCE_BYTES];
	nonce_make(f->chunk++, is_last, nonce);
	int code = aead_seal(f->suite, f->key, nonce, BYTES_OF(f->bound), BYTES(f->plain, f->plain_size), f->raw, e);
	if (!code)
		code = all_write(f->fd, BYTES(f->raw, f->plain_size + TAG_BYTES), e);
	f->plain_size = 0;
	return code;
}

int sealed_write(struct sealed_file *f, struct bytes content, struct error *e)
{
	int code =
	        f->is_writer && !f->is_over ? OK : error_set(e, ERR_INTERNAL, "this sealed file is not being written");
	while (content.size && !code) {
		size_t room = CHUNK_BYTES - f->plain_size, part = content.size < room ? content.size : room;
		memcpy(f->plain + f->plain_size, content.data, part);
		f->plain_size += part;
		content.data += part;
		content.size -= part;
		if (f->plain_size == CHUNK_BYTES)
			code = chunk_write(f, false, e);
	}
	return code;
}

int sealed_finish(struct sealed_file *f, struct error *e)
{
	int code = chunk_write(f, true, e);
	f->is_over = true;
	if (!code && fsync(f->fd) != 0)
		code = error_set_errno(e, errno, "cannot sync the sealed file");
	return code;
}

/* ---- reading ---- */

/* Fills `size` bytes, or fewer at the end of the file. */
static int some_read(int fd, uint8_t *out, size_t size, size_t *got, struct error *e)
{
	*got = 0;
	while (*got < size) {
		ssize_t part = read(fd, out + *got, size - *got);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return error_set_errno(e, errno, "cannot read the sealed file");
		if (part == 0)
			break;
		*got += (size_t)part;
	}
	return OK;
}

int sealed_head_read(int fd, struct sealed_head *out, struct buffer *head, struct error *e)
{
	uint8_t front[FRONT_BYTES];
	size_t got;
	struct reader r = reader_over(BYTES_OF(front));
	int code = some_read(fd, front, sizeof front, &got, e);
	if (code)
		return code;
	if (got != sizeof front || !bytes_equal(read_bytes(&r, sizeof magic - 1), bytes_from_text(magic)))
		return error_set(e, ERR_DAMAGED, "this is no backup, or its beginning is lost");
	uint8_t format = read_u8(&r);
	if (format != FORMAT)
		return error_set(e, ERR_VERSION,
		                 "this backup has format %u and this program reads %d: use the program that "
		                 "wrote it",
		                 format, FORMAT);
	memset(out, 0, sizeof *out);
	out->suite = read_u8(&r);
	memcpy(out->recovery, read_bytes(&r, KEY_BYTES).data, KEY_BYTES);
	memcpy(out->ephemeral, read_bytes(&r, KEY_BYTES).data, KEY_BYTES);
	memcpy(out->wrapped, read_bytes(&r, sizeof out->wrapped).data, sizeof out->wrapped);
	uint32_t size = read_u32(&r);
	if (size > SEALED_HEAD_BYTES_MOST)
		return error_set(e, ERR_DAMAGED, "the backup's head claims %u bytes, more than one has", size);
	buffer_clear(head);
	if (buffer_reserve(head, size))
		return error_set(e, ERR_MEMORY, "no memory for a head of %u bytes", size);
	code = some_read(fd, head->data, size, &got, e);
	if (code)
		return code;
	if (got != size)
		return error_set(e, ERR_DAMAGED, "the backup ends within its head: it was cut off");
	head->size = size;
	struct bytes parts[] = { BYTES_OF(front), buffer_bytes(head) };
	return crypto_hash(SUITE_INTERNATIONAL, parts, 2, &out->bound, e);
}

static int content_key_open(struct sealed_file *f, const struct sealed_head *h, const struct recovery_key *key,
                            struct error *e)
{
	uint8_t shared[KEY_BYTES], wrap[KEY_BYTES];
	int code = agree_secret(h->suite, key->secret_key, h->ephemeral, shared, e);
	if (!code)
		code = wrap_key_derive(h->suite, shared, h->ephemeral, h->recovery, wrap, e);
	if (!code)
		code = aead_open(h->suite, wrap, nonce_zero, (struct bytes){ 0 }, BYTES_OF(h->wrapped), f->key, e);
	if (code == ERR_DAMAGED || code == ERR_CRYPTO)
		code = error_set(e, ERR_DAMAGED, "the beginning of the backup was altered: take another copy");
	crypto_wipe(shared, sizeof shared);
	crypto_wipe(wrap, sizeof wrap);
	return code;
}

int sealed_open(int fd, const struct sealed_head *h, const struct recovery_key *key, struct sealed_file **out,
                struct error *e)
{
	struct sealed_file *f;
	if (memcmp(h->recovery, key->public_key, KEY_BYTES) != 0) {
		char made[2 * KEY_BYTES + 1], given[2 * KEY_BYTES + 1];
		hex_encode(BYTES_OF(h->recovery), made);
		hex_encode(BYTES_OF(key->public_key), given);
		return error_set(
		        e, ERR_DENIED,
		        "the backup is sealed to recovery key %.16s…, and the key file holds %.16s…: bring the "
		        "right one",
		        made, given);
	}
	int code = file_new(fd, false, &f, e);
	if (code)
		return code;
	f->suite = h->suite;
	f->bound = h->bound;
	code = content_key_open(f, h, key, e);
	if (!code)
		code = some_read(fd, f->raw, sizeof f->raw, &f->raw_size, e);
	if (code)
		sealed_close(f);
	else
		*out = f;
	return code;
}

static int chunk_read(struct sealed_file *f, struct error *e)
{
	uint8_t nonce[NONCE_BYTES];
	bool is_last = f->raw_size < sizeof f->raw;
	size_t size = is_last ? f->raw_size : sizeof f->raw - 1, got;
	uint8_t ahead = f->raw[sizeof f->raw - 1];
	nonce_make(f->chunk++, is_last, nonce);
	int code = aead_open(f->suite, f->key, nonce, BYTES_OF(f->bound), BYTES(f->raw, size), f->plain, e);
	if (code == ERR_DAMAGED)
		return error_set(e, code,
		                 "the backup was altered or cut off near byte %llu of its content: take another copy",
		                 (unsigned long long)((f->chunk - 1) * CHUNK_BYTES));
	if (code)
		return code;
	f->plain_size = size - TAG_BYTES;
	f->plain_at = 0;
	f->is_over = is_last;
	if (is_last)
		return OK;
	f->raw[0] = ahead;
	code = some_read(f->fd, f->raw + 1, sizeof f->raw - 1, &got, e);
	f->raw_size = got + 1;
	return code;
}

int sealed_read(struct sealed_file *f, void *out, size_t size, struct error *e)
{
	uint8_t *to = out;
	while (size) {
		size_t left = f->plain_size - f->plain_at, part = size < left ? size : left;
		memcpy(to, f->plain + f->plain_at, part);
		f->plain_at += part;
		to += part;
		size -= part;
		if (!size)
			break;
		if (f->is_over)
			return error_set(e, ERR_DAMAGED, "the backup's content ends too early");
		int code = chunk_read(f, e);
		if (code)
			return code;
	}
	return OK;
}

int sealed_end_check(struct sealed_file *f, struct error *e)
{
	while (!f->is_over && f->plain_at == f->plain_size) {
		int code = chunk_read(f, e);
		if (code)
			return code;
	}
	return f->is_over && f->plain_at == f->plain_size
	               ? OK
	               : error_set(e, ERR_DAMAGED, "the backup holds more than it says");
}
