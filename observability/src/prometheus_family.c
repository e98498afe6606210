/* The families of an exposition: each name once, whatever the instruments are called. */
#include "prometheus_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What samples add to their family's name; OpenMetrics forbids a second family to bear such a name. */
static const char *const suffixes[][5] = {
    [PAWL_PROM_COUNTER] = {"_total", "_created"},
    [PAWL_PROM_GAUGE] = {NULL},
    [PAWL_PROM_HISTOGRAM] = {"_bucket", "_count", "_sum", "_created"},
    [PAWL_PROM_INFO] = {"_info"},
};

static bool is_with_suffix(const struct pawl_prom_family *family, const char *name, size_t length) {
    size_t base = strlen(family->name);
    if (length < base || memcmp(family->name, name, base) != 0)
        return false;
    if (length == base)
        return true;
    for (const char *const *suffix = suffixes[family->type]; *suffix; suffix++)
        if (strcmp(name + base, *suffix) == 0)
            return true;
    return false;
}

static bool clashes(const struct pawl_prom_family *a, const struct pawl_prom_family *b) {
    return is_with_suffix(a, b->name, strlen(b->name)) || is_with_suffix(b, a->name, strlen(a->name));
}

static bool is_taken(const struct pawl_prom_family *families, size_t count, const struct pawl_prom_family *asked) {
    for (size_t i = 0; i < count; i++)
        if (clashes(&families[i], asked))
            return true;
    return false;
}

/* The first to come keeps the name; later ones get a number, so that nothing is lost and nothing changes its name. */
static void make_unique(const struct pawl_prom_family *families, size_t count, struct pawl_prom_family *family) {
    size_t length = strlen(family->name);
    if (length > PAWL_PROM_NAME - 24)
        length = PAWL_PROM_NAME - 24;
    for (size_t number = 2; is_taken(families, count, family); number++) {
        (void)snprintf(family->name + length, PAWL_PROM_NAME - length, "_%zu", number);
        family->unit_at = 0;
    }
}

static bool can_be_written(const pawl_metric_data *metric) {
    return metric->point_count > 0 && metric->kind <= PAWL_EXPONENTIAL_HISTOGRAM &&
           (!metric->is_delta || metric->kind == PAWL_GAUGE);
}

static int by_name(const void *a, const void *b) {
    const struct pawl_prom_family *left = a, *right = b;
    return strcmp(left->name, right->name);
}

struct pawl_prom_family *pawl_prom_families(const pawl_metric_data *target, const pawl_metric_data *metrics,
                                            size_t count, size_t *ret_count) {
    struct pawl_prom_family *families = malloc((count + 1) * sizeof *families);
    size_t made = 0;
    if (!families)
        return NULL;
    if (target)
        families[made++] = (struct pawl_prom_family){.metric = target, .type = PAWL_PROM_INFO, .name = "target"};
    for (size_t i = 0; i < count; i++) {
        if (!can_be_written(&metrics[i]))
            continue;
        struct pawl_prom_family *family = &families[made];
        family->metric = &metrics[i];
        family->type = pawl_prom_type_of(metrics[i].kind);
        family->unit_at = pawl_prom_family_name(&metrics[i], family->name);
        make_unique(families, made, family);
        made++;
    }
    qsort(families, made, sizeof *families, by_name);
    *ret_count = made;
    return families;
}
