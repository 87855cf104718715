/* One's own sessions: listed, locked, ended. What unlocks one is in login.c. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define SHOWN_MOST 50

struct list {
	struct arena *arena;
	Lm__SessionsView *view;
	bool is_short;
};

static void list_visit(void *context, const struct http_session_view *view)
{
	struct list *l = context;
	Lm__SessionRow *row = l->view->n_sessions < SHOWN_MOST ? arena_alloc(l->arena, sizeof *row) : NULL;
	if (!row) {
		l->is_short = true;
		return;
	}
	lm__session_row__init(row);
	row->session = arena_text(l->arena, view->name);
	row->begun_ms = view->begun_ms;
	row->used_ms = view->used_ms;
	row->is_locked = view->is_locked;
	row->is_this = view->is_this;
	l->is_short |= !row->session;
	if (row->session)
		l->view->sessions[l->view->n_sessions++] = row;
}

static int newest_first(const void *a, const void *b)
{
	const Lm__SessionRow *const *x = a, *const *y = b;
	return ((*x)->begun_ms < (*y)->begun_ms) - ((*x)->begun_ms > (*y)->begun_ms);
}

void sessions_get(void *context, struct http_request *r)
{
	struct arena arena;
	Lm__SessionsView view = LM__SESSIONS_VIEW__INIT;
	Lm__SessionRow *rows[SHOWN_MOST];
	(void)context;
	arena_init(&arena, 64 * 1024);
	view.sessions = rows;
	struct list l = { .arena = &arena, .view = &view };
	http_sessions_each(r, list_visit, &l);
	qsort(rows, view.n_sessions, sizeof *rows, newest_first);
	if (l.is_short && view.n_sessions < SHOWN_MOST)
		http_answer_error(r, ERR_MEMORY, "no memory for the list");
	else
		node_answer(r, &view.base);
	arena_release(&arena);
}

void sessions_end_post(void *context, struct http_request *r)
{
	struct arena arena;
	Lm__EndSessionCommand *in;
	Lm__Empty empty = LM__EMPTY__INIT;
	(void)context;
	arena_init(&arena, 16 * 1024);
	if (!node_body(r, &lm__end_session_command__descriptor, &arena, &in)) {
		if (http_session_end_named(r, in->session))
			node_answer(r, &empty.base);
		else
			http_answer_error(r, ERR_NOT_FOUND, "session: you have none of this name");
	}
	arena_release(&arena);
}

void session_lock_post(void *context, struct http_request *r)
{
	Lm__Empty empty = LM__EMPTY__INIT;
	(void)context;
	http_session_lock(r);
	node_answer(r, &empty.base);
}
