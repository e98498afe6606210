/* The runtime's clocks: time that never goes back, and what to add to it for the time of day. */
#ifndef PAWL_CLOCK_INTERNAL_H
#define PAWL_CLOCK_INTERNAL_H

#include <pawl/runtime.h>

/* ---- wall_clock.c ---- */

/* Virtual time begins here (2023-11-14 22:13:20 UTC), so that what a test writes down is the same every time. */
#define PAWL_VIRTUAL_EPOCH_NS INT64_C(1700000000000000000)

/* What a time of the runtime's clock lacks to the nanoseconds since 1970. It is one number for all threads and changes
 * only on request, so that the spans of one trace keep their distances when the machine's date is corrected. */
int64_t pawl_runtime_wall_offset(const pawl_runtime *runtime);
/* Looks at the date again; takes it over when it has moved by more than 10 ms. Any thread; about 100 ns. */
void pawl_runtime_refresh_wall_offset(pawl_runtime *runtime);
/* The offset now; virtual: of a runtime with hooks. */
int64_t pawl_wall_offset_now(bool is_virtual);
/* The rule of refreshing: which of two offsets is to be used. */
int64_t pawl_wall_offset_choose(int64_t used, int64_t now);

#endif
