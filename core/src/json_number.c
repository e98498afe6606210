/* A double as JSON text. */
#include "json_number_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_INTEGER 9007199254740992.0 /* 2^53: up to here every integer is a double */

/* The host's locale may have another decimal point, of one byte or more. Returns the new length. */
static size_t mend_point(char *written, size_t length) {
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (strchr("0123456789+-e", written[i]))
            written[kept++] = written[i];
        else if (written[kept - 1] != '.')
            written[kept++] = '.';
    }
    return kept;
}

/* The fewest digits, 15 to 17, from which the same double can be read (17 always do: IEEE 754). */
static size_t format_fraction(char *written, double number) {
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(written, PAWL_JSON_NUMBER_SIZE, "%.*g", digits, number);
        if (strtod(written, NULL) == number)
            break;
    }
    return mend_point(written, (size_t)length);
}

static bool is_plain_integer(double number) {
    return fabs(number) <= LARGEST_INTEGER && number == floor(number) && !(number == 0 && signbit(number));
}

size_t pawl_json_format_number(double number, char written[PAWL_JSON_NUMBER_SIZE]) {
    if (is_plain_integer(number))
        return (size_t)snprintf(written, PAWL_JSON_NUMBER_SIZE, "%lld", (long long)number);
    if (isfinite(number))
        return format_fraction(written, number);
    memcpy(written, "null", 5);
    return 4;
}
