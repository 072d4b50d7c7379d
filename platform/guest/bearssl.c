/* SPDX-License-Identifier: ISC
 *
 * BearSSL's seed, from the program's random numbers: its own would open /dev/urandom.
 */
#include <bearssl.h>
#include <skerry/random.h>

static int seed(const br_prng_class **generator)
{
	unsigned char bytes[32];

	if (random_init() < 0)
		return 0;
	random_bytes(bytes, sizeof bytes);
	(*generator)->update(generator, bytes, sizeof bytes);
	return 1;
}

br_prng_seeder br_prng_seeder_system(const char **name)
{
	if (name)
		*name = "skerry";
	return seed;
}
