/* Measurements that name their instrument and attributes each time: a small cache of the thread finds the series. */
#include "engine_internal.h"
#include "metrics_internal.h"
#include <stdlib.h>
#include <string.h>

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static bool is_instrument(const struct instrument *known, const pawl_instrument *given) {
    return known->kind == given->kind && given->name && strcmp(known->name, given->name) == 0 &&
           strcmp(known->unit, or_empty(given->unit)) == 0;
}

/* The same fingerprint is not proof: addresses are used again, and hashes can be equal. */
static bool is_slot(const struct measure_slot *slot, const pawl_instrument *instrument,
                    const pawl_attribute *attributes, size_t count) {
    const pawl_series *series = slot->series;
    if (series->attributes.count != count || !is_instrument(series->instrument, instrument))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!attributes[i].key || !pawl_attribute_equal(&series->attributes.items[slot->place[i]], &attributes[i]))
            return false;
    return true;
}

/* Leaves the slot alone when an attribute is not in the set as it was given (two of one key, a text that was cut). */
static void fill_slot(struct measure_slot *slot, uint64_t fingerprint, pawl_series *series,
                      const pawl_attribute *attributes, size_t count) {
    struct measure_slot made = {.fingerprint = fingerprint, .series = series};
    if (count > MEASURE_ATTRIBUTES || series->attributes.count != count)
        return;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < count && !pawl_attribute_equal(&series->attributes.items[at], &attributes[i]))
            at++;
        if (at == count)
            return;
        made.place[i] = (uint8_t)at;
    }
    *slot = made;
}

/* Takes over what set holds. Under the lock. ret_other: of a new instrument one of the same name. */
static pawl_series *look_up_set(pawl_metrics *metrics, const pawl_instrument *known, struct attribute_set *set,
                                const struct instrument **ret_other, pawl_error **err) {
    size_t instruments = metrics->instrument_count;
    struct instrument *instrument = pawl_metrics_instrument(metrics, known, false, ret_other, err);
    if (metrics->instrument_count == instruments)
        *ret_other = NULL; /* was told before */
    if (instrument)
        return pawl_metrics_series_of(metrics, instrument, set, err);
    free(set->items);
    return NULL;
}

/* runtime: NULL for none. */
static pawl_series *look_up(pawl_metrics *metrics, pawl_runtime *runtime, const pawl_instrument *given,
                            const pawl_attribute *attributes, size_t count, pawl_error **err) {
    const struct instrument *other = NULL;
    struct attribute_set set;
    pawl_instrument known;
    pawl_series *series = NULL;
    if (pawl_metrics_check_instrument(given, &known, err) != PAWL_OK)
        return NULL;
    pthread_mutex_lock(&metrics->lock);
    const struct pawl_redaction redaction = pawl_metrics_redaction(metrics, runtime);
    if (pawl_attribute_set_make(&set, attributes, count, &redaction, err) == PAWL_OK)
        series = look_up_set(metrics, &known, &set, &other, err);
    pthread_mutex_unlock(&metrics->lock);
    if (other && runtime)
        pawl_runtime_log(runtime, PAWL_LOG_WARN,
                         "metrics: instrument '%s' is there twice, with another kind or unit; both are kept",
                         other->name);
    return series;
}

pawl_series *pawl_metrics_series(pawl_metrics *metrics, const pawl_instrument *instrument,
                                 const pawl_attribute *attributes, size_t attribute_count, pawl_error **err) {
    return pawl_metrics_is_usable(metrics, err) ? look_up(metrics, NULL, instrument, attributes, attribute_count, err)
                                                : NULL;
}

static pawl_series *find_series(struct shard *shard, const struct attachment *attachment,
                                const pawl_instrument *instrument, const pawl_attribute *attributes, size_t count) {
    pawl_metrics *metrics = attachment->metrics;
    uint64_t start = hash_mix(metrics->id, (uint64_t)(uintptr_t)instrument);
    uint64_t fingerprint = pawl_attributes_fingerprint(attributes, count, start);
    struct measure_slot *slot = &shard->measures[fingerprint % MEASURE_SLOTS];
    if (likely(slot->series && slot->fingerprint == fingerprint && is_slot(slot, instrument, attributes, count)))
        return slot->series;
    if (pawl_runtime_is_forked(attachment->runtime))
        return NULL; /* nobody reads what a child measures, and the lock may be anybody's */
    pawl_error *err = NULL;
    pawl_series *series = look_up(metrics, attachment->runtime, instrument, attributes, count, &err);
    if (series) {
        fill_slot(slot, fingerprint, series, attributes, count);
        metrics_settle(shard);
    } else
        pawl_metrics_drop(metrics, pawl_error_status(err) == PAWL_E_NOMEM ? DROP_NO_MEMORY : DROP_INVALID);
    pawl_error_unref(err);
    return series;
}

void pawl_metrics_measure(void *self, pawl_context *ctx, const pawl_instrument *instrument, double value,
                          const pawl_attribute *attributes, size_t attribute_count) {
    const struct attachment *attachment = self;
    struct shard *shard = metrics_shard_by(attachment->metrics, attachment->id);
    if (unlikely(!shard)) {
        pawl_metrics_drop(attachment->metrics, DROP_NO_MEMORY);
        return;
    }
    pawl_series *series = find_series(shard, attachment, instrument, attributes, attribute_count);
    if (likely(series != NULL))
        pawl_metrics_record(shard, series, value, ctx);
}
