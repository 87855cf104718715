/* Second factors that were drawn and not confirmed by a code yet: in memory, few, for ten minutes. Loop thread. */
#ifndef DESK_SECOND_H
#define DESK_SECOND_H

#include "inside.h"

void second_keep(const char *user, const uint8_t secret[TOTP_SECRET_BYTES]); /* instead of the one before */
bool second_kept(const char *user, uint8_t secret[TOTP_SECRET_BYTES]);
void second_forget(const char *user);
/* What an authenticator reads, as text and as a picture; in `arena`. */
int second_view(const char *place, const char *user, const uint8_t secret[TOTP_SECRET_BYTES], struct arena *arena,
                Lm__EnrolView **out, struct error *e);

#endif
