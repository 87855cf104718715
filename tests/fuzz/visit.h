/* What is done with each row that a target can still read: it is looked at. */
#ifndef TESTS_FUZZ_VISIT_H
#define TESTS_FUZZ_VISIT_H

#include "domain/domain.h"
#include "domain/publication.h"

static inline bool each_device(void *context, const Lm__DeviceRecord *record)
{
	(void)context;
	return record != NULL;
}

static inline bool each_content(void *context, ProtobufCMessage *newest)
{
	(void)context;
	return newest != NULL;
}

static inline bool each_token(void *context, const Lm__TokenPayload *token)
{
	(void)context;
	return token != NULL;
}

static inline bool each_count(void *context, const char *town, const char *service, const Lm__CountRecord *record)
{
	(void)context;
	return town && service && record;
}

static inline bool each_status(void *context, uint32_t version, struct bytes sealed)
{
	(void)context;
	(void)version;
	(void)sealed;
	return true;
}

static inline bool each_draft(void *context, const char *key, const Lm__DraftRecord *record)
{
	(void)context;
	return key && record;
}

static inline bool each_publication(void *context, const char *key, uint32_t revision,
                                    const Lm__PublicationRecord *record)
{
	(void)context;
	(void)revision;
	return key && record;
}

#endif
