/** @file redact_internal.h  @brief The one choke point for secrets; pawl/redact.h says what is hidden.
 *
 * Known values are hidden first, then shapes in what is left, so that hiding twice is hiding once. All of it may be
 * used on any thread without a lock, beside somebody who adds secrets.
 */
#ifndef PAWL_REDACT_INTERNAL_H
#define PAWL_REDACT_INTERNAL_H

#include <pawl/redact.h>
#include <pawl/value.h>

#define PAWL_REDACTED_BYTES (sizeof PAWL_REDACTED - 1)

/* ---- known values: redact_secrets.c ---- */

/* Grows only. One thread at a time adds; any number may read meanwhile. */
struct pawl_secrets;
struct pawl_secrets *pawl_secrets_new(void);          /* NULL without memory */
void pawl_secrets_free(struct pawl_secrets *secrets); /* wipes; NULL allowed */
/* As pawl_runtime_add_secret(); who begins the messages. */
pawl_status pawl_secrets_add(struct pawl_secrets *secrets, const char *value, size_t length, const char *who,
                             pawl_error **err);

/* ---- what is to be hidden ---- */

struct pawl_redaction {
    const struct pawl_secrets *sets[2]; /* of the runtime, of one execution; NULL for none */
    const char *const *names;           /* pawl_redaction_options.names; NULL for none */
    bool shapes;
    bool cut; /* the text was cut at its end: the beginning of a known value there (4 bytes and more) is hidden too */
};

/* @param runtime NULL: no known values. @param shapes As far as the runtime's options allow. */
struct pawl_redaction pawl_redaction_of(const pawl_runtime *runtime, bool shapes);
/* Of the run that this thread is in; outside of one, as for NULL. */
struct pawl_redaction pawl_redaction_here(bool shapes);
/* Inside a runtime: its redactor, see pawl_runtime_add_secret(). NULL allowed. */
struct pawl_redactor;
void pawl_redactor_free(struct pawl_redactor *redactor);

/* ---- hiding ---- */

/* Quick look: false when there is nothing to hide for certain. */
bool pawl_redact_needed(const struct pawl_redaction *redaction, const char *text, size_t length);
/*
 * Hides. *ret_text is new text (NUL-terminated, released with free()), or NULL when there was nothing to hide. False
 * without memory: then the text must not be shown.
 */
PAWL_NODISCARD bool pawl_redact_text(const struct pawl_redaction *redaction, const char *text, size_t length,
                                     char **ret_text, size_t *ret_length);
/* What may be shown of a text: itself, PAWL_REDACTED (also without memory), or a new text, which *ret_made is then too,
 * to be released with free(); else that is NULL. key: of the attribute whose text it is, NULL for none. */
const char *pawl_redact_shown(const struct pawl_redaction *redaction, const char *key, const char *text, size_t length,
                              char **ret_made);
/*
 * Hides into a buffer, cut to whole characters, always ending in NUL (size is not 0). Allocates only when there is
 * something to hide; without memory PAWL_REDACTED is all that is written. Returns the length written.
 */
size_t pawl_redact_into(const struct pawl_redaction *redaction, const char *text, size_t length, char *buffer,
                        size_t size);
/* A new reference: to value itself when there is nothing to hide, else to a copy with all texts and member names
 * treated; with shapes a text under a telling member name goes whole. NULL without memory, or for NULL. */
PAWL_NODISCARD pawl_value *pawl_redact_value(const struct pawl_redaction *redaction, pawl_value *value);
/* Replaces *error, if it has anything to hide, by one with a cleared message and the same everything else; causes too.
 * NULL allowed. */
void pawl_redact_error(const struct pawl_redaction *redaction, pawl_error **error);

/* ---- output that arrives in pieces: known values only ---- */

/* Zero but for the first three is the start. Gives the same bytes as pawl_redact_text() would of the whole; holds back
 * only what may be the beginning of a secret, so at most the longest one without its last byte. */
struct pawl_redact_stream {
    struct pawl_redaction redaction; /* shapes and cut are not used */
    void (*emit)(void *user, const void *bytes, size_t length);
    void *user;
    char *held;
    size_t held_length, capacity;
    size_t hidden; /* of the held bytes and those to come, belonging to a secret whose replacement is written */
    bool touches;  /* the byte before was hidden */
    bool failed;   /* without memory: nothing more is emitted */
};

void pawl_redact_push(struct pawl_redact_stream *stream, const void *bytes, size_t length);
/* Emits what was held back (end of the output) and releases memory. False when memory was short. */
bool pawl_redact_finish(struct pawl_redact_stream *stream);

/* ---- between redact*.c ---- */

struct pawl_redact_range {
    size_t start, end;
};

/* Length of the longest known value at text + at, 0 for none. */
size_t pawl_secrets_match(const struct pawl_redaction *redaction, const char *text, size_t at, size_t length);
/* The first place from `at` on where a known value may begin, length for none. */
size_t pawl_secrets_skip(const struct pawl_redaction *redaction, const char *text, size_t at, size_t length);
/* Whether more text could make a known value of what begins at text + at. */
bool pawl_secrets_may_begin(const struct pawl_redaction *redaction, const char *text, size_t at, size_t length);
size_t pawl_secrets_longest(const struct pawl_redaction *redaction);
/* How many were told: what was clean when it was this many is still clean while it is. */
size_t pawl_secrets_count(const struct pawl_redaction *redaction);
bool pawl_secrets_possible(const struct pawl_redaction *redaction, const char *text, size_t length);
/* redact_forms.c: calls add for each other form of a value, of 4 bytes and more; some may be equal. False when add
 * says so, or without memory. */
bool pawl_secret_forms(const char *value, size_t length, bool (*add)(void *user, const char *form, size_t length),
                       void *user);

/* redact_shapes.c: the next shape at or after `from`. */
bool pawl_shape_next(const struct pawl_redaction *redaction, const char *text, size_t length, size_t from,
                     struct pawl_redact_range *ret_range);
/* redact_values.c: the value behind a name that counts. Where it begins and ends; false for none. */
enum pawl_name_kind {
    PAWL_NAME_PLAIN = 0,
    PAWL_NAME_FAINT,  /* key */
    PAWL_NAME_WEAK,   /* token, auth */
    PAWL_NAME_SOFT,   /* api_key, next_token: code has such variables too */
    PAWL_NAME_STRONG, /* API_KEY, password */
    PAWL_NAME_HEADER, /* Authorization */
};
struct pawl_shape_name {
    enum pawl_name_kind kind;
    size_t start;                 /* of the name in text */
    size_t value;                 /* behind separator and spaces */
    bool colon, spaced, in_query; /* by ':'; a space before or behind the separator; behind '?' or '&' */
};
bool pawl_shape_value(const char *text, size_t length, const struct pawl_shape_name *name,
                      struct pawl_redact_range *ret_range);
/* Whether it is a replacement. */
bool pawl_shape_is_hidden(const char *text, const struct pawl_redact_range *range);
/* Whether a text under this member name goes whole; of a name with dots, the last part counts. */
bool pawl_shape_hides_member(const struct pawl_redaction *redaction, const char *name, const char *text);
/* redact_names.c */
enum pawl_name_kind pawl_name_kind_of(const char *name, size_t length, const char *const *names);
bool pawl_name_is_signature(const char *name, size_t length); /* of a signed URL */

#endif
