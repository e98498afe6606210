/* Samplers, for the tracer. */
#ifndef PAWL_SAMPLER_INTERNAL_H
#define PAWL_SAMPLER_INTERNAL_H

#include <pawl/observability/sampler.h>

/* Whether it wants to be told the time. */
bool pawl_sampler_needs_time(const pawl_sampler *sampler);

/* ---- sampler_ratio.c ---- */

#define PAWL_RATIO_DIGITS_BYTES 16 /* 14 hexadecimal digits at most, and NUL */
/* T = (1 - ratio) * 2^56, rounded to what `th` writes; 2^56 and "" when none is kept. */
uint64_t pawl_ratio_threshold(double ratio, char ret_digits[PAWL_RATIO_DIGITS_BYTES]);

#endif
