/* SPDX-License-Identifier: ISC
 *
 * Parts of packets on their way down, for fragments.
 */
#include "ip.h"

size_t ip_cut(struct platform_piece *cut, const struct ip_sending *packet, size_t offset, size_t len)
{
	size_t skip = offset, left = len, count = 0;

	for (size_t i = 0; i < packet->count && left > 0; i++) {
		const struct platform_piece *piece = &packet->pieces[i];

		if (skip >= piece->len) {
			skip -= piece->len;
			continue;
		}
		cut[count].data = (const uint8_t *)piece->data + skip;
		cut[count].len = piece->len - skip < left ? piece->len - skip : left;
		left -= cut[count++].len;
		skip = 0;
	}
	return count;
}
