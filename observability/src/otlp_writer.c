/* OTLP's field types in both encodings; the buffer grows towards its beginning. */
#include "otlp_writer_internal.h"
#include "protobuf_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096u

/* ---- the buffer ---- */

void pawl_otlp_writer_init(struct pawl_otlp_writer *w, bool json, size_t most) {
    *w = (struct pawl_otlp_writer){.json = json, .most = most};
}

void pawl_otlp_writer_finish(struct pawl_otlp_writer *w) {
    free(w->bytes);
    *w = (struct pawl_otlp_writer){.status = PAWL_E_NOMEM};
}

static size_t capacity_of(const struct pawl_otlp_writer *w) {
    return (size_t)(w->end - w->bytes);
}

static void set_room(struct pawl_otlp_writer *w) {
    size_t capacity = capacity_of(w);
    w->room = (capacity < w->most ? capacity : w->most) - w->length;
}

void pawl_otlp_writer_reset(struct pawl_otlp_writer *w) {
    w->length = 0;
    w->status = PAWL_OK;
    set_room(w);
    if (w->ends_line)
        pawl_otlp_raw(w, "\n", 1);
}

static bool fail(struct pawl_otlp_writer *w, pawl_status status) {
    if (w->status == PAWL_OK)
        w->status = status;
    return false;
}

bool pawl_otlp_grow(struct pawl_otlp_writer *w, size_t count) {
    if (w->status != PAWL_OK)
        return false;
    if (count > w->most || w->length > w->most - count)
        return fail(w, PAWL_E_LIMIT);
    size_t capacity = capacity_of(w) < FIRST_BYTES ? FIRST_BYTES : capacity_of(w);
    while (capacity < w->length + count)
        capacity *= 2;                     /* no overflow: an object of half the address space cannot exist */
    uint8_t *bytes = malloc(capacity + 1); /* one to spare: see put_repaired() */
    if (!bytes)
        return fail(w, PAWL_E_NOMEM);
    if (w->length > 0)
        memcpy(bytes + (capacity - w->length), pawl_otlp_written(w), w->length);
    free(w->bytes);
    w->bytes = bytes;
    w->end = bytes + capacity;
    set_room(w);
    return true;
}

void pawl_otlp_raw(struct pawl_otlp_writer *w, const void *bytes, size_t count) {
    uint8_t *to = pawl_otlp_reserve(w, count);
    if (to && count > 0)
        memcpy(to, bytes, count);
}

/* ---- messages and lists ---- */

size_t pawl_otlp_open(struct pawl_otlp_writer *w) {
    if (w->json) {
        pawl_json_separate(w);
        pawl_otlp_raw(w, "}", 1);
    }
    return w->length;
}

void pawl_otlp_close(struct pawl_otlp_writer *w, size_t mark, struct pawl_otlp_field field) {
    if (w->json) {
        pawl_otlp_raw(w, "{", 1);
        pawl_json_name(w, field);
    } else {
        pawl_protobuf_length(w, field.number, w->length - mark);
    }
}

void pawl_otlp_list_open(struct pawl_otlp_writer *w) {
    if (w->json) {
        pawl_json_separate(w);
        pawl_otlp_raw(w, "]", 1);
    }
}

void pawl_otlp_list_close(struct pawl_otlp_writer *w, struct pawl_otlp_field field) {
    if (w->json) {
        pawl_otlp_raw(w, "[", 1);
        pawl_json_name(w, field);
    }
}

/* ---- text and bytes ---- */

/* The repair ends its text with a NUL, where something of ours may be. */
static size_t put_repaired(struct pawl_otlp_writer *w, const char *text, size_t length) {
    size_t repaired = pawl_utf8_lossy_into(text, length, NULL, 0);
    char *to = (char *)pawl_otlp_reserve(w, repaired);
    if (to) {
        char behind = to[repaired];
        (void)pawl_utf8_lossy_into(text, length, to, repaired + 1);
        to[repaired] = behind;
    }
    return repaired;
}

/* Most text is ASCII: nothing else has to be looked at closer. */
static bool is_ascii(const uint8_t *text, size_t length) {
    uint64_t word, seen = 0;
    for (; length >= sizeof word; text += sizeof word, length -= sizeof word) {
        memcpy(&word, text, sizeof word);
        seen |= word;
    }
    for (; length > 0; text++, length--)
        seen |= *text;
    return !(seen & UINT64_C(0x8080808080808080));
}

static void put_json_text(struct pawl_otlp_writer *w, const char *text, size_t length) {
    char *repaired = NULL;
    if (pawl_utf8_valid(text, length) != length) {
        repaired = pawl_utf8_lossy(text, length, &length);
        if (!repaired) {
            fail(w, PAWL_E_NOMEM);
            return;
        }
    }
    pawl_json_text(w, repaired ? repaired : text, length);
    free(repaired);
}

void pawl_otlp_put_text(struct pawl_otlp_writer *w, const char *text) {
    put_json_text(w, text ? text : "", text ? strlen(text) : 0);
}

void pawl_otlp_put_string_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const char *text) {
    size_t length = text ? strlen(text) : 0;
    if (w->json) {
        pawl_json_separate(w);
        put_json_text(w, text, length);
        pawl_json_name(w, field);
        return;
    }
    if (is_ascii((const uint8_t *)text, length) || pawl_utf8_valid(text, length) == length)
        pawl_otlp_raw(w, text, length);
    else
        length = put_repaired(w, text, length);
    pawl_protobuf_length(w, field.number, length);
}

