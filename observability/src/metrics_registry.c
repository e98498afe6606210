/* The registry's instruments and series. Everything here is made once and stays until the metrics go. */
#include "metrics_internal.h"
#include "options_internal.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MOST 255
#define UNIT_MOST 63

/* OpenTelemetry's default, made for milliseconds. */
static const double usual_bounds[] = {0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000};

/* ---- instruments ---- */

static bool is_name(const char *name) {
    if (!name || !isalpha((unsigned char)*name) || strlen(name) > NAME_MOST)
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.-/", *c))
            return false;
    return true;
}

static bool is_unit(const char *unit) {
    for (const char *c = unit ? unit : ""; *c; c++)
        if (*c < 0x20 || *c > 0x7E)
            return false;
    return !unit || strlen(unit) <= UNIT_MOST;
}

pawl_status pawl_metrics_check_instrument(const pawl_instrument *given, pawl_instrument *ret_known, pawl_error **err) {
    if (!given)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: the instrument is NULL");
    if (pawl_options_copy(ret_known, sizeof *ret_known, given, "metrics: the instrument", err) != PAWL_OK)
        return PAWL_E_INVALID;
    if (!is_name(ret_known->name))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "metrics: '%.64s' is no instrument's name; begin with a letter, then use letters, digits "
                              "and _ . - / up to 255 in all",
                              ret_known->name ? ret_known->name : "");
    const char *fault = !is_unit(ret_known->unit) ? "has a unit that is not up to 63 printable ASCII characters"
                        : ret_known->kind > PAWL_EXPONENTIAL_HISTOGRAM ? "has an unknown kind"
                        : ret_known->kind == PAWL_HISTOGRAM && ret_known->bounds
                            ? pawl_bounds_fault(ret_known->bounds, ret_known->bound_count)
                            : NULL;
    if (fault)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: instrument '%s' %s", ret_known->name, fault);
    return PAWL_OK;
}

