/*
 * Where the live rows of a closed store lie in its data.mdb, so that a test can damage one and know which it was.
 * One line a row: TABLE KEY KEY_OFFSET VALUE_OFFSET VALUE_BYTES, the key in hexadecimal.
 */
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TABLES_MOST 64
#define NAME_BYTES_MOST 64

struct map {
	MDB_env *env;
	MDB_txn *txn;
	const char *start; /* of the file in memory */
};

static int fail(const char *what, int rc)
{
	fprintf(stderr, "rows: %s: %s\n", what, mdb_strerror(rc));
	return 1;
}

/* LMDB does not tell where it has put the file. */
static const char *start_find(const char *path)
{
	char line[4600], file[4096];
	unsigned long start, offset, found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && !found && fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%*x %*s %lx %*s %*s %4095s", &start, &offset, file) == 3 &&
		    strcmp(file, path) == 0)
			found = start - offset;
	if (maps)
		fclose(maps);
	return (const char *)found;
}

static int map_open(struct map *m, const char *folder)
{
	char path[4096], whole[PATH_MAX];
	struct stat file;
	snprintf(path, sizeof path, "%s/data.mdb", folder);
	if (stat(path, &file) || !realpath(path, whole))
		return fail(path, MDB_NOTFOUND);
	int rc = mdb_env_create(&m->env);
	if (!rc)
		rc = mdb_env_set_mapsize(m->env, (size_t)file.st_size);
	if (!rc)
		rc = mdb_env_set_maxdbs(m->env, TABLES_MOST);
	if (!rc)
		rc = mdb_env_open(m->env, folder, MDB_RDONLY | MDB_NOLOCK, 0600);
	if (!rc)
		rc = mdb_txn_begin(m->env, NULL, MDB_RDONLY, &m->txn);
	m->start = rc ? NULL : start_find(whole);
	return m->start ? 0 : fail(folder, rc ? rc : MDB_NOTFOUND);
}

static int table_print(struct map *m, const char *name)
{
	MDB_dbi dbi;
	MDB_cursor *c;
	MDB_val key, value;
	int rc = mdb_dbi_open(m->txn, name, 0, &dbi);
	if (!rc)
		rc = mdb_cursor_open(m->txn, dbi, &c);
	if (rc)
		return fail(name, rc);
	while ((rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0) {
		printf("%s ", name);
		for (size_t i = 0; i < key.mv_size; i++)
			printf("%02x", ((const unsigned char *)key.mv_data)[i]);
		printf(" %td %td %zu\n", (const char *)key.mv_data - m->start, (const char *)value.mv_data - m->start,
		       value.mv_size);
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : fail(name, rc);
}

static int tables_print(struct map *m)
{
	char name[TABLES_MOST][NAME_BYTES_MOST];
	size_t count = 0;
	MDB_dbi names;
	MDB_cursor *c;
	MDB_val key, value;
	int rc = mdb_dbi_open(m->txn, NULL, 0, &names);
	if (!rc)
		rc = mdb_cursor_open(m->txn, names, &c);
	if (rc)
		return fail("the list of tables", rc);
	while (count < TABLES_MOST && (rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0)
		snprintf(name[count++], NAME_BYTES_MOST, "%.*s", (int)key.mv_size, (const char *)key.mv_data);
	mdb_cursor_close(c);
	int failed = 0;
	for (size_t i = 0; i < count && !failed; i++)
		failed = table_print(m, name[i]);
	return failed;
}

int main(int argc, char **argv)
{
	struct map m = { 0 };
	if (argc != 2) {
		fprintf(stderr, "usage: rows STORE_FOLDER\n");
		return 64;
	}
	int failed = map_open(&m, argv[1]);
	if (!failed)
		failed = tables_print(&m);
	if (m.txn)
		mdb_txn_abort(m.txn);
	if (m.env)
		mdb_env_close(m.env);
	return failed;
}
