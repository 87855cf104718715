/*
 * Drafts and publication as a turn of its owner's writer does them, and how far each site has taken what is published.
 * The rules stand in domain/publication.h; apply checks them again at every replay.
 */
#ifndef NODE_PUBLICATION_H
#define NODE_PUBLICATION_H

#include "domain/publication.h"
#include "node/node.h"

/* Saves or drops. A save that changes nothing writes nothing and makes nobody an author. *version: the draft's now, 0
 * when there is none. ERR_CONFLICT says who did what when. */
int publication_step(struct turn *t, const Lm__DraftPayload *step, uint32_t *version, struct error *e);
/* Publishes the draft as it was seen; *revision is the new one. */
int publication_of_draft(struct turn *t, const struct collection *c, const char *key, uint32_t version, const char *by,
                         uint32_t *revision, struct error *e);
/* Publishes a content that lies outside (a file of lmctl), written by one and looked at by another. An open draft of
 * the same key stays, and must be looked at again. `content` is stamped; what it is stamped with is in `arena`, for it
 * may outlive the turn. */
int publication_of_content(struct turn *t, const struct collection *c, ProtobufCMessage *content,
                           const char *drafted_by, const char *published_by, struct arena *arena, struct error *e);
/* Takes back at once what is in force as revision `seen`: as a revision of its own, by one person alone. ERR_NOT_FOUND,
 * ERR_CONFLICT, ERR_EXISTS. */
int publication_withdraw(struct turn *t, const struct collection *c, const char *key, uint32_t seen, const char *by,
                         uint32_t *revision, struct error *e);

/* ---- arrival: soft state at who publishes: at the hub told by towns with their beats, at a town by its links ---- */
struct site {
	uint64_t device;
	char place[PLACE_TEXT_BYTES];
	bool is_heard;    /* since this process started */
	uint64_t ordinal; /* of our own `all`: it has everything up to here */
	bool is_up;
	int64_t since_ms; /* of is_up; 0: not known */
};
/* Every admitted terminal of this place, in the order of places; in `arena`. Any thread. ERR_MEMORY. */
int node_sites(struct node *n, struct arena *arena, struct site **out, size_t *count);
/* Of how many sites is known, and how many have what lies at `ordinal`. */
void arrival_count(const struct site *sites, size_t count, uint64_t ordinal, Lm__Arrival *out);
/* Changes whenever a site has come further: for pages that show it. Any thread. */
uint64_t node_sites_moved(const struct node *n);

#endif
