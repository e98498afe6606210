/* Files, numbers, help and complaints. */
#include "clean_text_internal.h"
#include "cli.h"
#include "utf8_internal.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool cli_print_help(const char *help) {
    return fputs(help, stdout) >= 0 && fflush(stdout) == 0;
}

void cli_complain(const char *who, const char *format, ...) {
    char raw[8192], text[8192];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    (void)pawl_utf8_lossy_into(raw, strlen(raw), text, sizeof text);
    pawl_clean_text(text, "\n\t"); /* what others wrote (names of files, a server's answer) may not steer a terminal */
    fprintf(stderr, "%s: %s\n", who, text);
}

void cli_complain_error(const char *who, const pawl_error *error) {
    char text[4096];
    pawl_error_describe(error, text, sizeof text);
    cli_complain(who, "%s", text);
}

static char *read_stream(FILE *file, size_t most, size_t *ret_length) {
    size_t length = 0, capacity = 1 << 16;
    char *bytes = malloc(capacity);
    while (bytes) {
        length += fread(bytes + length, 1, capacity - 1 - length, file);
        if (length + 1 < capacity || length > most)
            break;
        capacity *= 2;
        char *more = realloc(bytes, capacity);
        if (!more)
            free(bytes);
        bytes = more;
    }
    int failed = errno;
    if (!bytes || length > most || ferror(file)) {
        errno = !bytes ? ENOMEM : length > most ? EFBIG : failed;
        free(bytes);
        return NULL;
    }
    bytes[length] = '\0';
    *ret_length = length;
    return bytes;
}

char *cli_read_file(const char *who, const char *path, size_t most, size_t *ret_length) {
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    char *bytes = file ? read_stream(file, most, ret_length) : NULL;
    int failed = errno;
    if (file && !is_stdin)
        fclose(file);
    if (!bytes)
        cli_complain(who, "%s: %s", is_stdin ? "standard input" : path, strerror(failed));
    errno = failed;
    return bytes;
}

bool cli_is_text(const char *who, const char *what, const char *text, size_t length) {
    if (pawl_utf8_valid(text, length) == length && !memchr(text, '\0', length))
        return true;
    cli_complain(who, "%s: it is no UTF-8 text without NUL bytes", what);
    return false;
}

void cli_set(cJSON *object, const char *name, cJSON *item) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    cJSON_AddItemToObject(object, name, item);
}

bool cli_parse_seconds(const char *text, double *ret_seconds) {
    char *end = NULL;
    *ret_seconds = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret_seconds) && *ret_seconds >= 0;
}

bool cli_parse_bytes(const char *text, double *ret_bytes) {
    char *end = NULL;
    *ret_bytes = strtod(text, &end);
    if (end == text || !isfinite(*ret_bytes) || *ret_bytes < 0)
        return false;
    static const char units[] = "KMGT";
    const char *unit = *end ? strchr(units, *end >= 'a' ? *end - 32 : *end) : NULL;
    if (!unit)
        return *end == '\0';
    for (const char *u = units; u <= unit; u++)
        *ret_bytes *= 1024;
    return end[1] == '\0' || (end[1] == 'i' && end[2] == 'B' && end[3] == '\0');
}

const char *cli_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *cli_language_of(const char *path) {
    static const char *const known[][2] = {{".py", "python"},      {".js", "javascript"}, {".mjs", "javascript"},
                                           {".cjs", "javascript"}, {".sh", "bash"},       {".bash", "bash"}};
    const char *dot = strrchr(cli_base_name(path), '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++)
        if (strcmp(dot, known[i][0]) == 0)
            return known[i][1];
    return NULL;
}

int cli_exit_of_result(const cJSON *result) {
    const cJSON *outcome = cJSON_GetObjectItemCaseSensitive(result, "outcome");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(result, "exit_status");
    const cJSON *signal = cJSON_GetObjectItemCaseSensitive(result, "signal");
    switch (pawl_execution_outcome_of(cJSON_GetStringValue(outcome))) {
    case PAWL_EXECUTION_OK:
        return EXIT_OK;
    case PAWL_EXECUTION_WALL_TIMEOUT:
        return EXIT_WALL_TIMEOUT;
    case PAWL_EXECUTION_CPU_LIMIT:
    case PAWL_EXECUTION_MEMORY_LIMIT:
    case PAWL_EXECUTION_OUTPUT_LIMIT:
    case PAWL_EXECUTION_PROCESS_LIMIT:
        return EXIT_LIMIT;
    case PAWL_EXECUTION_CANCELLED:
        return EXIT_INTERRUPTED;
    case PAWL_EXECUTION_CHECK_FAILED:
    case PAWL_EXECUTION_NONZERO_EXIT:
    case PAWL_EXECUTION_EXCEPTION:
    case PAWL_EXECUTION_SIGNALLED:
        if (cJSON_IsNumber(signal))
            return EXIT_SIGNAL + signal->valueint;
        return cJSON_IsNumber(status) && status->valueint != 0 ? status->valueint : EXIT_CHECKS_FAILED;
    default:
        return EXIT_NOT_STARTED;
    }
}

char *cli_read_file_option(const char *who, const char *argument, size_t most, const char **ret_name,
                           size_t *ret_length) {
    const char *equals = strchr(argument, '=');
    const char *name = equals ? equals + 1 : cli_base_name(argument);
    if (!cli_is_text(who, "--file", name, strlen(name)))
        return NULL;
    char *path = equals ? strndup(argument, (size_t)(equals - argument)) : strdup(argument);
    char *bytes = path ? cli_read_file(who, path, most, ret_length) : NULL;
    free(path);
    *ret_name = name;
    return bytes;
}
