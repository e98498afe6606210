/* The node's insides: what the engine reads on every step comes first. */
#ifndef PAWL_PRIMITIVE_INTERNAL_H
#define PAWL_PRIMITIVE_INTERNAL_H

#include <pawl/op.h>
#include <pawl/primitive.h>
#include <pawl/unstable/step.h>
#include <stdatomic.h>

enum node_kind { NODE_STEP, NODE_INLINE, NODE_BLOCKING, NODE_ASYNC, NODE_ABANDONABLE };

struct pawl_primitive {
    const pawl_primitive_vtable *vtable; /* NODE_STEP */
    void *state;                         /* NODE_STEP */
    pawl_leaf_fn fn;                     /* NODE_INLINE, NODE_BLOCKING, NODE_ABANDONABLE */
    const pawl_async_vtable *async;      /* NODE_ASYNC */
    void *user;                          /* of a leaf */
    uint8_t kind;
    bool broken; /* it or something beneath it failed */
    bool immortal;
    uint32_t lanes;
    /* Memory of a run, [0] unobserved and [1] observed: the frame alone, one lane of children, all at the peak. */
    size_t own_bytes[2], lane_bytes[2], bytes[2];
    size_t frame_bytes; /* the step's own memory, zeroed at START */
    uint64_t grace_ns;  /* NODE_ABANDONABLE */
    size_t peak_ops;    /* async leaves that may run together */
    const char *name;   /* trailing memory, as the type */
    const char *type;
    uint64_t serial; /* no two in a process have the same, ever: observers know a node by it */
    uint32_t name_length, type_length;
    pawl_primitive **children;
    size_t child_count;
    pawl_error *failure;
    void (*user_destroy)(void *user);
    atomic_uint refs;
};

/* How to make a leaf. user_destroy is called once with user, also when the constructor fails. */
struct leaf_spec {
    enum node_kind kind;
    const char *name, *type;
    pawl_leaf_fn fn;
    const pawl_async_vtable *async;
    void *user;
    void (*user_destroy)(void *user);
    uint64_t grace_ns;
    pawl_error *failure; /* taken */
};

pawl_primitive *pawl_leaf_new(const struct leaf_spec *spec);

#endif
