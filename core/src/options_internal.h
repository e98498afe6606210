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

/* One option of a table: where it is, and what it may be once PAWL_ZERO and the default are resolved. */
struct pawl_option_bound {
    const char *name;
    uint64_t *option, fallback, least, most;
};

/**
 * Resolves options and checks each.
 * @param who  As above: PAWL_E_INVALID names the first that is out of its bounds, the value and the bounds.
 */
pawl_status pawl_options_bound(const struct pawl_option_bound *bounds, size_t count, const char *who, pawl_error **err);

#endif
