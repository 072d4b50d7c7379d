/* SPDX-License-Identifier: ISC
 *
 * `skerry net up|down`: a bridge with taps, for unikernels with addresses of their own.
 *
 * Every step is a command of ip(8) or nft(8), printed as it is run, so that the output is a script that does the same.
 * What was made bears a mark, the interface's alias "skerry:BRIDGE", which lives and dies with it; `down` removes what
 * bears it and nothing else. A step whose result is there already is left out, so that `up` can be repeated.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <net/if.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/start.h"
#include "tool/tool.h"

#define FORWARD_FILE "/proc/sys/net/ipv4/ip_forward"
/* Behind the mark of a bridge: that `up` has switched forwarding on. */
#define FORWARD_MARK ",ip_forward=0"

enum {
	OPTION_BRIDGE = COMMAND_FIRST_OPTION,
	OPTION_TAP,
	OPTION_ADDRESS,
	OPTION_NAT,
	OPTION_USER,
	OPTION_PRINT,
	TAPS_MAX = 64,
	MARK_SIZE = IFNAMSIZ + 8,
	LINE_SIZE = 512,
};

struct net {
	const char *action;
	const char *bridge, *address, *user;
	const char *taps[TAPS_MAX];
	size_t tap_count;
	bool nat, print;
	char mark[MARK_SIZE];
	char table[IFNAMSIZ + 8]; /* of nftables */
	json_t *links;            /* what ip says of all interfaces */
};

/* Steps ----------------------------------------------------------------------------------------------------------- */

static int run_words(const struct net *net, const struct start_words *words)
{
	int status;

	start_print(stdout, words);
	if (net->print)
		return COMMAND_OK;
	status = start_program((const char *const *)words->words);
	if (status < 0)
		return command_fail(&command_net, "%s: %s", words->words[0], strerror(errno));
	return status == 0 ? COMMAND_OK
			   : command_fail(&command_net, "%s failed; skerry net down takes back what was done",
				     words->words[0]);
}

/* One command, whose words have no spaces in them. */
__attribute__((format(printf, 2, 3))) static int step(const struct net *net, const char *format, ...)
{
	struct start_words words = { 0 };
	char line[LINE_SIZE], *rest = line;
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	while (rest)
		start_add(&words, "%s", strsep(&rest, " "));
	status = run_words(net, &words);
	start_free(&words);
	return status;
}

/* A command of nft, which is one word. */
static int step_nft(const struct net *net, const char *text)
{
	struct start_words words = { 0 };
	int status;

	start_add(&words, "nft");
	start_add(&words, "%s", text);
	status = run_words(net, &words);
	start_free(&words);
	return status;
}

static int forwarding(void)
{
	FILE *file = fopen(FORWARD_FILE, "r");
	int digit = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	return digit == '1';
}

static int forwarding_set(const struct net *net, char digit)
{
	FILE *file;
	bool failed;

	printf("sysctl -w net.ipv4.ip_forward=%c\n", digit);
	if (net->print)
		return COMMAND_OK;
	file = fopen(FORWARD_FILE, "w");
	failed = !file || fputc(digit, file) == EOF;
	failed |= file && fclose(file) != 0;
	return failed ? command_fail(&command_net, "%s: %s", FORWARD_FILE, strerror(errno)) : COMMAND_OK;
}

/* What there is --------------------------------------------------------------------------------------------------- */

static int links_read(struct net *net)
{
	static const char *const words[] = { "ip", "-d", "-j", "addr", "show", NULL };
	char *answer = NULL;

	if (start_ask(words, true, &answer) == 0)
		net->links = json_loads(answer, 0, NULL);
	free(answer);
	return json_is_array(net->links) ? COMMAND_OK
					 : command_fail(&command_net, "no answer from ip(8); apt-get install iproute2");
}

