/* Instruments whose values are asked for when somebody reads. */
#include "metrics_internal.h"
#include <math.h>
#include <stdlib.h>

struct pawl_observation {
    pawl_metrics *metrics;
    struct instrument *instrument;
};

pawl_status pawl_metrics_observe(pawl_metrics *metrics, const pawl_instrument *instrument, pawl_observe_fn observe,
                                 void *user, pawl_error **err) {
    pawl_instrument known;
    if (!pawl_metrics_is_usable(metrics, err) || pawl_metrics_check_instrument(instrument, &known, err) != PAWL_OK)
        return PAWL_E_INVALID;
    if (!observe || known.kind > PAWL_GAUGE)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "metrics: '%s' cannot be observed; it takes a function and a counter, an up-down counter "
                              "or a gauge",
                              known.name);
    struct observed *made = calloc(1, sizeof *made);
    if (!made)
        return pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
    pthread_mutex_lock(&metrics->collecting);
    pthread_mutex_lock(&metrics->lock);
    pawl_status status = PAWL_OK;
    made->instrument = pawl_metrics_instrument(metrics, &known, true, NULL, err);
    if (!made->instrument)
        status = metrics->instrument_count < INSTRUMENTS ? PAWL_E_NOMEM : PAWL_E_LIMIT;
    else if (metrics->observed_count == OBSERVED)
        status = pawl_error_set(err, PAWL_E_LIMIT, "metrics: %d callbacks are registered already", OBSERVED);
    pthread_mutex_unlock(&metrics->lock);
    if (status == PAWL_OK) {
        made->observe = observe;
        made->user = user;
        made->next = metrics->observed;
        metrics->observed = made;
        metrics->observed_count++;
    } else
        free(made);
    pthread_mutex_unlock(&metrics->collecting);
    return status;
}

void pawl_metrics_unobserve(pawl_metrics *metrics, pawl_observe_fn observe, void *user) {
    if (!pawl_metrics_is_usable(metrics, NULL))
        return;
    pthread_mutex_lock(&metrics->collecting);
    for (struct observed **at = &metrics->observed, *one = *at; one; one = *at) {
        if (one->observe != observe || one->user != user) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        metrics->observed_count--;
        free(one);
    }
    pthread_mutex_unlock(&metrics->collecting);
}

void pawl_metrics_run_observed(pawl_metrics *metrics) {
    metrics->round++;
    for (const struct observed *one = metrics->observed; one; one = one->next) {
        struct pawl_observation observation = {.metrics = metrics, .instrument = one->instrument};
        one->observe(one->user, &observation);
    }
}

/* Of the series beyond the limit there are several values; they are added up. */
static void set_value(pawl_series *series, double value) {
    bool is_first = series->round != series->metrics->round;
    series->round = series->metrics->round;
    if (!is_first && series == series->instrument->overflow)
        value += atomic_load_explicit(&series->shared, memory_order_relaxed);
    atomic_store_explicit(&series->shared, value, memory_order_relaxed);
}

void pawl_observation_report(pawl_observation *observation, double value, const pawl_attribute *attributes,
                             size_t attribute_count) {
    pawl_metrics *metrics = observation->metrics;
    bool is_negative = observation->instrument->kind == PAWL_COUNTER && value < 0;
    struct attribute_set set;
    pawl_error *err = NULL;
    if (!isfinite(value) || is_negative) {
        pawl_metrics_drop(metrics, is_negative ? DROP_NEGATIVE : DROP_NOT_FINITE);
        return;
    }
    pawl_series *series = NULL;
    pthread_mutex_lock(&metrics->lock);
    const struct pawl_redaction redaction = pawl_metrics_redaction(metrics, NULL);
    if (pawl_attribute_set_make(&set, attributes, attribute_count, &redaction, &err) == PAWL_OK)
        series = pawl_metrics_series_of(metrics, observation->instrument, &set, &err);
    pthread_mutex_unlock(&metrics->lock);
    if (series)
        set_value(series, value);
    else
        pawl_metrics_drop(metrics, pawl_error_status(err) == PAWL_E_NOMEM ? DROP_NO_MEMORY : DROP_INVALID);
    pawl_error_unref(err);
}
