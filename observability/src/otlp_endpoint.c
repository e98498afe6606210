/* Where a signal goes (OTLP exporter specification, "Endpoint URLs for OTLP/HTTP"). */
#include "otlp_exporter_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const paths[] = {"v1/traces", "v1/metrics", "v1/logs"};

/* Where the path ends: at a query or fragment. */
static size_t path_end(const char *url) {
    return strcspn(url, "?#");
}

static bool has_path(const char *url, size_t end) {
    const char *host = strstr(url, "://");
    return host && memchr(host + 3, '/', end - (size_t)(host + 3 - url)) != NULL;
}

static char *insert(const char *url, size_t at, const char *slash, const char *path) {
    size_t size = strlen(url) + strlen(slash) + strlen(path) + 1;
    char *made = malloc(size);
    if (made)
        snprintf(made, size, "%.*s%s%s%s", (int)at, url, slash, path, url + at);
    return made;
}

char *pawl_otlp_url(const char *base, const char *given, enum pawl_otlp_signal signal) {
    const char *url = given && *given ? given : base;
    size_t end = path_end(url);
    bool slash = end > 0 && url[end - 1] == '/';
    if (url == given)
        return insert(url, end, has_path(url, end) ? "" : "/", "");
    return insert(url, end, slash && has_path(url, end) ? "" : "/", paths[signal]);
}
