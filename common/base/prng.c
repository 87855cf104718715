/* xoshiro256** by David Blackman and Sebastiano Vigna, seeded by splitmix64 as they advise. */
#include "base/prng.h"

static uint64_t splitmix64_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static uint64_t rotated_left(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

void prng_seed(struct prng *p, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++)
		p->state[i] = splitmix64_next(&seed);
}

uint64_t prng_next(struct prng *p)
{
	uint64_t *s = p->state, result = rotated_left(s[1] * 5, 7) * 9, shifted = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotated_left(s[3], 45);
	return result;
}

uint64_t prng_below(struct prng *p, uint64_t bound)
{
	/* 2^64 mod bound numbers at the low end are left out, so that what remains is a multiple of bound. */
	uint64_t left_out = (0 - bound) % bound, v;
	do
		v = prng_next(p);
	while (v < left_out);
	return v % bound;
}

void prng_fill(struct prng *p, void *out, size_t size)
{
	uint8_t *to = out;
	uint64_t v = 0;
	/* Byte by byte from the low end: the same seed gives the same bytes on every machine. */
	for (size_t i = 0; i < size; i++, v >>= 8) {
		if (i % 8 == 0)
			v = prng_next(p);
		to[i] = (uint8_t)v;
	}
}
