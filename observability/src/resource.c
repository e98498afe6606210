/* Who speaks: defaults, what can be detected, the environment when asked, and what the host says, in this order. */
#include "options_internal.h"
#include "resource_internal.h"
#include <errno.h>
#include <pawl/version.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MOST_ATTRIBUTES 128u
#define INSTANCE "service.instance.id"
#define PID "process.pid"
#define UUID_BYTES 37

struct pawl_resource {
    atomic_uint refs;
    bool made_instance, detected_pid; /* by us, not by the host: a forked child has its own */
    size_t count;
    pawl_attribute attributes[MOST_ATTRIBUTES]; /* keys and strings are ours */
};

/* ---- attributes ---- */

static void release_value(pawl_attribute *attribute) {
    if (attribute->type == PAWL_ATTRIBUTE_STRING)
        free((char *)attribute->value.string);
}

static bool copy_value(pawl_attribute *to, const pawl_attribute *from) {
    to->value = from->value;
    to->type = from->type;
    if (from->type != PAWL_ATTRIBUTE_STRING)
        return true;
    const char *text = from->value.string ? from->value.string : "";
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    to->value.string = copy;
    if (copy)
        memcpy(copy, text, size);
    return copy != NULL;
}

static pawl_attribute *find(pawl_resource *resource, const char *key) {
    for (size_t i = 0; i < resource->count; i++)
        if (strcmp(resource->attributes[i].key, key) == 0)
            return &resource->attributes[i];
    return NULL;
}

static pawl_status no_memory(pawl_error **err) {
    return pawl_error_set(err, PAWL_E_NOMEM, "resource: out of memory");
}

static pawl_status append(pawl_resource *resource, const pawl_attribute *attribute, pawl_error **err) {
    if (resource->count == MOST_ATTRIBUTES)
        return pawl_error_set(err, PAWL_E_LIMIT, "resource: more than %u attributes; give fewer", MOST_ATTRIBUTES);
    pawl_attribute *slot = &resource->attributes[resource->count];
    size_t size = strlen(attribute->key) + 1;
    char *key = malloc(size);
    if (!key || !copy_value(slot, attribute)) {
        free(key);
        return no_memory(err);
    }
    memcpy(key, attribute->key, size);
    slot->key = key;
    resource->count++;
    return PAWL_OK;
}

pawl_status pawl_resource_set(pawl_resource *resource, const pawl_attribute *attribute, pawl_error **err) {
    pawl_attribute value;
    if (!attribute->key || !*attribute->key || attribute->type > PAWL_ATTRIBUTE_BOOL)
        return pawl_error_set(err, PAWL_E_INVALID, "resource: an attribute has no key, or a type that is none");
    pawl_attribute *there = find(resource, attribute->key);
    if (!there)
        return append(resource, attribute, err);
    if (!copy_value(&value, attribute))
        return no_memory(err);
    release_value(there);
    there->value = value.value;
    there->type = value.type;
    resource->made_instance = resource->made_instance && strcmp(there->key, INSTANCE) != 0;
    resource->detected_pid = resource->detected_pid && strcmp(there->key, PID) != 0;
    return PAWL_OK;
}

static pawl_status set_text(pawl_resource *resource, const char *key, const char *text, pawl_error **err) {
    pawl_attribute attribute = pawl_attribute_string(key, text);
    return text && *text ? pawl_resource_set(resource, &attribute, err) : PAWL_OK;
}

/* ---- defaults and detection ---- */

