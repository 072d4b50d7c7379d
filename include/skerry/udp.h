/* SPDX-License-Identifier: ISC
 *
 * UDP sockets (RFC 768). Datagrams wait in a queue that is bounded in bytes; what does not fit is dropped and counted.
 */
#ifndef SKERRY_UDP_H
#define SKERRY_UDP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skerry/address.h>
#include <skerry/clock.h>
#include <skerry/stack.h>

struct udp;

/* What may wait unless udp_set_queue() says otherwise, and the largest datagram. */
enum { UDP_QUEUE_BYTES = 256 * 1024, UDP_PAYLOAD_MAX = 65507 };

/* Receives datagrams to this port; port 0 chooses a free one at random (RFC 6056). -EADDRINUSE, -ENOMEM; -EACCES (the
 * host keeps the port for itself). */
int udp_bind(struct stack *stack, uint16_t port, struct udp **socket);

/* Takes the next datagram. Blocks. Returns its length, even when that is larger than size and only size bytes were
 * stored; 0 is an empty datagram. from may be NULL. -ETIMEDOUT, -ECANCELED. A cancelled call loses no datagram. */
ssize_t udp_receive(struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, uint64_t deadline);
/* The same, and tells which of our addresses the datagram was sent to: the one to answer from (RFC 1122, 4.1.3.5). It
 * is unspecified if that was a broadcast or a multicast address. to may be NULL. */
ssize_t udp_receive_to(
	struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, struct ip_address *to, uint64_t deadline);

/* Sends one datagram, also to a broadcast or multicast address; what is larger than the link takes goes in fragments.
 * Blocks only while the neighbour's address is asked for or the link is full. 0; -EMSGSIZE (over UDP_PAYLOAD_MAX),
 * -ENETUNREACH (no route), -EHOSTUNREACH (the neighbour does not answer), -ENOMEM, -ETIMEDOUT, -ECANCELED. What ICMP
 * said about an earlier datagram of this socket to the same port and address is told here, once, in place of sending:
 * -ECONNREFUSED (nobody has the port), -EHOSTUNREACH, -ENETUNREACH, -EMSGSIZE (RFC 1122, 4.1.3.3). After stack_close:
 * -ECONNRESET, as from udp_receive. to NULL: the peer of udp_connect; -EDESTADDRREQ: there is none. */
int udp_send(struct udp *socket, const struct ip_endpoint *to, const void *buf, size_t len, uint64_t deadline);
/* The same from this address of ours: -EADDRNOTAVAIL if it is not. Unspecified: as udp_send. */
int udp_send_from(struct udp *socket, const struct ip_address *from, const struct ip_endpoint *to, const void *buf,
	size_t len, uint64_t deadline);

/* From now on the socket is for this peer alone. Only its datagrams are received (others are refused as if nobody had
 * the port, and those that wait already are dropped); what ICMP says about what was sent to it is told by udp_receive,
 * too; the source address of what is sent to it is chosen here and kept. NULL: for all again. Blocks only while IPv6
 * is still finding an address. 0; -EINVAL: a peer without address or port; -ENETUNREACH (no route), -ETIMEDOUT,
 * -ECANCELED; -ECONNRESET: the stack was closed. After an error it is as before. */
int udp_connect(struct udp *socket, const struct ip_endpoint *peer, uint64_t deadline);

/* How many bytes of datagrams may wait to be received, with some 50 more for each of them; what waits already stays. On
 * the host's sockets no more than the host allows. */
void udp_set_queue(struct udp *socket, size_t bytes);

/* What the IP headers of what is sent from now on say (RFC 1122, 4.1.4): the differentiated services code point (RFC
 * 2474; 0 at first), and the TTL or hop limit (0: 64, or 1 to a group). 0 or -EINVAL (a code point above 63). */
int udp_set_header(struct udp *socket, uint8_t dscp, uint8_t ttl);

uint16_t udp_port(const struct udp *socket);

/* Frees the socket and what is queued. Never blocks. NULL is ignored. */
void udp_close(struct udp *socket);
void udp_close_resource(void *socket);

#endif
