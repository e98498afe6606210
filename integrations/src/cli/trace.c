/* pawl trace view: a trace file as one page for a browser. */
#include "cli.h"
#include "utf8_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHO "pawl trace view"
#define MOST_BYTES PAWL_MIB(1024)

static const char help[] =
    "usage: pawl trace view [OPTIONS] FILE|-\n\n"
    "Makes one HTML page of a trace file: spans as a waterfall, attempts with the differences between\n"
    "their programs, outcomes, output, search. It opens from disk and needs no network. FILE holds\n"
    "OTLP JSON lines, as `--trace FILE` or any OpenTelemetry file exporter writes them; it may still be\n"
    "written to.\n\n"
    "  pawl fix program.py --test test.py --trace run.jsonl --trace-content\n"
    "  pawl trace view run.jsonl             # makes run.html and prints its name\n\n"
    "  -o, --output FILE     the page, - for stdout; default: FILE's name with .html, of - stdout\n"
    "  -f, --force           write over a file that is no such page\n"
    "      --no-content      leave out programs, their output and messages, to give the page away\n"
    "      --title TEXT      default: FILE's name\n"
    "      --max-spans N     show at most so many, default 100000\n\n"
    "Exit status: 0; 1 the page could not be written; 2 usage, or no trace in FILE.\n";

struct view {
    const char *file, *output, *title;
    char *made_output; /* output, when it was not given */
    uint64_t max_spans;
    bool force, no_content;
};

/* ---- options ---- */

enum { OPT_NO_CONTENT = 256, OPT_TITLE, OPT_MAX_SPANS };

static bool take_count(struct view *v, const char *text) {
    char *end = NULL;
    v->max_spans = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == '\0' && v->max_spans > 0 && v->max_spans < 1000000000)
        return true;
    cli_complain(WHO, "--max-spans '%s': write a whole number from 1", text);
    return false;
}

static bool take_option(struct view *v, int option, const char *value) {
    switch (option) {
    case 'o':
        v->output = value;
        return true;
    case 'f':
        v->force = true;
        return true;
    case OPT_NO_CONTENT:
        v->no_content = true;
        return true;
    case OPT_TITLE:
        v->title = value;
        return cli_is_text(WHO, "--title", value, strlen(value));
    case OPT_MAX_SPANS:
        return take_count(v, value);
    default:
        cli_complain(WHO, "see pawl trace view --help");
        return false;
    }
}

/* "run.jsonl" gives "run.html", "run" "run.html". */
static char *page_name(const char *file) {
    static const char *const endings[] = {".jsonl", ".json", ".ndjson", ".otlp"};
    size_t length = strlen(file);
    char *name = NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);
        if (strlen(cli_base_name(file)) > ending && strcmp(file + length - ending, endings[i]) == 0) {
            length -= ending;
            break;
        }
    }
    return asprintf(&name, "%.*s.html", (int)length, file) < 0 ? NULL : name;
}

/* Returns an exit status, or -1 to go on. */
static int check_options(struct view *v, int argc, char **argv) {
    if (optind + 1 != argc) {
        cli_complain(WHO, optind == argc ? "no trace: give a FILE, or - for stdin"
                                         : "one FILE at a time; quote names with blanks");
        return EXIT_USAGE;
    }
    v->file = argv[optind];
    bool is_stdin = strcmp(v->file, "-") == 0;
    if (!v->output)
        v->output = is_stdin ? "-" : (v->made_output = page_name(v->file));
    if (!v->output) {
        cli_complain(WHO, "out of memory");
        return EXIT_CHECKS_FAILED;
    }
    if (strcmp(v->output, "-") == 0 && isatty(STDOUT_FILENO)) {
        cli_complain(WHO, "the page would fill the terminal: give -o FILE");
        return EXIT_USAGE;
    }
    return -1;
}

static int parse_options(struct view *v, int argc, char **argv) {
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"no-content", no_argument, NULL, OPT_NO_CONTENT},
                                            {"title", required_argument, NULL, OPT_TITLE},
                                            {"max-spans", required_argument, NULL, OPT_MAX_SPANS},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "o:fh", options, NULL)) != -1;) {
        if (option == 'h')
            return cli_print_help(help) ? EXIT_OK : EXIT_CHECKS_FAILED;
        if (!take_option(v, option, optarg))
            return EXIT_USAGE;
    }
    return check_options(v, argc, argv);
}

/* ---- writing ---- */

struct target {
    struct cli_output out;
    struct cli_new_file file; /* not of stdout */
};

static bool is_our_page(const char *path) {
    char head[256];
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(head, 1, sizeof head, file) : 0;
    if (file)
        fclose(file);
    return length == 0 ? file != NULL : pawl_is_trace_page(head, length);
}

static bool is_the_trace(const struct view *v, const struct stat *there) {
    struct stat trace;
    int found = strcmp(v->file, "-") == 0 ? fstat(STDIN_FILENO, &trace) : stat(v->file, &trace);
    return found == 0 && trace.st_dev == there->st_dev && trace.st_ino == there->st_ino;
}