static const char *text_of(json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* NULL: there is none. */
static json_t *link_find(const struct net *net, const char *name)
{
	json_t *link;
	size_t i;

	json_array_foreach(net->links, i, link)
	{
		if (strcmp(text_of(link, "ifname"), name) == 0)
			return link;
	}
	return NULL;
}

static bool is_ours(const struct net *net, json_t *link)
{
	const char *alias = text_of(link, "ifalias");
	size_t len = strlen(net->mark);

	return strncmp(alias, net->mark, len) == 0 && (!alias[len] || strcmp(alias + len, FORWARD_MARK) == 0);
}

static bool is_up(json_t *link)
{
	json_t *flag;
	size_t i;

	json_array_foreach(json_object_get(link, "flags"), i, flag)
	{
		if (strcmp(json_string_value(flag), "UP") == 0)
			return true;
	}
	return false;
}

static bool has_address(json_t *link, const char *address)
{
	json_t *entry;
	char text[LINE_SIZE];
	size_t i;

	json_array_foreach(json_object_get(link, "addr_info"), i, entry)
	{
		snprintf(text, sizeof text, "%s/%" JSON_INTEGER_FORMAT, text_of(entry, "local"),
			json_integer_value(json_object_get(entry, "prefixlen")));
		if (strcmp(text, address) == 0)
			return true;
	}
	return false;
}

static bool table_exists(const struct net *net)
{
	const char *const words[] = { "nft", "list", "table", "ip", net->table, NULL };

	return start_ask(words, true, NULL) == 0;
}

/* Up -------------------------------------------------------------------------------------------------------------- */

/* "10.0.0.1/24": the address as a number, or 0. */
static uint32_t address_parse(const char *text, unsigned *prefix_len)
{
	char host[INET_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	struct in_addr address;
	char end;

	if (len >= sizeof host)
		return 0;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, &address) != 1 || sscanf(text + len, "/%2u%c", prefix_len, &end) != 1 ||
		*prefix_len < 1 || *prefix_len > 30)
		return 0;
	return ntohl(address.s_addr);
}

static int bridge_up(struct net *net)
{
	json_t *link = link_find(net, net->bridge);
	int status = COMMAND_OK;

	if (link && !is_ours(net, link)) {
		if (net->address || net->nat)
			return command_fail(&command_net,
				"%s: is there, and not of skerry net's making: expected no --address or --nat for it",
				net->bridge);
		printf("# %s is used as it is: skerry net has not made it\n", net->bridge);
		return COMMAND_OK;
	}
	if (!net->address)
		net->address = "10.0.0.1/24";
	if (!link) {
		status = step(net, "ip link add dev %s type bridge", net->bridge);
		if (status == COMMAND_OK)
			status = step(net, "ip link set dev %s alias %s", net->bridge, net->mark);
	}
	if (status == COMMAND_OK && (!link || !has_address(link, net->address)))
		status = step(net, "ip addr add %s dev %s", net->address, net->bridge);
	if (status == COMMAND_OK && !is_up(link))
		status = step(net, "ip link set dev %s up", net->bridge);
	if (link)
		printf("# %s is there\n", net->bridge);
	return status;
}

/* Whether an interface that has the tap's name can be the tap. */
static int tap_check(const struct net *net, const char *tap)
{
	json_t *link = link_find(net, tap);
	const char *owner = text_of(json_object_get(json_object_get(link, "linkinfo"), "info_data"), "user");

	if (link && !is_ours(net, link))
		return command_fail(
			&command_net, "%s: is there, and not of skerry net's making; expected another --tap", tap);
	if (link && net->user && strcmp(owner, net->user) != 0)
		return command_fail(
			&command_net, "%s: belongs to %s; skerry net down first", tap, *owner ? owner : "root");
	return COMMAND_OK;
}

static int tap_up(const struct net *net, const char *tap)
{
	json_t *link = link_find(net, tap);
	int status;

	if (link && is_up(link) && strcmp(text_of(link, "master"), net->bridge) == 0) {
		printf("# %s is there\n", tap);
		return COMMAND_OK;
	}
	status = link ? COMMAND_OK
		      : step(net, "ip tuntap add dev %s mode tap%s%s", tap, net->user ? " user " : "",
				net->user ? net->user : "");
	if (status == COMMAND_OK && !link)
		status = step(net, "ip link set dev %s alias %s", tap, net->mark);
	if (status == COMMAND_OK)
		status = step(net, "ip link set dev %s master %s up", tap, net->bridge);
	return status;
}

/* Forwarding, and the bridge's network behind this machine's own addresses. */
static int nat_up(const struct net *net)
{
	unsigned prefix_len;
	uint32_t mask, address = address_parse(net->address, &prefix_len);
	struct in_addr network;
	char text[LINE_SIZE], host[INET_ADDRSTRLEN];
	int status = COMMAND_OK;

	if (!forwarding()) {
		status = step(net, "ip link set dev %s alias %s" FORWARD_MARK, net->bridge, net->mark);
		if (status == COMMAND_OK)
			status = forwarding_set(net, '1');
	}
	if (status != COMMAND_OK || table_exists(net))
		return status;
	mask = UINT32_MAX << (32 - prefix_len);
	network.s_addr = htonl(address & mask);
	snprintf(text, sizeof text,
		"add table ip %s; add chain ip %s out { type nat hook postrouting priority 100; }; "
		"add rule ip %s out ip saddr %s/%u oifname != \"%s\" masquerade",
		net->table, net->table, net->table, inet_ntop(AF_INET, &network, host, sizeof host), prefix_len,
		net->bridge);
	return step_nft(net, text);
}

