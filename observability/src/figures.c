#include "figures_internal.h"

pawl_status pawl_figures_observe(pawl_metrics *metrics, const struct pawl_figure *figures, size_t count, void *user,
                                 pawl_error **err) {
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < count && status == PAWL_OK; i++)
        status = pawl_metrics_observe(metrics, &figures[i].instrument, figures[i].observe, user, err);
    if (status != PAWL_OK)
        pawl_figures_unobserve(metrics, figures, count, user);
    return status;
}

void pawl_figures_unobserve(pawl_metrics *metrics, const struct pawl_figure *figures, size_t count, void *user) {
    for (size_t i = 0; i < count; i++)
        pawl_metrics_unobserve(metrics, figures[i].observe, user);
}
