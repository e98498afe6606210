/* A state machine over the tokens, with one bit per open array or object instead of recursion:
 *
 *   expects      takes                                 then expects
 *   VALUE        scalar | [ | {                        MORE | ITEM | FIRST_KEY
 *   ITEM         ] | as VALUE                          MORE | as VALUE
 *   FIRST_KEY    } | string                            MORE | COLON
 *   KEY          string                                COLON
 *   COLON        :                                     VALUE
 *   MORE         , | ] or } | (outermost) the end      VALUE or KEY | MORE
 */
#include "json_scan_internal.h"
#include "utf8_internal.h"

#include <string.h>

enum expects { VALUE, ITEM, FIRST_KEY, KEY, COLON, MORE };

struct scan {
    const char *text;
    size_t length, at, depth, max_depth;
    enum expects expects;
    struct pawl_json_scan result;
    uint8_t is_object[PAWL_JSON_DEPTH / 8 + 1];
};

static bool fault(struct scan *s, pawl_status status, const char *what) {
    s->result.status = status;
    s->result.what = what;
    s->result.offset = s->at;
    return false;
}

static bool invalid(struct scan *s, const char *what) {
    return fault(s, PAWL_E_INVALID, s->at < s->length ? what : "the text ends in the middle of the document");
}

/* The byte here; NUL at the end, which is never right inside a token. */
static char here(const struct scan *s) {
    return s->at < s->length ? s->text[s->at] : '\0';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ---- Strings ---- */

/* Reads four hexadecimal digits, or fails. */
static bool hex4(struct scan *s, unsigned *ret_unit) {
    *ret_unit = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        char c = here(s);
        char lower = (char)(c | 0x20);
        if (is_digit(c))
            *ret_unit = *ret_unit * 16 + (unsigned)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            *ret_unit = *ret_unit * 16 + (unsigned)(lower - 'a' + 10);
        else
            return invalid(s, "\\u needs four hexadecimal digits");
    }
    return true;
}

/* Behind "\u". Two escapes make one character above U+FFFF (RFC 8259, section 7). */
static bool unicode_escape(struct scan *s) {
    unsigned unit;
    unsigned low;
    size_t escape = s->at - 2;
    if (!hex4(s, &unit))
        return false;
    const char *what = NULL;
    if (unit == 0)
        what = "\\u0000 is refused: text holds no NUL, send bytes as base64";
    else if (unit >= 0xdc00 && unit <= 0xdfff)
        what = "a low surrogate without the high one before it";
    else if (unit >= 0xd800 && unit <= 0xdbff) {
        bool follows = here(s) == '\\' && s->at + 1 < s->length && s->text[s->at + 1] == 'u';
        s->at += follows ? 2 : 0;
        if (follows && !hex4(s, &low))
            return false;
        if (!follows || low < 0xdc00 || low > 0xdfff)
            what = "a high surrogate without the low one behind it";
    }
    if (!what)
        return true;
    s->at = escape;
    return fault(s, PAWL_E_INVALID, what);
}

/* Whether one of eight bytes is a quote, a backslash or a control character; may err on the safe side above such a
 * byte. A byte is zero where (x - 0x01) & ~x has its high bit: "Bit Twiddling Hacks" by Sean Eron Anderson. */
static bool has_special(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones * 0x80;
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word)) & highs;
}

static bool is_special(char c) {
    return c == '"' || c == '\\' || (uint8_t)c < 0x20;
}

/* To the next byte of a string that does not stand for itself. */
static void skip_plain(struct scan *s) {
    const char *text = s->text;
    size_t at = s->at;
    uint64_t word;
    while (at + sizeof word <= s->length && (memcpy(&word, text + at, sizeof word), !has_special(word)))
        at += sizeof word;
    while (at < s->length && !is_special(text[at]))
        at++;
    s->at = at;
}

static bool string(struct scan *s) {
    for (s->at++;;) {
        skip_plain(s);
        char c = here(s);
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c != '\\')
            return invalid(s, "a control character in a string: escape it, such as \\n");
        s->at++;
        c = here(s);
        if (c == '\0' || !strchr("\"\\/bfnrtu", c))
            return invalid(s, "an unknown escape: \\ stands before one of \" \\ / b f n r t u");
        s->at++;
        if (c == 'u' && !unicode_escape(s))
            return false;
    }
}

/* ---- Numbers and words ---- */

static bool digits(struct scan *s) {
    if (!is_digit(here(s)))
        return invalid(s, "a digit is missing");
    while (is_digit(here(s)))
        s->at++;
    return true;
}

