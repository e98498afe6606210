/** @file baggage_internal.h  @brief The W3C `baggage` header: name=value pairs that travel with a trace.
 *
 * W3C Baggage (Candidate Recommendation). Bounds: 180 entries, 4,096 bytes an entry and 8,192 in all, counted as they
 * are written on the wire; an entry that does not fit is left out whole. Not thread-safe.
 */
#ifndef PAWL_BAGGAGE_INTERNAL_H
#define PAWL_BAGGAGE_INTERNAL_H

#include <pawl/error.h>

/* On the heap; NULL is empty baggage, wherever one is read. */
struct pawl_baggage;

/** Reads a header's value. Entries that are broken or over the bounds are skipped. @return NULL for none, or without
 * memory. */
struct pawl_baggage *pawl_baggage_parse(const char *text);
/**
 * Sets one entry; its properties go.
 * @param baggage  Made when needed.
 * @param value    UTF-8, copied; NULL removes.
 * @return PAWL_E_INVALID, PAWL_E_LIMIT or PAWL_E_NOMEM; nothing has changed then.
 */
pawl_status pawl_baggage_set(struct pawl_baggage **baggage, const char *key, const char *value, pawl_error **err);
/** @return Borrowed, NULL when absent. */
const char *pawl_baggage_get(const struct pawl_baggage *baggage, const char *key);
/** @param ret_baggage NULL for empty. @return false without memory. */
bool pawl_baggage_copy(const struct pawl_baggage *baggage, struct pawl_baggage **ret_baggage);
/** NULL allowed. */
void pawl_baggage_free(struct pawl_baggage *baggage);
/** @return New header text, "" for none, released with free(); NULL without memory. */
PAWL_NODISCARD char *pawl_baggage_format(const struct pawl_baggage *baggage);

#endif
