/*
 * Terminals whose folder is lost: a new machine in the same place makes keys of its own. An operator of the district
 * revokes the old keys and admits the new ones, and looks until the machine has heard of it. What the town had is found
 * there; what was on the lost disk alone is gone, and nothing else.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sim.h"

#define GONE_MOST 256

static struct lost {
	struct site *site;
	bool is_wanted;  /* when the machine is buried */
	bool is_unknown; /* until it takes requests again */
	char device[17]; /* that is to be revoked */
} lost[SITES_MOST];

static char gone[GONE_MOST][17]; /* devices that are no more */
static size_t gone_count;

void wipes_reset(void)
{
	gone_count = 0;
	memset(lost, 0, sizeof lost);
}

bool strike_wipe(struct site *s)
{
	struct lost *l = &lost[s - world.site];
	if (s->tier != LM__TIER__TIER_TERMINAL || !s->node || s->is_dying || wipes_are_about(s) || is_twin(s) ||
	    gone_count == GONE_MOST)
		return false;
	l->site = s;
	l->is_wanted = true;
	snprintf(l->device, sizeof l->device, "%016llx", (unsigned long long)node_domain(s->node)->device);
	memcpy(gone[gone_count++], l->device, sizeof l->device);
	site_kill(s, false);
	return true;
}

bool wipes_are_about(const struct site *s)
{
	return lost[s - world.site].is_wanted || lost[s - world.site].is_unknown;
}

bool wipes_know(const char *device)
{
	for (size_t i = 0; i < gone_count; i++)
		if (strcmp(gone[i], device) == 0)
			return true;
	return false;
}

/* ---- the operator ---- */

static void operator_step(void *context, bool is_alive);

static void operator_rest(struct lost *l)
{
	plan(draw_between(100 * MS, world.pace->insist_us), NULL, operator_step, l);
}

static void seen(void *context, int status, json_t *body)
{
	struct lost *l = context;
	const char *why = json_string_value(json_object_get(body, "why_code"));
	bool is_known = status == 200 && why && strcmp(why, "unknown-key") != 0 && strcmp(why, "not-ready") != 0;
	if (is_known)
		l->is_unknown = false;
	else
		operator_rest(l);
}

static void admitted(void *context, int status, json_t *body)
{
	struct lost *l = context;
	(void)body;
	if (status)
		tell("%-24s is admitted anew: %d", l->site->name, status);
	ask_page(l->site, "GET", "/api/v1/state", NULL, "resident", seen, l);
}

static void revoked(void *context, int status, json_t *body)
{
	struct lost *l = context;
	const char *code = json_string_value(json_object_get(json_object_get(body, "error"), "code"));
	char path[300];
	snprintf(path, sizeof path, "%s/device.json", l->site->folder);
	json_t *file = json_load_file(path, 0, NULL);
	if (!file || (status != 200 && (!code || strcmp(code, "exists") != 0))) {
		json_decref(file);
		operator_rest(l);
		return;
	}
	ask_page(site_hub(), "POST", "/ctl/v1/admit", admission_of(l->site, file), "local", admitted, l);
}

static void operator_step(void *context, bool is_alive)
{
	struct lost *l = context;
	(void)is_alive;
	if (l->is_unknown)
		ask_page(site_hub(), "POST", "/ctl/v1/revoke",
		         json_pack("{s:s,s:s,s:s}", "device", l->device, "reason", "示例", "by", "sim"), "local",
		         revoked, l);
}

void wipes_site_buried(struct site *s)
{
	struct lost *l = &lost[s - world.site];
	if (!l->is_wanted)
		return;
	l->is_wanted = false;
	if (weather_is_over())
		return;
	folder_remove(s->folder);
	if (mkdir(s->folder, 0700))
		fail("cannot make %s: %s", s->folder, strerror(errno));
	disk_site_changed(s);
	s->said_position = 0;
	check_forget(s);
	people_hear_of_wipe(s);
	l->is_unknown = true;
	tell("%-24s has lost its disk, and is another machine", s->name);
	operator_rest(l);
}
