/* A virtual runtime whose metrics are kept. */
#ifndef SHOP_H
#define SHOP_H

#include "virtual_runtime.h"

#include <pawl/observability/metrics.h>
#include <pawl/observability/metrics_report.h>

struct shop {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_metrics *metrics;
    pawl_context *ctx; /* these two: NULL unless the test makes them; given back at the end */
    pawl_report *report;
};

void open_shop_with(struct shop *shop, pawl_metrics_options options);
void leave_shop(struct shop *shop);
/* cmocka's setup, with default options, and teardown. */
int open_shop(void **state);
int close_shop(void **state);
#define in_shop(test) cmocka_unit_test_setup_teardown(test, open_shop, close_shop)

#endif
