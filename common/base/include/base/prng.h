/* xoshiro256** (Blackman and Vigna): repeatable numbers for jitter, simulation and tests. Never for secrets. */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t state[4];
};
void prng_seed(struct prng *p, uint64_t seed); /* spread by splitmix64 */
uint64_t prng_next(struct prng *p);
uint64_t prng_below(struct prng *p, uint64_t bound); /* without bias; bound > 0 */
void prng_fill(struct prng *p, void *out, size_t size);

#endif
