/*
 * What a person writes for others: drafts at the tier that owns the collection, and how revisions came into force. One
 * mechanism for every collection; what differs between them (the message, its check, its table) is one row of a table
 * in publication.c.
 *
 * A key of a collection has at most one draft. Whoever saves it becomes one of its authors, and none of them may
 * publish it. A draft may be saved with faults, published only without. Publishing is two entries in one turn: the
 * draft's last step in `own`, and what is published in `all`.
 */
#ifndef DOMAIN_PUBLICATION_H
#define DOMAIN_PUBLICATION_H

#include "domain/domain.h"
#include "proto/notice.pb-c.h"

#define DRAFT_BYTES_MOST (60 * 1024) /* packed; what HTTP takes is little more */
#define DRAFT_AUTHORS_MOST 16

#define NOTICES_KEPT 200 /* of a town; of more the one that ends first is forgotten */
#define NOTICE_PLACES_MOST 100

extern const struct store_table domain_table_draft, domain_table_publication, domain_table_notice;

struct publication_stamp { /* what publication adds to a content */
	uint32_t revision, goes_back_to;
	const char *published_by;
	char *const *drafted_by;
	size_t drafted_by_count;
	int64_t published_ms;
};

struct apply; /* inside.h of this room */

struct collection {
	Lm__Collection id;
	const char *name;                  /* in paths: "catalogue" */
	const char *member, *draft_member; /* of views and commands: "service", "draft" */
	Lm__Tier owner;                    /* who publishes it; the tiers below take it */
	enum domain_effect_type news;      /* a revision came into force */
	const ProtobufCMessageDescriptor *type;
	Lm__Kind kind;                   /* of the entry in `all` */
	const struct store_table *table; /* every revision that was published */
	const char *(*key)(const ProtobufCMessage *content);
	const Lm__Words *(*title)(const ProtobufCMessage *content); /* for lists; NULL: they show the key */
	/* What is asked of those who write and publish; and its part on which every tier relies that applies it. */
	size_t (*check)(const ProtobufCMessage *content, struct service_fault *faults, size_t most);
	size_t (*shape)(const ProtobufCMessage *content, struct service_fault *faults, size_t most);
	struct publication_stamp (*stamp_of)(const ProtobufCMessage *content);
	void (*stamp)(ProtobufCMessage *content, const struct publication_stamp *stamp); /* NULL: takes it away */
	int (*taken)(struct apply *a, const ProtobufCMessage *content); /* what follows from it here; may be NULL */
	bool (*reaches)(const ProtobufCMessage *content, const char *place); /* NULL: it is for every terminal */
	void (*withdraw)(ProtobufCMessage *content); /* one person may take it back; NULL: nobody alone */
};
extern const struct collection collection_catalogue, collection_calendar, collection_wording, collection_notice;
/* NULL if unknown */
const struct collection *collection_of(Lm__Collection id);
const struct collection *collection_of_kind(Lm__Kind kind);
const struct collection *collection_named(const char *name);

/* What was published. Revision 0: the newest. ERR_NOT_FOUND. */
int content_get(struct store_txn *txn, const struct collection *c, const char *key, uint32_t revision,
                struct arena *arena, ProtobufCMessage **out);
/* The newest of each key, in the order of keys, until `visit` says false. */
int content_each(struct store_txn *txn, const struct collection *c, struct arena *arena,
                 bool (*visit)(void *context, ProtobufCMessage *newest), void *context);
uint32_t content_revision(const struct collection *c, const ProtobufCMessage *content);

int draft_get(struct store_txn *txn, const struct collection *c, const char *key, struct arena *arena,
              Lm__DraftRecord **out);
int draft_each(struct store_txn *txn, const struct collection *c, struct arena *arena,
               bool (*visit)(void *context, const char *key, const Lm__DraftRecord *record), void *context);
/* Revision 0: the newest. ERR_NOT_FOUND. `revision`: which it is; may be NULL. */
int publication_get(struct store_txn *txn, const struct collection *c, const char *key, uint32_t revision,
                    struct arena *arena, uint32_t *which, Lm__PublicationRecord **out);
/* In the order of keys and revisions; `key` NULL: of all keys. */
int publication_each(struct store_txn *txn, const struct collection *c, const char *key, struct arena *arena,
                     bool (*visit)(void *context, const char *key, uint32_t revision,
                                   const Lm__PublicationRecord *record),
                     void *context);

/* A copy without what publication adds, sharing everything else; NULL without memory. */
ProtobufCMessage *content_bare(const struct collection *c, const ProtobufCMessage *content, struct arena *arena);
/* The same, packed: what a draft holds. ERR_MEMORY, ERR_INVALID, ERR_TOO_BIG. */
int content_pack(const struct collection *c, const ProtobufCMessage *content, struct arena *arena, struct bytes *out,
                 struct error *e);
/* Two contents are the same but for what publication adds. Changes neither. */
bool content_is_same(const struct collection *c, const ProtobufCMessage *a, const ProtobufCMessage *b,
                     struct arena *arena);
/* May this be published over what is in force? ERR_INVALID names the first fault; ERR_EXISTS: it is what is in force;
 * ERR_DENIED: the one who publishes is one of the authors. `newest` may be NULL. */
int publication_check(const struct collection *c, const ProtobufCMessage *content, const ProtobufCMessage *newest,
                      char *const *authors, size_t author_count, const char *by, struct arena *arena, struct error *e);

/* The notices that a place is told on a day (clock_shanghai_day), in the order of their ids, until `visit` says false.
 */
int notices_shown(struct store_txn *txn, const char *place, int64_t day, struct arena *arena,
                  bool (*visit)(void *context, Lm__TownNotice *notice), void *context);

#endif
