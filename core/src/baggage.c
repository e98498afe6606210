#include "baggage_internal.h"
#include "bag_internal.h"
#include "utf8_internal.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 180u
#define ENTRY_BYTES 4096u
#define TOTAL_BYTES 8192u

struct pawl_baggage {
    struct pawl_bag bag; /* values decoded; bytes counts what is written */
};

/* ---- Characters ---- */

/* tchar of RFC 9110, section 5.6.2. */
static bool is_token(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return length > 0;
}

/* baggage-octet of W3C Baggage, but for '%', which begins an escape. */
static bool is_plain(char c) {
    return c > ' ' && c < 0x7f && !strchr("\",;\\%", c);
}

/* Text that may stand in a header as it is. */
static bool is_printable(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((text[i] < ' ' || text[i] > '~') && text[i] != '\t')
            return false;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* ---- Bounds ---- */

static size_t encoded_bytes(const char *value) {
    size_t bytes = 0;
    for (; *value; value++)
        bytes += is_plain(*value) ? 1 : 3;
    return bytes;
}

static size_t entry_bytes(const char *key, const char *value, const char *properties) {
    size_t tail = properties[0] != '\0' ? 1 + strlen(properties) : 0;
    return strlen(key) + 1 + encoded_bytes(value) + tail;
}

enum fit { FITS, ENTRY_TOO_LONG, TOO_MANY, TOO_LONG };

/* Whether the whole header stays in bounds with this entry in place of an older one. */
static enum fit fits(const struct pawl_bag *bag, const char *key, size_t bytes) {
    const struct pawl_bag_entry *old = bag ? pawl_bag_find(bag, key) : NULL;
    size_t others = bag ? bag->count - (old != NULL) : 0;
    size_t other_bytes = bag ? bag->bytes - (old ? old->bytes : 0) : 0;
    if (bytes > ENTRY_BYTES)
        return ENTRY_TOO_LONG;
    if (others >= ENTRIES)
        return TOO_MANY;
    return other_bytes + bytes + others > TOTAL_BYTES ? TOO_LONG : FITS; /* a comma for each other entry */
}

/* ---- Reading ---- */

struct piece {
    const char *text;
    size_t length;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static struct piece trim(const char *text, size_t length) {
    while (length > 0 && is_blank(*text)) {
        text++;
        length--;
    }
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    return (struct piece){text, length};
}

/* Cuts off what stands before the separator, or all; both parts are trimmed. Returns whether the separator was there.
 */
static bool cut(struct piece *rest, char separator, struct piece *ret_before) {
    const char *at = memchr(rest->text, separator, rest->length);
    size_t length = at ? (size_t)(at - rest->text) : rest->length;
    *ret_before = trim(rest->text, length);
    *rest = at ? trim(at + 1, rest->length - length - 1) : (struct piece){rest->text + rest->length, 0};
    return at != NULL;
}

/* Percent-decodes; what is no UTF-8 becomes U+FFFD. False for a broken escape or more than fits. */
static bool decode(struct piece value, char ret_text[ENTRY_BYTES + 1]) {
    char bytes[ENTRY_BYTES];
    size_t count = 0;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.text[i];
        if (count == sizeof bytes || ((uint8_t)c < ' ' && c != '\t') || c == 0x7f)
            return false;
        if (c == '%') {
            int high = i + 2 < value.length ? hex_digit(value.text[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(value.text[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        bytes[count++] = c;
    }
    return pawl_utf8_lossy_into(bytes, count, ret_text, ENTRY_BYTES + 1) <= ENTRY_BYTES;
}

static char *copy_into(char *buffer, struct piece piece) {
    memcpy(buffer, piece.text, piece.length);
    buffer[piece.length] = '\0';
    return buffer;
}

/* One list member; a bad one is nobody's error. */
static void read_member(struct pawl_bag *bag, struct piece member) {
    char key[ENTRY_BYTES + 1];
    char value[ENTRY_BYTES + 1];
    char properties[ENTRY_BYTES + 1];
    struct piece pair;
    struct piece name;
    (void)cut(&member, ';', &pair);
    if (!cut(&pair, '=', &name) || !is_token(name.text, name.length) || name.length > ENTRY_BYTES ||
        member.length > ENTRY_BYTES || !is_printable(member.text, member.length) || !decode(pair, value))
        return;
    copy_into(key, name);
    copy_into(properties, member);
    size_t bytes = entry_bytes(key, value, properties);
    if (fits(bag, key, bytes) == FITS)
        (void)pawl_bag_put(bag, key, value, properties, bytes);
}

struct pawl_baggage *pawl_baggage_parse(const char *text) {
    struct pawl_baggage *baggage = text ? calloc(1, sizeof *baggage) : NULL;
    if (!baggage)
        return NULL;
    struct piece rest = {text, strlen(text)};
    while (rest.length > 0) {
        struct piece member;
        (void)cut(&rest, ',', &member);
        read_member(&baggage->bag, member);
    }
    if (baggage->bag.count == 0) {
        pawl_baggage_free(baggage);
        return NULL;
    }
    return baggage;
}

/* ---- Setting ---- */

static pawl_status check(const struct pawl_baggage *baggage, const char *key, const char *value, size_t bytes,
                         pawl_error **err) {
    size_t length = strlen(value);
    if (pawl_utf8_valid(value, length) < length)
        return pawl_error_set(err, PAWL_E_INVALID, "baggage '%s': the value is no UTF-8 from byte %zu on; send base64",
                              key, pawl_utf8_valid(value, length));
    switch (fits(baggage ? &baggage->bag : NULL, key, bytes)) {
    case ENTRY_TOO_LONG:
        return pawl_error_set(err, PAWL_E_LIMIT, "baggage '%.40s': %zu bytes on the wire; at most %u an entry", key,
                              bytes, ENTRY_BYTES);
    case TOO_MANY:
        return pawl_error_set(err, PAWL_E_LIMIT, "baggage '%s': there are %u entries already, and no more are sent",
                              key, ENTRIES);
    case TOO_LONG:
        return pawl_error_set(err, PAWL_E_LIMIT,
                              "baggage '%.40s': with its %zu bytes the header is over %u bytes; remove other entries",
                              key, bytes, TOTAL_BYTES);
    default:
        return PAWL_OK;
    }
}

pawl_status pawl_baggage_set(struct pawl_baggage **baggage, const char *key, const char *value, pawl_error **err) {
    if (!key || !is_token(key, strlen(key)))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "baggage '%s': a key is an HTTP token: letters, digits and any of !#$%%&'*+-.^_`|~",
                              key ? key : "");
    if (!value) {
        if (*baggage)
            pawl_bag_remove(&(*baggage)->bag, key);
        return PAWL_OK;
    }
    size_t bytes = entry_bytes(key, value, "");
    pawl_status status = check(*baggage, key, value, bytes, err);
    if (status != PAWL_OK)
        return status;
    if (!*baggage)
        *baggage = calloc(1, sizeof **baggage);
    if (!*baggage || !pawl_bag_put(&(*baggage)->bag, key, value, "", bytes))
        return pawl_error_set(err, PAWL_E_NOMEM, "baggage '%.40s': no memory", key);
    return PAWL_OK;
}

const char *pawl_baggage_get(const struct pawl_baggage *baggage, const char *key) {
    const struct pawl_bag_entry *entry = baggage && key ? pawl_bag_find(&baggage->bag, key) : NULL;
    return entry ? entry->value : NULL;
}

bool pawl_baggage_copy(const struct pawl_baggage *baggage, struct pawl_baggage **ret_baggage) {
    *ret_baggage = NULL;
    if (!baggage || baggage->bag.count == 0)
        return true;
    struct pawl_baggage *copy = malloc(sizeof *copy);
    if (!copy || !pawl_bag_copy(&baggage->bag, &copy->bag)) {
        free(copy);
        return false;
    }
    *ret_baggage = copy;
    return true;
}

void pawl_baggage_free(struct pawl_baggage *baggage) {
    if (baggage)
        pawl_bag_clear(&baggage->bag);
    free(baggage);
}

/* ---- Writing ---- */

static char *put(char *at, const char *text) {
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static char *put_encoded(char *at, const char *value) {
    static const char digits[] = "0123456789ABCDEF";
    for (; *value; value++) {
        uint8_t byte = (uint8_t)*value;
        if (is_plain(*value)) {
            *at++ = *value;
        } else {
            *at++ = '%';
            *at++ = digits[byte >> 4];
            *at++ = digits[byte & 15];
        }
    }
    return at;
}

static char *put_entry(char *at, const struct pawl_bag_entry *entry) {
    at = put(at, entry->key);
    *at++ = '=';
    at = put_encoded(at, entry->value);
    if (entry->properties[0] != '\0') {
        *at++ = ';';
        at = put(at, entry->properties);
    }
    return at;
}

char *pawl_baggage_format(const struct pawl_baggage *baggage) {
    const struct pawl_bag empty = {0};
    const struct pawl_bag *bag = baggage ? &baggage->bag : &empty;
    char *text = malloc(bag->bytes + bag->count + 1);
    if (!text)
        return NULL;
    char *at = text;
    for (size_t i = 0; i < bag->count; i++) {
        if (i > 0)
            *at++ = ',';
        at = put_entry(at, bag->entries[i]);
    }
    *at = '\0';
    return text;
}
