/* A sandbox provider that runs nothing: each program ends as the test has set it, in no time but the fake clock's. */
#ifndef PLAY_PROVIDER_H
#define PLAY_PROVIDER_H

#include <pawl/integrations/sandbox.h>
#include <stdatomic.h>

#include "virtual_runtime.h"

/* All zero is a program that ends well at once. Must outlive the provider. */
struct play {
    struct fake_clock *time; /* moved by take_ns while a program runs; NULL: not at all */
    uint64_t create_ns;      /* of a result's timings; those two pass when time is given */
    uint64_t run_ns;
    uint64_t cpu_ns;
    uint64_t outcome; /* pawl_execution_outcome */
    int64_t exit_status;
    const char *error_name, *error_value; /* of an uncaught error */
    const char *missing;                  /* mechanisms, of the result */
    bool did_not_start;                   /* a result of a program that never ran */
    pawl_status fails;                    /* not PAWL_OK: no result, but this error */
    pawl_started started;                 /* of that error */
    const char *says;                     /* its message */
    bool create_fails;                    /* when the sandbox is made */
    const char *lacks_language;           /* PAWL_E_UNSUPPORTED for it */
    const char *prints;                   /* on stdout */
    atomic_uint created, ran;             /* how often */
};

/* New reference; the test fails without one. */
pawl_sandbox_provider *play_provider(struct play *play);
/* NULL without memory. */
pawl_sandbox_provider *play_provider_or_null(struct play *play);

#endif
