// Runs a .tflite file by plain arithmetic, one row at a time: a FlatBuffer of tensors, and operations
// on them. Integers are rounded as TFLite's kernels round them.

const f = Math.fround;

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

// The real numbers of a tensor, and a tensor's integers for real numbers.
function real(tensor) {
  if (!tensor.quantized) return tensor.data;
  const scale = tensor.scales[0];
  return Float32Array.from(tensor.data, (value) => scale * (value - tensor.zero));
}

const ACTIVATIONS = {
  0: (x) => x,
  1: (x) => Math.max(x, 0),
  3: (x) => Math.min(Math.max(x, 0), 6),
};
const away = (x) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5); // halves away from zero
const toInt8 = (x) => Math.min(Math.max(x, -128), 127);

// The integers between which an activation lets through.
function bounds(tensor, activation) {
  const six = activation === 3 ? tensor.zero + Math.round(6 / tensor.scales[0]) : 127;
  return [activation ? tensor.zero : -128, Math.min(six, 127)];
}

function store(tensor, values, activation = 0) {
  const active = ACTIVATIONS[activation];
  const write = tensor.quantized
    ? (x) => toInt8(away(f(f(active(x)) / f(tensor.scales[0]))) + tensor.zero)
    : active;
  tensor.data = tensor.array.from(values, write);
}

// Where the value of an operand of shape `own` is for each place of a result of shape `made`.
function places(own, made) {
  const full = [...Array(made.length - own.length).fill(1), ...own];
  return (place) => {
    let [at, inner] = [0, 1];
    for (let axis = made.length - 1; axis >= 0; axis--) {
      if (full[axis] !== 1) at += (place % made[axis]) * inner;
      place = Math.floor(place / made[axis]);
      inner *= full[axis];
    }
    return at;
  };
}

const unary =
  (compute) =>
  (out, [x]) =>
    store(out, real(x).map(compute));
const binary =
  (compute) =>
  (out, [x, y], options) => {
    const [a, b, atA, atB] = [
      real(x),
      real(y),
      places(x.shape, out.shape),
      places(y.shape, out.shape),
    ];
    const values = Float32Array.from({ length: out.size }, (_, n) => compute(a[atA(n)], b[atB(n)]));
    store(out, values, options?.number(0, "Int8"));
  };
function product(out, [x, y], options) {
  if (!out.quantized) return binary((a, b) => a * b)(out, [x, y], options);
  const factor = fixedPoint((x.scales[0] * y.scales[0]) / out.scales[0]);
  const [atX, atY] = [places(x.shape, out.shape), places(y.shape, out.shape)];
  const [low, high] = bounds(out, options.number(0, "Int8"));
  out.data = Int8Array.from({ length: out.size }, (_, n) => {
    const value = (x.data[atX(n)] - x.zero) * (y.data[atY(n)] - y.zero);
    return Math.min(Math.max(scaled(value, factor) + out.zero, low), high);
  });
}
const moved = (out, [x]) => (out.data = x.data);

const pooled =
  (start, add, end) =>
  (out, [x], options) => {
    const [, height, width, channels] = x.shape;
    const [stepW, stepH, wide, high] = [1, 2, 3, 4].map((field) => options.number(field));
    const [, rows, columns] = out.shape;
    const [values, found] = [x.data, []]; // integers are pooled as they are: their scale stays
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (let channel = 0; channel < channels; channel++) {
          let [sum, count] = [start, 0];
          for (let y = row * stepH; y < Math.min(row * stepH + high, height); y++)
            for (let z = column * stepW; z < Math.min(column * stepW + wide, width); z++, count++)
              sum = add(sum, values[(y * width + z) * channels + channel]);
          found.push(end(sum, count));
        }
    if (x.quantized) out.data = Int8Array.from(found, away);
    else store(out, found, options.number(5, "Int8"));
  };

const reduced =
  (start, add, end) =>
  (out, [x, axes]) => {
    const kept = x.shape.map((n, axis) =>
      [...axes.data].some((a) => (a < 0 ? a + x.shape.length : a) === axis) ? 1 : n,
    );
    const [at, values, found] = [places(kept, x.shape), real(x), Array(out.size).fill(start)];
    values.forEach((value, n) => (found[at(n)] = add(found[at(n)], value)));
    store(
      out,
      found.map((sum) => end(sum, values.length / out.size)),
    );
  };

function gather(out, [table, ids]) {
  const width = table.size / table.shape[0];
  out.data = new out.array(out.size);
  ids.data.forEach((id, n) =>
    out.data.set(table.data.subarray(id * width, (id + 1) * width), n * width),
  );
}

function concatenation(out, given, options) {
  const axis = (options.number(0) + out.shape.length) % out.shape.length;
  const inner = (tensor) => tensor.shape.slice(axis).reduce((a, b) => a * b, 1);
  const alike = given.every((x) => x.scales[0] === out.scales[0] && x.zero === out.zero);
  const [width, found] = [inner(out), new (alike ? out.array : Float32Array)(out.size)];
  let start = 0;
  for (const tensor of given) {
    const [own, values] = [inner(tensor), alike ? tensor.data : real(tensor)];
    for (let row = 0; row * own < values.length; row++)
      found.set(values.subarray(row * own, (row + 1) * own), row * width + start);
    start += own;
  }
  if (alike) out.data = found;
  else store(out, found);
}

