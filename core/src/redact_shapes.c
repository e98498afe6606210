/* Text that looks like a secret. One walk from word to word; each look ahead is bounded or skips what it has seen. */
#include "redact_internal.h"
#include <string.h>

#define SPACES 16u /* between name, separator and value */

static bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits, '_' and '-'; one bit for each byte. */
static bool is_word(char c) {
    static const uint64_t bits[4] = {UINT64_C(0x03ff200000000000), UINT64_C(0x07fffffe87fffffe), 0, 0};
    return bits[(unsigned char)c >> 6] >> ((unsigned char)c & 63) & 1;
}

static size_t word_end(const char *text, size_t at, size_t length) {
    while (at < length && is_word(text[at]))
        at++;
    return at;
}

static bool begins(const char *text, size_t at, size_t end, const char *word) {
    size_t length = strlen(word);
    return end - at >= length && memcmp(text + at, word, length) == 0;
}

/* ---- keys with a well-known beginning ---- */

struct prefix {
    const char *text;
    size_t least; /* bytes behind it */
    bool dashes;  /* '-' and '_' may follow */
};

static const struct prefix prefixes[] = {
    {"sk-", 16, true},   {"sk_live_", 16, false},   {"sk_test_", 16, false}, {"rk_live_", 16, false},
    {"ghp_", 20, false}, {"gho_", 20, false},       {"ghu_", 20, false},     {"ghs_", 20, false},
    {"ghr_", 20, false}, {"github_pat_", 20, true}, {"glpat-", 16, true},    {"e2b_", 16, false},
    {"hf_", 20, false},  {"npm_", 30, false},       {"AIza", 30, true},      {"xoxa-", 14, true},
    {"xoxb-", 14, true}, {"xoxe-", 14, true},       {"xoxo-", 14, true},     {"xoxp-", 14, true},
    {"xoxr-", 14, true}, {"xoxs-", 14, true},
};

/* A digit, or letters without a break: no name made of words. */
static bool looks_made(const char *text, size_t at, size_t end, size_t least) {
    size_t run = 0;
    for (; at < end; at++) {
        if (text[at] >= '0' && text[at] <= '9')
            return true;
        run = is_alnum(text[at]) ? run + 1 : 0;
        if (run >= least)
            return true;
    }
    return false;
}

static bool is_prefixed(const char *text, size_t at, size_t end) {
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (text[at] != prefixes[i].text[0] || !begins(text, at, end, prefixes[i].text))
            continue;
        size_t from = at + strlen(prefixes[i].text), to = from;
        while (to < end && (prefixes[i].dashes || is_alnum(text[to])))
            to++;
        if (to - from >= prefixes[i].least && looks_made(text, from, to, prefixes[i].least))
            return true;
    }
    return false;
}

/* AKIA and ASIA with sixteen capitals and digits. */
static bool is_aws(const char *text, size_t at, size_t end) {
    if (end - at != 20 || (!begins(text, at, end, "AKIA") && !begins(text, at, end, "ASIA")))
        return false;
    for (size_t i = at; i < end; i++)
        if (!(text[i] >= 'A' && text[i] <= 'Z') && !(text[i] >= '0' && text[i] <= '9'))
            return false;
    return true;
}

/* RFC 7519: three parts in base64, the first of which is a JSON object. The end, or 0. */
static size_t jwt_end(const char *text, size_t at, size_t end, size_t length) {
    if (!begins(text, at, end, "eyJ") || end - at < 10)
        return 0;
    for (int part = 0; part < 2; part++) {
        if (end >= length || text[end] != '.')
            return 0;
        size_t next = word_end(text, end + 1, length);
        if (next - end < 5)
            return 0;
        end = next;
    }
    return end;
}

/* "Bearer" and a token, wherever they stand (RFC 6750, section 2.1). */
static bool find_bearer(const char *text, size_t at, size_t end, size_t length, struct pawl_redact_range *range) {
    if (end - at != 6 || memcmp(text + at, "Bearer", 6) != 0 || end >= length || text[end] != ' ')
        return false;
    size_t to = end + 1;
    while (to < length && (is_word(text[to]) || (text[to] && strchr(".~+/=", text[to]))))
        to++;
    *range = (struct pawl_redact_range){end + 1, to};
    return to - end > 16 && looks_made(text, end + 1, to, to - end);
}

/* RFC 7468: from the first dash to the last; a block that was cut, to the end. */
static bool find_pem(const char *text, size_t at, size_t length, struct pawl_redact_range *range) {
    if (!begins(text, at, length, "-----BEGIN "))
        return false;
    size_t label = at + strlen("-----BEGIN ");
    const char *dashes = memmem(text + label, length - label < 64 ? length - label : 64, "-----", 5);
    if (!dashes || !memmem(text + label, (size_t)(dashes - text) - label, "PRIVATE KEY", 11))
        return false;
    const char *last = memmem(dashes, length - (size_t)(dashes - text), "PRIVATE KEY-----", 16);
    *range = (struct pawl_redact_range){at, last ? (size_t)(last - text) + 16 : length};
    return true;
}

