/*
 * What people write for others, over HTTP: one request about a collection under way, and what its three files share.
 *
 *   publications.c       the request; what is in force, faults, differences; the list
 *   publication_views.c  one key; one revision
 *   publication_steps.c  save, drop, publish, take back
 */
#ifndef DESK_PUBLISHING_H
#define DESK_PUBLISHING_H

#include "inside.h"
#include "node/publication.h"

struct publishing {
	struct command command;
	struct http_request *request;
	struct node *node;
	struct store_txn *txn; /* of the pool job */
	struct arena arena;
	const struct collection *collection;
	char key[33], user[65];
	uint32_t revision;
	Lm__DraftCommand *input;
	ProtobufCMessage *output;
	struct site *sites;
	size_t site_count;
	int result;
	struct error error;
};

/* Reads the path; NULL when it has been answered already. */
struct publishing *publishing_new(struct node *n, struct http_request *r);
void publishing_answer(struct publishing *w, int result, const struct error *e); /* and frees it */
/* Builds the answer on the pool. */
void publishing_read(struct node *n, struct http_request *r, void (*build)(struct node *n, void *context));
/* On the pool: a snapshot, and how far the sites are. */
int publishing_begin(struct publishing *w);
int publishing_end(struct publishing *w, int result);
int publishing_no_memory(struct publishing *w); /* ERR_MEMORY */

/* A view or a command has one member for each collection; the others stay empty. */
void member_put(ProtobufCMessage *message, const char *member, ProtobufCMessage *content);
ProtobufCMessage *member_of(const ProtobufCMessage *message, const char *member);
void *list_new(struct publishing *w, size_t count); /* of pointers */
/* NULL and OK: nothing is in force. */
int content_in_force(struct publishing *w, struct store_txn *txn, uint32_t revision, ProtobufCMessage **out);
int content_faults_fill(struct publishing *w, const ProtobufCMessage *content, Lm__ContentFault ***out, size_t *count);
int content_changes_fill(struct publishing *w, const ProtobufCMessage *before, const ProtobufCMessage *after,
                         Lm__Change ***out, size_t *count);

/* Rows of views; NULL: no memory, or a row that cannot be read. */
Lm__RevisionRow *revision_row(struct publishing *w, const char *key, uint32_t revision,
                              const Lm__PublicationRecord *record);
Lm__DraftRow *draft_row(struct publishing *w, const Lm__DraftRecord *record, const ProtobufCMessage *content,
                        uint32_t newest);
void row_name(const struct publishing *w, Lm__PublicationRow *row, ProtobufCMessage *content);
/* Whether the site is to have what the content says. */
bool site_is_reached(const struct publishing *w, const struct site *site, const ProtobufCMessage *content);

#endif
