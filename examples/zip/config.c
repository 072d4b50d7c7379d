/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config port = PORT_KEY("port", "80", "TCP port to listen on.");

/* At level 4 archives are within 7 % of level 6 and take half its time (measured on text and programs with
 * zlib 1.2.13); one processor serves all visitors, so time counts. */
static const struct key_config level =
	INT_KEY("level", "4", 0, 9, "Compression, from 1 (fast) to 9 (small); 0 does not compress.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "zip");
	unikernel_source(u, "unikernel.c");
	unikernel_source(u, "upload.c");
	unikernel_source(u, "handover.c");
	unikernel_file(u, "index_html", "index.html");
	unikernel_file(u, "style_css", "style.css");
	unikernel_file(u, "script_js", "script.js");
	unikernel_key(u, &port);
	unikernel_key(u, &level);
	unikernel_stack(u, generic_stack(u, default_network()));
}
