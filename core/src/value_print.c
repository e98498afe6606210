/* JSON text of a value. cJSON's printer is not used: it rounds away the last bits of some doubles, writes whole numbers
 * from 1e15 on with an exponent (which other languages read as no integer), and would need the JSON form of a list. */
#include "json_number_internal.h"
#include "value_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256u

struct text {
    char *bytes; /* NULL: no memory */
    size_t length, size;
};

static char *reserve(struct text *text, size_t count) {
    if (text->bytes && text->size - text->length < count) {
        size_t size = text->size * 2 > text->length + count ? text->size * 2 : text->length + count;
        char *larger = realloc(text->bytes, size);
        if (!larger)
            free(text->bytes);
        text->bytes = larger;
        text->size = size;
    }
    return text->bytes ? text->bytes + text->length : NULL;
}

static void put(struct text *text, const char *bytes, size_t count) {
    char *at = reserve(text, count);
    if (!at)
        return;
    memcpy(at, bytes, count);
    text->length += count;
}

static void put_char(struct text *text, char c) {
    put(text, &c, 1);
}

/* ---- Scalars ---- */

/* What stands behind the backslash, or NUL for a character that stands for itself. */
static char escape_of(char c) {
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return (unsigned char)c < ' ' ? 'u' : '\0';
    }
}

static void put_escape(struct text *text, char c, char escape) {
    char written[8];
    int length = escape == 'u' ? snprintf(written, sizeof written, "\\u%04x", (unsigned)c)
                               : snprintf(written, sizeof written, "\\%c", escape);
    put(text, written, (size_t)length);
}

static void put_string(struct text *text, const char *string) {
    put_char(text, '"');
    while (string && *string) {
        const char *plain = string;
        char escape = '\0';
        while (*string && !(escape = escape_of(*string)))
            string++;
        put(text, plain, (size_t)(string - plain));
        if (escape)
            put_escape(text, *string++, escape);
    }
    put_char(text, '"');
}

static void put_number(struct text *text, double number) {
    char written[PAWL_JSON_NUMBER_SIZE];
    put(text, written, pawl_json_format_number(number, written));
}

/* ---- Trees. Recursion: at most PAWL_VALUE_DEPTH. ---- */

static void put_json(struct text *text, const cJSON *json);

static void put_children(struct text *text, const cJSON *json, bool named) {
    put_char(text, named ? '{' : '[');
    for (const cJSON *child = json->child; child; child = child->next) {
        if (child != json->child)
            put_char(text, ',');
        if (named) {
            put_string(text, child->string);
            put_char(text, ':');
        }
        put_json(text, child);
    }
    put_char(text, named ? '}' : ']');
}

static void put_json(struct text *text, const cJSON *json) {
    switch (json->type & 0xff) { /* without cJSON's flags */
    case cJSON_True:
        put(text, "true", 4);
        break;
    case cJSON_False:
        put(text, "false", 5);
        break;
    case cJSON_Number:
        put_number(text, json->valuedouble);
        break;
    case cJSON_String:
        put_string(text, json->valuestring);
        break;
    case cJSON_Raw:
        put(text, json->valuestring ? json->valuestring : "null", json->valuestring ? strlen(json->valuestring) : 4);
        break;
    case cJSON_Array:
    case cJSON_Object:
        put_children(text, json, cJSON_IsObject(json));
        break;
    default:
        put(text, "null", 4);
    }
}

static void put_value(struct text *text, const pawl_value *value) {
    if (!value->is_list) {
        put_json(text, pawl_value_json(value));
        return;
    }
    put_char(text, '[');
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0)
            put_char(text, ',');
        put_value(text, value->items[i]);
    }
    put_char(text, ']');
}

char *pawl_value_print(const pawl_value *value) {
    struct text text = {.bytes = malloc(FIRST_BYTES), .size = FIRST_BYTES};
    put_value(&text, value ? value : pawl_value_null());
    put_char(&text, '\0');
    return text.bytes;
}
