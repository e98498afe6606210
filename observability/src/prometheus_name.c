/* OpenTelemetry's names and units as Prometheus' names. Source of the rules and of the units' words: OpenTelemetry,
 * "Prometheus and OpenMetrics Compatibility". */
#include "prometheus_internal.h"
#include <stdio.h>
#include <string.h>

#define LONGEST_NAME 255
#define LONGEST_UNIT 63

static const struct {
    const char *unit, *word, *per;
} units[] = {{"s", "seconds", "second"},
             {"ms", "milliseconds", NULL},
             {"us", "microseconds", NULL},
             {"ns", "nanoseconds", NULL},
             {"min", "minutes", NULL},
             {"h", "hours", "hour"},
             {"d", "days", "day"},
             {"w", NULL, "week"},
             {"mo", NULL, "month"},
             {"y", NULL, "year"},
             {"By", "bytes", NULL},
             {"KiBy", "kibibytes", NULL},
             {"MiBy", "mebibytes", NULL},
             {"GiBy", "gibibytes", NULL},
             {"TiBy", "tebibytes", NULL},
             {"KBy", "kilobytes", NULL},
             {"MBy", "megabytes", NULL},
             {"GBy", "gigabytes", NULL},
             {"TBy", "terabytes", NULL},
             {"m", "meters", "minute"},
             {"V", "volts", NULL},
             {"A", "amperes", NULL},
             {"J", "joules", NULL},
             {"W", "watts", NULL},
             {"g", "grams", NULL},
             {"Cel", "celsius", NULL},
             {"Hz", "hertz", NULL},
             {"%", "percent", NULL},
             {"1", "", NULL}};

enum pawl_prom_type pawl_prom_type_of(uint64_t instrument_kind) {
    switch (instrument_kind) {
    case PAWL_COUNTER:
        return PAWL_PROM_COUNTER;
    case PAWL_HISTOGRAM:
    case PAWL_EXPONENTIAL_HISTOGRAM:
        return PAWL_PROM_HISTOGRAM;
    default:
        return PAWL_PROM_GAUGE;
    }
}

static bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

size_t pawl_prom_clean(const char *name, char *ret_clean, size_t size) {
    size_t length = 0;
    if (*name >= '0' && *name <= '9')
        ret_clean[length++] = '_';
    for (; *name && length + 1 < size; name++) {
        bool fits = is_letter_or_digit(*name);
        if (fits || length == 0 || ret_clean[length - 1] != '_')
            ret_clean[length++] = fits ? *name : '_';
    }
    if (length == 0)
        ret_clean[length++] = '_';
    ret_clean[length] = '\0';
    return length;
}

/* ---- units ---- */

static const char *word_of(const char *unit, bool is_per) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const char *word = is_per ? units[i].per : units[i].word;
        if (word && strcmp(units[i].unit, unit) == 0)
            return word;
    }
    return unit;
}

/* One part of a unit: annotations in braces are no part of it, and '_' at its ends says nothing. */
static void unit_part(const char *unit, size_t length, bool is_per, char ret_word[LONGEST_UNIT + 1]) {
    char bare[LONGEST_UNIT + 1];
    size_t kept = 0;
    bool inside = false;
    for (size_t i = 0; i < length && kept < LONGEST_UNIT; i++) {
        if (unit[i] == '{' || unit[i] == '}')
            inside = unit[i] == '{';
        else if (!inside && unit[i] != ' ')
            bare[kept++] = unit[i];
    }
    bare[kept] = '\0';
    ret_word[0] = '\0';
    const char *word = word_of(bare, is_per);
    if (*word == '\0')
        return;
    size_t from = 0, end = pawl_prom_clean(word, bare, sizeof bare);
    while (end > 0 && bare[end - 1] == '_')
        end--;
    while (from < end && bare[from] == '_')
        from++;
    memcpy(ret_word, bare + from, end - from);
    ret_word[end - from] = '\0';
}

void pawl_prom_unit(const char *unit, bool is_gauge, char ret_words[PAWL_PROM_UNIT]) {
    char word[LONGEST_UNIT + 1], per[LONGEST_UNIT + 1] = "";
    if (is_gauge && strcmp(unit, "1") == 0)
        unit = "ratio";
    size_t length = strnlen(unit, LONGEST_UNIT), slash = strcspn(unit, "/");
    unit_part(unit, slash < length ? slash : length, false, word);
    if (slash < length)
        unit_part(unit + slash + 1, length - slash - 1, true, per);
    (void)snprintf(ret_words, PAWL_PROM_UNIT, "%s%s%s%s", word, *word && *per ? "_" : "", *per ? "per_" : "", per);
}

/* ---- names ---- */

static bool ends_with(const char *name, const char *suffix) {
    size_t length = strlen(name), suffix_length = strlen(suffix);
    return length > suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

/* What samples of a family add to its name must not end it already. */
static void strip(char *name, enum pawl_prom_type type) {
    static const char *const suffixes[] = {"_", "_total", "_created", "_bucket", "_count", "_sum", "_info"};
    size_t known = type == PAWL_PROM_COUNTER ? 3 : sizeof suffixes / sizeof *suffixes;
    for (size_t i = 0; i < known;) {
        if (ends_with(name, suffixes[i])) {
            name[strlen(name) - strlen(suffixes[i])] = '\0';
            i = 0;
        } else {
            i++;
        }
    }
}

static bool has_word(const char *name, const char *word) {
    size_t length = strlen(word);
    for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
        if ((at == name || at[-1] == '_') && (at[length] == '\0' || at[length] == '_'))
            return true;
    return false;
}

size_t pawl_prom_family_name(const pawl_metric_data *metric, char ret_name[PAWL_PROM_NAME]) {
    char unit[PAWL_PROM_UNIT];
    enum pawl_prom_type type = pawl_prom_type_of(metric->kind);
    pawl_prom_clean(metric->name, ret_name, LONGEST_NAME + 1);
    strip(ret_name, type);
    pawl_prom_unit(metric->unit, metric->kind == PAWL_GAUGE, unit);
    if (!*unit)
        return 0;
    size_t length = strlen(ret_name), unit_length = strlen(unit);
    if (!has_word(ret_name, unit)) {
        (void)snprintf(ret_name + length, PAWL_PROM_NAME - length, "_%s", unit);
        strip(ret_name, type);
        length = strlen(ret_name);
    }
    bool at_end = length > unit_length + 1 && ret_name[length - unit_length - 1] == '_' &&
                  strcmp(ret_name + length - unit_length, unit) == 0;
    return at_end ? length - unit_length : 0;
}
