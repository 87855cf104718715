/* lmctl lookup: what a resident's receipt code shows. */
#include <stdio.h>

#include "base/ids.h"
#include "proto/api.pb-c.h"

#include "ctl.h"

static void status_row(struct print_table *t, const Lm__StatusView *v)
{
	struct arena *a = t->arena;
	print_table_row(t, (const char *const[]){
	                           arena_format(a, "%u", v->version),
	                           print_time(a, v->time_ms),
	                           print_enum(a, &lm__case_action__descriptor, (int)v->action),
	                           v->outcome ? print_enum(a, &lm__outcome__descriptor, (int)v->outcome) : "",
	                           v->office,
	                           v->text,
	                           v->ground,
	                           v->remedy,
	                   });
}

static void receipt_show(struct arena *a, const Lm__ReceiptView *r)
{
	const Lm__Marks3 *m = r->marks;
	print_text("%s  %s%s%s  made %s\n", print_hex(a, r->request_id, ID_BYTES), r->service,
	           r->service_name ? "  " : "", r->service_name ? r->service_name->zh : "",
	           print_time(a, r->created_ms));
	print_text("marks: %s%s%s\n", m && m->saved ? "saved" : "none", m && m->town ? ", town" : "",
	           m && m->district ? ", district" : "");
	print_text("%s%s%s%s", r->is_from_town ? "made elsewhere; the town knows it\n" : "",
	           r->can_answer ? "a question is open\n" : "", r->can_withdraw ? "can be withdrawn\n" : "",
	           r->has_pending_ask ? "an answer or withdrawal is under way\n" : "");
	struct print_table t = print_table_of(
	        a, 8,
	        (const char *const[]){ "version", "time", "action", "outcome", "office", "text", "ground", "remedy" });
	for (size_t i = 0; i < r->n_statuses; i++)
		status_row(&t, r->statuses[i]);
	print_table_show(&t);
}

int lookup_run(struct call *c, struct error *e)
{
	char code[RECEIPT_CODE_DIGITS + 1];
	Lm__LookupCommand command = LM__LOOKUP_COMMAND__INIT;
	Lm__ReceiptsView *view = NULL;
	int result = receipt_code_parse(c->word[0], code, e);
	if (result)
		return result;
	command.code = code;
	result = client_post(c, "/api/v1/receipts/lookup", &command.base, &lm__receipts_view__descriptor, &view, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	for (size_t i = 0; i < view->n_receipts; i++) {
		printf("%s", i ? "\n" : "");
		receipt_show(&c->arena, view->receipts[i]);
	}
	if (view->see_staff)
		printf("more than one receipt has this code: nothing is shown, staff at the town can help\n");
	else if (view->replaced_ms)
		printf("this code was replaced by another one on %s\n", print_time(&c->arena, view->replaced_ms));
	else if (!view->n_receipts)
		return error_set(e, ERR_NOT_FOUND, "nothing is known of this code, here or at the town");
	return OK;
}
