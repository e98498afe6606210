/* Names that tell that a secret follows. A name is cut into parts at '_', '-' and capitals. */
#include "redact_internal.h"
#include <string.h>
#include <strings.h>

#define NAME_BYTES 100u /* a longer one is none */

struct part {
    const char *at;
    size_t length;
};

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Whether a part begins at `at`: "apiKey" at K, "APIKey" at K. */
static bool begins_part(const char *name, size_t at, size_t length) {
    if (!is_upper(name[at]))
        return false;
    return !is_upper(name[at - 1]) || (at + 1 < length && is_lower(name[at + 1]));
}

static bool is_between(char c) {
    return c == '_' || c == '-' || c == ' ';
}

static bool next_part(const char *name, size_t length, size_t *at, struct part *ret_part) {
    while (*at < length && is_between(name[*at]))
        ++*at;
    size_t start = *at;
    while (*at < length && !is_between(name[*at]) && (*at == start || !begins_part(name, *at, length)))
        ++*at;
    *ret_part = (struct part){name + start, *at - start};
    return *at > start;
}

/* Words are in lower case; the first letter decides mostly. */
static bool is_word(struct part part, const char *word) {
    return part.length > 0 && (part.at[0] | 0x20) == word[0] && strlen(word) == part.length &&
           strncasecmp(part.at, word, part.length) == 0;
}

static bool is_one_of(struct part part, const char *const *words) {
    for (; *words; words++)
        if (is_word(part, *words))
            return true;
    return false;
}

static bool ends_with(struct part part, const char *word) {
    size_t length = strlen(word);
    return part.length > length && is_word((struct part){part.at + part.length - length, length}, word);
}

/* Words that mean a secret wherever they stand. */
static bool is_hard(struct part part) {
    static const char *const words[] = {"secret",      "secrets",     "password",     "passwords",  "passwd",
                                        "passphrase",  "credential",  "credentials",  "apikey",     "apikeys",
                                        "accesskey",   "secretkey",   "privatekey",   "apitoken",   "authtoken",
                                        "accesstoken", "bearertoken", "refreshtoken", "sessionkey", NULL};
    return is_one_of(part, words) || ends_with(part, "password") || ends_with(part, "passwd") ||
           ends_with(part, "secret");
}

/* Words whose whole line is secret in a header. */
static bool is_header(struct part part) {
    static const char *const words[] = {"authorization", "cookie", "cookies", NULL};
    return is_one_of(part, words);
}

/* Words that code uses for other things too. */
static bool is_soft(struct part part) {
    static const char *const words[] = {"key", "token", "auth", NULL};
    return is_one_of(part, words);
}

/* As the last part: the name is of something about a secret. */
static bool is_about(struct part part) {
    static const char *const words[] = {
        "error",     "exception", "warning", "type",    "types",      "count",  "size",     "length", "len",
        "name",      "names",     "file",    "path",    "dir",        "url",    "uri",      "id",     "ids",
        "index",     "limit",     "limits",  "bits",    "expires",    "expiry", "ttl",      "age",    "domain",
        "algorithm", "format",    "usage",   "status",  "expiration", "max",    "min",      "policy", "mode",
        "method",    "enabled",   "prefix",  "version", "required",   "rate",   "position", "offset", NULL};
    return is_one_of(part, words);
}

/* Whether it could be any of the words above or "public", by its beginning or its end. Most parts could not. */
static bool may_count(struct part part) {
    static const char beginnings[][2] = {{'k', 'e'}, {'t', 'o'}, {'a', 'u'}, {'a', 'p'}, {'a', 'c'},
                                         {'s', 'e'}, {'p', 'a'}, {'p', 'r'}, {'p', 'u'}, {'c', 'r'},
                                         {'c', 'o'}, {'b', 'e'}, {'r', 'e'}};
    char last = (char)(part.at[part.length - 1] | 0x20);
    if (part.length > strlen("secret") && (last == 'd' || last == 't'))
        return true;
    for (size_t i = 0; part.length > 1 && i < sizeof beginnings / sizeof *beginnings; i++)
        if ((part.at[0] | 0x20) == beginnings[i][0] && (part.at[1] | 0x20) == beginnings[i][1])
            return true;
    return false;
}

static enum pawl_name_kind soft_kind(const char *name, size_t length, struct part part, size_t index) {
    bool lower = false;
    for (size_t i = 0; i < length; i++)
        lower |= is_lower(name[i]);
    if (!lower)
        return PAWL_NAME_STRONG;
    if (index > 0)
        return PAWL_NAME_SOFT;
    return is_word(part, "key") ? PAWL_NAME_FAINT : PAWL_NAME_WEAK;
}

static enum pawl_name_kind kind_by_parts(const char *name, size_t length) {
    enum pawl_name_kind kind = PAWL_NAME_PLAIN, found;
    struct part part, last = {name, 0};
    bool is_public = false;
    size_t at = 0;
    for (size_t index = 0; next_part(name, length, &at, &part); index++) {
        last = part;
        while (part.length > 1 && is_digit(part.at[part.length - 1]))
            part.length--;
        if (!may_count(part))
            continue;
        is_public |= is_word(part, "public");
        found = is_header(part) ? PAWL_NAME_HEADER
                : is_hard(part) ? PAWL_NAME_STRONG
                : is_soft(part) ? soft_kind(name, length, part, index)
                                : PAWL_NAME_PLAIN;
        kind = found > kind ? found : kind;
    }
    if (kind == PAWL_NAME_PLAIN || is_about(last) || (is_public && kind <= PAWL_NAME_STRONG))
        return PAWL_NAME_PLAIN;
    return kind;
}

/* '*' stands for any text; the usual two-finger walk. */
static bool fits(const char *pattern, const char *name, size_t length) {
    const char *star = NULL;
    size_t at = 0, again = 0;
    while (at < length) {
        if (*pattern == '*') {
            star = pattern++;
            again = at;
        } else if (*pattern && strncasecmp(pattern, name + at, 1) == 0) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

enum pawl_name_kind pawl_name_kind_of(const char *name, size_t length, const char *const *names) {
    if (length == 0 || length > NAME_BYTES)
        return PAWL_NAME_PLAIN;
    enum pawl_name_kind kind = kind_by_parts(name, length);
    for (; names && *names && kind < PAWL_NAME_STRONG; names++)
        if (fits(*names, name, length))
            kind = PAWL_NAME_STRONG;
    return kind;
}

bool pawl_name_is_signature(const char *name, size_t length) {
    static const char *const words[] = {"sig", "signature", "awsaccesskeyid", NULL};
    struct part part = {name, length};
    return is_one_of(part, words) || ends_with(part, "-signature");
}
