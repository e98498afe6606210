/* pawl fix: repairs a program until its visible test passes; the held-back test has the last word. */
#include "cli.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char WHO[] = "pawl fix";
#define MOST_BYTES ((size_t)PAWL_MIB(16))
#define MOST_WORDS 64

static const char help[] =
    "usage: pawl fix FILE --test TEST [OPTIONS]\n\n"
    "Changes a program until TEST passes. TEST runs as the main program in a fresh sandbox, with the program beside "
    "it\n"
    "under its own name, so that `from program import x` or `require('./program.js')` finds it.\n\n"
    "  pawl fix program.py --test test.py --holdout holdout.py\n"
    "  pawl fix program.py --test test.py --generator 'cmd:my-model --json-lines' --rounds 5\n\n"
    "      --test FILE          the visible test: it guides\n"
    "      --holdout FILE       the held-back test: it judges once, at the end, and no generator sees it\n"
    "  -g, --generator NAME     mutate (default): single edits, no model; cmd:COMMAND: a program that answers JSON "
    "lines\n"
    "  -l, --language NAME      python, javascript or bash; default: by the file's name\n"
    "  -f, --file PATH[=NAME]   a further file for the tests; may be repeated\n"
    "  -t, --timeout SECONDS    of one execution, default 2\n"
    "      --attempts N         at most so many executions, default 1000\n"
    "      --rounds N           at most so many answers of the generator\n"
    "      --budget SECONDS     at most so long\n"
    "      --jobs N             executions at once, default: one a processor\n"
    "  -o, --output FILE        write the repaired program there\n"
    "      --json               print the record on stdout instead of the diff\n"
    "  -q, --quiet              no progress and no trace tree on stderr\n" CLI_WATCH_HELP(
        " ") "\n" CLI_WATCH_NOTE "Exit status: 0 fixed; 1 not fixed, or the held-back test failed; 2 usage; 3 budget, "
             "limit or stall; 4 sandbox, "
             "generator\n"
             "or network; 5 denied; 130 interrupted.\n";

struct fix {
    const char *file, *test, *holdout, *generator, *language, *output;
    cJSON *files;
    double timeout, budget;
    uint64_t attempts, rounds, jobs;
    bool json, progress;
    struct cli_watch watch;
    size_t shown;
};

/* ---- options ---- */

enum { OPT_TEST = 256, OPT_HOLDOUT, OPT_ATTEMPTS, OPT_ROUNDS, OPT_BUDGET, OPT_JOBS, OPT_JSON };

static bool take_count(uint64_t *set, const char *option, const char *text) {
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 10);
    *set = number;
    if (end != text && *end == '\0' && number > 0 && number < 1000000000 && *text != '-')
        return true;
    cli_complain(WHO, "--%s '%s': write a whole number from 1", option, text);
    return false;
}

static bool take_seconds(double *set, const char *option, const char *text) {
    if (cli_parse_seconds(text, set) && *set > 0 && *set < 1e8)
        return true;
    cli_complain(WHO, "--%s '%s': write seconds, such as 2.5", option, text);
    return false;
}

static bool add_file(struct fix *f, const char *argument) {
    const char *name;
    size_t length = 0;
    char *text = cli_read_file_option(WHO, argument, MOST_BYTES, &name, &length);
    bool is_text = text && cli_is_text(WHO, argument, text, length);
    if (is_text)
        cli_set(f->files, name, cJSON_CreateString(text));
    free(text);
    return is_text;
}

static bool take_option(struct fix *f, int option, const char *value) {
    switch (option) {
    case OPT_TEST:
        f->test = value;
        return true;
    case OPT_HOLDOUT:
        f->holdout = value;
        return true;
    case 'g':
        f->generator = value;
        return true;
    case 'l':
        f->language = value;
        return true;
    case 'o':
        f->output = value;
        return true;
    case 'f':
        return add_file(f, value);
    case 't':
        return take_seconds(&f->timeout, "timeout", value);
    case OPT_BUDGET:
        return take_seconds(&f->budget, "budget", value);
    case OPT_ATTEMPTS:
        return take_count(&f->attempts, "attempts", value);
    case OPT_ROUNDS:
        return take_count(&f->rounds, "rounds", value);
    case OPT_JOBS:
        return take_count(&f->jobs, "jobs", value);
    case OPT_JSON:
        f->json = true;
        return true;
    case 'q':
        f->watch.quiet = true;
        return true;
    default:
        cli_complain(WHO, "see pawl fix --help");
        return false;
    }
}

static int check_options(struct fix *f, int argc, char **argv) {
    if (optind + 1 != argc) {
        cli_complain(WHO, optind == argc ? "no program: give a FILE" : "one FILE at a time; quote names with blanks");
        return EXIT_USAGE;
    }
    f->file = argv[optind];
    if (!f->test) {
        cli_complain(WHO, "--test is required: a program that fails as long as %s is wrong", f->file);
        return EXIT_USAGE;
    }
    if (strcmp(f->generator, "mutate") != 0 && strncmp(f->generator, "cmd:", 4) != 0) {
        cli_complain(WHO, "--generator '%s': write mutate or cmd:COMMAND", f->generator);
        return EXIT_USAGE;
    }
    f->language = f->language ? f->language : cli_language_of(f->file);
    return -1;
}

