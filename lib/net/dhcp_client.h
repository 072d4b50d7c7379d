/* SPDX-License-Identifier: ISC
 *
 * A DHCP client (RFC 2131) as a pure machine: messages and time in; messages, a lease and the next deadline out.
 */
#ifndef NET_DHCP_CLIENT_H
#define NET_DHCP_CLIENT_H

#include <skerry/clock.h>

#include "dhcp_message.h"

enum dhcp_state {
	DHCP_INIT,       /* waits to begin */
	DHCP_REBOOTING,  /* asks for the address of an earlier life */
	DHCP_SELECTING,  /* asks who offers one */
	DHCP_REQUESTING, /* asks for the one that was offered */
	DHCP_PROBING,    /* it was given; whether somebody uses it is being found out */
	DHCP_BOUND,
	DHCP_RENEWING,  /* asks its server to extend the lease */
	DHCP_REBINDING, /* asks all servers to */
};

/* All limits and times (RFC 2131, 4.1 and 4.4.5). */
enum {
	DHCP_BACKOFF_FIRST = 4, /* seconds until a message is repeated, doubled each time, give or take one */
	DHCP_BACKOFF_LAST = 64,
	DHCP_TRIES = 4,        /* of a request before the client begins again */
	DHCP_REBOOT_TRIES = 2, /* of one for a remembered address: who knows it answers at once */
	DHCP_WANTED_MAX = 32,
	DHCP_CLIENT_ID_LEN = 15,
};
#define DHCP_RENEW_LEAST_NS SECOND(60) /* a renewal is not repeated sooner */
#define DHCP_DECLINED_NS    SECOND(10) /* before it begins again after an address in use (RFC 2131, 3.1) */
#define DHCP_REFUSED_NS     SECOND(10) /* the same after a second NAK in a row */

enum dhcp_loss { DHCP_EXPIRED, DHCP_REFUSED, DHCP_CHANGED };

/* What the machine does to the world. */
struct dhcp_link {
	/* A message for the server's port: to, UINT32_MAX or a server's address; from, our address or 0. */
	void (*send)(struct dhcp_link *link, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len);
	/* Whether another host uses this address is to be told by dhcp_client_probed. */
	void (*probe)(struct dhcp_link *link, uint32_t address);
	/* The lease is new, or extended. */
	void (*bound)(struct dhcp_link *link, const struct dhcp_lease *lease);
	/* The address must not be used any more, from now on. */
	void (*lost)(struct dhcp_link *link, enum dhcp_loss loss);
	uint32_t (*random)(struct dhcp_link *link);
};

struct dhcp_client_config {
	struct dhcp_link *link; /* borrowed, as all below */
	uint8_t mac[6];
	uint16_t mtu;
	const char *hostname;            /* NULL: none is told */
	uint32_t remembered;             /* the address of an earlier life; 0: none */
	uint8_t wanted[DHCP_WANTED_MAX]; /* options that are asked for beside the usual ones */
	size_t wanted_count;
};

struct dhcp_client {
	struct dhcp_client_config config;
	enum dhcp_state state;
	uint64_t deadline; /* when dhcp_client_expire is due, or FOREVER */
	uint64_t began_at; /* of the exchange */
	uint64_t sent_at;
	uint32_t xid;
	uint16_t secs;    /* since it began, as messages say it */
	unsigned tries;   /* messages of the exchange that were sent */
	unsigned refused; /* NAKs in a row */
	bool has_lease;   /* lease is in force */
	struct dhcp_lease lease;
	struct dhcp_lease candidate; /* offered, or given and being probed */
	struct dhcp_message message; /* the one at hand */
};

/* Begins at once. client is the caller's memory, all of which is set. */
void dhcp_client_init(struct dhcp_client *client, const struct dhcp_client_config *config, uint64_t now);
/* A datagram came for the client's port. 0; -EBADMSG: malformed; -ENOMSG: not an answer to what was asked. */
int dhcp_client_receive(struct dhcp_client *client, const uint8_t *bytes, size_t len, uint64_t now);
/* What the probe found. */
void dhcp_client_probed(struct dhcp_client *client, bool in_use, uint64_t now);
void dhcp_client_expire(struct dhcp_client *client, uint64_t now);
/* Gives the lease back, if there is one. The machine is at its end. */
void dhcp_client_release(struct dhcp_client *client);

/* RFC 4361: who we are, whatever address or name we have. */
void dhcp_client_id(const uint8_t mac[6], uint8_t id[DHCP_CLIENT_ID_LEN]);

#endif
