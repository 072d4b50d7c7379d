/* SPDX-License-Identifier: ISC
 *
 * What a network stack counts. The members of struct stack_counters have the names that the MIBs give them (RFC 2863
 * for the link, 4293 for IP and ICMP, 4113 for UDP, 4022 for TCP), written as nstat on Linux writes them, so that both
 * ends of a connection are read alike; where no MIB has one, the name is the one that Linux has under TcpExt. Each name
 * stands once, in the lists below.
 */
#ifndef SKERRY_COUNTERS_H
#define SKERRY_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* IfInPkts and IfOutPkts are frames to one, to some and to all together. */
#define STACK_COUNTERS_BELOW_TCP(X)                                                                                    \
	X(IfInOctets)                                                                                                  \
	X(IfInPkts)                                                                                                    \
	X(IfInErrors)                                                                                                  \
	X(IfInDiscards)                                                                                                \
	X(IfInUnknownProtos)                                                                                           \
	X(IfOutOctets)                                                                                                 \
	X(IfOutPkts)                                                                                                   \
	X(IfOutDiscards)                                                                                               \
	X(IpInReceives)                                                                                                \
	X(IpInHdrErrors)                                                                                               \
	X(IpInAddrErrors)                                                                                              \
	X(IpInUnknownProtos)                                                                                           \
	X(IpInDiscards)                                                                                                \
	X(IpInDelivers)                                                                                                \
	X(IpOutRequests)                                                                                               \
	X(IpOutDiscards)                                                                                               \
	X(IpOutNoRoutes)                                                                                               \
	X(IpReasmReqds)                                                                                                \
	X(IpReasmOKs)                                                                                                  \
	X(IpReasmFails)                                                                                                \
	X(IpFragOKs)                                                                                                   \
	X(IpFragFails)                                                                                                 \
	X(IpFragCreates)                                                                                               \
	X(Ip6InReceives)                                                                                               \
	X(Ip6InHdrErrors)                                                                                              \
	X(Ip6InAddrErrors)                                                                                             \
	X(Ip6InUnknownProtos)                                                                                          \
	X(Ip6InDiscards)                                                                                               \
	X(Ip6InDelivers)                                                                                               \
	X(Ip6OutRequests)                                                                                              \
	X(Ip6OutDiscards)                                                                                              \
	X(Ip6OutNoRoutes)                                                                                              \
	X(Ip6ReasmReqds)                                                                                               \
	X(Ip6ReasmOKs)                                                                                                 \
	X(Ip6ReasmFails)                                                                                               \
	X(Ip6FragOKs)                                                                                                  \
	X(Ip6FragFails)                                                                                                \
	X(Ip6FragCreates)                                                                                              \
	X(IcmpInMsgs)                                                                                                  \
	X(IcmpInErrors)                                                                                                \
	X(IcmpOutMsgs)                                                                                                 \
	X(IcmpOutErrors)                                                                                               \
	X(Icmp6InMsgs)                                                                                                 \
	X(Icmp6InErrors)                                                                                               \
	X(Icmp6OutMsgs)                                                                                                \
	X(UdpInDatagrams)                                                                                              \
	X(UdpNoPorts)                                                                                                  \
	X(UdpInErrors)                                                                                                 \
	X(UdpOutDatagrams)

#define STACK_COUNTERS_OF_TCP(X)                                                                                       \
	X(TcpActiveOpens)                                                                                              \
	X(TcpPassiveOpens)                                                                                             \
	X(TcpAttemptFails)                                                                                             \
	X(TcpEstabResets)                                                                                              \
	X(TcpCurrEstab)                                                                                                \
	X(TcpInSegs)                                                                                                   \
	X(TcpOutSegs)                                                                                                  \
	X(TcpRetransSegs)                                                                                              \
	X(TcpInErrs)                                                                                                   \
	X(TcpOutRsts)                                                                                                  \
	X(TcpExtSyncookiesSent)                                                                                        \
	X(TcpExtSyncookiesRecv)                                                                                        \
	X(TcpExtSyncookiesFailed)                                                                                      \
	X(TcpExtListenOverflows)                                                                                       \
	X(TcpExtListenDrops)                                                                                           \
	X(TcpExtPAWSEstab)                                                                                             \
	X(TcpExtDelayedACKs)                                                                                           \
	X(TcpExtTCPTimeouts)                                                                                           \
	X(TcpExtTCPLossProbes)                                                                                         \
	X(TcpExtTCPFullUndo)                                                                                           \
	X(TcpExtTCPDSACKRecv)                                                                                          \
	X(TcpExtTCPOFOQueue)                                                                                           \
	X(TcpExtTCPOFODrop)                                                                                            \
	X(TcpExtTCPChallengeACK)                                                                                       \
	X(TcpExtTCPKeepAlive)                                                                                          \
	X(TcpExtTCPAbortOnData)                                                                                        \
	X(TcpExtTCPTimeWaitOverflow)

