/** @file protobuf_internal.h  @brief Protobuf's wire format, written backwards: the value, then its tag.
 *
 * Source: "Encoding", protobuf.dev: a tag is field << 3 | wire type; varints have seven bits a byte, the lowest first;
 * fixed numbers are little-endian.
 */
#ifndef PAWL_PROTOBUF_INTERNAL_H
#define PAWL_PROTOBUF_INTERNAL_H

#include "otlp_writer_internal.h"

enum pawl_wire { PAWL_WIRE_VARINT = 0, PAWL_WIRE_FIXED64 = 1, PAWL_WIRE_BYTES = 2, PAWL_WIRE_FIXED32 = 5 };

static inline size_t pawl_protobuf_varint_size(uint64_t number) {
    size_t size = 1;
    while (number >>= 7)
        size++;
    return size;
}

static inline void pawl_protobuf_varint(struct pawl_otlp_writer *w, uint64_t number) {
    if (number < 0x80) { /* most are */
        uint8_t *byte = pawl_otlp_reserve(w, 1);
        if (byte)
            *byte = (uint8_t)number;
        return;
    }
    uint8_t *to = pawl_otlp_reserve(w, pawl_protobuf_varint_size(number));
    if (!to)
        return;
    for (; number > 0x7f; number >>= 7)
        *to++ = (uint8_t)(number | 0x80);
    *to = (uint8_t)number;
}

static inline void pawl_protobuf_tag(struct pawl_otlp_writer *w, uint32_t field, enum pawl_wire wire) {
    pawl_protobuf_varint(w, (uint64_t)field << 3 | wire);
}

static inline void pawl_protobuf_fixed(struct pawl_otlp_writer *w, uint64_t number, size_t bytes) {
    uint8_t *to = pawl_otlp_reserve(w, bytes);
    for (size_t i = 0; to && i < bytes; i++)
        to[i] = (uint8_t)(number >> 8 * i);
}

/** The header of a field whose content, of so many bytes, is written. */
static inline void pawl_protobuf_length(struct pawl_otlp_writer *w, uint32_t field, size_t bytes) {
    if (bytes < 0x80 && field < 16) { /* most are */
        uint8_t *to = pawl_otlp_reserve(w, 2);
        if (to) {
            to[0] = (uint8_t)(field << 3 | PAWL_WIRE_BYTES);
            to[1] = (uint8_t)bytes;
        }
        return;
    }
    pawl_protobuf_varint(w, bytes);
    pawl_protobuf_tag(w, field, PAWL_WIRE_BYTES);
}

#endif
