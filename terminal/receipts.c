/*
 * Receipts made ahead, one at a time, when idle: a resident does not wait for the slow function.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

#define RECEIPT_EVERY_US 1000000

struct making {
	uint8_t salt[DEVICE_SALT_BYTES];
	struct ready_receipt receipt;
	int result;
	struct error error;
};

int ready_receipt_make(const uint8_t device_salt[DEVICE_SALT_BYTES], struct ready_receipt *out, struct error *e)
{
	uint8_t random[16];
	int result = crypto_random(random, sizeof random, e);
	if (!result)
		result = crypto_random(out->key, sizeof out->key, e);
	if (result)
		return result;
	receipt_code_make(random, out->code);
	return receipt_derive(out->code, device_salt, &out->secret, e);
}

static void making_run(struct node *n, void *context)
{
	struct making *m = context;
	(void)n;
	m->result = ready_receipt_make(m->salt, &m->receipt, &m->error);
}

static void making_done(struct node *n, void *context)
{
	struct making *m = context;
	struct terminal *t = terminal_of(n);
	t->is_making = false;
	if (m->result)
		log_write(LOG_ERROR, "receipt", "%s", m->error.text);
	else if (t->ready_count < READY_MOST)
		t->ready[t->ready_count++] = m->receipt;
	crypto_wipe(m, sizeof *m);
	free(m);
	if (t->ready_count == 1 || t->ready_count * 2 == (size_t)node_configuration(n)->receipts_ahead)
		receipts_tick(t); /* catch up faster while there are few */
}

void receipts_tick(struct terminal *t)
{
	if (t->is_making || !t->has_salt || t->ready_count >= (size_t)node_configuration(t->node)->receipts_ahead)
		return;
	struct making *m = calloc(1, sizeof *m);
	if (!m)
		return;
	memcpy(m->salt, t->salt, sizeof m->salt);
	if (node_pool(t->node, making_run, making_done, m)) {
		free(m);
		return;
	}
	t->is_making = true;
}

uint64_t receipts_due_us(const struct terminal *t, uint64_t now_us)
{
	bool are_enough = t->ready_count >= (size_t)node_configuration(t->node)->receipts_ahead;
	return are_enough || !t->has_salt ? UINT64_MAX : now_us + RECEIPT_EVERY_US;
}

bool receipt_take(struct terminal *t, struct ready_receipt *out)
{
	if (!t->ready_count)
		return false;
	*out = t->ready[--t->ready_count];
	node_tick_by(t->node, clock_monotonic_us() + RECEIPT_EVERY_US);
	crypto_wipe(&t->ready[t->ready_count], sizeof t->ready[0]);
	return true;
}
