/*
 * LMDB's calls, which fail when they are told to: what a page that cannot be read, a full map or a short memory give.
 * In front of the library for this program alone (tests/lib/faults.h).
 */
#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>

#include "../lib/faults.h"

#define READING EIO, ENOMEM
#define WRITING EIO, MDB_MAP_FULL

#define PARAMETERS(...) __VA_ARGS__
#define TABLE_CALL(function, parameters, arguments, ...)                                       \
	int function parameters                                                                \
	{                                                                                      \
		static int (*real)(PARAMETERS parameters);                                     \
		static const struct call called = { #function, FAULT_TABLE, { __VA_ARGS__ } }; \
		if (!real)                                                                     \
			real = (int (*)(PARAMETERS parameters))dlsym(RTLD_NEXT, #function);    \
		int error = call_fails(&called, __builtin_return_address(0));                  \
		return error ? error : real arguments;                                         \
	}

TABLE_CALL(mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *out), (txn, name, flags, out),
           READING)
TABLE_CALL(mdb_stat, (MDB_txn * txn, MDB_dbi table, MDB_stat *out), (txn, table, out), READING)
TABLE_CALL(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **out), (env, parent, flags, out),
           READING)
TABLE_CALL(mdb_txn_renew, (MDB_txn * txn), (txn), READING)
TABLE_CALL(mdb_get, (MDB_txn * txn, MDB_dbi table, MDB_val *key, MDB_val *value), (txn, table, key, value), READING)
TABLE_CALL(mdb_cursor_open, (MDB_txn * txn, MDB_dbi table, MDB_cursor **out), (txn, table, out), READING)
TABLE_CALL(mdb_cursor_get, (MDB_cursor * c, MDB_val *key, MDB_val *value, MDB_cursor_op how), (c, key, value, how),
           READING)
TABLE_CALL(mdb_put, (MDB_txn * txn, MDB_dbi table, MDB_val *key, MDB_val *value, unsigned flags),
           (txn, table, key, value, flags), WRITING)
TABLE_CALL(mdb_cursor_put, (MDB_cursor * c, MDB_val *key, MDB_val *value, unsigned flags), (c, key, value, flags),
           WRITING)
TABLE_CALL(mdb_del, (MDB_txn * txn, MDB_dbi table, MDB_val *key, MDB_val *value), (txn, table, key, value), WRITING)
TABLE_CALL(mdb_cursor_del, (MDB_cursor * c, unsigned flags), (c, flags), WRITING)
TABLE_CALL(mdb_drop, (MDB_txn * txn, MDB_dbi table, int is_gone), (txn, table, is_gone), WRITING)

/* A commit that failed has ended its transaction. */
int mdb_txn_commit(MDB_txn *txn)
{
	static int (*real)(MDB_txn *);
	static const struct call called = { "mdb_txn_commit", FAULT_TABLE, { WRITING } };
	if (!real)
		real = (int (*)(MDB_txn *))dlsym(RTLD_NEXT, "mdb_txn_commit");
	int error = call_fails(&called, __builtin_return_address(0));
	if (error)
		mdb_txn_abort(txn);
	return error ? error : real(txn);
}