#define STACK_COUNTERS(X) STACK_COUNTERS_BELOW_TCP(X) STACK_COUNTERS_OF_TCP(X)

/* Why packets are dropped: X(reason, the counter above that it is a part of), N(reason) where there is none. Each drop
 * has one reason. IP is version 4, and those without a version are of either. */
#define STACK_DROPS(X, N)                                                                                              \
	X(LINK_LENGTH, IfInErrors)       /* one that no frame has */                                                   \
	X(LINK_HEADER, IfInErrors)       /* too short for a header, or sent by a group */                              \
	X(LINK_OTHER_HOST, IfInDiscards) /* to another host's MAC address */                                           \
	X(LINK_TYPE, IfInUnknownProtos)  /* an EtherType that no layer takes */                                        \
	X(LINK_NO_ROOM, IfOutDiscards)   /* an answer of the stack's own that could not be sent at once */             \
	X(ARP_HEADER, IfInErrors)        /* not ARP for IPv4, or from a MAC address that no host has */                \
	X(ARP_TABLE_FULL, IpOutDiscards) /* too many neighbours are asked for */                                       \
	X(ARP_QUEUE_FULL, IpOutDiscards) /* gave place to the latest that waits, or found no memory */                 \
	X(ARP_NO_ANSWER, IpOutDiscards)  /* the neighbour did not answer */                                            \
	X(IP_HEADER, IpInHdrErrors)      /* a version or length that cannot be */                                      \
	X(IP_CHECKSUM, IpInHdrErrors)                                                                                  \
	X(IP_OPTIONS, IpInHdrErrors)         /* malformed */                                                           \
	X(IP_SOURCE_ROUTE, IpInDiscards)     /* would have us forward it */                                            \
	X(IP_OTHER_HOST, IpInAddrErrors)     /* not to an address of ours */                                           \
	X(IP_SOURCE, IpInAddrErrors)         /* a martian: from an address that nobody can send from */                \
	X(IP_PROTOCOL, IpInUnknownProtos)    /* a protocol that no layer takes */                                      \
	X(IP_FRAGMENT, IpReasmFails)         /* a length or offset that cannot be */                                   \
	X(IP_FRAGMENT_OVERLAP, IpReasmFails) /* contradicts another, and takes its datagram with it */                 \
	X(IP_FRAGMENT_LIMIT, IpReasmFails)   /* the oldest datagram made room */                                       \
	X(IP_FRAGMENT_MEMORY, IpReasmFails)                                                                            \
	X(IP_FRAGMENT_TIMEOUT, IpReasmFails)                                                                           \
	X(IP_NO_ROUTE, IpOutNoRoutes)                                                                                  \
	X(IP_TOO_BIG, IpFragFails)        /* for the link, and may not be fragmented */                                \
	X(NDP_TABLE_FULL, Ip6OutDiscards) /* as ARP's */                                                               \
	X(NDP_QUEUE_FULL, Ip6OutDiscards)                                                                              \
	X(NDP_NO_ANSWER, Ip6OutDiscards)                                                                               \
	X(IP6_HEADER, Ip6InHdrErrors)    /* as IP's */                                                                 \
	X(IP6_EXTENSION, Ip6InHdrErrors) /* an extension header is malformed, or there are too many */                 \
	X(IP6_OPTION, Ip6InHdrErrors)    /* an unknown option that says so */                                          \
	X(IP6_ROUTING, Ip6InHdrErrors)   /* would have us forward it */                                                \
	X(IP6_OTHER_HOST, Ip6InAddrErrors)                                                                             \
	X(IP6_SOURCE, Ip6InAddrErrors)                                                                                 \
	X(IP6_PROTOCOL, Ip6InUnknownProtos)                                                                            \
	X(IP6_NO_NEXT, Ip6InDiscards) /* "no next header": it has no payload */                                        \
	X(IP6_FRAGMENT, Ip6ReasmFails)                                                                                 \
	X(IP6_FRAGMENT_OVERLAP, Ip6ReasmFails)                                                                         \
	X(IP6_FRAGMENT_LIMIT, Ip6ReasmFails)                                                                           \
	X(IP6_FRAGMENT_MEMORY, Ip6ReasmFails)                                                                          \
	X(IP6_FRAGMENT_TIMEOUT, Ip6ReasmFails)                                                                         \
	X(IP6_NO_ROUTE, Ip6OutNoRoutes)                                                                                \
	X(IP6_TOO_BIG, Ip6FragFails)                                                                                   \
	X(ICMP_HEADER, IcmpInErrors) /* too short */                                                                   \
	X(ICMP_CHECKSUM, IcmpInErrors)                                                                                 \
	X(ICMP_QUOTE, IcmpInErrors)       /* an error about nothing of our connections or sockets */                   \
	X(ICMP_TYPE, IpInDiscards)        /* one that we do not answer */                                              \
	X(ICMP_BROADCAST, IpInDiscards)   /* an echo request to many */                                                \
	X(ICMP_RATE_LIMIT, IcmpOutErrors) /* an error that we did not send, of either version */                       \
	X(ICMP6_HEADER, Icmp6InErrors)                                                                                 \
	X(ICMP6_CHECKSUM, Icmp6InErrors)                                                                               \
	X(ICMP6_QUOTE, Icmp6InErrors)                                                                                  \
	X(ICMP6_DISCOVERY, Icmp6InErrors) /* of neighbours or groups: malformed, or from off the link */               \
	X(ICMP6_TYPE, Ip6InDiscards)                                                                                   \
	N(IGMP_MESSAGE)            /* malformed, or from off the link */                                               \
	X(UDP_HEADER, UdpInErrors) /* a length that cannot be */                                                       \
	X(UDP_CHECKSUM, UdpInErrors)                                                                                   \
	X(UDP_NO_PORT, UdpNoPorts)     /* no socket has the port */                                                    \
	X(UDP_QUEUE_FULL, UdpInErrors) /* UDP_QUEUE_BYTES wait in its socket, or there is no memory */                 \
	N(DHCP_MESSAGE)                /* malformed */                                                                 \
	N(DHCP_UNEXPECTED)             /* no answer to what was asked */                                               \
	X(TCP_HEADER, TcpInErrs)       /* a length that cannot be, port 0, or from its own destination */              \
	X(TCP_CHECKSUM, TcpInErrs)                                                                                     \
	N(TCP_BROADCAST)                              /* to many */                                                    \
	N(TCP_NO_LISTENER)                            /* no connection, and nobody listens: answered by a reset */     \
	N(TCP_FLAGS)                                  /* flags that mean nothing in this state */                      \
	X(TCP_LISTEN_OVERFLOW, TcpExtListenOverflows) /* TCP_BACKLOG connections wait to be accepted */                \
	X(TCP_LISTEN_MEMORY, TcpExtListenDrops)    /* no memory for another connection, or no way back to its peer */  \
	X(TCP_OLD_TIMESTAMP, TcpExtPAWSEstab)      /* PAWS: RFC 7323, 5 */                                             \
	N(TCP_OLD_SEGMENT)                         /* all of it has come before */                                     \
	N(TCP_BEYOND_WINDOW)                       /* all of it lies right of the window */                            \
	N(TCP_BAD_ACK)                             /* acknowledges what was never sent, or long ago */                 \
	N(TCP_BAD_RESET)                           /* not exactly where RFC 5961 wants it, or in TIME-WAIT */          \
	N(TCP_BAD_SYN)                             /* a SYN within a connection */                                     \
	N(TCP_AFTER_FIN)                           /* bytes after the end of the stream */                             \
	X(TCP_CLOSED_READER, TcpExtTCPAbortOnData) /* bytes for a connection that our side has closed: it is reset */  \
	N(TCP_NO_MEMORY)                           /* none for its bytes: they come again */                           \
	X(TCP_TOO_MANY_GAPS, TcpExtTCPOFODrop)     /* more than TCP_RANGES, or no memory to know them by */

