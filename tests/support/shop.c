#include "shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

void open_shop_with(struct shop *shop, pawl_metrics_options options) {
    options.size = sizeof options;
    *shop = (struct shop){.metrics = pawl_metrics_new(&options, NULL)};
    assert_non_null(shop->metrics);
    shop->runtime = virtual_runtime(&shop->time);
    assert_int_equal(pawl_metrics_attach(shop->metrics, shop->runtime, NULL), PAWL_OK);
}

void leave_shop(struct shop *shop) {
    pawl_context_unref(shop->ctx);
    pawl_report_free(shop->report);
    pawl_metrics_unref(shop->metrics);
    pawl_runtime_unref(shop->runtime);
}

int open_shop(void **state) {
    static struct shop shop;
    open_shop_with(&shop, (pawl_metrics_options){0});
    *state = &shop;
    return 0;
}

int close_shop(void **state) {
    leave_shop(*state);
    return 0;
}
