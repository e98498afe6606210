/* Options structs grow at their end; this is the one place that checks sizes. */
#ifndef PAWL_OPTIONS_INTERNAL_H
#define PAWL_OPTIONS_INTERNAL_H

#include <pawl/error.h>

/**
 * Copies an options struct whose first field is its size. set (known bytes long) is zeroed first; given may be shorter
 * (an older caller) or longer (a newer one) as long as nothing unknown is set; NULL gives all zeroes.
 * @param who  Names the node or object in the error: PAWL_E_INVALID for a size below 8 or an unknown field that is set.
 */
pawl_status pawl_options_copy(void *set, size_t known, const void *given, const char *who, pawl_error **err);

/* An option where zero means the default and PAWL_ZERO zero. */
static inline uint64_t pawl_option(uint64_t given, uint64_t fallback) {
    return given == 0 ? fallback : given == PAWL_ZERO ? 0 : given;
}

#endif
