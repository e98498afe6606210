/* pawl doctor: what this machine can and cannot do, a line each, with what to do about it. */
#include "clean_text_internal.h"
#include "doctor.h"
#include "utf8_internal.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static char WHO[] = "pawl doctor";
#define COLLECTOR_NS PAWL_S(2)

static const char help[] =
    "usage: pawl doctor [OPTIONS]\n\n"
    "Runs tiny programs in the local sandbox and tells what works, what does not, and what to do about it:\n"
    "how programs are isolated, which limits hold, which languages there are, how long a sandbox takes.\n"
    "Collectors named by OTEL_EXPORTER_OTLP_*ENDPOINT are asked whether they answer.\n\n"
    "  pawl doctor\n"
    "  pawl doctor --json --probes 20\n\n"
    "      --json             print the findings as JSON\n"
    "      --language NAME    what must be there: python, javascript or bash; default all; may be repeated\n"
    "      --probes N         programs that measure, 1 to 100, default 3\n"
    "      --timeout SECONDS  of each, default 10\n"
    "      --network          ask the collector at OpenTelemetry's default address, too\n"
    "      --strict           what the sandbox goes without counts as a failure\n\n"
    "A line begins with ok, with warn (works, with less) or with fail.\n"
    "Exit status: 0 healthy, 1 something failed, 2 usage, 130 interrupted.\n";

struct doctor {
    const char *languages[4]; /* ends with NULL */
    size_t language_count;
    uint64_t probes, timeout_ns;
    bool json, network, strict;
};

/* ---- options ---- */

enum { OPT_JSON = 256, OPT_LANGUAGE, OPT_PROBES, OPT_TIMEOUT, OPT_NETWORK, OPT_STRICT };

static bool take_language(struct doctor *d, const char *name) {
    static const char *const known[] = {"python", "javascript", "bash"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(known[i], name) != 0)
            continue;
        for (size_t j = 0; j < d->language_count; j++)
            if (d->languages[j] == known[i])
                return true;
        d->languages[d->language_count++] = known[i];
        return true;
    }
    cli_complain(WHO, "--language '%s': it is python, javascript or bash", name);
    return false;
}

static bool take_probes(struct doctor *d, const char *text) {
    char *end = NULL;
    d->probes = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == '\0' && d->probes >= 1 && d->probes <= 100)
        return true;
    cli_complain(WHO, "--probes '%s': write a whole number from 1 to 100", text);
    return false;
}

static bool take_timeout(struct doctor *d, const char *text) {
    double seconds;
    if (!cli_parse_seconds(text, &seconds) || seconds < 0.001 || seconds > 3600) {
        cli_complain(WHO, "--timeout '%s': write seconds, 0.001 to 3600", text);
        return false;
    }
    d->timeout_ns = (uint64_t)(seconds * 1e9);
    return true;
}

static bool take_option(struct doctor *d, int option, const char *value) {
    switch (option) {
    case OPT_JSON:
        return d->json = true;
    case OPT_NETWORK:
        return d->network = true;
    case OPT_STRICT:
        return d->strict = true;
    case OPT_LANGUAGE:
        return take_language(d, value);
    case OPT_PROBES:
        return take_probes(d, value);
    case OPT_TIMEOUT:
        return take_timeout(d, value);
    default:
        cli_complain(WHO, "see pawl doctor --help");
        return false;
    }
}

/* Returns an exit status, or -1 to go on. */
static int parse_options(struct doctor *d, int argc, char **argv) {
    static const struct option options[] = {{"json", no_argument, NULL, OPT_JSON},
                                            {"language", required_argument, NULL, OPT_LANGUAGE},
                                            {"probes", required_argument, NULL, OPT_PROBES},
                                            {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {"network", no_argument, NULL, OPT_NETWORK},
                                            {"strict", no_argument, NULL, OPT_STRICT},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h')
            return cli_print_help(help) ? EXIT_OK : EXIT_CHECKS_FAILED;
        if (!take_option(d, option, optarg))
            return EXIT_USAGE;
    }
    if (optind == argc)
        return -1;
    cli_complain(WHO, "it takes no argument '%s'; see pawl doctor --help", argv[optind]);
    return EXIT_USAGE;
}

/* ---- lines ---- */

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(member(object, name));
    return text ? text : "";
}

static double milliseconds(const cJSON *spread) {
    return cJSON_GetNumberValue(member(spread, "median")) * 1e3;
}

/* What came from elsewhere may hold characters that a terminal obeys, or end in the middle of one. */
static void print_text(const char *text) {
    char *clean = pawl_utf8_lossy(text, strlen(text), NULL);
    if (!clean)
        return;
    pawl_clean_text(clean, "");
    fputs(clean, stdout);
    free(clean);
}

static void print_names(const char *title, const cJSON *names) {
    if (!cJSON_GetArraySize(names))
        return;
    printf("ok    %s: ", title);
    for (const cJSON *name = names->child; name; name = name->next) {
        print_text(name->valuestring);
        if (name->next)
            fputs(", ", stdout);
    }
    putchar('\n');
}

static void print_limits(const cJSON *limits) {
    bool any = false;
    for (const cJSON *limit = limits ? limits->child : NULL; limit; limit = limit->next)
        if (strcmp(text_of(limit, "enforced"), "yes") == 0) {
            printf("%s%s", any ? ", " : "ok    limits that hold for a sandbox: ", limit->string);
            any = true;
        }
    if (any)
        putchar('\n');
}

static void print_languages(const cJSON *languages) {
    for (const cJSON *language = languages ? languages->child : NULL; language; language = language->next)
        if (cJSON_IsTrue(member(language, "available"))) {
            printf("ok    %s ", language->string);
            print_text(text_of(language, "version"));
            putchar('\n');
        }
}

