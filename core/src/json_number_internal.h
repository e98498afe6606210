/** @file json_number_internal.h  @brief A double as JSON text: nothing is rounded away, and the host's locale does not
 * matter. */
#ifndef PAWL_JSON_NUMBER_INTERNAL_H
#define PAWL_JSON_NUMBER_INTERNAL_H

#include <pawl/base.h>

#define PAWL_JSON_NUMBER_SIZE 40

/** The fewest digits from which the same double can be read; whole numbers up to 2^53 without a fraction or exponent;
 * what JSON lacks as null. @return Length; not always ended by NUL. */
size_t pawl_json_format_number(double number, char written[PAWL_JSON_NUMBER_SIZE]);

#endif
