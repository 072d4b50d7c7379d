/* SPDX-License-Identifier: ISC
 *
 * `skerry new`: a directory with a unikernel in it that builds.
 *
 * The templates are examples of the tree (new_templates.S), which its tests build and run; only the name changes, and
 * the line of our licence goes.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/tool.h"

enum { OPTION_TEMPLATE = COMMAND_FIRST_OPTION, NAME_LEN_MAX = 63, PATH_LEN_MAX = 4000 };

extern const char template_hello_config[], template_hello_program[];
extern const char template_web_config[], template_web_program[];
extern const char template_echo_config[], template_echo_program[];

static const struct template
{
	const char *name;
	const char *config, *program;
	const char *run;   /* what follows "skerry run" */
	const char *check; /* for the README: how it is seen to work */
}
templates[] = {
	{ "web", template_web_config, template_web_program, " -p 8080:80", "Then open <http://127.0.0.1:8080/>." },
	{ "hello", template_hello_config, template_hello_program, "", "It says hello four times." },
	{ "echo", template_echo_config, template_echo_program, " -p 9000:9000",
		"Then type at it: `nc 127.0.0.1 9000`." },
};

/* What the files are made of. */
struct files {
	const char *directory, *name;
	const struct template *template;
};

static int write_config(FILE *out, const struct files *files)
{
	char call[NAME_LEN_MAX + 40];
	const char *text = files->template->config, *at;

	snprintf(call, sizeof call, "unikernel_name(u, \"%s\")", files->template->name);
	at = strstr(text, call);
	text = strchr(text, '\n') + 1; /* behind the line of the licence */
	return fprintf(out, "%.*sunikernel_name(u, \"%s\")%s", (int)(at - text), text, files->name, at + strlen(call));
}

static int write_program(FILE *out, const struct files *files)
{
	return fprintf(out, "/*\n%s", strstr(files->template->program, "\n *\n") + strlen("\n *\n"));
}

static int write_ignored(FILE *out, const struct files *files)
{
	(void)files;
	return fputs("/build/\n/dist/\n", out);
}

static int write_readme(FILE *out, const struct files *files)
{
	return fprintf(out,
		"# %s\n\n"
		"A unikernel: `unikernel.c` is the program, `config.c` says what it is made of.\n\n"
		"```sh\n"
		"skerry configure -t spt     # or -t unix: an ordinary process, for gdb\n"
		"skerry build\n"
		"skerry run%s\n"
		"```\n\n"
		"%s `skerry run -- --help` lists its keys.\n",
		files->name, files->template->run, files->template->check);
}

static const struct {
	const char *name;
	int (*write)(FILE *out, const struct files *files);
} writers[] = {
	{ "config.c", write_config },
	{ "unikernel.c", write_program },
	{ ".gitignore", write_ignored },
	{ "README.md", write_readme },
};
static const size_t writer_count = sizeof writers / sizeof *writers;

static int write_file(const struct files *files, size_t i)
{
	char path[PATH_LEN_MAX + 20];
	bool failed;
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", files->directory, writers[i].name);
	out = fopen(path, "wx");
	if (!out)
		return command_fail(&command_new, "%s: %s", path, strerror(errno));
	failed = writers[i].write(out, files) < 0;
	failed |= fclose(out) != 0;
	return failed ? command_fail(&command_new, "%s: %s", path, strerror(errno)) : COMMAND_OK;
}

/* Takes away what has been made, the first count files and the directory. */
static void undo(const struct files *files, size_t count)
{
	char path[PATH_LEN_MAX + 20];

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", files->directory, writers[i].name);
		unlink(path);
	}
	rmdir(files->directory);
}

static int make(const struct files *files)
{
	int status = COMMAND_OK;
	size_t made;

	if (mkdir(files->directory, 0777) < 0)
		return errno == EEXIST
			       ? command_fail(&command_new, "%s exists already; choose another name", files->directory)
			       : command_fail(
					 &command_new, "%s: cannot be made: %s", files->directory, strerror(errno));
	for (made = 0; status == COMMAND_OK && made < writer_count; made++)
		status = write_file(files, made);
	if (status != COMMAND_OK) {
		undo(files, made);
		return status;
	}
	printf("Made %s/ with config.c and unikernel.c. Next:\n\n"
	       "  cd %s\n  skerry configure -t spt\n  skerry build\n  skerry run%s\n",
		files->directory, files->directory, files->template->run);
	return COMMAND_OK;
}

/* Finds the template, and the name at the end of the directory's. */
static int prepare(struct files *files, const char *template)
{
	char *slash = strrchr(files->directory, '/');
	size_t len;

	for (size_t i = 0; i < sizeof templates / sizeof *templates && !files->template; i++)
		if (strcmp(templates[i].name, template) == 0)
			files->template = &templates[i];
	if (!files->template)
		return command_fail(&command_new, "--template: \"%s\"; expected web, hello or echo", template);
	files->name = slash ? slash + 1 : files->directory;
	for (len = 0; isalnum((unsigned char)files->name[len]) || files->name[len] == '-'; len++)
		;
	if (len == 0 || len > NAME_LEN_MAX || files->name[len] || !isalnum((unsigned char)*files->name))
		return command_fail(&command_new, "\"%s\": expected a name of up to %d letters, digits and '-'",
			files->name, NAME_LEN_MAX);
	if (strlen(files->directory) > PATH_LEN_MAX)
		return command_fail(&command_new, "%s: too long", files->directory);
	return COMMAND_OK;
}

static int run(struct command_line *line)
{
	struct files files = { 0 };
	const char *template = templates[0].name, *value;
	int option, status;

	while ((option = command_next(line, &value)) >= 0) {
		if (option == OPTION_TEMPLATE)
			template = value;
		else if (files.directory)
			return command_fail(
				&command_new, "\"%s\": expected one NAME, and %s is there", value, files.directory);
		else
			files.directory = value;
	}
	if (option == COMMAND_STOP)
		return line->status;
	if (!files.directory)
		return command_fail(&command_new, "expected a NAME, such as skerry new web");
	status = prepare(&files, template);
	return status == COMMAND_OK ? make(&files) : status;
}

static const struct command_option options[] = {
	{ OPTION_TEMPLATE, 't', "template", "web|hello|echo",
		"What it does: serve a page that says \"Hello World!\" (web, the default), say hello, or send back "
		"what "
		"it is sent.",
		"web hello echo" },
	{ 0 },
};

static const struct command_note examples[] = {
	{ "skerry new web && cd web", "A web server." },
	{ "skerry new --template=hello greeter", "One without a network." },
	{ NULL, NULL },
};

const struct command command_new = {
	.name = "new",
	.summary = "start a unikernel: a directory with one that builds",
	.synopses = (const char *const[]){ "[--template=web|hello|echo] NAME", NULL },
	.description =
		(const char *const[]){
			"Makes the directory NAME with a program (unikernel.c), what it is made of (config.c), a "
			"README "
			"and a .gitignore. A directory that exists is not touched.",
			NULL,
		},
	.options = options,
	.examples = examples,
	.run = run,
};
