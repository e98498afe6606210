/* pawl exec: runs one program in the sandbox; its streams pass through, its status is ours. */
#include "base64_internal.h"
#include "cli.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char WHO[] = "pawl exec";
#define MOST_BYTES ((size_t)PAWL_MIB(64))

static const char help[] =
    "usage: pawl exec [OPTIONS] FILE|- [ARG...]\n"
    "       pawl exec [OPTIONS] -c CODE [ARG...]\n\n"
    "Runs a program in the local sandbox: no network, no files but its own, limits on all it can use.\n\n"
    "  pawl exec -c 'print(6 * 7)'\n"
    "  pawl exec --language javascript - <script\n"
    "  pawl exec --file data.csv --env LANG=C --timeout 5 --mem 512M report.py\n\n"
    "  -c CODE                 the program itself\n"
    "  -l, --language NAME     python, javascript or bash; default: by the file's name, else python\n"
    "  -t, --timeout SECONDS   wall-clock limit, default 30; 0 ends it at once\n"
    "      --cpu SECONDS       CPU limit\n"
    "      --mem BYTES         memory limit, such as 512M\n"
    "  -f, --file PATH[=NAME]  put a file into the work folder; may be repeated\n"
    "  -e, --env NAME=VALUE    set a variable; the environment is empty otherwise; may be repeated\n"
    "      --secret-env NAME   hide this variable's value in output, records, traces and files; may be repeated\n"
    "      --collect PATH      bring a file back, into the JSON record; may be repeated\n"
    "      --json              print the record on stdout; the program's streams go to stderr\n"
    "  -n, --no-input          give the program no standard input\n"
    "  -q, --quiet             no words of pawl's own on stderr\n"
    "  -v, --verbose           write the trace tree to stderr\n" CLI_WATCH_HELP(
        "") "                          (- only with --json)\n\n"
            "Standard input goes to the program, unless it is a terminal or the program itself came from it; it is "
            "read to its "
            "end\n"
            "(64 MiB at most) before the program starts. Of an option given twice the last counts.\n" CLI_WATCH_NOTE
            "Exit status: the program's; 123 a limit other than time, 124 wall timeout, 125 usage or no sandbox, 126 "
            "FILE is\n"
            "unreadable, 127 there is no FILE, 128+n killed by signal n, 130 interrupted.\n";

struct exec {
    cJSON *input;
    const char *language;
    bool has_code, no_input, json;
    struct cli_watch watch;
    struct cli_output out, err;
};

/* ---- options into the node's input ---- */

static cJSON *member(cJSON *input, const char *name, cJSON *(*create)(void)) {
    cJSON *item = cJSON_GetObjectItemCaseSensitive(input, name);
    if (!item) {
        item = create();
        cJSON_AddItemToObject(input, name, item);
    }
    return item;
}

static void set_bytes(cJSON *object, const char *name, const char *bytes, size_t length) {
    cJSON *coded = cJSON_CreateObject();
    cli_set(object, name, coded);
    char *text = pawl_base64_encode_new(bytes, length);
    cJSON_AddItemToObject(coded, "base64", cJSON_CreateString(text ? text : ""));
    free(text);
}

static bool add_file(struct exec *e, const char *argument) {
    const char *name;
    size_t length = 0;
    char *bytes = cli_read_file_option(WHO, argument, MOST_BYTES, &name, &length);
    if (!bytes)
        return false;
    set_bytes(member(e->input, "files", cJSON_CreateObject), name, bytes, length);
    free(bytes);
    return true;
}

static bool add_env(struct exec *e, const char *argument) {
    const char *equals = strchr(argument, '=');
    if (!equals || equals == argument) {
        cli_complain(WHO, "--env '%s': write NAME=VALUE", argument);
        return false;
    }
    if (!cli_is_text(WHO, "--env", argument, strlen(argument)))
        return false;
    char *name = strndup(argument, (size_t)(equals - argument));
    if (name)
        cli_set(member(e->input, "env_vars", cJSON_CreateObject), name, cJSON_CreateString(equals + 1));
    free(name);
    return name != NULL;
}

static bool set_seconds(cJSON *object, const char *name, const char *option, const char *text) {
    double seconds;
    if (!cli_parse_seconds(text, &seconds)) {
        cli_complain(WHO, "%s '%s': write seconds, such as 2.5", option, text);
        return false;
    }
    cli_set(object, name, cJSON_CreateNumber(seconds));
    return true;
}

