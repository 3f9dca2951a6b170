// Runs a .tflite file by plain arithmetic, one row at a time. It is a FlatBuffer of tensors, and of
// operations on them.

import { OPERATIONS, nearest } from "./operations.js";

// A table of a FlatBuffer: fields by their places in the schema.
class Table {
  constructor(view, at) {
    Object.assign(this, { view, at, fields: at - view.getInt32(at, true) });
  }
  place(field) {
    const slot = 4 + 2 * field;
    const offset =
      slot < this.view.getUint16(this.fields, true)
        ? this.view.getUint16(this.fields + slot, true)
        : 0;
    return offset ? this.at + offset : 0;
  }
  number(field, kind = "Int32", otherwise = 0) {
    const place = this.place(field);
    return place ? this.view[`get${kind}`](place, true) : otherwise;
  }
  follow(place) {
    return place + this.view.getUint32(place, true);
  }
  table(field) {
    const place = this.place(field);
    return place ? new Table(this.view, this.follow(place)) : null;
  }
  // Start and number of the elements of a vector.
  vector(field) {
    const place = this.place(field);
    if (!place) return [0, 0];
    const at = this.follow(place);
    return [at + 4, this.view.getUint32(at, true)];
  }
  numbers(field, kind, width) {
    const [at, count] = this.vector(field);
    return Array.from({ length: count }, (_, n) =>
      Number(this.view[`get${kind}`](at + width * n, true)),
    );
  }
  tables(field) {
    const [at, count] = this.vector(field);
    return Array.from({ length: count }, (_, n) => new Table(this.view, this.follow(at + 4 * n)));
  }
  text(field) {
    const [at, count] = this.vector(field);
    return new TextDecoder().decode(
      new Uint8Array(this.view.buffer, this.view.byteOffset + at, count),
    );
  }
}

function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent
    ? 2 ** (exponent - 15) * (1 + fraction / 1024)
    : 2 ** -14 * (fraction / 1024);
  return bits >> 15 ? -size : size;
}

const READERS = {
  0: (view, at, n) =>
    Float32Array.from({ length: n / 4 }, (_, i) => view.getFloat32(at + 4 * i, true)),
  1: (view, at, n) =>
    Float32Array.from({ length: n / 2 }, (_, i) => half(view.getUint16(at + 2 * i, true))),
  2: (view, at, n) => Int32Array.from({ length: n / 4 }, (_, i) => view.getInt32(at + 4 * i, true)),
  4: (view, at, n) =>
    Int32Array.from({ length: n / 8 }, (_, i) => Number(view.getBigInt64(at + 8 * i, true))),
  9: (view, at, n) => Int8Array.from({ length: n }, (_, i) => view.getInt8(at + i)),
};
const ARRAYS = { 0: Float32Array, 1: Float32Array, 2: Int32Array, 4: Int32Array, 9: Int8Array };

// What the data of a tensor is stays null until an operation or the caller sets it.
function readTensor(table, buffers) {
  const [type, shape] = [table.number(1, "Int8"), table.numbers(0, "Int32", 4)];
  if (!(type in READERS))
    throw new Error(`${table.text(3)}: tensors of type ${type} are not supported`);
  const buffer = buffers[table.number(2, "Uint32")];
  const [at, length] = buffer.vector(0);
  const told = table.table(4);
  const scales = told ? told.numbers(2, "Float32", 4) : [];
  return {
    shape,
    size: shape.reduce((a, b) => a * b, 1),
    data: length ? READERS[type](buffer.view, at, length) : null,
    array: ARRAYS[type],
    quantized: type === 9 && scales.length > 0,
    scales,
    zero: told ? (told.numbers(3, "BigInt64", 8)[0] ?? 0) : 0,
  };
}

const FILL = 94;

export class Model {
  // Takes the bytes of a .tflite file with one graph and one signature.
  constructor(content) {
    const view = new DataView(content);
    const model = new Table(view, view.getUint32(0, true));
    const codes = model.tables(1).map((code) => Math.max(code.number(0, "Int8"), code.number(3)));
    const [[graph], buffers, [signature]] = [model.tables(2), model.tables(4), model.tables(7)];
    this.tensors = graph.tables(0).map((table) => readTensor(table, buffers));
    this.inputs = new Map(
      signature.tables(0).map((entry) => [entry.text(0), entry.number(1, "Uint32")]),
    );
    this.output = signature.tables(1)[0].number(1, "Uint32");
    this.operations = [];
    for (const operator of graph.tables(3)) {
      const code = codes[operator.number(0, "Uint32")];
      const given = operator.numbers(1, "Int32", 4).map((n) => (n < 0 ? null : this.tensors[n]));
      const [out] = operator.numbers(2, "Int32", 4).map((n) => this.tensors[n]);
      if (out.array === Int32Array) continue; // arithmetic on shapes, which are known
      if (!(code in OPERATIONS)) throw new Error(`operation ${code} of TFLite is not supported`);
      const options = operator.table(4);
      const operation = () => OPERATIONS[code](out, given, options);
      if (given.every((tensor) => tensor?.data))
        operation(); // of constants: once for all rows
      else this.operations.push(operation);
    }
  }

  // The answer to one row: numbers of each input by its name.
  run(inputs) {
    for (const [name, number] of this.inputs) {
      const tensor = this.tensors[number];
      if (inputs[name].length !== tensor.size)
        throw new Error(`${name}: ${inputs[name].length} values in place of ${tensor.size}`);
      const write = tensor.quantized ? (x) => nearest(x, tensor) : (x) => x;
      tensor.data = tensor.array.from(inputs[name], write);
    }
    for (const operation of this.operations) operation();
    return [...this.tensors[this.output].data];
  }
}
