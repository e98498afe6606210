/* One call sets up what observes a virtual runtime, and what it writes and warns of is heard. */
#ifndef OBSERVED_H
#define OBSERVED_H

#include "virtual_runtime.h"

#include <pawl/observability/observability.h>

/* cmocka's set-up and tear-down: none of the variables is set that pawl_observe() reads and tests set. */
int forget_environment(void **state);
/* Sets a variable. */
void say(const char *name, const char *value);

struct heard {
    char text[16384];
    size_t warnings;
};
/* A console, and who is warned; user is a struct heard. */
void hear(void *user, const char *text, size_t length);
void hear_warning(void *user, const char *text);

struct observed {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_trace_memory *memory;
    pawl_exporter *exporter;
    struct heard console, warned;
};

/* In virtual time: nothing happens by itself. */
struct observed *new_observed(void);
void free_observed(struct observed *observed);

#define observe_in(bed, ...)                                                                                           \
    pawl_observe((bed)->runtime, NULL, .read_environment = 1, .console = hear, .console_user = &(bed)->console,        \
                 .warn = hear_warning, .warn_user = &(bed)->warned, __VA_ARGS__)
#define to_memory(bed) .exporters = &(bed)->exporter, .exporter_count = 1

/* Runs a leaf "worker" that sets an attribute and logs "something", once. */
void run_worker(pawl_runtime *runtime);

#endif