/* How a unikernel is started on it. */
static void say_use(const struct net *net)
{
	unsigned prefix_len;
	uint32_t host = net->address ? address_parse(net->address, &prefix_len) : 0;
	struct in_addr guest = { .s_addr = htonl(host + 1) }, gateway = { .s_addr = htonl(host) };
	char text[2][INET_ADDRSTRLEN];

	if (host == 0) {
		printf("# skerry run --net %s\n", net->taps[0]);
		return;
	}
	printf("# skerry run --net %s --ipv4=%s/%u --ipv4-gateway=%s\n", net->taps[0],
		inet_ntop(AF_INET, &guest, text[0], sizeof *text), prefix_len,
		inet_ntop(AF_INET, &gateway, text[1], sizeof *text));
}

static int up(struct net *net)
{
	static const char *const nft[] = { "nft", "--version", NULL };
	int status;

	if (net->nat && !net->print && start_ask(nft, true, NULL) != 0)
		return command_fail(&command_net, "--nat needs nft(8); apt-get install nftables");
	for (size_t i = 0; i < net->tap_count; i++)
		if (tap_check(net, net->taps[i]) != COMMAND_OK)
			return COMMAND_FAILED;
	status = bridge_up(net);
	for (size_t i = 0; status == COMMAND_OK && i < net->tap_count; i++)
		status = tap_up(net, net->taps[i]);
	if (status == COMMAND_OK && net->nat)
		status = nat_up(net);
	if (status == COMMAND_OK)
		say_use(net);
	return status;
}

/* Down ------------------------------------------------------------------------------------------------------------ */

static int down(struct net *net)
{
	json_t *bridge = link_find(net, net->bridge), *link;
	const char *alias = text_of(bridge, "ifalias");
	bool ours = bridge && is_ours(net, bridge);
	int status = COMMAND_OK;
	size_t i, removed = 0;

	json_array_foreach(net->links, i, link)
	{
		if (link == bridge || !is_ours(net, link))
			continue;
		removed++;
		if (status == COMMAND_OK)
			status = step(net, "ip tuntap del dev %s mode tap", text_of(link, "ifname"));
	}
	if (status == COMMAND_OK && ours && table_exists(net))
		status = step(net, "nft delete table ip %s", net->table);
	if (status == COMMAND_OK && ours && strstr(alias, FORWARD_MARK) && forwarding())
		status = forwarding_set(net, '0');
	if (status == COMMAND_OK && ours)
		status = step(net, "ip link del dev %s", net->bridge);
	if (removed == 0 && !ours)
		printf("# nothing of %s is there\n", net->mark);
	return status;
}

/* Command line ---------------------------------------------------------------------------------------------------- */

static bool is_interface_name(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len < IFNAMSIZ && !name[len] && *name != '-';
}

static int take(struct net *net, int option, const char *value)
{
	unsigned prefix_len;

	switch (option) {
	case COMMAND_OPERAND:
		if (net->action)
			return command_fail(&command_net, "\"%s\": expected no more than up or down", value);
		net->action = value;
		break;
	case OPTION_TAP:
	case OPTION_BRIDGE:
		if (!is_interface_name(value))
			return command_fail(&command_net,
				"\"%s\": expected a name of up to %d letters, digits, '-' and '_'", value,
				IFNAMSIZ - 1);
		if (option == OPTION_TAP && net->tap_count == TAPS_MAX)
			return command_fail(&command_net, "--tap=%s: expected at most %d", value, TAPS_MAX);
		if (option == OPTION_TAP)
			net->taps[net->tap_count++] = value;
		else
			net->bridge = value;
		break;
	case OPTION_ADDRESS:
		if (address_parse(value, &prefix_len) == 0)
			return command_fail(&command_net, "--address: \"%s\"; expected one such as 10.0.0.1/24", value);
		net->address = value;
		break;
	case OPTION_USER:
		if (!getpwnam(value))
			return command_fail(&command_net, "--user: no user \"%s\"", value);
		net->user = value;
		break;
	case OPTION_NAT:
		net->nat = true;
		break;
	case OPTION_PRINT:
		net->print = true;
		break;
	}
	return COMMAND_OK;
}