static bool number(struct scan *s) {
    size_t start = s->at;
    s->at += here(s) == '-';
    size_t first = s->at;
    if (!digits(s))
        return false;
    if (s->text[first] == '0' && s->at - first > 1) {
        s->at = first;
        return fault(s, PAWL_E_INVALID, "a number begins with 0");
    }
    if (here(s) == '.') {
        s->at++;
        if (!digits(s))
            return false;
    }
    if (here(s) == 'e' || here(s) == 'E') {
        s->result.has_exponent = true;
        s->at++;
        s->at += here(s) == '+' || here(s) == '-';
        if (!digits(s))
            return false;
    }
    if (s->at - start <= PAWL_JSON_NUMBER_BYTES)
        return true;
    s->at = start;
    return fault(s, PAWL_E_LIMIT,
                 "a number of more than 63 characters: numbers are doubles, send longer ones as strings");
}

static bool word(struct scan *s, const char *wanted) {
    size_t length = strlen(wanted);
    if (s->length - s->at < length || memcmp(s->text + s->at, wanted, length) != 0)
        return fault(s, PAWL_E_INVALID,
                     "no JSON value: strings stand in double quotes, words are true, false and null");
    s->at += length;
    return true;
}

/* ---- Structure ---- */

static bool inside_object(const struct scan *s) {
    return s->depth > 0 && (s->is_object[s->depth / 8] >> (s->depth % 8) & 1) != 0;
}

static bool open(struct scan *s, bool is_object) {
    if (s->depth >= s->max_depth)
        return fault(s, PAWL_E_LIMIT, "nested deeper than max_depth");
    s->depth++;
    uint8_t bit = (uint8_t)(1u << (s->depth % 8));
    s->is_object[s->depth / 8] =
        (uint8_t)(is_object ? s->is_object[s->depth / 8] | bit : s->is_object[s->depth / 8] & ~bit);
    if (s->depth > s->result.depth)
        s->result.depth = s->depth;
    s->expects = is_object ? FIRST_KEY : ITEM;
    s->at++;
    return true;
}

static bool close(struct scan *s) {
    s->depth--;
    s->expects = MORE;
    s->at++;
    return true;
}

static bool value(struct scan *s) {
    char c = here(s);
    s->expects = MORE;
    switch (c) {
    case '[':
    case '{':
        return open(s, c == '{');
    case '"':
        return string(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    default:
        return c == '-' || is_digit(c) ? number(s) : word(s, "null");
    }
}

static bool key(struct scan *s) {
    s->expects = COLON;
    return here(s) == '"' ? string(s) : invalid(s, "a member's name in double quotes is missing");
}

static bool colon(struct scan *s) {
    if (here(s) != ':')
        return invalid(s, "':' is missing behind a member's name");
    s->at++;
    s->expects = VALUE;
    return true;
}

static bool more(struct scan *s) {
    bool object = inside_object(s);
    if (s->depth == 0)
        return fault(s, PAWL_E_INVALID, "something follows the document: one text holds one JSON value");
    if (here(s) == (object ? '}' : ']'))
        return close(s);
    if (here(s) != ',')
        return invalid(s, object ? "',' or '}' is missing" : "',' or ']' is missing");
    s->at++;
    s->expects = object ? KEY : VALUE;
    return true;
}

static bool token(struct scan *s) {
    switch (s->expects) {
    case ITEM:
        return here(s) == ']' ? close(s) : value(s);
    case FIRST_KEY:
        return here(s) == '}' ? close(s) : key(s);
    case KEY:
        return key(s);
    case COLON:
        return colon(s);
    case MORE:
        return more(s);
    default:
        return value(s);
    }
}

static void skip_space(struct scan *s) {
    while (here(s) == ' ' || here(s) == '\n' || here(s) == '\r' || here(s) == '\t')
        s->at++;
}

struct pawl_json_scan pawl_json_scan(const char *text, size_t length, size_t max_depth) {
    struct scan s = {.text = text, .length = length, .max_depth = max_depth};
    s.at = pawl_utf8_valid(text, length);
    if (s.at < length) {
        (void)fault(&s, PAWL_E_INVALID, "no UTF-8: send text as UTF-8 and bytes as base64");
        return s.result;
    }
    s.at = s.result.start = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (;;) {
        skip_space(&s);
        if (s.at == length && s.depth == 0 && s.expects == MORE)
            return s.result;
        if (s.at == length) {
            (void)invalid(&s, "");
            return s.result;
        }
        if (!token(&s))
            return s.result;
    }
}
