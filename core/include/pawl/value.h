/** @file pawl/value.h  @brief Immutable, counted values: what flows between nodes.
 *
 * A value is a JSON document, or a list of values (what parallel returns; its JSON form is made when first read).
 * Values are shared, never copied: a cache hit, a branch, a retry and a pass-through hold the same one, across threads.
 * Numbers are doubles. Bytes that are no text travel as base64 beside a readable form. No value nests deeper than 1,000
 * arrays, objects and lists, so that every walk over one is bounded.
 *
 * cJSON must use libc's malloc and free (its default; see cJSON_InitHooks()).
 */
#ifndef PAWL_VALUE_H
#define PAWL_VALUE_H

#include <cjson/cJSON.h>
#include <pawl/error.h>

PAWL_BEGIN_DECLS

typedef struct pawl_value pawl_value;

/** Bounds of everything parsed from outside. Zero means the default. */
typedef struct pawl_parse_limits {
    size_t size;        /**< sizeof(pawl_parse_limits). */
    uint64_t max_bytes; /**< Of the text. Default 64 MiB. */
    uint64_t max_depth; /**< Of nested arrays and objects. Default 128, at most 1,000. */
} pawl_parse_limits;

/** @return The JSON null: static, not counted, ref and unref do nothing. */
PAWL_API pawl_value *pawl_value_null(void);
/**
 * Makes a value of a cJSON tree.
 * @param json  Taken, also on failure; must not be touched afterwards. NULL (cJSON ran out of memory) gives NULL. Its
 * strings must be UTF-8, which is the caller's to check: it is trusted here, and text from outside goes through
 * pawl_value_parse() or pawl_value_string().
 * @return New reference, or NULL without memory or when the tree is deeper than 1,000 (one walk over it finds out).
 */
PAWL_API PAWL_NODISCARD pawl_value *pawl_value_take(cJSON *json);
/** @return New reference to a JSON string (copied), or NULL without memory or when text is NULL or no UTF-8. */
PAWL_API PAWL_NODISCARD pawl_value *pawl_value_string(const char *text);
/** @return New reference, or NULL without memory. NaN and the infinities, which JSON lacks, give JSON null. */
PAWL_API PAWL_NODISCARD pawl_value *pawl_value_number(double number);
/** @return New reference, or NULL without memory. */
PAWL_API PAWL_NODISCARD pawl_value *pawl_value_bool(bool flag);
/**
 * Makes a list of values.
 * @param items  Each is referenced; a NULL item stands for JSON null. May be NULL when count is 0.
 * @return New reference, or NULL without memory or when it would nest deeper than 1,000.
 */
PAWL_API PAWL_NODISCARD pawl_value *pawl_value_list(pawl_value *const *items, size_t count);
/**
 * Parses JSON text from outside (RFC 8259, strictly). Refused: more than the limits, a number beyond a double or longer
 * than 63 characters (PAWL_E_LIMIT); broken JSON, anything but white space after the document, invalid UTF-8, half a
 * surrogate pair, an escaped or plain NUL, bad limits or a NULL argument (PAWL_E_INVALID). Messages name the byte
 * offset. PAWL_E_NOMEM. Of members with the same name all are kept and the first is read. A byte order mark at the
 * start is skipped.
 * @param text    length bytes, no terminating NUL needed.
 * @param limits  NULL for the defaults.
 * @param ret_value  New reference, set only on success.
 */
PAWL_API pawl_status pawl_value_parse(const char *text, size_t length, const pawl_parse_limits *limits,
                                      pawl_value **ret_value, pawl_error **err);

/** @return value, a new reference. NULL allowed. Any thread. */
PAWL_API pawl_value *pawl_value_ref(pawl_value *value);
/** Gives one reference back. NULL allowed. Any thread. @return NULL. */
PAWL_API pawl_value *pawl_value_unref(pawl_value *value);

/** @return Borrowed JSON form, alive as long as the value; never change it. For a list it is made at the first call
 * (any thread) and NULL without memory. NULL for a NULL value. */
PAWL_API const cJSON *pawl_value_json(const pawl_value *value);
PAWL_API bool pawl_value_is_list(const pawl_value *value);
/** @return Number of items of a list, 0 for anything else. */
PAWL_API size_t pawl_value_count(const pawl_value *value);
/** @return Borrowed item of a list, NULL out of range. */
PAWL_API pawl_value *pawl_value_item(const pawl_value *value, size_t index);
/** @return Borrowed member of an object by exact name; NULL when absent or when the value is no object. */
PAWL_API const cJSON *pawl_value_get(const pawl_value *value, const char *key);
/** @return Borrowed text of a string member, fallback when absent or no string. */
PAWL_API const char *pawl_value_get_string(const pawl_value *value, const char *key, const char *fallback);
PAWL_API double pawl_value_get_number(const pawl_value *value, const char *key, double fallback);
PAWL_API bool pawl_value_get_bool(const pawl_value *value, const char *key, bool fallback);
/** @return New JSON text without white space, released with free(); NULL without memory. A NULL value prints as null.
 * The same doubles can be read from it; whole numbers up to 2^53 have no exponent. */
PAWL_API PAWL_NODISCARD char *pawl_value_print(const pawl_value *value);
/** @return Whether both have equal JSON: numbers exactly, object members in any order, members with the same name in
 * theirs. A list equals an array of equal items, NULL equals JSON null. */
PAWL_API bool pawl_value_equal(const pawl_value *a, const pawl_value *b);

PAWL_END_DECLS
#endif