void pawl_otlp_put_string(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const char *text) {
    if (text && *text)
        pawl_otlp_put_string_always(w, field, text);
}

void pawl_otlp_put_id(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const uint8_t *id, size_t bytes) {
    uint8_t any = 0;
    for (size_t i = 0; i < bytes; i++)
        any |= id[i];
    if (!any)
        return;
    if (w->json) {
        pawl_json_separate(w);
        pawl_json_hex(w, id, bytes);
        pawl_json_name(w, field);
    } else {
        pawl_otlp_raw(w, id, bytes);
        pawl_protobuf_length(w, field.number, bytes);
    }
}

/* ---- numbers ---- */

static uint64_t magnitude(int64_t number) {
    return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

static void json_number(struct pawl_otlp_writer *w, struct pawl_otlp_field field, int64_t number, bool quoted) {
    pawl_json_separate(w);
    pawl_json_integer(w, number < 0, magnitude(number), quoted);
    pawl_json_name(w, field);
}

static void varint_field(struct pawl_otlp_writer *w, uint32_t field, uint64_t number) {
    pawl_protobuf_varint(w, number);
    pawl_protobuf_tag(w, field, PAWL_WIRE_VARINT);
}

static void fixed64_field(struct pawl_otlp_writer *w, uint32_t field, uint64_t number) {
    pawl_protobuf_fixed(w, number, 8);
    pawl_protobuf_tag(w, field, PAWL_WIRE_FIXED64);
}

void pawl_otlp_put_uint32(struct pawl_otlp_writer *w, struct pawl_otlp_field field, uint32_t number) {
    if (number == 0)
        return;
    if (w->json)
        json_number(w, field, number, false);
    else
        varint_field(w, field.number, number);
}

void pawl_otlp_put_sint32(struct pawl_otlp_writer *w, struct pawl_otlp_field field, int32_t number) {
    if (number == 0)
        return;
    if (w->json)
        json_number(w, field, number, false);
    else
        varint_field(w, field.number, (uint32_t)number << 1 ^ (number < 0 ? UINT32_MAX : 0)); /* zig-zag */
}

void pawl_otlp_put_fixed32(struct pawl_otlp_writer *w, struct pawl_otlp_field field, uint32_t number) {
    if (number == 0)
        return;
    if (w->json) {
        json_number(w, field, number, false);
        return;
    }
    pawl_protobuf_fixed(w, number, 4);
    pawl_protobuf_tag(w, field.number, PAWL_WIRE_FIXED32);
}

void pawl_otlp_put_fixed64(struct pawl_otlp_writer *w, struct pawl_otlp_field field, uint64_t number) {
    if (number == 0)
        return;
    if (w->json) {
        pawl_json_separate(w);
        pawl_json_integer(w, false, number, true);
        pawl_json_name(w, field);
    } else {
        fixed64_field(w, field.number, number);
    }
}

void pawl_otlp_put_bool_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, bool flag) {
    if (w->json) {
        pawl_json_separate(w);
        pawl_otlp_raw(w, flag ? "true" : "false", flag ? 4 : 5);
        pawl_json_name(w, field);
    } else {
        varint_field(w, field.number, flag);
    }
}

void pawl_otlp_put_int64_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, int64_t number) {
    if (w->json)
        json_number(w, field, number, true);
    else
        varint_field(w, field.number, (uint64_t)number);
}

void pawl_otlp_put_sfixed64_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, int64_t number) {
    if (w->json)
        json_number(w, field, number, true);
    else
        fixed64_field(w, field.number, (uint64_t)number);
}

static uint64_t bits_of(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

void pawl_otlp_put_double_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, double number) {
    if (w->json) {
        pawl_json_separate(w);
        pawl_json_double(w, number);
        pawl_json_name(w, field);
    } else {
        fixed64_field(w, field.number, bits_of(number));
    }
}

/* ---- packed numbers ---- */

static void json_numbers(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const uint64_t *numbers,
                         size_t count) {
    pawl_otlp_list_open(w);
    for (size_t i = count; i-- > 0;) {
        pawl_json_separate(w);
        pawl_json_integer(w, false, numbers[i], true);
    }
    pawl_otlp_list_close(w, field);
}

void pawl_otlp_put_fixed64s(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const uint64_t *numbers,
                            size_t count) {
    if (count == 0)
        return;
    if (w->json) {
        json_numbers(w, field, numbers, count);
        return;
    }
    for (size_t i = count; i-- > 0;)
        pawl_protobuf_fixed(w, numbers[i], 8);
    pawl_protobuf_length(w, field.number, count * 8);
}

void pawl_otlp_put_uint64s(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const uint64_t *numbers,
                           size_t count) {
    size_t mark = w->length;
    if (count == 0)
        return;
    if (w->json) {
        json_numbers(w, field, numbers, count);
        return;
    }
    for (size_t i = count; i-- > 0;)
        pawl_protobuf_varint(w, numbers[i]);
    pawl_protobuf_length(w, field.number, w->length - mark);
}

void pawl_otlp_put_doubles(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const double *numbers,
                           size_t count) {
    if (count == 0)
        return;
    if (!w->json) {
        for (size_t i = count; i-- > 0;)
            pawl_protobuf_fixed(w, bits_of(numbers[i]), 8);
        pawl_protobuf_length(w, field.number, count * 8);
        return;
    }
    pawl_otlp_list_open(w);
    for (size_t i = count; i-- > 0;) {
        pawl_json_separate(w);
        pawl_json_double(w, numbers[i]);
    }
    pawl_otlp_list_close(w, field);
}