/* Returns an exit status, or -1 to go on. */
static int parse_options(struct fix *f, int argc, char **argv) {
    static const struct option options[] = {{"test", required_argument, NULL, OPT_TEST},
                                            {"holdout", required_argument, NULL, OPT_HOLDOUT},
                                            {"generator", required_argument, NULL, 'g'},
                                            {"language", required_argument, NULL, 'l'},
                                            {"file", required_argument, NULL, 'f'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"attempts", required_argument, NULL, OPT_ATTEMPTS},
                                            {"rounds", required_argument, NULL, OPT_ROUNDS},
                                            {"budget", required_argument, NULL, OPT_BUDGET},
                                            {"jobs", required_argument, NULL, OPT_JOBS},
                                            {"output", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            CLI_WATCH_OPTIONS,
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "g:l:f:t:o:qh", options, NULL)) != -1;) {
        if (option == 'h')
            return cli_print_help(help) ? EXIT_OK : EXIT_PROVIDER;
        if (!cli_watch_option(&f->watch, option, optarg) && !take_option(f, option, optarg))
            return EXIT_USAGE;
    }
    f->watch.tree = !f->watch.quiet;
    int failed = check_options(f, argc, argv);
    return failed < 0 && !cli_watch_check(&f->watch, true) ? EXIT_USAGE : failed;
}

/* ---- the pipeline and its input ---- */

static bool add_text(cJSON *input, const char *name, const char *path) {
    size_t length = 0;
    char *text = path ? cli_read_file(WHO, path, MOST_BYTES, &length) : NULL;
    bool is_text = text && cli_is_text(WHO, path, text, length);
    if (is_text)
        cJSON_AddStringToObject(input, name, text);
    free(text);
    return is_text;
}

/* New value, or NULL with the reason on stderr. */
static pawl_value *make_input(struct fix *f) {
    cJSON *input = cJSON_CreateObject();
    bool made = add_text(input, "program", f->file) && add_text(input, "test", f->test) &&
                (!f->holdout || add_text(input, "holdout", f->holdout));
    if (made) {
        cJSON_AddStringToObject(input, "file", cli_base_name(f->file));
        if (f->language)
            cJSON_AddStringToObject(input, "language", f->language);
        cJSON_AddItemToObject(input, "files", f->files);
        f->files = NULL;
        return pawl_value_take(input);
    }
    cJSON_Delete(input);
    return NULL;
}

static void pass_stderr(void *user, const char *bytes, size_t length) {
    (void)user;
    fwrite(bytes, 1, length, stderr);
}

/* Splits "program arg 'two words'" as a shell would split plain words; text keeps the words. */
static size_t split_words(char *text, const char **words, size_t most) {
    size_t count = 0;
    char *out = text;
    while (*text && count < most) {
        while (*text == ' ' || *text == '\t')
            text++;
        if (!*text)
            break;
        words[count++] = out;
        char quote = 0;
        for (; *text && (quote || (*text != ' ' && *text != '\t')); text++) {
            if (*text == quote)
                quote = 0;
            else if (!quote && (*text == '\'' || *text == '"'))
                quote = *text;
            else
                *out++ = *text;
        }
        if (*text)
            text++;
        *out++ = '\0';
    }
    words[count] = NULL;
    return count;
}

/* NULL stands for the mutator, which pawl_fix() makes itself. */
static pawl_primitive *make_generator(const struct fix *f) {
    if (strcmp(f->generator, "mutate") == 0)
        return NULL;
    const char *words[MOST_WORDS + 1] = {NULL};
    char *text = strdup(f->generator + 4);
    if (text)
        split_words(text, words, MOST_WORDS);
    pawl_primitive *node =
        pawl_command_generator("generate", .argv = words, .on_stderr = f->watch.quiet ? NULL : pass_stderr);
    free(text); /* the words were copied */
    return node;
}

static void show_attempt(void *user, const pawl_attempt *attempt, pawl_value *candidate) {
    struct fix *f = user;
    (void)candidate;
    if (f->watch.quiet || attempt->duplicate_of || attempt->was_cancelled)
        return;
    const char *what = *attempt->description ? attempt->description : "candidate";
    if (attempt->verdict.pass)
        fprintf(stderr, "%s#%llu %s: passes the test\n", f->progress ? "\r\033[K" : "",
                (unsigned long long)attempt->number, what);
    else if (f->progress)
        fprintf(stderr, "\r\033[K#%llu %.60s: %s", (unsigned long long)attempt->number, what, attempt->verdict.outcome);
}

static uint64_t to_ns(double seconds) {
    return (uint64_t)(seconds * 1e9);
}