static bool set_memory(struct exec *e, const char *text) {
    double bytes;
    if (!cli_parse_bytes(text, &bytes)) {
        cli_complain(WHO, "--mem '%s': write bytes, such as 512M", text);
        return false;
    }
    cli_set(member(e->input, "limits", cJSON_CreateObject), "memory_bytes", cJSON_CreateNumber(bytes));
    return true;
}

enum { OPT_CPU = 256, OPT_MEM, OPT_COLLECT, OPT_SECRET_ENV, OPT_JSON, OPT_HELP };

static bool take_option(struct exec *e, int option, const char *value) {
    switch (option) {
    case 'c':
        e->has_code = true;
        cli_set(e->input, "code", cJSON_CreateString(value));
        return cli_is_text(WHO, "-c", value, strlen(value));
    case 'l':
        e->language = value;
        return true;
    case 't':
        return set_seconds(e->input, "timeout", "--timeout", value);
    case 'f':
        return add_file(e, value);
    case 'e':
        return add_env(e, value);
    case 'n':
        e->no_input = true;
        return true;
    case 'q':
        e->watch.quiet = true;
        return true;
    case 'v':
        e->watch.tree = true;
        return true;
    case OPT_CPU:
        return set_seconds(member(e->input, "limits", cJSON_CreateObject), "cpu", "--cpu", value);
    case OPT_MEM:
        return set_memory(e, value);
    case OPT_SECRET_ENV:
        cJSON_AddItemToArray(member(e->input, "secret_env", cJSON_CreateArray), cJSON_CreateString(value));
        return cli_is_text(WHO, "--secret-env", value, strlen(value));
    case OPT_COLLECT:
        cJSON_AddItemToArray(member(e->input, "collect", cJSON_CreateArray), cJSON_CreateString(value));
        return cli_is_text(WHO, "--collect", value, strlen(value));
    case OPT_JSON:
        e->json = true;
        return true;
    default:
        cli_complain(WHO, "see pawl exec --help");
        return false;
    }
}

/* Returns an exit status, or -1 to go on. */
static int parse_options(struct exec *e, int argc, char **argv) {
    static const struct option options[] = {{"language", required_argument, NULL, 'l'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"file", required_argument, NULL, 'f'},
                                            {"env", required_argument, NULL, 'e'},
                                            {"cpu", required_argument, NULL, OPT_CPU},
                                            {"mem", required_argument, NULL, OPT_MEM},
                                            {"collect", required_argument, NULL, OPT_COLLECT},
                                            {"secret-env", required_argument, NULL, OPT_SECRET_ENV},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {"no-input", no_argument, NULL, 'n'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, OPT_HELP},
                                            CLI_WATCH_OPTIONS,
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "+c:l:t:f:e:nqvh", options, NULL)) != -1;) {
        if (option == OPT_HELP || option == 'h')
            return cli_print_help(help) ? EXIT_OK : EXIT_NOT_STARTED;
        if (!cli_watch_option(&e->watch, option, optarg) && !take_option(e, option, optarg))
            return EXIT_NOT_STARTED;
    }
    return cli_watch_check(&e->watch, e->json) ? -1 : EXIT_NOT_STARTED;
}

/* ---- the program, its arguments and its input ---- */

static int take_program(struct exec *e, const char *path) {
    size_t length = 0;
    char *bytes = cli_read_file(WHO, path, MOST_BYTES, &length);
    if (!bytes)
        return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_READABLE;
    bool is_text = cli_is_text(WHO, path, bytes, length);
    if (is_text)
        cli_set(e->input, "code", cJSON_CreateString(bytes));
    free(bytes);
    return is_text ? -1 : EXIT_NOT_STARTED;
}

/* Returns an exit status, or -1 to go on. */
static int take_input(struct exec *e) {
    if (e->no_input || isatty(STDIN_FILENO))
        return -1;
    size_t length = 0;
    char *bytes = cli_read_file(WHO, "-", MOST_BYTES, &length);
    if (!bytes) {
        cli_complain(WHO, "give the program less input (%zu MiB at most), or none with --no-input", MOST_BYTES >> 20);
        return EXIT_NOT_STARTED;
    }
    if (length)
        set_bytes(e->input, "stdin", bytes, length);
    free(bytes);
    return -1;
}

