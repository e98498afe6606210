/* Leaves: thin faces over the engine's three kinds. */
#include "options_internal.h"
#include "primitive_internal.h"
#include <pawl/primitives/function.h>

pawl_primitive *pawl_function_owning(const char *name, pawl_leaf_fn fn, void *user, void (*destroy)(void *user)) {
    struct leaf_spec spec = {
        .kind = NODE_BLOCKING, .name = name, .type = "function", .fn = fn, .user = user, .user_destroy = destroy};
    return pawl_leaf_new(&spec);
}

pawl_primitive *pawl_function_new(const char *name, pawl_leaf_fn fn, void *user, const pawl_function_options *options) {
    pawl_function_options set;
    struct leaf_spec spec = {.kind = NODE_BLOCKING, .name = name, .type = "function", .fn = fn, .user = user};
    if (pawl_options_copy(&set, sizeof set, options, "function", &spec.failure) == PAWL_OK && set.grace_ns &&
        !set.abandonable)
        pawl_error_set(&spec.failure, PAWL_E_INVALID,
                       "function '%s': grace_ns is for abandonable leaves; set abandonable too, or leave it 0",
                       name ? name : "");
    spec.user_destroy = set.destroy;
    if (set.abandonable)
        spec.kind = NODE_ABANDONABLE;
    spec.grace_ns = pawl_option(set.grace_ns, PAWL_S(1));
    return pawl_leaf_new(&spec);
}

pawl_primitive *pawl_inline_owning(const char *name, pawl_leaf_fn fn, void *user, void (*destroy)(void *user)) {
    struct leaf_spec spec = {
        .kind = NODE_INLINE, .name = name, .type = "inline", .fn = fn, .user = user, .user_destroy = destroy};
    return pawl_leaf_new(&spec);
}

pawl_primitive *pawl_async_owning(const char *name, const pawl_async_vtable *vtable, void *user,
                                  void (*destroy)(void *user)) {
    struct leaf_spec spec = {
        .kind = NODE_ASYNC, .name = name, .type = "async", .async = vtable, .user = user, .user_destroy = destroy};
    return pawl_leaf_new(&spec);
}

pawl_primitive *pawl_function(const char *name, pawl_leaf_fn fn, void *user) {
    return pawl_function_owning(name, fn, user, NULL);
}

pawl_primitive *pawl_inline(const char *name, pawl_leaf_fn fn, void *user) {
    return pawl_inline_owning(name, fn, user, NULL);
}

pawl_primitive *pawl_async(const char *name, const pawl_async_vtable *vtable, void *user) {
    return pawl_async_owning(name, vtable, user, NULL);
}
