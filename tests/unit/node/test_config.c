/* Configuration of the daemons: what each tier needs, and what it must not have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/node.h"

#define KEY64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ABOVE "upstream = tcp://127.0.0.1:5601\nupstream_key = " KEY64 "\nauthority = " KEY64 "\n"
#define BELOW "link_address = tcp://127.0.0.1:5602\n"

/* The code, and in `said` what the person reads. */
static int read_as(Lm__Tier tier, const char *text, struct error *said)
{
	char path[] = "/tmp/node-config.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	struct node_config config;
	*said = (struct error){ 0 };
	int result = node_config_read(path, tier, &config, said);
	unlink(path);
	if (!result)
		node_config_release(&config);
	return result;
}

static void refuse(Lm__Tier tier, const char *text, const char *word)
{
	struct error said;
	assert_int_equal(read_as(tier, text, &said), ERR_CONFIG);
	if (!strstr(said.text, word))
		fail_msg("'%s' does not tell of '%s'", said.text, word);
}

static void each_tier_takes_what_it_needs(void **state)
{
	struct error e;
	(void)state;
	assert_int_equal(read_as(LM__TIER__TIER_DISTRICT, "place = 310114\ndata = d\n" BELOW, &e), OK);
	assert_int_equal(read_as(LM__TIER__TIER_TOWN, "place = 310114106\ndata = d\n" BELOW ABOVE, &e), OK);
	assert_int_equal(read_as(LM__TIER__TIER_TERMINAL, "place = 310114106001-T1\ndata = d\n" ABOVE, &e), OK);
}

static void what_a_tier_lacks_is_named(void **state)
{
	(void)state;
	refuse(LM__TIER__TIER_DISTRICT, "place = 310114\ndata = d\n", "link_address");
	refuse(LM__TIER__TIER_TOWN, "place = 310114106\ndata = d\n" BELOW, "upstream");
	refuse(LM__TIER__TIER_TERMINAL, "place = 310114106001-T1\n" ABOVE, "data");
}

static void what_does_not_fit_a_tier_is_named(void **state)
{
	(void)state;
	refuse(LM__TIER__TIER_DISTRICT, "place = 310114106\ndata = d\n" BELOW, "place");
	refuse(LM__TIER__TIER_DISTRICT, "place = 310114\ndata = d\n" BELOW ABOVE, "nothing above");
	refuse(LM__TIER__TIER_TERMINAL, "place = 310114106001-T1\ndata = d\n" BELOW ABOVE, "nothing below");
	refuse(LM__TIER__TIER_TERMINAL, "place = 310114106001\ndata = d\n" ABOVE, "place");
	refuse(LM__TIER__TIER_TERMINAL,
	       "place = 310114106001-T1\ndata = d\nupstream = x\nupstream_key = 12\nauthority = " KEY64 "\n",
	       "upstream_key");
	refuse(LM__TIER__TIER_DISTRICT, "place = 310114\ndata = d\nmap_size = 1M\n" BELOW, "map_size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_tier_takes_what_it_needs),
		cmocka_unit_test(what_a_tier_lacks_is_named),
		cmocka_unit_test(what_does_not_fit_a_tier_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