// sum * multiplier / 2^31 * 2^shift, rounded as gemmlowp does.
function scaled(sum, [multiplier, shift]) {
  const product = sum * 2 ** Math.max(shift, 0) * multiplier;
  const nudge = product < 0 ? 1 - 2 ** 30 : 2 ** 30;
  let high = Math.trunc((product + nudge) / 2 ** 31);
  if (Math.abs(product) >= 2 ** 52) {
    const exact = BigInt(sum) * BigInt(2 ** Math.max(shift, 0)) * BigInt(multiplier);
    high = Number((exact + BigInt(nudge)) / 2n ** 31n);
  }
  const step = 2 ** Math.max(-shift, 0);
  const whole = Math.floor(high / step);
  const threshold = Math.floor((step - 1) / 2) + (high < 0 ? 1 : 0);
  return whole + (high - whole * step > threshold ? 1 : 0);
}

function fixedPoint(factor) {
  let exponent = factor > 0 ? Math.floor(Math.log2(factor)) + 1 : 0;
  while (factor / 2 ** exponent >= 1) exponent++;
  while (factor > 0 && factor / 2 ** exponent < 0.5) exponent--;
  const multiplier = Math.round((factor / 2 ** exponent) * 2 ** 31);
  return multiplier === 2 ** 31 ? [2 ** 30, exponent + 1] : [multiplier, exponent];
}

function fullyConnected(out, [x, weights, bias], options) {
  const [units, width] = weights.shape;
  const activation = options.number(0, "Int8");
  const scale = (unit) => weights.scales[weights.scales.length > 1 ? unit : 0] ?? 1;
  const found = new (x.quantized ? Int32Array : Float64Array)(out.size);
  for (let n = 0; n < out.size; n++) {
    const [unit, row] = [n % units, Math.floor(n / units) * width];
    let sum = 0;
    for (let j = 0; j < width; j++)
      sum += (x.data[row + j] - (x.quantized ? x.zero : 0)) * weights.data[unit * width + j];
    const start = bias ? bias.data[unit] : 0;
    found[n] = x.quantized ? sum + start : sum * (weights.quantized ? scale(unit) : 1) + start;
  }
  if (!x.quantized) return store(out, found, activation);
  const factors = weights.scales.map((s) => fixedPoint((x.scales[0] * s) / out.scales[0]));
  const [low, high] = bounds(out, activation);
  const write = (sum, n) => scaled(sum, factors[factors.length > 1 ? n % units : 0]) + out.zero;
  out.data = Int8Array.from(found, (sum, n) => Math.min(Math.max(write(sum, n), low), high));
}

function softmax(out, [x], options) {
  const [values, beta, width] = [
    real(x),
    options.number(0, "Float32", 1),
    x.shape[x.shape.length - 1],
  ];
  const found = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += width) {
    const part = values.subarray(row, row + width);
    const highest = Math.max(...part);
    const powers = Array.from(part, (value) => Math.exp(beta * (value - highest)));
    const sum = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, n) => (found[row + n] = power / sum));
  }
  store(out, found);
}

// By the code of the schema.
const OPERATIONS = {
  0: binary((x, y) => x + y),
  1: pooled(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  2: concatenation,
  6: unary((x) => x), // DEQUANTIZE
  9: fullyConnected,
  14: unary((x) => 1 / (1 + Math.exp(-x))),
  17: pooled(-Infinity, Math.max, (x) => x),
  18: product,
  19: unary((x) => Math.max(x, 0)),
  21: unary((x) => Math.min(Math.max(x, 0), 6)),
  22: moved, // RESHAPE
  25: softmax,
  28: unary(Math.tanh),
  36: gather,
  40: reduced(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  41: binary((x, y) => x - y),
  42: binary((x, y) => x / y),
  43: moved, // SQUEEZE
  47: unary(Math.exp),
  55: binary(Math.max),
  57: binary(Math.min),
  59: unary((x) => -x),
  66: unary(Math.sin),
  70: moved, // EXPAND_DIMS
  73: unary(Math.log),
  74: reduced(
    0,
    (sum, x) => sum + x,
    (sum) => sum,
  ),
  75: unary(Math.sqrt),
  76: unary((x) => 1 / Math.sqrt(x)),
  82: reduced(-Infinity, Math.max, (x) => x),
  92: unary((x) => x * x),
  99: binary((x, y) => (x - y) ** 2),
  101: unary(Math.abs),
  108: unary(Math.cos),
  114: unary((x) => x), // QUANTIZE
};

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
      if (!(code in OPERATIONS)) throw new Error(`operation ${code} of TFLite is not supported`);
      const given = operator.numbers(1, "Int32", 4).map((n) => (n < 0 ? null : this.tensors[n]));
      const [out] = operator.numbers(2, "Int32", 4).map((n) => this.tensors[n]);
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
      tensor.data = tensor.array.from(inputs[name]);
    }
    for (const operation of this.operations) operation();
    return [...this.tensors[this.output].data];
  }
}
