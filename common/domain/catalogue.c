/*
 * The catalogue: services as they were published.
 */
#include "inside.h"

static const char *service_key_of(const ProtobufCMessage *content)
{
	return ((const Lm__Service *)content)->id;
}

static const Lm__Words *service_title_of(const ProtobufCMessage *content)
{
	return ((const Lm__Service *)content)->name;
}

static size_t service_content_check(const ProtobufCMessage *content, struct service_fault *faults, size_t most)
{
	return service_readable_check((const Lm__Service *)content, faults, most);
}

static size_t service_content_shape(const ProtobufCMessage *content, struct service_fault *faults, size_t most)
{
	return service_check((const Lm__Service *)content, faults, most);
}

static struct publication_stamp service_stamp_of(const ProtobufCMessage *content)
{
	const Lm__Service *s = (const Lm__Service *)content;
	return (struct publication_stamp){ s->revision,   s->goes_back_to, s->published_by,
		                           s->drafted_by, s->n_drafted_by, s->published_ms };
}

static void service_stamp(ProtobufCMessage *content, const struct publication_stamp *stamp)
{
	static const struct publication_stamp none = { .published_by = "" };
	const struct publication_stamp *s = stamp ? stamp : &none;
	Lm__Service *service = (Lm__Service *)content;
	service->revision = s->revision;
	service->goes_back_to = s->goes_back_to;
	service->published_by = (char *)(uintptr_t)s->published_by;
	service->published_ms = s->published_ms;
	service->drafted_by = (char **)(uintptr_t)s->drafted_by;
	service->n_drafted_by = s->drafted_by_count;
}

static int service_taken(struct apply *a, const ProtobufCMessage *content)
{
	const Lm__Service *service = (const Lm__Service *)content;
	return release_service(a, service->id, service->revision);
}

const struct collection collection_catalogue = {
	.id = LM__COLLECTION__COLLECTION_CATALOGUE,
	.name = "catalogue",
	.member = "service",
	.draft_member = "draft",
	.owner = LM__TIER__TIER_DISTRICT,
	.news = DOMAIN_CATALOGUE,
	.type = &lm__service__descriptor,
	.kind = LM__KIND__KIND_SERVICE,
	.table = &domain_table_service,
	.key = service_key_of,
	.title = service_title_of,
	.check = service_content_check,
	.shape = service_content_shape,
	.stamp_of = service_stamp_of,
	.stamp = service_stamp,
	.taken = service_taken,
};

int service_get(struct store_txn *txn, const char *id, uint32_t revision, struct arena *arena, Lm__Service **out)
{
	ProtobufCMessage *content;
	int result = content_get(txn, &collection_catalogue, id, revision, arena, &content);
	if (!result)
		*out = (Lm__Service *)content;
	return result;
}