static void print_latency(const cJSON *latency) {
    double probes = cJSON_GetNumberValue(member(latency, "probes"));
    if (cJSON_IsObject(latency))
        printf("ok    %.0f of %.0f probes ran: sandbox %.1f ms, program %.1f ms, in all %.1f ms (medians)\n",
               probes - cJSON_GetNumberValue(member(latency, "failed")), probes,
               milliseconds(member(latency, "create")), milliseconds(member(latency, "run")),
               milliseconds(member(latency, "total")));
}

static void print_reasons(const cJSON *reasons) {
    for (const cJSON *reason = reasons ? reasons->child : NULL; reason; reason = reason->next) {
        const char *remedy = text_of(reason, "remedy");
        printf("%-6s", strcmp(text_of(reason, "severity"), "note") == 0 ? "warn" : "fail");
        print_text(text_of(reason, "what"));
        if (*remedy)
            fputs("\n        ", stdout);
        print_text(remedy);
        putchar('\n');
    }
}

static void print_collectors(const cJSON *collectors) {
    for (const cJSON *one = collectors ? collectors->child : NULL; one; one = one->next)
        if (cJSON_IsTrue(member(one, "answers"))) {
            printf("ok    a collector takes %s at ", text_of(one, "signal"));
            print_text(text_of(one, "endpoint"));
            putchar('\n');
        }
}

static void print_findings(const cJSON *found) {
    const cJSON *helper = member(found, "helper");
    if (cJSON_IsObject(helper)) {
        fputs("ok    helper ", stdout);
        print_text(text_of(helper, "path"));
        printf(" (protocol %.0f)\n", cJSON_GetNumberValue(member(helper, "protocol")));
    }
    print_names("sandboxes have", member(found, "mechanisms"));
    print_limits(member(found, "limits"));
    print_languages(member(found, "languages"));
    print_latency(member(found, "latency"));
    print_collectors(member(found, "collectors"));
    print_reasons(member(found, "reasons"));
    printf("%s\n", text_of(found, "verdict"));
}

/* ---- the check ---- */

/* A collector that was named and is silent is as much a reason as a sandbox that is slow. */
static void add_collectors(cJSON *found, cJSON *collectors) {
    cJSON *reasons = cJSON_GetObjectItemCaseSensitive(found, "reasons");
    int others = cJSON_GetArraySize(reasons);
    bool silent = false;
    for (const cJSON *one = collectors ? collectors->child : NULL; one; one = one->next) {
        char what[512];
        if (cJSON_IsTrue(member(one, "answers")))
            continue;
        cJSON *reason = cJSON_CreateObject();
        snprintf(what, sizeof what, "no collector takes %s at %.300s", text_of(one, "signal"),
                 text_of(one, "endpoint"));
        cJSON_AddStringToObject(reason, "severity", "degraded");
        cJSON_AddStringToObject(reason, "code", "collector_silent");
        cJSON_AddStringToObject(reason, "what", what);
        cJSON_AddStringToObject(reason, "remedy", text_of(one, "error"));
        cJSON_AddItemToArray(reasons, reason);
        silent = true;
    }
    for (int i = 0; silent && i < others; i++) /* collectors come first */
        cJSON_AddItemToArray(reasons, cJSON_DetachItemFromArray(reasons, 0));
    cJSON_AddItemToObject(found, "collectors", collectors);
    if (silent && strcmp(text_of(found, "verdict"), "healthy") == 0)
        cli_set(found, "verdict", cJSON_CreateString("degraded"));
}

static int print(const struct doctor *d, const cJSON *found) {
    if (d->json) {
        char *text = cJSON_Print(found);
        puts(text ? text : "null");
        free(text);
    } else {
        print_findings(found);
    }
    if (fflush(stdout) != 0) {
        cli_complain(WHO, "standard output cannot be written");
        return EXIT_CHECKS_FAILED;
    }
    return strcmp(text_of(found, "verdict"), "healthy") == 0 ? EXIT_OK : EXIT_CHECKS_FAILED;
}

static int examine(const struct doctor *d, struct cli_session *session) {
    pawl_error *error = NULL;
    pawl_value *value = NULL;
    pawl_status status =
        pawl_health_check(NULL, session->ctx, &value, &error, .languages = d->language_count ? d->languages : NULL,
                          .probes = d->probes, .timeout_ns = d->timeout_ns, .require_all = d->strict);
    cJSON *found = status == PAWL_OK ? cJSON_Duplicate(pawl_value_json(value), true) : NULL;
    int result = EXIT_CHECKS_FAILED;
    if (found) {
        add_collectors(found, doctor_ask_collectors(session->ctx, d->network, COLLECTOR_NS));
        result = print(d, found);
    } else if (atomic_load(&session->interrupted)) {
        result = EXIT_INTERRUPTED;
    } else if (error) {
        cli_complain_error(WHO, error);
    } else {
        cli_complain(WHO, "out of memory");
    }
    cJSON_Delete(found);
    pawl_value_unref(value);
    pawl_error_unref(error);
    return result;
}

int cli_doctor(int argc, char **argv) {
    struct doctor d = {.probes = 0};
    struct cli_session session;
    const struct cli_watch watch = {.who = WHO};
    argv[0] = WHO; /* for getopt's own words */
    int status = parse_options(&d, argc, argv);
    if (status >= 0)
        return status;
    if (!cli_session_open(&session, &watch))
        return EXIT_CHECKS_FAILED;
    status = examine(&d, &session);
    cli_session_close(&session);
    return status;
}
