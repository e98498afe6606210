/** @file json_scan_internal.h  @brief Strict JSON check (RFC 8259) in one pass, before cJSON sees the text.
 *
 * cJSON is lenient where a bound or an error is wanted: it takes any control character as white space, "01" as a number
 * and an escaped NUL as the end of the string, and cannot tell broken text from lack of memory. What passes here cJSON
 * parses.
 */
#ifndef PAWL_JSON_SCAN_INTERNAL_H
#define PAWL_JSON_SCAN_INTERNAL_H

#include <pawl/error.h>

#define PAWL_JSON_DEPTH 1000u      /* cJSON stops there (CJSON_NESTING_LIMIT) */
#define PAWL_JSON_NUMBER_BYTES 63u /* what fits into cJSON's buffer for one number */

struct pawl_json_scan {
    pawl_status status; /* PAWL_OK, PAWL_E_INVALID or PAWL_E_LIMIT */
    const char *what;   /* static: what is wrong and what would be right */
    size_t offset;      /* of the first byte that is wrong */
    size_t start;       /* of the document: behind a byte order mark */
    size_t depth;
    bool has_exponent; /* only such a number can be too large for a double */
};

/** @param max_depth At most PAWL_JSON_DEPTH. */
struct pawl_json_scan pawl_json_scan(const char *text, size_t length, size_t max_depth);

#endif
