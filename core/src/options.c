/* Options structs: size first, grown at the end. */
#include "options_internal.h"
#include <string.h>

pawl_status pawl_options_copy(void *set, size_t known, const void *given, const char *who, pawl_error **err) {
    memset(set, 0, known);
    if (!given)
        return PAWL_OK;
    size_t size;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: options.size is %zu; set it to sizeof the options struct", who,
                              size);
    const unsigned char *bytes = given;
    for (size_t i = known; i < size; i++)
        if (bytes[i])
            return pawl_error_set(
                err, PAWL_E_INVALID,
                "%s: an option is set that this library (%zu bytes of options) does not know; use a newer one", who,
                known);
    memcpy(set, given, size < known ? size : known);
    return PAWL_OK;
}

pawl_status pawl_options_bound(const struct pawl_option_bound *bounds, size_t count, const char *who,
                               pawl_error **err) {
    for (const struct pawl_option_bound *b = bounds; b < bounds + count; b++) {
        *b->option = pawl_option(*b->option, b->fallback);
        if (*b->option < b->least || *b->option > b->most)
            return pawl_error_set(err, PAWL_E_INVALID, "%s: %s is %llu; between %llu and %llu are allowed", who,
                                  b->name, (unsigned long long)*b->option, (unsigned long long)b->least,
                                  (unsigned long long)b->most);
    }
    return PAWL_OK;
}
