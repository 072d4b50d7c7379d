/* SPDX-License-Identifier: ISC
 *
 * A connection and the exchange that it is in, shared by the blocking half of this directory. All limits that
 * struct http_limits does not name stand here.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <skerry/http.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

#include "http_chunked.h"
#include "http_head.h"
#include "http_parse.h"

enum {
	HTTP_BODY_ROOM = 2048,    /* of the input buffer, behind the largest head: for chunk framing and small bodies */
	HTTP_FIRST_BYTES = 1024,  /* of a request, for which there is room before it has buffers: most are whole then */
	HTTP_ADDED_MAX = 1024,    /* what http_add takes in all */
	HTTP_OUTPUT_BYTES = 2048, /* a response's head, and what fits of a whole response's body */
	HTTP_STREAM_BYTES = 16384, /* the buffer of a streamed response: the size of its chunks */
	HTTP_PIECE_BYTES = 16384,  /* what a slow reader must take within idle_ns */
	HTTP_DRAIN_BYTES =
		256 << 10, /* what is read of a body that the handler left, so as to go on with the next request */
	HTTP_LINGER_BYTES = 4 << 20, /* what is read after the last response, so that no reset overtakes it */
	HTTP_PARTING_MAX = 64,       /* connections without memory that are told so; more are reset */
	HTTP_REFUSALS_MAX = 64,      /* connections over the limit that are told so at once; more are reset */
	HTTP_RESERVE_SHARE = 8,      /* the part of the memory that idle connections leave to others */
	HTTP_STALL_BYTES = 1024,     /* who moves less within HTTP_STALL_NS may have to make room */
};
#define HTTP_STALL_NS   SECOND(5)
#define HTTP_LINGER_NS  SECOND(5)  /* how long both of these may take */
#define HTTP_PARTING_NS SECOND(1)  /* how long a client without a connection may take to read why */
#define HTTP_WARN_NS    SECOND(10) /* between two warnings that memory is short */

/* What is the same for all connections. */
struct http_server {
	const struct http_site *site;
	struct http_limits limits; /* with the defaults filled in */
	struct http_exchange *connections;
	unsigned connection_count, refusal_count;     /* refused ones are not counted as connections */
	struct http_exchange *waiting, *waiting_last; /* between exchanges: http_crowd.c; longest first */
	size_t memory_bytes;                          /* that the platform has; 0: without limit */
	uint64_t date_until;                          /* on task_now's clock */
	char date[HTTP_DATE_MAX];
	struct tcp *parting[HTTP_PARTING_MAX];
	unsigned parting_count;
	struct timer parting_timer;
	uint64_t warn_at; /* before that, no more warnings of memory */
};

enum http_response { HTTP_RESPONSE_NONE, HTTP_RESPONSE_STREAM, HTTP_RESPONSE_DONE };

struct http_exchange {
	/* The connection */
	struct http_exchange *next, *previous;
	struct http_server *server;
	struct tcp *flow;
	struct ip_endpoint client;
	struct task *task;
	bool refused; /* one too many */

	/* For http_crowd.c: whether it has to make room for a new connection. */
	bool waits, evicted;
	uint64_t waits_since;
	struct http_exchange *waits_next, *waits_previous;
	unsigned moving;   /* calls that read or write a body now */
	uint64_t moved_at; /* when the last HTTP_STALL_BYTES had come or gone */
	size_t moved;      /* since */

	/* The request. Its head is at the beginning of input, bytes that nobody has looked at are in [begin, end). */
	struct http_request request;
	uint64_t started; /* task_now when its head was complete */
	size_t begin, end;

	/* Its body: one task reads ... */
	uint64_t idle_ns; /* how long each read may wait */
	uint64_t left;    /* of Content-Length */
	uint64_t body_bytes;
	struct http_chunked chunked;
	bool body_done;
	bool continue_due; /* the client waits for 100 Continue before it sends */
	int read_error;

	/* The response: ... while another may write. They share nothing below this line. */
	enum http_response response;
	int status;
	bool head_only; /* the response to HEAD, or a status without body */
	bool framed;    /* the streamed response is chunked */
	bool on_wire;   /* some of the response was sent */
	bool close;     /* the connection ends with this exchange */
	int write_error;
	uint64_t sent; /* bytes of the response's body */
	char *stream;  /* of a streamed response: what was not sent yet */
	size_t stream_len;
	size_t chunk_at; /* where the current chunk's size goes */
	size_t added_len;

	struct http_buffers *buffers; /* NULL while no byte of a request has come */
	size_t input_size;
};

/* What an exchange takes, and a connection that waits for one does not. */
struct http_buffers {
	char added[HTTP_ADDED_MAX];
	char output[HTTP_OUTPUT_BYTES];
	char input[];
};

/* Refuses a connection for which there is no memory, as far as its flow has room: does not block. tcp_write's errors.
 */
int http_refuse_without_memory(struct http_server *server, struct tcp *flow);

/* The life of a connection. http_connection_serve is its task; http_connection_free closes what it left. */
struct http_exchange *http_connection_new(struct http_server *server, struct tcp *flow, bool refused);
int http_connection_serve(void *exchange);
void http_connection_free(void *exchange);

/* From here to http_wait_end the connection waits between exchanges: it is ended if a new one needs its room. */
void http_wait_begin(struct http_exchange *exchange);
void http_wait_end(struct http_exchange *exchange); /* if it waits */
/* A body's bytes have come or gone. */
void http_moved(struct http_exchange *exchange, size_t len);
/* Whether room should be made before another connection is taken. */
bool http_is_crowded(const struct http_server *server);
/* Ends the connection that can be missed most. Blocks until it is gone. False: there is none. */
bool http_make_room(struct http_server *server);

/* Makes the exchange ready for the request whose head was parsed. */
void http_exchange_begin(struct http_exchange *exchange);
/* Sends 100 Continue if the client still waits for it. 0 or tcp_write's error. */
int http_exchange_continue(struct http_exchange *exchange);

/* Finds and runs the request's handler, or answers in its place: 404, 405, OPTIONS. */
int http_route(struct http_exchange *exchange);

/* Forgets a response of which nothing was sent. False: too late. */
bool http_response_discard(struct http_exchange *exchange);
/* Writes to the client, in pieces that each have idle_ns. The first error stays. */
int http_send(struct http_exchange *exchange, const void *data, size_t len);

/* The deadline that lies ns from now, as far as the scheduler has noticed: costs no system call. */
uint64_t http_deadline(uint64_t ns);

#endif
