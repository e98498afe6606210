/** @file pawl/redact.h  @brief Keeps secrets out of what leaves a run: spans, logs, errors, results, feedback, files.
 *
 * Two kinds of text are replaced by PAWL_REDACTED.
 *
 * Known values: what pawl_runtime_add_secret() was given, wherever it occurs, inside other text too. Also in base64
 * (standard and URL alphabet, at any alignment, so inside a Basic credential), percent-encoded, and as a JSON string;
 * and of a value with several lines each line of 16 bytes and more by itself. Where values overlap, all of them go.
 *
 * Shapes: text that looks like a secret. NAME=value, NAME: value and "NAME": "value", where NAME has the part KEY,
 * TOKEN, SECRET, PASSWORD, PASSWD, PASSPHRASE, CREDENTIAL, AUTH, AUTHORIZATION or COOKIE in any case (parts are divided
 * by '_', '-' and capitals: api_key, x-api-key, apiKey; not monkey, author or tokens): the value goes, the name stays.
 * The password of a URL. Bearer tokens, keys with a well-known beginning (sk-, ghp_, e2b_, AKIA, xoxb-, ...), JSON Web
 * Tokens and PEM private keys.
 *
 * Where which applies:
 *  - spans (attributes, events, error messages), logs, error messages of the code-execution node, feedback and attempt
 *    records of pawl_fix(): both.
 *  - texts of measurements' attributes, and names of nodes in metrics: both, when the series is made; what is told
 *    later does not change a series that is there.
 *  - results, streamed output and collected files of the code-execution node: known values. A program that prints
 *    `token = next(tokens)` means no secret; the node's option redaction adds the shapes or takes all away.
 *  - judges see what the program really printed.
 *
 * Shapes are a guess in both directions: a name in front of something harmless hides it, and a secret without name or
 * known beginning is seen by nobody. Tell the values you know. Exceptions of the shapes, made so that code and compiler
 * messages stay readable: names that end in what is about a secret (KeyError, token_type, password_length, key_id); a
 * bare `key` or, not in capitals and with a space before the value, a bare `token` or `auth`, unless letters and digits
 * are mixed in it; likewise an assignment with spaces to a variable such as next_token; calls and words such as None,
 * true, str behind a space.
 *
 * The replacement never cuts a character. Text without anything to hide is not copied.
 */
#ifndef PAWL_REDACT_H
#define PAWL_REDACT_H

#include <pawl/runtime.h>

PAWL_BEGIN_DECLS

#define PAWL_REDACTED "[REDACTED]"
#define PAWL_SECRET_LEAST 4u   /**< Bytes of the shortest secret: hiding less would hide parts of ordinary words. */
#define PAWL_SECRET_MOST 4096u /**< Bytes of the longest. */
#define PAWL_SECRETS 256u      /**< Most secrets of a runtime. */

/**
 * Adds a value that must not leave. Any thread, also while runs go on; what is written after the call is covered. A
 * value that is there already counts once. The copy is wiped when the runtime ends.
 * @param value   Copied, without white space at its ends (of a file's last line). UTF-8.
 * @param length  Bytes of it.
 * @param err     PAWL_E_INVALID (shorter than PAWL_SECRET_LEAST, longer than PAWL_SECRET_MOST, no UTF-8: give its
 * base64 or hexadecimal text, or part of PAWL_REDACTED itself; NULL), PAWL_E_LIMIT (PAWL_SECRETS are there),
 * PAWL_E_NOMEM. Messages never have the value.
 */
PAWL_API pawl_status pawl_runtime_add_secret(pawl_runtime *runtime, const char *value, size_t length, pawl_error **err);

/** Zero means the default. */
typedef struct pawl_redaction_options {
    size_t size;              /**< sizeof(pawl_redaction_options); set by the macro. */
    uint64_t no_shapes;       /**< Not 0: known values only, everywhere. */
    const char *const *names; /**< Further names whose values are hidden, ends with NULL, at most 64 of 64 bytes;
                                 copied. Case does not count, '*' stands for any text: "*_dsn", "pin". NULL: none. */
} pawl_redaction_options;

/** `pawl_runtime_redaction(runtime, NULL, .no_shapes = 1)`; see pawl_runtime_set_redaction(). */
#define pawl_runtime_redaction(runtime, err, ...)                                                                      \
    pawl_runtime_set_redaction(runtime,                                                                                \
                               &(pawl_redaction_options){.size = sizeof(pawl_redaction_options), __VA_ARGS__}, err)

/**
 * Sets what counts as a shape, before the first run of the runtime and beside no other call.
 * @param options  Copied, in place of what was set before. NULL for the defaults.
 * @param err      PAWL_E_INVALID (a run has started; an option this library does not know; too many or too long names),
 * PAWL_E_NOMEM.
 */
PAWL_API pawl_status pawl_runtime_set_redaction(pawl_runtime *runtime, const pawl_redaction_options *options,
                                                pawl_error **err);

/**
 * Hides secrets in a text of your own: known values of the runtime, and shapes unless they are turned off.
 * @param runtime  NULL: no known values.
 * @param text     Borrowed. NULL gives NULL.
 * @return New text, also when nothing was hidden; released with free(). NULL without memory. Any thread.
 */
PAWL_API PAWL_NODISCARD char *pawl_runtime_redact(const pawl_runtime *runtime, const char *text);

PAWL_END_DECLS
#endif
