/* What most tests of core begin with: a virtual runtime and a context of it. The two functions are cmocka's setup and
 * teardown. */
#ifndef WORLD_H
#define WORLD_H

#include "leaves.h"
#include "virtual_runtime.h"

struct world {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_context *ctx;
    struct manual_op op; /* of a leaf that the test completes, where there is one */
};

int make_world(void **state);
/* Nothing may be alive. */
int end_world(void **state);
#define in_world(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

#endif
