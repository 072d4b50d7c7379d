/* SPDX-License-Identifier: ISC
 *
 * Where an upload and a download of one visitor meet, by the ticket that both carry.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdint.h>

#include <skerry/queue.h>

enum handover_side { HANDOVER_UPLOAD, HANDOVER_DOWNLOAD };

/* Waits until the other side has come with the same ticket. queue is then the end of this side: the upload writes, the
 * download reads. ticket is the request's query: "ticket=" and 32 hexadecimal digits. 0; -EINVAL: no such ticket;
 * -EEXIST: this side is here already; -EBUSY: too many wait; -ETIMEDOUT, -ENOMEM, -ECANCELED. */
int handover_meet(const char *query, enum handover_side side, struct queue **queue);

/* What handover_meet would say to a download, without waiting or taking part: 0, -EINVAL, -EEXIST; -ETIMEDOUT: no
 * upload is here. */
int handover_look(const char *query);

#endif