static pawl_primitive *make_pipeline(struct fix *f) {
    return pawl_fix("fix", make_generator(f), pawl_code_execution("execute", .timeout_ns = to_ns(f->timeout)),
                    .timeout_ns = to_ns(f->timeout), .max_attempts = f->attempts, .max_rounds = f->rounds,
                    .max_elapsed_ns = to_ns(f->budget), .max_concurrency = f->jobs, .on_attempt = show_attempt,
                    .user = f);
}

/* ---- the answer ---- */

static const char *text_of(const cJSON *result, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, name));
    return text ? text : "";
}

static int exit_of(const cJSON *result) {
    const char *why = text_of(result, "stop_reason");
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "success")))
        return EXIT_OK;
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "passed_checks")) || strcmp(why, "generator_done") == 0)
        return EXIT_CHECKS_FAILED;
    return EXIT_BUDGET;
}

static double number_of(const cJSON *result, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(result, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static const char *sentence(const cJSON *result) {
    const char *outcome = text_of(result, "outcome");
    if (strcmp(outcome, "already_passes") == 0)
        return "nothing to fix: it passes the given checks as it is";
    if (strcmp(outcome, "passed_holdout") == 0)
        return "fixed: passes the given checks and the held-back checks";
    if (strcmp(outcome, "passed_checks") == 0)
        return cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(result, "passed_holdout"))
                   ? "passes the given checks only: the held-back checks fail"
                   : "passes the given checks; there were no held-back checks";
    return strcmp(outcome, "ran") == 0 ? "not fixed: the best candidate ran and failed" : "not fixed";
}

static void summarise(const struct fix *f, const cJSON *result) {
    if (f->progress)
        fputs("\r\033[K", stderr);
    fprintf(stderr, "%s: %s (%s; %.0f executions, %.0f duplicates skipped, %.2f s)\n", f->file, sentence(result),
            text_of(result, "stop_reason"), number_of(result, "executions"), number_of(result, "duplicates"),
            number_of(result, "elapsed_ns") / 1e9);
}

static bool write_program(const struct fix *f, const cJSON *result) {
    const char *program = text_of(result, "program");
    if (!f->output || !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "passed_checks")))
        return true;
    FILE *file = fopen(f->output, "we");
    bool written = file && fputs(program, file) >= 0;
    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        cli_complain(WHO, "%s: %s", f->output, strerror(errno));
    return written;
}

static int give_answer(const struct fix *f, pawl_context *ctx, const pawl_value *output) {
    const cJSON *result = pawl_value_json(output);
    struct cli_output out = {.fd = STDOUT_FILENO, .ctx = ctx};
    summarise(f, result);
    if (f->json) {
        char *text = pawl_value_print(output);
        cli_write(&out, text ? text : "null", text ? strlen(text) : 4);
        cli_write(&out, "\n", 1);
        free(text);
    } else if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "passed_checks"))) {
        cli_write(&out, text_of(result, "diff"), strlen(text_of(result, "diff")));
    }
    int status = write_program(f, result) ? exit_of(result) : EXIT_PROVIDER;
    return cli_settle(WHO, &out, status, EXIT_PROVIDER);
}

static int exit_of_error(const pawl_error *error) {
    switch (pawl_error_status(error)) {
    case PAWL_E_INVALID:
        return EXIT_USAGE;
    case PAWL_E_DENIED:
        return EXIT_DENIED;
    case PAWL_E_DEADLINE:
    case PAWL_E_LIMIT:
        return EXIT_BUDGET;
    default:
        return EXIT_PROVIDER;
    }
}

static int run(struct fix *f) {
    struct cli_session session;
    pawl_value *input = make_input(f), *output = NULL;
    pawl_error *error = NULL;
    if (!input || !cli_session_open(&session, &f->watch)) {
        pawl_value_unref(input);
        return input ? EXIT_PROVIDER : EXIT_USAGE;
    }
    pawl_primitive *pipeline = make_pipeline(f);
    int status;
    pawl_status run = pawl_run(pipeline, session.ctx, input, &output, &error);
    if (run == PAWL_OK) {
        status = give_answer(f, session.ctx, output);
    } else if (run == PAWL_E_CANCELLED && atomic_load(&session.interrupted)) {
        status = EXIT_INTERRUPTED;
    } else {
        status = exit_of_error(error);
        cli_complain_error(WHO, error);
    }
    pawl_error_unref(error);
    pawl_value_unref(output);
    pawl_value_unref(input);
    pawl_primitive_unref(pipeline);
    cli_session_close(&session);
    return status;
}

int cli_fix(int argc, char **argv) {
    struct fix f = {.watch.who = WHO,
                    .generator = "mutate",
                    .timeout = 2,
                    .files = cJSON_CreateObject(),
                    .progress = isatty(STDERR_FILENO)};
    argv[0] = WHO; /* for getopt's own words */
    int status = f.files ? parse_options(&f, argc, argv) : EXIT_PROVIDER;
    if (status < 0)
        status = run(&f);
    cJSON_Delete(f.files);
    return status;
}
