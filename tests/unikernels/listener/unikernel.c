/* SPDX-License-Identifier: ISC
 *
 * For the tests of groups: joins one, and sends back what comes to port 7, until that is "leave".
 */
#include <string.h>

#include <skerry/log.h>
#include <skerry/multicast.h>
#include <skerry/task.h>
#include <skerry/udp.h>

#include "keys.h"

LOG_SOURCE(application);

int start(struct stack *stack)
{
	struct ip_address group = ip_from_v4(keys.group.address);
	struct udp *socket;
	char buf[100];
	int err = udp_bind(stack, 7, &socket);

	if (err == 0)
		err = stack_join_group(stack, NULL, &group);
	while (err == 0) {
		struct ip_endpoint from;
		ssize_t len = udp_receive(socket, buf, sizeof buf, &from, FOREVER);

		if (len < 0)
			return (int)len;
		if (len == 5 && memcmp(buf, "leave", 5) == 0)
			err = stack_leave_group(stack, NULL, &group);
		else
			err = udp_send(socket, &from, buf, (size_t)len, FOREVER);
	}
	return err;
}
