/*
 * One request through the logs of all tiers: after a commit a line for each entry about a request, with the same trace
 * at the terminal, the town and the district. A trace is a hash: it names nobody, and finds a request only for who has
 * its id. Bounded: a busy daemon says how many lines it left out. Writer thread.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

#define TRACES_A_SECOND 20

void entry_trace(struct node *n, const Lm__Header *h, uint64_t position, const char *what)
{
	if (h->request_id.len != ID_BYTES)
		return;
	size_t i = n->trace_count++;
	if (i >= TRACES_A_TURN_MOST)
		return; /* counted */
	struct trace *t = &n->trace[i];
	memcpy(t->request.byte, h->request_id.data, ID_BYTES);
	t->kind = h->kind;
	t->action = h->action;
	t->position = position;
	t->what = what;
}

static const char *short_name(const ProtobufCEnumDescriptor *type, int value, size_t prefix)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);
	return v ? v->name + prefix : "?";
}

static void trace_write(const struct trace *t)
{
	char name[TRACE_TEXT_BYTES];
	bool is_case = t->kind == LM__KIND__KIND_CASE || t->kind == LM__KIND__KIND_CASE_COPY;
	request_trace(t->request, name);
	log_write_trace(LOG_INFO, "entry", name, "%s%s%s %s at tape position %llu",
	                short_name(&lm__kind__descriptor, (int)t->kind, strlen("KIND_")), is_case ? " " : "",
	                is_case ? short_name(&lm__case_action__descriptor, (int)t->action, strlen("CASE_ACTION_")) : "",
	                t->what, (unsigned long long)t->position);
}

void traces_tell(struct node *n)
{
	uint64_t second = clock_monotonic_us() / 1000000;
	if (second != n->trace_second) {
		if (n->traces_left_out)
			log_write(LOG_INFO, "traces-left-out", "%llu lines about entries were left out",
			          (unsigned long long)n->traces_left_out);
		n->trace_second = second;
		n->traces_told = n->traces_left_out = 0;
	}
	for (size_t i = 0; i < n->trace_count; i++) {
		if (i >= TRACES_A_TURN_MOST || n->traces_told >= TRACES_A_SECOND) {
			n->traces_left_out += n->trace_count - i;
			break;
		}
		n->traces_told++;
		trace_write(&n->trace[i]);
	}
	n->trace_count = 0;
}
