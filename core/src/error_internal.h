/** @file error_internal.h  @brief How the engine makes errors late, when somebody looks at a failure. */
#ifndef PAWL_ERROR_INTERNAL_H
#define PAWL_ERROR_INTERNAL_H

#include <pawl/error.h>

#define PAWL_ERROR_MESSAGE_BYTES 1024 /* with the NUL */
#define PAWL_ERROR_CHAIN 32           /* errors in one chain of causes at most */

/**
 * Makes an error of a finished message.
 * @param info     Copied; info->cause is taken always. A longer chain than PAWL_ERROR_CHAIN loses errors next to its
 * new end: the root cause stays, and pawl_error_describe() says how many are left out.
 * @param path     Copied, NULL for none.
 * @param message  Copied as UTF-8 (other bytes become U+FFFD), cut at 1,023 bytes. NULL reads as "".
 * @return New reference, never NULL: without memory a static error of the same status that ref and unref leave alone.
 */
pawl_error *pawl_error_make(const pawl_error_info *info, const char *path, const char *message);

/**
 * Says where an error happened.
 * @param error  Taken. NULL gives NULL.
 * @param path   Copied.
 * @return New reference: the same error when it has a path, is held by nobody else, is static, or without memory; else
 * a copy that shares the cause.
 */
pawl_error *pawl_error_with_path(pawl_error *error, const char *path);

/** @return Class that a failure has when nobody gave it one: never PAWL_CLASS_DEFAULT, but for PAWL_OK. */
pawl_class pawl_status_class(pawl_status status);

/** The rule behind pawl_error_class(), for failures that are no object yet. */
pawl_class pawl_failure_class(pawl_status status, pawl_class given, pawl_started started);

/** The rule behind pawl_error_is_retryable(). */
bool pawl_failure_is_retryable(pawl_status status, pawl_class given, pawl_started started);

#endif
