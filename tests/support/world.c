#include "world.h"

#include <stdlib.h>

int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->runtime = virtual_runtime(&w->time);
    w->ctx = pawl_context_new(w->runtime);
    *state = w;
    return 0;
}

int end_world(void **state) {
    struct world *w = *state;
    expect_nothing_alive(w->runtime);
    pawl_context_unref(w->ctx);
    pawl_runtime_unref(w->runtime);
    free(w);
    return 0;
}
