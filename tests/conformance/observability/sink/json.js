// OTLP's own flavour of proto3 JSON, as strictly as a writer has to keep to it: lowerCamelCase keys of the schema alone,
// ids in lower-case hex, 64-bit integers as decimal strings, enums as numbers.
'use strict';

const IDS = new Set(['traceId', 'spanId', 'parentSpanId']);
const LONG = { int64: [-(2n ** 63n), 2n ** 63n], uint64: [0n, 2n ** 64n], fixed64: [0n, 2n ** 64n], sfixed64: [-(2n ** 63n), 2n ** 63n] };
const SHORT = { int32: [-(2 ** 31), 2 ** 31], sint32: [-(2 ** 31), 2 ** 31], uint32: [0, 2 ** 32], fixed32: [0, 2 ** 32] };
const NOT_FINITE = new Set(['NaN', 'Infinity', '-Infinity']);
const LONE_SURROGATE = /\p{Surrogate}/u;

function expect(right, what, value) {
  if (!right) throw Error(`${what}, not ${JSON.stringify(value)}`);
  return value;
}

function long(range, value) {
  expect(typeof value === 'string' && /^(0|-?[1-9][0-9]*)$/.test(value), 'a 64-bit integer is a decimal string', value);
  expect(BigInt(value) >= range[0] && BigInt(value) < range[1], 'it must fit', value);
  return value;
}

function text(value) {
  expect(typeof value === 'string', 'a string', value);
  return expect(!LONE_SURROGATE.test(value), 'a string of whole characters', value);
}

function bytes(name, value) {
  expect(typeof value === 'string', 'a string', value);
  if (IDS.has(name)) return Buffer.from(expect(/^([0-9a-f]{2})*$/.test(value), 'lower-case hex', value), 'hex');
  const read = Buffer.from(value, 'base64');
  expect(read.toString('base64') === value, 'base64', value);
  return read;
}

function scalar(field, value) {
  const type = field.type;
  if (field.resolvedType) return expect(typeof value === 'number' && value in field.resolvedType.valuesById, 'an enum is a known number', value);
  if (LONG[type]) return long(LONG[type], value);
  if (SHORT[type])
    return expect(Number.isInteger(value) && value >= SHORT[type][0] && value < SHORT[type][1], `${type} is a number`, value);
  if (type === 'double') return Number(expect(typeof value === 'number' || NOT_FINITE.has(value), 'a number', value));
  if (type === 'bool') return expect(typeof value === 'boolean', 'true or false', value);
  return type === 'string' ? text(value) : bytes(field.name, value);
}

const one = (field, value) => (field.resolvedType && field.resolvedType.fields ? message(field.resolvedType, value) : scalar(field, value));

function many(field, value) {
  return expect(Array.isArray(value), 'a list', value).map(item => one(field, item));
}

function message(type, object) {
  expect(object && typeof object === 'object' && !Array.isArray(object), `${type.name} is an object`, object);
  const result = {}, groups = new Set();
  for (const [key, value] of Object.entries(object)) {
    const field = Object.hasOwn(type.fields, key) && type.fields[key];
    if (!field) throw Error(`${type.name}: unknown key ${JSON.stringify(key)}`);
    const group = field.partOf && field.partOf.oneof.length > 1 && field.partOf;
    if (group && groups.has(group)) throw Error(`${type.name}.${key}: two values for one`);
    groups.add(group);
    try {
      result[key] = field.repeated ? many(field, value) : one(field, value);
    } catch (error) {
      throw Error(`${type.name}.${key}: ${error.message}`);
    }
  }
  return result;
}

// A key given twice is lost by JSON.parse(): the scan knows strings, and which of them stand before a colon.
function refuseRepeatedKeys(source) {
  const open = [];
  for (const token of source.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g)) {
    if (token[0] === '{') open.push(new Set());
    else if (token[0] === '}') open.pop();
    else if (token[1]) {
      const key = token[0];
      if (open.at(-1).has(key)) throw Error(`key ${key.replace(/\s*:$/, '')} twice in one object`);
      open.at(-1).add(key);
    }
  }
}

// The message's plain object, as Type.fromObject() takes it; throws what is wrong, with the way to it.
exports.read = (type, buffer) => {
  const source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer);
  const parsed = JSON.parse(source);
  refuseRepeatedKeys(source);
  return message(type, parsed);
};
