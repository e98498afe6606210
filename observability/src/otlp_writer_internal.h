/** @file otlp_writer_internal.h  @brief Writes one OTLP message, as protobuf or as JSON, from its end to its beginning.
 *
 * Written backwards, the length of a nested message is known when its header is written: neither a second pass nor
 * memory for each message is needed. So the last field comes first in the code, and lists are walked from their end.
 * One walk over the data makes both encodings, which therefore cannot differ in what they hold.
 *
 * A failure sticks: look at status once, at the end. Scalars that are zero or empty are left out, as proto3 does,
 * unless a name says otherwise.
 */
#ifndef PAWL_OTLP_WRITER_INTERNAL_H
#define PAWL_OTLP_WRITER_INTERNAL_H

#include <pawl/error.h>

/** Grows by itself, up to most bytes. */
struct pawl_otlp_writer {
    uint8_t *bytes, *end; /* what is written are the last `length` bytes before the end */
    size_t room;          /* bytes that may be written before it has to grow */
    size_t length, most;
    bool json;
    bool ends_line;     /* each request is followed by '\n' */
    pawl_status status; /* PAWL_E_LIMIT: over most; PAWL_E_NOMEM */
};

/** A field's number in protobuf, and its name in JSON; an element of a JSON array has no name. */
struct pawl_otlp_field {
    uint32_t number, name_length;
    const char *name;
};
#define FIELD(number, name) ((struct pawl_otlp_field){number, sizeof(name) - 1, name})
#define ELEMENT(number) ((struct pawl_otlp_field){number, 0, NULL})

void pawl_otlp_writer_init(struct pawl_otlp_writer *w, bool json, size_t most);
void pawl_otlp_writer_finish(struct pawl_otlp_writer *w);
/** Empties it, keeping the memory. What ends a line is written. */
void pawl_otlp_writer_reset(struct pawl_otlp_writer *w);
static inline const uint8_t *pawl_otlp_written(const struct pawl_otlp_writer *w) {
    return w->end - w->length;
}

bool pawl_otlp_grow(struct pawl_otlp_writer *w, size_t count);
/** Room for count bytes before what is written; NULL when there is none. */
static inline uint8_t *pawl_otlp_reserve(struct pawl_otlp_writer *w, size_t count) {
    if (count > w->room && !pawl_otlp_grow(w, count))
        return NULL;
    w->room -= count;
    w->length += count;
    return w->end - w->length;
}
void pawl_otlp_raw(struct pawl_otlp_writer *w, const void *bytes, size_t count);

/** A nested message: open, its fields from the last to the first, close. @return What close wants. */
size_t pawl_otlp_open(struct pawl_otlp_writer *w);
void pawl_otlp_close(struct pawl_otlp_writer *w, size_t mark, struct pawl_otlp_field field);
/** Around the elements of a repeated message, which are nested messages of that number: an array in JSON only. */
void pawl_otlp_list_open(struct pawl_otlp_writer *w);
void pawl_otlp_list_close(struct pawl_otlp_writer *w, struct pawl_otlp_field field);

/** What is no UTF-8 is replaced by U+FFFD. NULL counts as "". */
void pawl_otlp_put_string(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const char *text);
void pawl_otlp_put_string_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const char *text);
/** The text alone, of JSON. */
void pawl_otlp_put_text(struct pawl_otlp_writer *w, const char *text);
/** Bytes; in hexadecimal in JSON. Left out when all are zero. */
void pawl_otlp_put_id(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const uint8_t *id, size_t bytes);
/** uint32 and enums. */
void pawl_otlp_put_uint32(struct pawl_otlp_writer *w, struct pawl_otlp_field field, uint32_t number);
void pawl_otlp_put_sint32(struct pawl_otlp_writer *w, struct pawl_otlp_field field, int32_t number);
void pawl_otlp_put_fixed32(struct pawl_otlp_writer *w, struct pawl_otlp_field field, uint32_t number);
void pawl_otlp_put_fixed64(struct pawl_otlp_writer *w, struct pawl_otlp_field field, uint64_t number);
void pawl_otlp_put_bool_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, bool flag);
void pawl_otlp_put_int64_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, int64_t number);
void pawl_otlp_put_sfixed64_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, int64_t number);
void pawl_otlp_put_double_always(struct pawl_otlp_writer *w, struct pawl_otlp_field field, double number);
/** Packed; left out when empty. */
void pawl_otlp_put_fixed64s(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const uint64_t *numbers,
                            size_t count);
void pawl_otlp_put_uint64s(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const uint64_t *numbers,
                           size_t count);
void pawl_otlp_put_doubles(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const double *numbers,
                           size_t count);

/* ---- otlp_json_write.c: the same of JSON alone ---- */

/** A comma, when something of the same object or array follows. */
void pawl_json_separate(struct pawl_otlp_writer *w);
void pawl_json_name(struct pawl_otlp_writer *w, struct pawl_otlp_field field);
void pawl_json_text(struct pawl_otlp_writer *w, const char *text, size_t length);
void pawl_json_hex(struct pawl_otlp_writer *w, const uint8_t *bytes, size_t count);
void pawl_json_integer(struct pawl_otlp_writer *w, bool negative, uint64_t magnitude, bool quoted);
void pawl_json_double(struct pawl_otlp_writer *w, double number);

#endif
