/*
 * What a daemon writes, recorded: one record for each put, delete and commit of LMDB, in their order.
 *
 *   record = op (1) ‖ table (1) ‖ key size (1) ‖ 0 ‖ value size (4, host order) ‖ key
 *
 * A put of size zero and an append are puts with other flags; values are not kept, their sizes are.
 */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include <stdint.h>

enum record_op { RECORD_PUT = 1, RECORD_APPEND, RECORD_DELETE, RECORD_COMMIT };

struct record {
	uint8_t op, table, key_size, zero;
	uint32_t value_size;
};

#endif
