/* A configuration is taken whole or refused with file, line, key and what was probably meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/config.h"

struct sample {
	char *place, *address, *note;
	int64_t port, map_bytes;
	bool is_demo;
};

static const struct config_key keys[] = {
	{ "place", CONFIG_TEXT, true, NULL, 0, 0, offsetof(struct sample, place), "the place's code", NULL },
	{ "address", CONFIG_TEXT, false, "127.0.0.1", 0, 0, offsetof(struct sample, address), "where to listen", NULL },
	{ "note", CONFIG_TEXT, false, NULL, 0, 0, offsetof(struct sample, note), "free", NULL },
	{ "port", CONFIG_INTEGER, false, "8080", 1, 65535, offsetof(struct sample, port), "where to listen", NULL },
	{ "map", CONFIG_SIZE, false, "16M", 4096, INT64_C(1) << 40, offsetof(struct sample, map_bytes),
	  "size of the map", NULL },
	{ "demo", CONFIG_BOOLEAN, false, "no", 0, 0, offsetof(struct sample, is_demo), "two receipts only", NULL },
};
#define KEY_COUNT (sizeof keys / sizeof *keys)

static int parse(const char *text, struct sample *s, struct error *e)
{
	return config_parse("hub.conf", text, keys, KEY_COUNT, s, e);
}

static void values_and_defaults_arrive(void **state)
{
	(void)state;
	struct sample s = { 0 };
	struct error e;
	assert_int_equal(parse("# a comment\r\n\n  place =  310114 # the district\r\nmap=1G\ndemo = yes\n"
	                       "note = http://x/#top = y",
	                       &s, &e),
	                 OK);
	assert_string_equal(s.place, "310114");
	assert_string_equal(s.address, "127.0.0.1");
	assert_string_equal(s.note, "http://x/#top = y");
	assert_true(s.port == 8080 && s.map_bytes == INT64_C(1) << 30 && s.is_demo);
	config_release(keys, KEY_COUNT, &s);
	assert_null(s.place);
	config_release(keys, KEY_COUNT, &s);
	assert_int_equal(parse("place = 1", &s, &e), OK);
	assert_null(s.note);
	assert_true(s.map_bytes == 16 * 1024 * 1024 && !s.is_demo);
	config_release(keys, KEY_COUNT, &s);
}

static void refusals_say_where_and_what(void **state)
{
	(void)state;
	const struct {
		const char *text, *says[4];
	} cases[] = {
		{ "place = 1\n\nprot = 80", { "hub.conf line 3", "'prot'", "nearest is 'port'", "" } },
		{ "place = 1\nadress = x", { "hub.conf line 2", "'adress'", "nearest is 'address'", "" } },
		{ "place = 1\nport = 80\nport = 81", { "hub.conf line 3", "'port'", "already", "line 2" } },
		{ "port = 80", { "hub.conf", "'place'", "missing", "the place's code" } },
		{ "place = 1\nport = 0", { "line 2", "port = '0'", "from 1 to 65535", "" } },
		{ "place = 1\nport = 65536", { "line 2", "port = '65536'", "from 1 to 65535", "" } },
		{ "place = 1\nport = 99999999999999999999", { "line 2", "port", "whole number", "" } },
		{ "place = 1\nport = 80x", { "line 2", "port = '80x'", "whole number", "" } },
		{ "place = 1\nport =", { "line 2", "port = ''", "whole number", "" } },
		{ "place = 1\nmap = 9000000T", { "line 2", "map", "", "" } },
		{ "place = 1\nmap = 99999999999T", { "line 2", "map", "a size", "" } },
		{ "place = 1\nmap = -1", { "line 2", "map = '-1'", "a size", "" } },
		{ "place = 1\nmap = M", { "line 2", "map = 'M'", "a size", "" } },
		{ "place = 1\ndemo = true", { "line 2", "demo = 'true'", "yes or no", "" } },
		{ "place = 1\njust words", { "line 2", "'just words'", "key = value", "" } },
		{ "place =", { "line 1", "place", "not empty", "" } },
		{ "place = \xFF", { "line 1", "UTF-8", "", "" } },
		{ "= x", { "line 1", "''", "", "" } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sample s = { .port = 5 };
		struct error e;
		assert_int_equal(parse(cases[i].text, &s, &e), ERR_CONFIG);
		for (size_t j = 0; j < 4; j++)
			if (!strstr(e.text, cases[i].says[j]))
				fail_msg("case %zu: '%s' does not say '%s'", i, e.text, cases[i].says[j]);
		assert_true(s.port == 5 && !s.place);
		assert_int_equal(parse(cases[i].text, &s, NULL), ERR_CONFIG);
	}
}

static void a_long_name_is_shown_cut_between_characters(void **state)
{
	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		char text[400] = "xxx";
		size_t at = (size_t)shift;
		for (; at < 300; at += 3)
			memcpy(text + at, "\xE6\x9C\x80", 3);
		strcpy(text + at, " = 1");
		struct sample s = { 0 };
		struct error e;
		assert_int_equal(parse(text, &s, &e), ERR_CONFIG);
		assert_true(utf8_length(bytes_from_text(e.text)) > 0);
	}
}

static void sizes_may_use_any_unit(void **state)
{
	(void)state;
	const struct {
		const char *text;
		int64_t bytes;
	} cases[] = { { "place=1\nmap=4096", 4096 },
		      { "place=1\nmap=4K", 4096 },
		      { "place=1\nmap=1T", INT64_C(1) << 40 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sample s = { 0 };
		assert_int_equal(parse(cases[i].text, &s, NULL), OK);
		assert_true(s.map_bytes == cases[i].bytes);
		config_release(keys, KEY_COUNT, &s);
	}
}

static void files_are_read(void **state)
{
	(void)state;
	char folder[] = "/tmp/lm-config-XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/hub.conf", folder);
	struct sample s = { 0 };
	struct error e;
	assert_int_equal(config_read(path, keys, KEY_COUNT, &s, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "does not exist"));
	FILE *file = fopen(path, "w");
	fputs("place = 310114\n", file);
	fclose(file);
	assert_int_equal(config_read(path, keys, KEY_COUNT, &s, &e), OK);
	assert_string_equal(s.place, "310114");
	config_release(keys, KEY_COUNT, &s);
	file = fopen(path, "w");
	fwrite("place = 1\n\0port = 2\n", 1, 20, file);
	fclose(file);
	assert_int_equal(config_read(path, keys, KEY_COUNT, &s, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "NUL"));
	unlink(path);
	rmdir(folder);
}

struct told {
	char text[8][200];
	size_t count;
};

static void hear(void *context, const char *text)
{
	struct told *told = context;
	assert_true(told->count < 8);
	snprintf(told->text[told->count++], sizeof told->text[0], "%s", text);
}

static void every_fault_is_told(void **state)
{
	(void)state;
	char path[] = "/tmp/config.XXXXXX";
	static const char text[] = "port = 0\nplaice = 1\nnonsense\nport = 9\n\xff\ndemo = maybe\nnote = kept\n";
	static const char *const words[] = { "line 1: port = '0'",        "line 2: there is no key 'plaice'",
		                             "line 3: 'nonsense'",        "line 4: 'port' was already given in line 1",
		                             "line 5 is not UTF-8",       "line 6: demo = 'maybe'",
		                             "the key 'place' is missing" };
	int fd = mkstemp(path);
	struct sample s = { 0 };
	struct told told = { .count = 0 };
	long line[KEY_COUNT];
	struct config_faults faults = { hear, &told, line };
	assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
	close(fd);
	assert_int_equal(config_read_all(path, keys, KEY_COUNT, &s, &faults), ERR_CONFIG);
	assert_int_equal(told.count, sizeof words / sizeof *words);
	for (size_t i = 0; i < told.count; i++)
		if (!strstr(told.text[i], words[i]) || !strstr(told.text[i], path))
			fail_msg("'%s' does not tell of '%s'", told.text[i], words[i]);
	assert_string_equal(s.note, "kept");
	assert_string_equal(s.address, "127.0.0.1");
	assert_true(line[0] == 0 && line[2] == 7 && line[3] == 1);
	config_release(keys, KEY_COUNT, &s);
	unlink(path);
	told.count = 0;
	assert_int_equal(config_read_all(path, keys, KEY_COUNT, &s, &faults), ERR_CONFIG);
	assert_true(told.count == 1 && strstr(told.text[0], "does not exist"));
	config_release(keys, KEY_COUNT, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_defaults_arrive),
		cmocka_unit_test(refusals_say_where_and_what),
		cmocka_unit_test(a_long_name_is_shown_cut_between_characters),
		cmocka_unit_test(sizes_may_use_any_unit),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(every_fault_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