#define STACK_DROP_COUNTED(reason, counter) DROP_##reason,
#define STACK_DROP_ALONE(reason)            DROP_##reason,
enum stack_drop { STACK_DROPS(STACK_DROP_COUNTED, STACK_DROP_ALONE) DROP_REASONS };
#undef STACK_DROP_COUNTED
#undef STACK_DROP_ALONE

/* ICMP messages are counted by their type (RFC 4293, icmpMsgStatsTable), those of high types together. ICMPv6's stand
 * in two runs: errors (types 0 to 15), then the others from 128 on. */
enum { STACK_ICMP_TYPES = 20, STACK_ICMP6_ERRORS = 16, STACK_ICMP6_TYPES = 40 };

struct stack_counters {
#define STACK_COUNTERS_MEMBER(name) uint64_t name;
	STACK_COUNTERS(STACK_COUNTERS_MEMBER)
#undef STACK_COUNTERS_MEMBER
	uint64_t drops[DROP_REASONS];
	uint64_t icmp_in[STACK_ICMP_TYPES], icmp_out[STACK_ICMP_TYPES];
	uint64_t icmp6_in[STACK_ICMP6_TYPES], icmp6_out[STACK_ICMP6_TYPES];
	uint32_t tcp_flows, tcp_flows_peak; /* now, and at most: all states but CLOSED and LISTEN */
};

struct stack;
/* What happened so far. Zeros but for tcp_flows on the host's sockets: there the host counts. */
void stack_counters(const struct stack *stack, struct stack_counters *counters);

/* The counters with names, one after the other: "IfInOctets" is 0, the last STACK_NAMED_COUNTERS - 1. */
enum { STACK_NAMED_COUNTERS = offsetof(struct stack_counters, drops) / sizeof(uint64_t) };
const char *stack_counter_name(size_t index);
uint64_t stack_counter_value(const struct stack_counters *counters, size_t index);

/* "TCP_CHECKSUM" and the like. */
const char *stack_drop_name(enum stack_drop reason);

#endif
