/* The registry's nodes, and the instruments that every primitive is measured with. */
#include "metrics_internal.h"
#include <stdlib.h>
#include <string.h>

/* From a microsecond up; those of the seed project's tta_execution_duration_seconds are among them. */
static const double durations[] = {1e-6, 1e-5, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                   0.25, 0.5,  1,    2.5,   5,     10,   30,    60,   300};
/* Source: OpenTelemetry's semantic conventions for generative AI, gen_ai.workflow.duration. */
static const double workflow_durations[] = {1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200};

static const char *const drop_words[DROPS] = {"not_finite", "negative", "invalid", "no_memory"};

/* ---- our own instruments ---- */

static struct instrument *own(pawl_metrics *metrics, pawl_instrument given) {
    given.size = sizeof given;
    return pawl_metrics_instrument(metrics, &given, false, NULL, NULL);
}

/* These are added to from anywhere, a few times at most. */
static pawl_series *make_shared(pawl_metrics *metrics, struct instrument *instrument, const char *key,
                                const char *text) {
    struct attribute_set set;
    pawl_attribute attribute = pawl_attribute_string(key, text);
    if (!instrument || pawl_attribute_set_make(&set, &attribute, 1, NULL, NULL) != PAWL_OK)
        return NULL;
    pawl_series *series = pawl_metrics_series_of(metrics, instrument, &set, NULL);
    if (series)
        series->storage = STORED_SHARED;
    return series;
}

bool pawl_metrics_register_own(pawl_metrics *metrics) {
    struct own_instruments *o = &metrics->own;
    o->duration = own(metrics, (pawl_instrument){.name = "pawl.primitive.duration",
                                                 .unit = "s",
                                                 .description = "How long the nodes of pipelines took",
                                                 .kind = PAWL_HISTOGRAM,
                                                 .bounds = durations,
                                                 .bound_count = sizeof durations / sizeof *durations});
    o->active = own(metrics, (pawl_instrument){.name = "pawl.primitive.active",
                                               .unit = "{execution}",
                                               .description = "Nodes of pipelines that are running",
                                               .kind = PAWL_UP_DOWN_COUNTER});
    o->workflow = own(metrics, (pawl_instrument){.name = "gen_ai.workflow.duration",
                                                 .unit = "s",
                                                 .description = "How long whole runs took",
                                                 .kind = PAWL_HISTOGRAM,
                                                 .bounds = workflow_durations,
                                                 .bound_count = sizeof workflow_durations / sizeof(double)});
    o->dropped = own(metrics, (pawl_instrument){.name = "pawl.metrics.dropped",
                                                .unit = "{measurement}",
                                                .description = "Measurements that were not taken",
                                                .kind = PAWL_COUNTER});
    o->exported = own(metrics, (pawl_instrument){.name = "otel.sdk.exporter.metric_data_point.exported",
                                                 .unit = "{data_point}",
                                                 .description = "Points handed to an exporter",
                                                 .kind = PAWL_COUNTER});
    if (o->active)
        o->active->counts_whole = true;
    if (o->duration && o->workflow) {
        pawl_durations_init(&o->durations, durations, sizeof durations / sizeof *durations);
        pawl_durations_init(&o->workflow_durations, workflow_durations, sizeof workflow_durations / sizeof(double));
        o->duration->durations = &o->durations;
        o->workflow->durations = &o->workflow_durations;
    }
    bool all = o->duration && o->active && o->workflow && o->exported;
    for (size_t i = 0; i < DROPS; i++) {
        metrics->dropped[i] = make_shared(metrics, o->dropped, "pawl.drop.reason", drop_words[i]);
        all = all && metrics->dropped[i];
    }
    return all;
}

/* ---- nodes ---- */

static void **find_node(const struct registry_table *table, const char *type, const char *name, uint64_t hash) {
    size_t at = hash & (table->size - 1);
    for (;; at = (at + 1) & (table->size - 1)) {
        const struct node *node = table->items[at];
        if (!node || (node->hash == hash && strcmp(node->name, name) == 0 && strcmp(node->type, type) == 0))
            return &table->items[at];
    }
}

static uint64_t hash_of_node(const void *item) {
    return ((const struct node *)item)->hash;
}

static pawl_series *series_by(pawl_metrics *metrics, struct instrument *instrument, const pawl_attribute *attributes,
                              size_t count) {
    const struct pawl_redaction redaction = pawl_metrics_redaction(metrics, NULL); /* of the run that the node is in */
    struct attribute_set set;
    if (pawl_attribute_set_make(&set, attributes, count, &redaction, NULL) != PAWL_OK)
        return NULL;
    return pawl_metrics_series_of(metrics, instrument, &set, NULL);
}

static bool copy_names(struct node *node, const char *type, const char *name, struct arena *arena) {
    size_t type_bytes = strlen(type) + 1, name_bytes = strlen(name) + 1;
    char *block = pawl_arena_take(arena, type_bytes + name_bytes);
    if (!block)
        return false;
    node->type = memcpy(block, type, type_bytes);
    node->name = memcpy(block + type_bytes, name, name_bytes);
    return true;
}

static struct node *new_node(pawl_metrics *metrics, const char *type, const char *name, uint64_t hash) {
    struct node *node = pawl_arena_take(&metrics->arena, sizeof *node);
    pawl_attribute attributes[] = {pawl_attribute_string("pawl.primitive.type", type),
                                   pawl_attribute_string("pawl.node.name", name)};
    if (!node || (name && !copy_names(node, type, name, &metrics->arena)))
        return NULL;
    node->active = series_by(metrics, metrics->own.active, attributes, 2);
    if (!node->active)
        return NULL;
    node->hash = hash;
    node->index = metrics->node_count++;
    return node;
}

struct node *pawl_metrics_node(pawl_metrics *metrics, const char *type, const char *name) {
    uint64_t hash = pawl_hash_text(name, pawl_hash_text(type, 0));
    struct registry_table *table = &metrics->nodes;
    struct node *known = table->size ? *find_node(table, type, name, hash) : NULL;
    if (known)
        return known;
    if (table->used >= metrics->options.max_series) {
        if (!metrics->overflow_node)
            metrics->overflow_node = new_node(metrics, NULL, NULL, 0);
        return metrics->overflow_node;
    }
    struct node *node = pawl_registry_make_room(table, hash_of_node) ? new_node(metrics, type, name, hash) : NULL;
    if (node) {
        *find_node(table, type, name, hash) = node;
        table->used++;
    }
    return node;
}

pawl_series *pawl_metrics_ended(pawl_metrics *metrics, struct node *node, pawl_status status) {
    pawl_attribute attributes[] = {pawl_attribute_string("pawl.primitive.type", node->type),
                                   pawl_attribute_string("pawl.node.name", node->name),
                                   pawl_attribute_string("pawl.outcome", pawl_status_word(status))};
    if (!node->ended[status])
        node->ended[status] = series_by(metrics, metrics->own.duration, attributes, 3);
    return node->ended[status];
}

pawl_series *pawl_metrics_workflow(pawl_metrics *metrics, struct node *node, pawl_status status) {
    pawl_attribute attributes[] = {pawl_attribute_string("gen_ai.workflow.name", node->name),
                                   pawl_attribute_string("error.type", pawl_status_word(status))};
    if (!node->workflow[status])
        node->workflow[status] = series_by(metrics, metrics->own.workflow, attributes, status == PAWL_OK ? 1 : 2);
    return node->workflow[status];
}
