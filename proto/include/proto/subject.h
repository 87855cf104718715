/* What an entry is about: whose key envelopes go when that is erased, and whose versions follow each other. Which way
 * its stream flows. */
#ifndef PROTO_SUBJECT_H
#define PROTO_SUBJECT_H

#include <stdbool.h>

#include "proto/codec.h"
#include "proto/entry.pb-c.h"

/* The request if the header names one, else the resident's record; empty if it names neither. An event that says whose
 * case it is names both, and stays with its case. */
static inline struct bytes header_subject(const Lm__Header *h)
{
	return codec_bytes(h->request_id.len ? h->request_id : h->person_id);
}

/* What its origin reports to the tiers above: they take it, and the district's marks say how far it has come. */
static inline bool stream_is_up(Lm__Stream stream)
{
	return stream == LM__STREAM__STREAM_UP || stream == LM__STREAM__STREAM_PARTS;
}

#endif
