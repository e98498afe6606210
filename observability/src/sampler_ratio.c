/* A share of the traces, by id: OpenTelemetry's consistent probability sampling with a 56-bit threshold. */
#include "sampler_internal.h"
#include "w3c_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS 56
#define ALL (UINT64_C(1) << BITS)
#define DIGITS 14
#define PRECISION 4 /* digits of the threshold that differ from f */

struct ratio {
    uint64_t threshold; /* ALL: none is kept */
    char digits[PAWL_RATIO_DIGITS_BYTES];
    char description[48];
};

/* The digits after the leading run of f are kept to PRECISION, rounded. What is written down is what is decided by, so
 * that whoever compares the two later finds them to agree. */
static uint64_t round_off(uint64_t threshold) {
    int leading = 0;
    while (leading < DIGITS && (threshold >> (BITS - 4 * (leading + 1)) & 0xF) == 0xF)
        leading++;
    int kept = leading + PRECISION < DIGITS ? leading + PRECISION : DIGITS;
    unsigned drop = 4u * (unsigned)(DIGITS - kept);
    uint64_t rounded = drop > 0 ? (threshold + (UINT64_C(1) << (drop - 1))) >> drop << drop : threshold;
    return rounded < ALL ? rounded : threshold;
}

static void write_digits(uint64_t threshold, char digits[PAWL_RATIO_DIGITS_BYTES]) {
    snprintf(digits, PAWL_RATIO_DIGITS_BYTES, "%014llx", (unsigned long long)threshold);
    size_t length = strlen(digits);
    while (length > 1 && digits[length - 1] == '0')
        length--;
    digits[length] = '\0';
}

/* A small share is subtracted as a whole number: beside 1 a double would lose it. */
static uint64_t exact_threshold(double ratio) {
    const double all = (double)ALL, few = 1.0 / 256;
    uint64_t threshold = ratio < few ? ALL - (uint64_t)round(ratio * all) : (uint64_t)round((1 - ratio) * all);
    return threshold < ALL ? threshold : ALL - 1;
}

uint64_t pawl_ratio_threshold(double ratio, char ret_digits[PAWL_RATIO_DIGITS_BYTES]) {
    ret_digits[0] = '\0';
    if (ratio <= 0)
        return ALL;
    uint64_t threshold = round_off(exact_threshold(ratio));
    write_digits(threshold, ret_digits);
    return threshold;
}

/* The low 56 bits of the id, unless whoever began the trace has drawn a number of its own. */
static uint64_t randomness_of(const pawl_sampling *question) {
    uint64_t number = 0;
    if (pawl_w3c_random_value(question->tracestate, &number))
        return number;
    for (int i = 9; i < 16; i++)
        number = number << 8 | question->trace_id[i];
    return number;
}

static pawl_sample sample(void *self, const pawl_sampling *question, uint64_t now_ns, char **ret_tracestate) {
    const struct ratio *ratio = self;
    (void)now_ns;
    bool kept = ratio->threshold < ALL && randomness_of(question) >= ratio->threshold;
    *ret_tracestate = pawl_w3c_set_threshold(question->tracestate, kept ? ratio->digits : NULL);
    return kept ? PAWL_SAMPLE_KEEP : PAWL_SAMPLE_DROP;
}

pawl_sampler *pawl_sampler_ratio(double value, pawl_error **err) {
    if (!(value >= 0 && value <= 1)) {
        pawl_error_set(err, PAWL_E_INVALID, "sampler: the ratio is %g; give 0 to 1", value);
        return NULL;
    }
    struct ratio *ratio = calloc(1, sizeof *ratio);
    if (!ratio) {
        pawl_error_set(err, PAWL_E_NOMEM, "sampler: out of memory");
        return NULL;
    }
    ratio->threshold = pawl_ratio_threshold(value, ratio->digits);
    snprintf(ratio->description, sizeof ratio->description, "TraceIdRatioBased{%f}", value);
    const pawl_sampler_vtable vtable = {
        .size = sizeof vtable, .description = ratio->description, .sample = sample, .destroy = free};
    return pawl_sampler_new(&vtable, ratio, err);
}
