// Reads protobuf bytes against the schema as strictly as they can be: decoders forgive what this does not (unknown
// fields, wrong wire types, scalars given twice, bytes that are no UTF-8).
'use strict';

const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;
const WIRE = {
  double: FIXED64, fixed64: FIXED64, sfixed64: FIXED64, float: FIXED32, fixed32: FIXED32, sfixed32: FIXED32,
  int32: VARINT, uint32: VARINT, sint32: VARINT, int64: VARINT, uint64: VARINT, sint64: VARINT, bool: VARINT,
  string: BYTES, bytes: BYTES,
};
const DEEPEST = 100;
const utf8 = new TextDecoder('utf-8', { fatal: true });

class Reader {
  constructor(bytes, at, end) { Object.assign(this, { bytes, at, end }); }
  more() { return this.at < this.end; }
  skip(count) {
    if (count > this.end - this.at) throw Error('cut off');
    this.at += count;
    return this.at - count;
  }
  varint() {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.skip(1)];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (value >> 64n) break;
        return value;
      }
    }
    throw Error('a varint over 64 bits');
  }
  length() {
    const length = this.varint();
    if (length > BigInt(this.end - this.at)) throw Error('cut off');
    return Number(length);
  }
  part() {
    const length = this.length(), at = this.skip(length);
    return new Reader(this.bytes, at, at + length);
  }
}

const isMessage = field => field.resolvedType && field.resolvedType.fieldsById;
const isEnum = field => field.resolvedType && field.resolvedType.valuesById;
const scalarWire = field => (isEnum(field) ? VARINT : WIRE[field.type]);

function scalar(reader, field) {
  const wire = scalarWire(field);
  if (wire === FIXED64) return reader.skip(8);
  if (wire === FIXED32) return reader.skip(4);
  const value = reader.varint();
  if (isEnum(field) && !(Number(value) in field.resolvedType.valuesById)) throw Error(`enum value ${value}`);
  if (field.type === 'bool' && value > 1n) throw Error(`bool value ${value}`);
  if (field.type === 'uint32' && value >> 32n) throw Error(`uint32 value ${value}`);
  return value;
}

function content(reader, field, wire, depth) {
  const packed = field.repeated && scalarWire(field) !== BYTES && !isMessage(field);
  if (wire !== (packed || isMessage(field) ? BYTES : scalarWire(field)))
    throw Error(packed ? `not packed (wire type ${wire})` : `wire type ${wire}`);
  if (wire !== BYTES) return scalar(reader, field);
  const part = reader.part();
  if (isMessage(field)) return message(part, field.resolvedType, depth + 1);
  if (packed) while (part.more()) scalar(part, field);
  if (field.type === 'string') utf8.decode(part.bytes.subarray(part.at, part.end));
}

// Fields that may be given once: by themselves, or (of a oneof) by their group.
function note(seen, field) {
  const group = field.partOf && field.partOf.oneof.length > 1 ? field.partOf : field;
  if (field.repeated) return;
  if (seen.has(group)) throw Error('given twice');
  seen.add(group);
}

function message(reader, type, depth) {
  const seen = new Set();
  if (depth > DEEPEST) throw Error(`deeper than ${DEEPEST}`);
  while (reader.more()) {
    const tag = reader.varint(), id = Number(tag >> 3n), field = type.fieldsById[id];
    if (!field) throw Error(`${type.name}: unknown field ${id}`);
    try {
      note(seen, field);
      content(reader, field, Number(tag & 7n), depth);
    } catch (error) {
      throw Error(`${type.name}.${field.name}: ${error.message}`);
    }
  }
}

// Throws what is wrong, with the way to it.
exports.check = (type, bytes) => message(new Reader(bytes, 0, bytes.length), type, 0);
