/* SPDX-License-Identifier: ISC
 *
 * Floating point: SSE and x87, to the nearest, with a quiet NaN for what has no value.
 */
#include <fenv.h>
#include <math.h>

#include "guest.h"

int platform_main(int argc, char **argv)
{
	volatile double two = 2, zero = 0;
	volatile long double third = 1.0L / 3;
	char text[64];

	(void)argc;
	(void)argv;
	expect(fegetround() == FE_TONEAREST);
	snprintf(text, sizeof text, "%.17g %.17g %.3f", sqrt(two), sin(two), -0.0625);
	expect(strcmp(text, "1.4142135623730951 0.90929742682568171 -0.062") == 0);
	snprintf(text, sizeof text, "%.20Lg", third);
	expect(strcmp(text, "0.33333333333333333334") == 0);
	expect(isnan(zero / zero) && isinf(two / zero));
	expect((int)nearbyint(two + 0.5) == 2 && (int)nearbyint(two + 1.5) == 4);
	return 0;
}