/* What is not given, and what can be said before anything is done. */
static int prepare(struct net *net)
{
	const char *sudo_user = getenv("SUDO_USER");
	bool goes_up = net->action && strcmp(net->action, "up") == 0;

	if (!goes_up && (!net->action || strcmp(net->action, "down") != 0))
		return command_fail(&command_net, "expected up or down");
	if (!goes_up && (net->tap_count || net->address || net->nat || net->user))
		return command_fail(
			&command_net, "down takes no option but --bridge and --print: it knows what up made");
	if (!net->user && sudo_user && getpwnam(sudo_user))
		net->user = sudo_user;
	if (net->tap_count == 0)
		net->taps[net->tap_count++] = "tap0";
	snprintf(net->mark, sizeof net->mark, "skerry:%s", net->bridge);
	snprintf(net->table, sizeof net->table, "skerry_%s", net->bridge);
	for (char *c = net->table; *c; c++)
		if (*c == '-')
			*c = '_';
	if (geteuid() != 0 && !net->print)
		return command_fail(&command_net,
			"needs root: sudo skerry net %s (--print shows what that runs; without it, skerry run has a "
			"network "
			"of its own)",
			net->action);
	return COMMAND_OK;
}

static int run(struct command_line *line)
{
	struct net net = { .bridge = "skerry0" };
	const char *value;
	const char *path = getenv("PATH");
	char *paths;
	int option, status = COMMAND_OK;

	while (status == COMMAND_OK && (option = command_next(line, &value)) != COMMAND_END)
		status = option == COMMAND_STOP ? COMMAND_STOP : take(&net, option, value);
	if (status == COMMAND_STOP)
		return line->status;
	/* Where su(1) does not look, but ip and nft are. */
	paths = start_text("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	setenv("PATH", paths, 1);
	free(paths);
	if (status == COMMAND_OK)
		status = prepare(&net);
	if (status == COMMAND_OK)
		status = links_read(&net);
	if (status == COMMAND_OK)
		status = strcmp(net.action, "up") == 0 ? up(&net) : down(&net);
	json_decref(net.links);
	return status;
}

static const struct command_option options[] = {
	{ OPTION_BRIDGE, 0, "bridge", "NAME",
		"The bridge to which all taps belong (skerry0). One that is there already gets taps and is left alone "
		"otherwise.",
		NULL },
	{ OPTION_TAP, 0, "tap", "NAME", "A tap, for one network of one unikernel (tap0). May be given again.", NULL },
	{ OPTION_ADDRESS, 0, "address", "ADDRESS/LENGTH", "This machine's address on the bridge (10.0.0.1/24).", NULL },
	{ OPTION_NAT, 0, "nat", NULL,
		"Let unikernels reach what this machine can reach: forwarding, and its own address in place of theirs.",
		NULL },
	{ OPTION_USER, 0, "user", "NAME", "Who may use the taps without being root (who called sudo).", NULL },
	{ OPTION_PRINT, 0, "print", NULL, "Print the lines, and do nothing.", NULL },
	{ 0 },
};

static const struct command_note examples[] = {
	{ "sudo skerry net up", "skerry0 with tap0 in it, 10.0.0.1/24, for this user." },
	{ "skerry run --net tap0 --ipv4=10.0.0.2/24", "A unikernel there: ping 10.0.0.2." },
	{ "sudo skerry net up --nat --tap=tap0 --tap=tap1", "Two taps, and a way out." },
	{ "sudo skerry net down", "All of that is gone." },
	{ NULL, NULL },
};

const struct command command_net = {
	.name = "net",
	.summary = "make taps and a bridge for unikernels with their own addresses",
	.synopses =
		(const char *const[]){
			"up [--bridge=NAME] [--tap=NAME]... [--address=ADDRESS/LENGTH] [--nat] [--user=NAME]",
			"down [--bridge=NAME]",
			NULL,
		},
	.description =
		(const char *const[]){
			"A unikernel on a user-mode network (what skerry run gives it) is reached through ports of "
			"this "
			"machine. On a tap it is a machine of its own: a tap is an Ethernet cable whose one end a "
			"program holds, and a bridge is the switch into which such cables are plugged.",
			"up makes them, and down removes exactly what up has made. Each line that they print is what "
			"they have run. What is there already is not made again.",
			NULL,
		},
	.options = options,
	.examples = examples,
	.words = "up down",
	.run = run,
};
