/** @file w3c_internal.h  @brief The headers of W3C Trace Context level 2. Pure functions; baggage is in
 * baggage_internal.h. */
#ifndef PAWL_W3C_INTERNAL_H
#define PAWL_W3C_INTERNAL_H

#include <pawl/base.h>

#define PAWL_W3C_FLAG_SAMPLED 0x01u
#define PAWL_W3C_FLAG_RANDOM 0x02u
#define PAWL_W3C_TRACEPARENT_BYTES 56 /* text of version 00 and NUL */

struct pawl_traceparent {
    uint8_t trace_id[16]; /* not zero */
    uint8_t parent_id[8]; /* not zero */
    uint8_t flags;        /* sampled and random alone */
};

/**
 * Reads a traceparent of version 00, or what version 00 has in common with a later one. Blanks around are fine.
 * @param text  NULL reads as none.
 * @return Whether it is valid; ret_parent is untouched when not.
 */
bool pawl_w3c_parse_traceparent(const char *text, struct pawl_traceparent *ret_parent);

/** Writes version 00; flags that it does not know are written as 0. */
void pawl_w3c_format_traceparent(const struct pawl_traceparent *parent, char ret_text[PAWL_W3C_TRACEPARENT_BYTES]);

/**
 * Checks a tracestate: at most 32 entries, of which blank ones and blanks around them go, and of two with one key the
 * later one.
 * @return New text, released with free(); NULL when it is bad as a whole, empty, NULL, or without memory.
 */
PAWL_NODISCARD char *pawl_w3c_normalise_tracestate(const char *text);

/**
 * Sets an entry: it goes to the front, the others keep their order. Beyond 32 entries the last goes; beyond 512 bytes
 * whole entries go, first those over 128 bytes, then from the end, never the new one.
 * @param text   A tracestate; NULL or a bad one is none.
 * @param value  NULL removes the entry.
 * @return New text, "" when nothing is left, released with free(); NULL without memory, or when key or value are bad.
 */
PAWL_NODISCARD char *pawl_w3c_set_entry(const char *text, const char *key, const char *value);

/* OpenTelemetry's entry, ot=key:value;key:value, at most 256 bytes ("TraceState: Probability Sampling"). */

/**
 * Sets the sampling threshold th, as the first part of the entry.
 * @param threshold  Its digits; NULL removes it.
 * @return New text as of pawl_w3c_set_entry(); NULL when nothing changes, or without memory.
 */
PAWL_NODISCARD char *pawl_w3c_set_threshold(const char *text, const char *threshold);
/** Reads rv, 14 lower-case hexadecimal digits. @return Whether it is there and valid. */
bool pawl_w3c_random_value(const char *text, uint64_t *ret_number);

#endif
