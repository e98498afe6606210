/* Attributes, and the envelope around the items of a request. */
#include "otlp_encode_internal.h"
#include <pawl/version.h>

struct pawl_otlp_source pawl_otlp_source_of(const pawl_resource *resource) {
    struct pawl_otlp_source source = {.scope_name = "pawl", .scope_version = PAWL_VERSION_STRING};
    if (resource)
        source.attributes = pawl_resource_attributes(resource, &source.attribute_count);
    return source;
}

static void put_value(struct pawl_otlp_writer *w, const pawl_attribute *attribute) {
    switch (attribute->type) {
    case PAWL_ATTRIBUTE_INT:
        pawl_otlp_put_int64_always(w, FIELD(3, "intValue"), attribute->value.integer);
        break;
    case PAWL_ATTRIBUTE_DOUBLE:
        pawl_otlp_put_double_always(w, FIELD(4, "doubleValue"), attribute->value.number);
        break;
    case PAWL_ATTRIBUTE_BOOL:
        pawl_otlp_put_bool_always(w, FIELD(2, "boolValue"), attribute->value.boolean);
        break;
    default:
        pawl_otlp_put_string_always(w, FIELD(1, "stringValue"), attribute->value.string);
        break;
    }
}

void pawl_otlp_attributes(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const pawl_attribute *attributes,
                          size_t count) {
    if (count == 0)
        return;
    pawl_otlp_list_open(w);
    for (size_t i = count; i-- > 0;) {
        size_t pair = pawl_otlp_open(w), value = pawl_otlp_open(w);
        put_value(w, &attributes[i]);
        pawl_otlp_close(w, value, FIELD(2, "value"));
        pawl_otlp_put_string(w, FIELD(1, "key"), attributes[i].key);
        pawl_otlp_close(w, pair, ELEMENT(field.number));
    }
    pawl_otlp_list_close(w, field);
}

struct pawl_otlp_envelope pawl_otlp_envelope_open(struct pawl_otlp_writer *w) {
    struct pawl_otlp_envelope envelope;
    envelope.request = pawl_otlp_open(w);
    pawl_otlp_list_open(w);
    envelope.resource = pawl_otlp_open(w);
    pawl_otlp_list_open(w);
    envelope.scope = pawl_otlp_open(w);
    pawl_otlp_list_open(w);
    return envelope;
}

void pawl_otlp_envelope_close(struct pawl_otlp_writer *w, struct pawl_otlp_envelope envelope,
                              const struct pawl_otlp_source *source, struct pawl_otlp_field items,
                              struct pawl_otlp_field scopes, struct pawl_otlp_field resources) {
    pawl_otlp_list_close(w, items);
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_put_string(w, FIELD(2, "version"), source->scope_version);
    pawl_otlp_put_string(w, FIELD(1, "name"), source->scope_name);
    pawl_otlp_close(w, mark, FIELD(1, "scope"));
    pawl_otlp_close(w, envelope.scope, ELEMENT(scopes.number));
    pawl_otlp_list_close(w, scopes);
    mark = pawl_otlp_open(w);
    pawl_otlp_attributes(w, FIELD(1, "attributes"), source->attributes, source->attribute_count);
    pawl_otlp_close(w, mark, FIELD(1, "resource"));
    pawl_otlp_close(w, envelope.resource, ELEMENT(resources.number));
    pawl_otlp_list_close(w, resources);
    if (w->json) /* a request has neither a number nor a name: in protobuf it is what is written */
        pawl_otlp_raw(w, "{", 1);
}