static uint64_t hash_name(const char *name) {
    char lower[NAME_MOST + 1];
    size_t i = 0;
    for (; name[i]; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    lower[i] = '\0';
    return pawl_hash_text(lower, 0);
}

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static bool copy_texts(struct instrument *instrument, const pawl_instrument *given, struct arena *arena) {
    size_t name = strlen(given->name) + 1, unit = strlen(or_empty(given->unit)) + 1,
           description = strlen(or_empty(given->description)) + 1;
    char *block = pawl_arena_take(arena, name + unit + description);
    if (!block)
        return false;
    instrument->name = memcpy(block, given->name, name);
    instrument->unit = memcpy(block + name, or_empty(given->unit), unit);
    instrument->description = memcpy(block + name + unit, or_empty(given->description), description);
    return true;
}

static bool copy_bounds(struct instrument *instrument, const pawl_instrument *given) {
    if (given->kind != PAWL_HISTOGRAM)
        return true;
    if (!given->bounds)
        return pawl_bounds_init(&instrument->bounds, usual_bounds, sizeof usual_bounds / sizeof *usual_bounds);
    return pawl_bounds_init(&instrument->bounds, given->bounds, given->bound_count);
}

static struct instrument *add_instrument(pawl_metrics *metrics, const pawl_instrument *given, uint64_t hash,
                                         bool is_observed, pawl_error **err) {
    if (metrics->instrument_count == INSTRUMENTS) {
        pawl_error_set(err, PAWL_E_LIMIT, "metrics: there are %d instruments already", INSTRUMENTS);
        return NULL;
    }
    struct instrument *made = pawl_arena_take(&metrics->arena, sizeof *made);
    if (!made || !copy_texts(made, given, &metrics->arena) || !copy_bounds(made, given)) {
        pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
        return NULL;
    }
    made->name_hash = hash;
    made->kind = (uint32_t)given->kind;
    made->is_observed = is_observed;
    made->made_unix_ns = pawl_metrics_now(metrics);
    made->end = &made->first;
    *metrics->instruments_end = made;
    metrics->instruments_end = &made->next;
    metrics->instrument_count++;
    return made;
}

struct instrument *pawl_metrics_instrument(pawl_metrics *metrics, const pawl_instrument *given, bool is_observed,
                                           const struct instrument **ret_other, pawl_error **err) {
    uint64_t hash = hash_name(given->name);
    for (struct instrument *i = metrics->instruments; i; i = i->next) {
        if (i->name_hash != hash || strcasecmp(i->name, given->name) != 0)
            continue;
        if (i->kind == given->kind && strcmp(i->unit, or_empty(given->unit)) == 0 && i->is_observed == is_observed)
            return i;
        if (ret_other)
            *ret_other = i;
    }
    return add_instrument(metrics, given, hash, is_observed, err);
}

/* ---- the table of all series ---- */

static uint64_t hash_series(const struct instrument *instrument, const struct attribute_set *set) {
    return hash_mix(set->hash, (uint64_t)(uintptr_t)instrument);
}

static bool is_series(const pawl_series *series, const struct instrument *instrument, const struct attribute_set *set) {
    return series->instrument == instrument && series->attributes.hash == set->hash &&
           series->attributes.count == set->count &&
           pawl_attribute_set_equal(series->attributes.items, set->items, set->count);
}

/* Where it is, or would be. */
static void **find_series(const struct registry_table *table, const struct instrument *instrument,
                          const struct attribute_set *set) {
    size_t at = hash_series(instrument, set) & (table->size - 1);
    while (table->items[at] && !is_series(table->items[at], instrument, set))
        at = (at + 1) & (table->size - 1);
    return &table->items[at];
}

static uint64_t hash_of_series(const void *item) {
    const pawl_series *series = item;
    return hash_mix(series->attributes.hash, (uint64_t)(uintptr_t)series->instrument);
}

bool pawl_registry_make_room(struct registry_table *table, uint64_t (*hash_of)(const void *item)) {
    if (table->size && table->used * 2 < table->size)
        return true;
    struct registry_table more = {.size = table->size ? table->size * 2 : 64, .used = table->used};
    more.items = calloc(more.size, sizeof *more.items);
    if (!more.items)
        return false;
    for (size_t i = 0; i < table->size; i++) {
        size_t at = table->items[i] ? hash_of(table->items[i]) & (more.size - 1) : 0;
        while (table->items[i] && more.items[at])
            at = (at + 1) & (more.size - 1);
        if (table->items[i])
            more.items[at] = table->items[i];
    }
    free(table->items);
    *table = more;
    return true;
}

/* ---- series ---- */

static enum storage storage_of(const struct instrument *instrument) {
    if (instrument->kind == PAWL_HISTOGRAM)
        return instrument->durations ? STORED_DURATION : STORED_HISTOGRAM;
    if (instrument->kind == PAWL_EXPONENTIAL_HISTOGRAM)
        return STORED_EXPONENTIAL;
    if (instrument->counts_whole)
        return STORED_COUNT;
    return instrument->kind == PAWL_GAUGE || instrument->is_observed ? STORED_SHARED : STORED_SUM;
}

static uint32_t exemplar_slots(const pawl_metrics *metrics, const struct instrument *instrument) {
    if (metrics->options.no_exemplars || instrument->is_observed)
        return 0;
    return instrument->kind == PAWL_HISTOGRAM ? instrument->bounds.count + 1 : 1;
}

uint64_t pawl_metrics_possible_since(const pawl_metrics *metrics, const struct instrument *instrument,
                                     uint64_t last_unix_ns) {
    uint64_t now = metrics->latest_unix_ns, made = instrument->made_unix_ns;
    if (made > now) /* before there was the runtime's clock */
        made = metrics->start_unix_ns;
    uint64_t since = last_unix_ns > made ? last_unix_ns : made;
    return since < now ? since : now;
}

/* Source: OpenTelemetry's metrics SDK, start timestamps. */
static uint64_t start_of(pawl_metrics *metrics, const struct instrument *instrument) {
    uint64_t now = pawl_metrics_now(metrics);
    return instrument->is_observed ? pawl_metrics_possible_since(metrics, instrument, metrics->collected_unix_ns) : now;
}

/* Takes the set over, unless it fails. */
static pawl_series *new_series(pawl_metrics *metrics, struct instrument *instrument, const struct attribute_set *set) {
    pawl_series *series = pawl_arena_take(&metrics->arena, sizeof *series);
    if (!series)
        return NULL;
    series->metrics = metrics;
    series->instrument = instrument;
    series->index = metrics->series_count++;
    series->storage = storage_of(instrument);
    series->exemplar_slots = exemplar_slots(metrics, instrument);
    series->is_counter = instrument->kind == PAWL_COUNTER;
    atomic_init(&series->shared, NAN);
    series->attributes = *set;
    series->start_unix_ns = start_of(metrics, instrument);
    *instrument->end = series;
    instrument->end = &series->next;
    return series;
}

static pawl_series *overflow_of(pawl_metrics *metrics, struct instrument *instrument) {
    struct attribute_set set;
    pawl_attribute overflow = pawl_attribute_bool("otel.metric.overflow", true);
    if (instrument->overflow || pawl_attribute_set_make(&set, &overflow, 1, NULL, NULL) != PAWL_OK)
        return instrument->overflow;
    instrument->overflow = new_series(metrics, instrument, &set);
    if (!instrument->overflow)
        free(set.items);
    return instrument->overflow;
}

static pawl_series *add_series(pawl_metrics *metrics, struct instrument *instrument, struct attribute_set *set) {
    if (!pawl_registry_make_room(&metrics->series, hash_of_series))
        return NULL;
    pawl_series *series = new_series(metrics, instrument, set);
    if (!series)
        return NULL;
    *find_series(&metrics->series, instrument, set) = series;
    metrics->series.used++;
    instrument->series_count++;
    set->items = NULL;
    return series;
}

pawl_series *pawl_metrics_series_of(pawl_metrics *metrics, struct instrument *instrument, struct attribute_set *set,
                                    pawl_error **err) {
    pawl_series *series = metrics->series.size ? *find_series(&metrics->series, instrument, set) : NULL;
    bool full = instrument->series_count >= metrics->options.max_series || metrics->series.used >= ALL_SERIES;
    if (!series)
        series = full ? overflow_of(metrics, instrument) : add_series(metrics, instrument, set);
    if (!series)
        pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
    free(set->items);
    return series;
}

void pawl_metrics_free_registry(pawl_metrics *metrics) {
    for (struct instrument *i = metrics->instruments; i; i = i->next) {
        for (pawl_series *series = i->first; series; series = series->next) {
            free(series->attributes.items);
            free(atomic_load(&series->exemplars));
        }
        pawl_bounds_finish(&i->bounds);
    }
    free(metrics->series.items);
    free(metrics->nodes.items);
    pawl_arena_free(&metrics->arena);
}