static int take_rest(struct exec *e, int argc, char **argv) {
    bool from_stdin = false;
    if (!e->has_code) {
        if (optind == argc) {
            cli_complain(WHO, "no program: give a FILE, - for standard input, or -c CODE");
            return EXIT_NOT_STARTED;
        }
        const char *path = argv[optind++];
        int failed = take_program(e, path);
        if (failed >= 0)
            return failed;
        from_stdin = strcmp(path, "-") == 0;
        e->language = e->language ? e->language : cli_language_of(path);
    }
    if (e->language && !cli_is_text(WHO, "--language", e->language, strlen(e->language)))
        return EXIT_NOT_STARTED;
    if (e->language)
        cli_set(e->input, "language", cJSON_CreateString(e->language));
    for (int i = optind; i < argc; i++) {
        if (!cli_is_text(WHO, "an argument", argv[i], strlen(argv[i])))
            return EXIT_NOT_STARTED;
        cJSON_AddItemToArray(member(e->input, "args", cJSON_CreateArray), cJSON_CreateString(argv[i]));
    }
    return from_stdin ? -1 : take_input(e);
}

/* ---- running ---- */

static void pass_stdout(void *user, const void *bytes, size_t length) {
    struct exec *e = user;
    cli_write(e->json ? &e->err : &e->out, bytes, length);
}

static void pass_stderr(void *user, const void *bytes, size_t length) {
    struct exec *e = user;
    cli_write(&e->err, bytes, length);
}

static void print_record(struct exec *e, const pawl_value *output) {
    char *text = pawl_value_print(output);
    const char *record = text ? text : "null";
    cli_write(&e->out, record, strlen(record));
    cli_write(&e->out, "\n", 1);
    free(text);
}

static void explain(const struct exec *e, const cJSON *result, int status) {
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(result, "error");
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "value"));
    const char *outcome = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "outcome"));
    bool own = status == EXIT_LIMIT || status == EXIT_WALL_TIMEOUT || status == EXIT_NOT_STARTED;
    if (own && !e->watch.quiet)
        cli_complain(WHO, "%s: %s", outcome ? outcome : "?", value ? value : "");
}

static int run(struct exec *e) {
    struct cli_session session;
    pawl_value *input = pawl_value_take(e->input), *output = NULL;
    pawl_error *error = NULL;
    e->input = NULL;
    if (!input || !cli_session_open(&session, &e->watch)) {
        pawl_value_unref(input);
        return EXIT_NOT_STARTED;
    }
    e->out = (struct cli_output){.fd = STDOUT_FILENO, .ctx = session.ctx};
    e->err = (struct cli_output){.fd = STDERR_FILENO, .ctx = session.ctx, .optional = true};
    pawl_primitive *node = pawl_code_execution("exec", .on_stdout = pass_stdout, .on_stderr = pass_stderr, .user = e);
    int status = EXIT_NOT_STARTED;
    pawl_status run = pawl_run(node, session.ctx, input, &output, &error);
    if (run == PAWL_OK) {
        status = cli_exit_of_result(pawl_value_json(output));
        explain(e, pawl_value_json(output), status);
        if (e->json)
            print_record(e, output);
    } else if (run == PAWL_E_CANCELLED && atomic_load(&session.interrupted)) {
        status = EXIT_INTERRUPTED;
    } else if (!e->watch.quiet && atomic_load(&e->out.failed) == 0) {
        cli_complain_error(WHO, error);
    }
    pawl_error_unref(error);
    pawl_value_unref(output);
    pawl_value_unref(input);
    pawl_primitive_unref(node);
    cli_session_close(&session);
    return cli_settle(WHO, &e->out, status, EXIT_NOT_STARTED);
}

int cli_exec(int argc, char **argv) {
    struct exec e = {.input = cJSON_CreateObject(), .watch.who = WHO};
    argv[0] = WHO; /* for getopt's own words */
    int status = e.input ? parse_options(&e, argc, argv) : EXIT_NOT_STARTED;
    if (status < 0)
        status = take_rest(&e, argc, argv);
    if (status < 0)
        status = run(&e);
    cJSON_Delete(e.input);
    return status;
}
