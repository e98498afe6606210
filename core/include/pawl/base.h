/** @file pawl/base.h  @brief Export marks, units and the values that stand for "no bound" and "really zero". */
#ifndef PAWL_BASE_H
#define PAWL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define PAWL_BEGIN_DECLS extern "C" {
#define PAWL_END_DECLS }
#else
#define PAWL_BEGIN_DECLS
#define PAWL_END_DECLS
#endif

#if defined(__GNUC__)
#define PAWL_API __attribute__((visibility("default")))
#define PAWL_NODISCARD __attribute__((warn_unused_result))
#define PAWL_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#else
#define PAWL_API
#define PAWL_NODISCARD
#define PAWL_PRINTF(format_at, first_at)
#endif

/** Durations and points in time are unsigned 64-bit nanoseconds; points in time are on the monotonic clock. */
#define PAWL_US(n) ((uint64_t)(n)*1000u)
#define PAWL_MS(n) ((uint64_t)(n)*1000000u)
#define PAWL_S(n) ((uint64_t)(n)*1000000000u)
#define PAWL_MIN(n) ((uint64_t)(n)*60000000000u)

#define PAWL_KIB(n) ((uint64_t)(n) << 10)
#define PAWL_MIB(n) ((uint64_t)(n) << 20)

/** In an option field zero means the documented default; these two say what zero cannot. Where a field does not speak
 * of them, PAWL_ZERO is zero and PAWL_UNLIMITED a bound that is never reached, and what makes no sense is
 * PAWL_E_INVALID. An argument needs neither: its 0 is zero. */
#define PAWL_UNLIMITED UINT64_MAX
#define PAWL_ZERO (UINT64_MAX - 1)

/** "No deadline" where a deadline is asked or given. */
#define PAWL_NEVER UINT64_MAX

#endif