static bool may_replace(const struct view *v, const struct stat *there) {
    if (S_ISREG(there->st_mode) && is_the_trace(v, there)) {
        cli_complain(WHO, "%s: is the trace itself; choose another file with -o", v->output);
        return false;
    }
    if (S_ISDIR(there->st_mode)) {
        cli_complain(WHO, "%s: is a folder", v->output);
        return false;
    }
    if (!S_ISREG(there->st_mode) || v->force || is_our_page(v->output))
        return true;
    cli_complain(WHO, "%s is there and is no trace page: choose another with -o, or --force", v->output);
    return false;
}

/* With programs and output in it, a page is for those who may read the trace. */
static mode_t mode_of_page(const struct view *v) {
    struct stat file;
    bool is_private = !v->no_content && strcmp(v->file, "-") != 0 && stat(v->file, &file) == 0;
    return is_private ? file.st_mode & 0666 : 0666;
}

/* Returns an exit status, or -1 to go on. */
static int open_target(const struct view *v, struct target *target) {
    struct stat there;
    target->out.fd = STDOUT_FILENO;
    if (strcmp(v->output, "-") == 0)
        return -1;
    if (stat(v->output, &there) == 0 && !may_replace(v, &there))
        return EXIT_USAGE;
    bool is_open = cli_new_file_open(&target->file, v->output, mode_of_page(v), 0);
    target->out.fd = target->file.fd;
    if (is_open)
        return -1;
    cli_complain(WHO, "%s: %s", v->output, strerror(errno));
    return EXIT_CHECKS_FAILED;
}

static bool close_target(const struct view *v, struct target *target, bool keep) {
    if (target->out.fd == STDOUT_FILENO || cli_new_file_close(&target->file, keep))
        return true;
    cli_complain(WHO, "%s: %s", v->output, strerror(errno));
    return false;
}

/* ---- the page ---- */

static bool write_piece(void *user, const char *bytes, size_t length) {
    struct target *target = user;
    cli_write(&target->out, bytes, length);
    return atomic_load(&target->out.failed) == 0;
}

static void summarise(const struct view *v, const pawl_trace_page_summary *found) {
    if (found->left_out > 0)
        cli_complain(WHO, "%llu further spans left out; raise --max-spans", (unsigned long long)found->left_out);
    if (found->bad_lines + found->bad_spans > 0)
        cli_complain(WHO, "%s: %llu lines and %llu spans could not be read, first in line %llu", v->file,
                     (unsigned long long)found->bad_lines, (unsigned long long)found->bad_spans,
                     (unsigned long long)found->first_bad);
    if (found->is_cut_off)
        cli_complain(WHO, "%s: the last line is incomplete and left out", v->file);
    if (strcmp(v->output, "-") != 0)
        printf("%s\n", v->output);
}

static int exit_of(const struct view *v, struct target *target, pawl_status status, const pawl_error *error) {
    if (status == PAWL_OK)
        return EXIT_OK;
    if (status == PAWL_E_FAILED && target->out.fd == STDOUT_FILENO)
        return cli_settle(WHO, &target->out, EXIT_CHECKS_FAILED, EXIT_CHECKS_FAILED);
    if (status == PAWL_E_FAILED)
        cli_complain(WHO, "%s: %s", v->output, strerror(atomic_load(&target->out.failed)));
    else
        cli_complain(WHO, "%s: %s", v->file, pawl_error_message(error));
    return status == PAWL_E_NOT_FOUND ? EXIT_USAGE : EXIT_CHECKS_FAILED;
}

static int make_page(const struct view *v, const char *text, size_t length) {
    struct target target = {.out.ctx = NULL};
    pawl_trace_page_summary found = {.size = sizeof found};
    pawl_error *error = NULL;
    int status = open_target(v, &target);
    if (status >= 0)
        return status;
    pawl_status made = pawl_trace_page(text, length, write_piece, &target, &found, &error, .title = v->title,
                                       .max_spans = v->max_spans, .without_content = v->no_content);
    status = exit_of(v, &target, made, error);
    if (!close_target(v, &target, made == PAWL_OK) && status == EXIT_OK)
        status = EXIT_CHECKS_FAILED;
    if (status == EXIT_OK)
        summarise(v, &found);
    pawl_error_unref(error);
    return fflush(stdout) == 0 || status != EXIT_OK ? status : EXIT_CHECKS_FAILED;
}

static int view(int argc, char **argv) {
    struct view v = {.max_spans = 0};
    size_t length = 0;
    argv[0] = WHO; /* for getopt's own words */
    int status = parse_options(&v, argc, argv);
    if (status < 0 && !v.title)
        v.title = strcmp(v.file, "-") == 0 ? "trace" : cli_base_name(v.file);
    if (status < 0) {
        char *text = cli_read_file(WHO, v.file, MOST_BYTES, &length);
        char *title = pawl_utf8_lossy(v.title, strlen(v.title), NULL); /* a file's name may be anything */
        v.title = title ? title : "trace";
        status = text ? make_page(&v, text, length) : EXIT_USAGE;
        free(title);
        free(text);
    }
    free(v.made_output);
    return status;
}

int cli_trace(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "view") == 0)
        return view(argc - 1, argv + 1);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return cli_print_help(help) ? EXIT_OK : EXIT_CHECKS_FAILED;
    if (*name)
        cli_complain("pawl trace", "there is no '%s'; see pawl trace view --help", name);
    else
        cli_complain("pawl trace", "say what to do: pawl trace view FILE");
    return EXIT_USAGE;
}
