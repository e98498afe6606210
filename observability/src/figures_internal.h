/* The figures of one part of pawl as observed instruments, all of them or none. */
#ifndef PAWL_FIGURES_INTERNAL_H
#define PAWL_FIGURES_INTERNAL_H

#include <pawl/observability/metrics.h>

struct pawl_figure {
    pawl_instrument instrument;
    pawl_observe_fn observe;
};

#define PAWL_FIGURE(name_, unit_, kind_, text_, observe_)                                                              \
    {                                                                                                                  \
        .instrument = {.size = sizeof(pawl_instrument),                                                                \
                       .name = (name_),                                                                                \
                       .unit = (unit_),                                                                                \
                       .description = (text_),                                                                         \
                       .kind = (kind_)},                                                                               \
        .observe = (observe_)                                                                                          \
    }

/* See pawl_metrics_observe(). When one cannot be observed, none is that has this user. */
pawl_status pawl_figures_observe(pawl_metrics *metrics, const struct pawl_figure *figures, size_t count, void *user,
                                 pawl_error **err);
void pawl_figures_unobserve(pawl_metrics *metrics, const struct pawl_figure *figures, size_t count, void *user);

#endif