/* RFC 9562 section 5.4: version 4. */
static bool make_uuid(char text[UUID_BYTES]) {
    uint8_t b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        return false;
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    snprintf(text, UUID_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
             b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return true;
}

static pawl_status set_instance(pawl_resource *resource, pawl_error **err) {
    char uuid[UUID_BYTES];
    if (!make_uuid(uuid))
        return pawl_error_set(err, PAWL_E_UNSUPPORTED, "resource: no random bytes for an instance id: %s",
                              strerror(errno));
    pawl_status status = set_text(resource, INSTANCE, uuid, err);
    resource->made_instance = status == PAWL_OK;
    return status;
}

static pawl_status set_pid(pawl_resource *resource, pawl_error **err) {
    pawl_attribute pid = pawl_attribute_int(PID, getpid());
    pawl_status status = pawl_resource_set(resource, &pid, err);
    resource->detected_pid = status == PAWL_OK;
    return status;
}

/* The program's file name; "" when it cannot be told. */
static const char *read_program(char path[1024]) {
    ssize_t length = readlink("/proc/self/exe", path, 1023);
    path[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static pawl_status set_defaults(pawl_resource *resource, const char *program, pawl_error **err) {
    char name[1100];
    snprintf(name, sizeof name, "unknown_service%s%s", *program ? ":" : "", program);
    pawl_status status = set_text(resource, "service.name", name, err);
    return status == PAWL_OK ? set_instance(resource, err) : status;
}

static pawl_status detect(pawl_resource *resource, const char *program, pawl_error **err) {
    struct utsname machine;
    pawl_status status = set_pid(resource, err);
    if (status == PAWL_OK)
        status = set_text(resource, "process.executable.name", program, err);
    if (status == PAWL_OK)
        status = set_text(resource, "os.type", "linux", err);
    if (status == PAWL_OK && uname(&machine) == 0)
        status = set_text(resource, "host.name", machine.nodename, err);
    return status;
}

static pawl_status set_sdk(pawl_resource *resource, pawl_error **err) {
    pawl_status status = set_text(resource, "telemetry.sdk.name", "pawl", err);
    if (status == PAWL_OK)
        status = set_text(resource, "telemetry.sdk.language", "c", err);
    return status == PAWL_OK ? set_text(resource, "telemetry.sdk.version", PAWL_VERSION_STRING, err) : status;
}

/* ---- what the host says ---- */

static pawl_status read_environment(pawl_resource *resource, pawl_error **err) {
    const char *listed = getenv("OTEL_RESOURCE_ATTRIBUTES");
    pawl_status status = listed ? pawl_resource_set_listed(resource, listed, err) : PAWL_OK;
    return status == PAWL_OK ? set_text(resource, "service.name", getenv("OTEL_SERVICE_NAME"), err) : status;
}

static pawl_status set_given(pawl_resource *resource, const pawl_resource_options *options, pawl_error **err) {
    pawl_status status = PAWL_OK;
    for (uint64_t i = 0; status == PAWL_OK && i < options->attribute_count; i++)
        status = pawl_resource_set(resource, &options->attributes[i], err);
    if (status == PAWL_OK)
        status = set_text(resource, "service.name", options->service_name, err);
    return status == PAWL_OK ? set_text(resource, "service.version", options->service_version, err) : status;
}

static pawl_status fill(pawl_resource *resource, const pawl_resource_options *options, pawl_error **err) {
    char path[1024];
    const char *program = read_program(path);
    pawl_status status = set_defaults(resource, program, err);
    if (status == PAWL_OK && !options->no_detection)
        status = detect(resource, program, err);
    if (status == PAWL_OK && options->read_environment)
        status = read_environment(resource, err);
    if (status == PAWL_OK)
        status = set_given(resource, options, err);
    return status == PAWL_OK ? set_sdk(resource, err) : status;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const pawl_attribute *)a)->key, ((const pawl_attribute *)b)->key);
}

/* ---- life ---- */

static pawl_resource *finish_making(pawl_resource *resource, pawl_status status) {
    if (status != PAWL_OK)
        return pawl_resource_unref(resource);
    qsort(resource->attributes, resource->count, sizeof *resource->attributes, by_key);
    return resource;
}

static pawl_resource *new_empty(pawl_error **err) {
    pawl_resource *resource = calloc(1, sizeof *resource);
    if (!resource) {
        no_memory(err);
        return NULL;
    }
    atomic_init(&resource->refs, 1);
    return resource;
}

pawl_resource *pawl_resource_new(const pawl_resource_options *options, pawl_error **err) {
    pawl_resource_options known;
    if (pawl_options_copy(&known, sizeof known, options, "resource", err) != PAWL_OK)
        return NULL;
    if (known.attribute_count > 0 && !known.attributes) {
        pawl_error_set(err, PAWL_E_INVALID, "resource: attributes are counted and NULL");
        return NULL;
    }
    pawl_resource *resource = new_empty(err);
    return resource ? finish_making(resource, fill(resource, &known, err)) : NULL;
}

pawl_resource *pawl_resource_after_fork(const pawl_resource *resource, pawl_error **err) {
    pawl_resource *child = new_empty(err);
    pawl_status status = child ? PAWL_OK : PAWL_E_NOMEM;
    for (size_t i = 0; status == PAWL_OK && i < resource->count; i++)
        status = append(child, &resource->attributes[i], err);
    if (status == PAWL_OK && resource->made_instance)
        status = set_instance(child, err);
    if (status == PAWL_OK && resource->detected_pid)
        status = set_pid(child, err);
    return child ? finish_making(child, status) : NULL;
}

pawl_resource *pawl_resource_ref(pawl_resource *resource) {
    if (resource)
        atomic_fetch_add_explicit(&resource->refs, 1, memory_order_relaxed);
    return resource;
}

pawl_resource *pawl_resource_unref(pawl_resource *resource) {
    if (!resource || atomic_fetch_sub_explicit(&resource->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    for (size_t i = 0; i < resource->count; i++) {
        free((char *)resource->attributes[i].key);
        release_value(&resource->attributes[i]);
    }
    free(resource);
    return NULL;
}

const pawl_attribute *pawl_resource_attributes(const pawl_resource *resource, size_t *ret_count) {
    *ret_count = resource ? resource->count : 0;
    return resource ? resource->attributes : NULL;
}
