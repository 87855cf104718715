/*
 * The operator at the district who hears of a device with two histories, goes and looks at the machine, and releases
 * the history that is its own: it goes on, and what the other one has said lies in quarantine (poison.c).
 */
#include <string.h>

#include "sim.h"

static char released[SITES_MOST][20]; /* devices */
static size_t count;

void operators_reset(void)
{
	count = 0;
}

bool is_released(const char *device)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(released[i], device) == 0)
			return true;
	return false;
}

static void released_note(const char *device)
{
	if (is_released(device))
		return;
	if (count == SITES_MOST)
		fail("more than %d devices were released", SITES_MOST);
	snprintf(released[count++], sizeof released[0], "%s", device);
}

static struct site *machine_at(const char *place)
{
	for (size_t i = 0; i < world.site_count; i++)
		if (strcmp(world.site[i].place, place) == 0)
			return twins_kept(&world.site[i]);
	fail("nothing stands at %s", place);
}

/* As its page says: which of the two is this machine's. One that has neither of them yet goes on behind the stored one.
 */
static const char *history_draw(struct site *machine, const json_t *histories)
{
	char words[80];
	const char *stored = json_string_value(json_array_get(histories, 0)),
	           *other = json_string_value(json_array_get(histories, 1));
	json_t *state = ask_if_alive(machine, "GET", "/api/v1/state", NULL);
	const char *why = json_string_value(json_object_get(state, "why_text"));
	snprintf(words, sizeof words, "this machine's is %s", other);
	const char *drawn = !state ? NULL : why && strstr(why, words) ? other : stored;
	json_decref(state);
	return drawn;
}

static void release(const json_t *link)
{
	const char *device = json_string_value(json_object_get(link, "device"));
	struct site *machine = machine_at(json_string_value(json_object_get(link, "place")));
	const char *history = history_draw(machine, json_object_get(link, "histories"));
	if (!history)
		return; /* it does not answer: another time */
	json_t *done = ask_if_alive(
	        site_hub(), "POST", "/ctl/v1/release",
	        json_pack("{s:s,s:s,s:s,s:s}", "device", device, "history", history, "reason", "示例", "by", "sim"));
	if (done) {
		tell("%-24s is released, history %s", machine->name, history);
		released_note(device);
	}
	json_decref(done);
}

void operators_release(void)
{
	json_t *status = ask_if_alive(site_hub(), "GET", "/ctl/v1/status", NULL), *link;
	size_t i;
	json_array_foreach(json_object_get(json_object_get(status, "links"), "links"), i, link)
	{
		if (json_array_size(json_object_get(link, "histories")) == 2)
			release(link);
	}
	json_decref(status);
}
