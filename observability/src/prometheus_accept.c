/* What a scraper asks for: Accept and Accept-Encoding (RFC 9110, sections 12.4.2, 12.5.1 and 12.5.3). */
#include "prometheus_internal.h"
#include <string.h>
#include <strings.h>

#define TOKEN 64

/* One element of a list: its name, and what its parameters say. */
struct element {
    char name[TOKEN], version[TOKEN];
    double q;
};

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

static void copy_token(char ret_token[TOKEN], const char *from, size_t length) {
    size_t kept = length < TOKEN ? length : TOKEN - 1;
    memcpy(ret_token, from, kept);
    ret_token[kept] = '\0';
}

/* 0 to 1 with three decimals at most; what is none counts as 0. Not strtod(), which reads by the host's locale. */
static double read_q(const char *text) {
    double q = 0, place = 1;
    if (*text != '0' && *text != '1')
        return 0;
    q = *text++ - '0';
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++)
            q += (place /= 10) * (*text - '0');
    return *text == '\0' && q <= 1 ? q : 0;
}

/* A value may be quoted; what could stand escaped in it is in nothing that we know. @return Behind it. */
static const char *read_value(const char *at, char ret_value[TOKEN]) {
    if (*at == '"') {
        size_t length = strcspn(++at, "\"");
        copy_token(ret_value, at, length);
        return at + length + (at[length] == '"');
    }
    size_t length = strcspn(at, " \t,;");
    copy_token(ret_value, at, length);
    return at + length;
}

static const char *read_parameter(const char *at, struct element *element) {
    char name[TOKEN], value[TOKEN] = "";
    at = skip_blanks(at);
    size_t length = strcspn(at, " \t,;=");
    copy_token(name, at, length);
    at = skip_blanks(at + length);
    if (*at == '=')
        at = read_value(skip_blanks(at + 1), value);
    if (strcasecmp(name, "q") == 0)
        element->q = read_q(value);
    else if (strcasecmp(name, "version") == 0)
        memcpy(element->version, value, sizeof value);
    return at + strcspn(at, ",;");
}

/* @return Behind the element, or NULL at the end. */
static const char *read_element(const char *at, struct element *element) {
    at += strspn(at, " \t,");
    if (!*at)
        return NULL;
    size_t length = strcspn(at, " \t,;");
    copy_token(element->name, at, length);
    element->version[0] = '\0';
    element->q = 1;
    at += length + strcspn(at + length, ",;");
    while (*at == ';')
        at = read_parameter(at + 1, element);
    return at;
}

/* ---- formats ---- */

/* How exactly a range names a type, 0: not at all. */
static int specificity(const struct element *range, const char *type, const char *major, const char *version) {
    if (strcasecmp(range->name, type) == 0)
        return *range->version == '\0' ? 3 : strcmp(range->version, version) == 0 ? 4 : 0;
    return strcasecmp(range->name, major) == 0 ? 2 : strcmp(range->name, "*/*") == 0 ? 1 : 0;
}

static void take(struct pawl_prom_choice *choice, const struct element *range, int specific, int order) {
    if (specific > choice->specific) {
        choice->q = range->q;
        choice->specific = specific;
        choice->order = order;
    }
}

void pawl_prom_accept_read(struct pawl_prom_accept *accept, const char *header) {
    struct element range;
    while ((header = read_element(header, &range))) {
        int order = accept->count++;
        take(&accept->text, &range, specificity(&range, "text/plain", "text/*", "0.0.4"), order);
        take(&accept->openmetrics, &range,
             specificity(&range, "application/openmetrics-text", "application/*", "1.0.0"), order);
    }
}

/* Text unless the other is wanted more, or as much and said first. A scraper that takes neither gets text, too: a
 * server may disregard the wish, and whoever looks with a browser sees something. */
pawl_metrics_format pawl_prom_accept_choose(const struct pawl_prom_accept *accept) {
    const struct pawl_prom_choice *text = &accept->text, *open = &accept->openmetrics;
    bool is_first = open->q == text->q && open->order < text->order;
    return open->q > 0 && (open->q > text->q || is_first) ? PAWL_OPENMETRICS : PAWL_PROMETHEUS_TEXT;
}

/* ---- encoding ---- */

bool pawl_prom_accepts_gzip(const char *header) {
    struct element coding;
    int specific = 0;
    double q = 0;
    while ((header = read_element(header, &coding))) {
        bool is_gzip = strcasecmp(coding.name, "gzip") == 0 || strcasecmp(coding.name, "x-gzip") == 0;
        int known = is_gzip ? 2 : strcmp(coding.name, "*") == 0 ? 1 : 0;
        if (known > specific) {
            specific = known;
            q = coding.q;
        }
    }
    return q > 0;
}