static bool find_key(const char *text, size_t at, size_t end, size_t length, struct pawl_redact_range *range) {
    size_t last;
    switch (text[at]) {
    case '-':
        return find_pem(text, at, length, range);
    case 'A':
        *range = (struct pawl_redact_range){at, end};
        return is_aws(text, at, end) || is_prefixed(text, at, end);
    case 'B':
        return find_bearer(text, at, end, length, range);
    case 'e':
        last = jwt_end(text, at, end, length);
        *range = (struct pawl_redact_range){at, last ? last : end};
        return last || is_prefixed(text, at, end);
    case 'g':
    case 'h':
    case 'n':
    case 'r':
    case 's':
    case 'x':
        *range = (struct pawl_redact_range){at, end};
        return is_prefixed(text, at, end);
    default:
        return false;
    }
}

/* ---- NAME=value ---- */

static size_t skip_spaces(const char *text, size_t at, size_t length) {
    for (size_t most = at + SPACES; at < length && at < most && (text[at] == ' ' || text[at] == '\t');)
        at++;
    return at;
}

/* A closing quote, escaped or not, and the bracket of an index. */
static size_t skip_quote(const char *text, size_t at, size_t length) {
    size_t quote = at;
    while (quote < length && text[quote] == '\\')
        quote++;
    if (quote >= length || (text[quote] != '"' && text[quote] != '\''))
        return at;
    quote++;
    return quote < length && text[quote] == ']' ? quote + 1 : quote;
}

/* Behind `=`, `:`, `=>` or `:=`; 0 when there is none. */
static size_t skip_separator(const char *text, size_t at, size_t length, bool *ret_colon) {
    if (at >= length || (text[at] != '=' && text[at] != ':'))
        return 0;
    *ret_colon = text[at] == ':';
    char next = at + 1 < length ? text[at + 1] : '\0';
    if (next == text[at] || (*ret_colon && next == '/')) /* a comparison, a scope, a URL */
        return 0;
    return at + 1 + (next == (*ret_colon ? '=' : '>'));
}

static bool find_named(const struct pawl_redaction *redaction, const char *text, size_t at, size_t end, size_t length,
                       struct pawl_redact_range *range) {
    struct pawl_shape_name name = {.start = at};
    size_t separator = skip_spaces(text, skip_quote(text, end, length), length);
    size_t behind = skip_separator(text, separator, length, &name.colon);
    if (behind == 0)
        return false;
    while (name.start < end && text[name.start] == '-') /* of an option */
        name.start++;
    name.in_query = at > 0 && (text[at - 1] == '?' || text[at - 1] == '&');
    name.kind = pawl_name_kind_of(text + name.start, end - name.start, redaction->names);
    if (name.in_query && pawl_name_is_signature(text + name.start, end - name.start))
        name.kind = PAWL_NAME_STRONG;
    if (name.kind == PAWL_NAME_PLAIN)
        return false;
    name.value = skip_spaces(text, behind, length);
    name.spaced = name.value > behind || (separator > end && text[separator - 1] == ' ');
    return name.value < length && pawl_shape_value(text, length, &name, range);
}

/* ---- https://user:password@host ---- */

static bool find_url(const char *text, size_t colon, size_t length, struct pawl_redact_range *range) {
    size_t start = colon + 3, at = start, last = 0, password = 0;
    if (colon == 0 || !is_alnum(text[colon - 1]) || !begins(text, colon, length, "://"))
        return false;
    for (; at < length && text[at] && !strchr("/?#\\<>\"'` \t\r\n", text[at]); at++) {
        if (text[at] == '@')
            last = at;
        else if (text[at] == ':' && last == 0 && password == 0)
            password = at + 1;
    }
    password = password ? password : start;
    if (last <= password)
        return false;
    bool is_http = (colon >= 4 && begins(text, colon - 4, colon, "http")) ||
                   (colon >= 5 && begins(text, colon - 5, colon, "https"));
    if (password == start && !is_http) /* ssh://git@host */
        return false;
    *range = (struct pawl_redact_range){password, last};
    return !pawl_shape_is_hidden(text, range);
}

/* ---- the walk ---- */

bool pawl_shape_next(const struct pawl_redaction *redaction, const char *text, size_t length, size_t from,
                     struct pawl_redact_range *ret_range) {
    while (from < length) {
        if (!is_word(text[from])) {
            if (text[from] == ':' && find_url(text, from, length, ret_range))
                return true;
            from++;
            continue;
        }
        size_t end = word_end(text, from, length);
        if (find_key(text, from, end, length, ret_range) || find_named(redaction, text, from, end, length, ret_range))
            return true;
        from = end;
    }
    return false;
}
