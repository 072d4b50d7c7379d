/* SPDX-License-Identifier: ISC
 *
 * The two requests that make an archive.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <skerry/http.h>

/* POST /upload: files come as multipart/form-data, the archive is the answer. With ?ticket= it goes to the download
 * that carries the same ticket, and the answer says in words how it went. */
int upload(struct http_exchange *exchange, void *context);

/* GET /archive?ticket=: the download. */
int download(struct http_exchange *exchange, void *context);

#endif
