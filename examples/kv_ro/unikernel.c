/* SPDX-License-Identifier: ISC
 *
 * Reads a value from the directory t/, by whatever store it was configured with, and compares it with what it knows.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/kv.h>
#include <skerry/log.h>

LOG_SOURCE(application);

int start(struct kv *store)
{
	static const char known[] = "foo\n";
	uint8_t *secret;
	size_t len;
	int err = kv_get(store, "secret", &secret, &len);

	if (err < 0)
		return err;
	if (len == strlen(known) && memcmp(secret, known, len) == 0)
		log_info("Contents of extremely secret vital storage confirmed!");
	else
		log_warn("The secret provided does not match!");
	free(secret);
	return 0;
}
