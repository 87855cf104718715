/* Base64, RFC 4648 section 4, in the strict reading: padded, no line breaks, unused bits zero. */
#ifndef PROTO_BASE64_H
#define PROTO_BASE64_H

#include <stdbool.h>

#include "base/bytes.h"

/* Appends the text without a NUL. ERR_MEMORY. */
int base64_append(struct bytes in, struct buffer *out);

/* Bytes that `text` stands for, if it is valid. */
size_t base64_decoded_size(struct bytes text);
/* `out` holds base64_decoded_size bytes. False if the text is not the one spelling of some bytes. */
bool base64_decode(struct bytes text, uint8_t *out);

#endif
