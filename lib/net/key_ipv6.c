/* SPDX-License-Identifier: ISC
 *
 * Keys whose values are IPv6 addresses.
 */
#include <errno.h>
#include <string.h>

#include <skerry/address.h>
#include <skerry/key.h>

/* Decimal up to 128, without needless zeros. -EINVAL: something else. */
static int read_prefix_len(const char *text)
{
	int len = 0, digits = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (++digits > 3 || (digits > 1 && len == 0))
			return -EINVAL;
		len = len * 10 + (*text - '0');
	}
	return digits == 0 || *text || len > 128 ? -EINVAL : len;
}

static int store(const struct key *key, const char *text)
{
	struct key_ipv6 ipv6 = { .prefix_len = 128, .set = true };
	const char *end = strchr(text, '/');
	size_t len = end ? (size_t)(end - text) : strlen(text);
	char address_text[IP_TEXT_MAX];
	struct ip_address address;

	if (len >= sizeof address_text || (end != NULL) != (key->type == &key_type_ipv6_prefix))
		return -EINVAL;
	memcpy(address_text, text, len);
	address_text[len] = '\0';
	if (!strchr(address_text, ':') || ip_parse(address_text, &address) < 0)
		return -EINVAL;
	memcpy(ipv6.address, address.bytes, sizeof ipv6.address);
	if (end) {
		int prefix_len = read_prefix_len(end + 1);

		if (prefix_len < 0)
			return -EINVAL;
		ipv6.prefix_len = (uint8_t)prefix_len;
	}
	*(struct key_ipv6 *)key->value = ipv6;
	return 0;
}

const struct key_type key_type_ipv6 = { store, sizeof(struct key_ipv6), "=ADDRESS",
	"an IPv6 address, such as 2001:db8::1" };
const struct key_type key_type_ipv6_prefix = { store, sizeof(struct key_ipv6), "=ADDRESS/LENGTH",
	"an IPv6 address with its prefix length, such as 2001:db8::2/64" };
