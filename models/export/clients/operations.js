// TFLite's operations on tensors of one row: { shape, size, data, array, quantized, scales, zero }.
// Integers are rounded as TFLite's kernels round them.

const f = Math.fround;

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

// The integer for a number, as TFLite's QUANTIZE makes it: halves go to the even one.
export function nearest(value, tensor) {
  const whole = f(f(value) * f(1 / f(tensor.scales[0])));
  const rounded = Math.abs(whole % 1) === 0.5 ? 2 * Math.round(whole / 2) : Math.round(whole);
  return toInt8(rounded + tensor.zero);
}

function quantize(out, [x]) {
  out.data = Int8Array.from(real(x), (value) => nearest(value, out));
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
// x + sign * y; integers at a common scale that is finer by 20 bits.
function sum(sign) {
  return (out, [x, y], options) => {
    if (!out.quantized) return binary((a, b) => a + sign * b)(out, [x, y], options);
    const whole = 2 * Math.max(x.scales[0], y.scales[0]);
    const [left, right] = [x, y].map((tensor) => fixedPoint(tensor.scales[0] / whole));
    const factor = fixedPoint(whole / (2 ** 20 * out.scales[0]));
    const [atX, atY] = [places(x.shape, out.shape), places(y.shape, out.shape)];
    const [low, high] = bounds(out, options?.number(0, "Int8") ?? 0);
    out.data = Int8Array.from({ length: out.size }, (_, n) => {
      const a = scaled((x.data[atX(n)] - x.zero) * 2 ** 20, left);
      const b = scaled((y.data[atY(n)] - y.zero) * 2 ** 20, right);
      return Math.min(Math.max(scaled(a + sign * b, factor) + out.zero, low), high);
    });
  };
}

function transpose(out, [x, order]) {
  const steps = [...order.data].map((axis) => x.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  out.data = out.array.from({ length: out.size }, (_, place) => {
    let at = 0;
    for (let axis = out.shape.length - 1; axis >= 0; axis--) {
      at += (place % out.shape[axis]) * steps[axis];
      place = Math.floor(place / out.shape[axis]);
    }
    return x.data[at];
  });
}

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

// sum * multiplier / 2^31 * 2^shift, rounded to a whole number before the shift and after it. Halves
// then go away from zero, or up: so TFLite's matrix products have it where ruy computes them.
function scaled(sum, [multiplier, shift], up = false) {
  const product = sum * 2 ** Math.max(shift, 0) * multiplier;
  const nudge = product < 0 ? 1 - 2 ** 30 : 2 ** 30;
  let high = Math.trunc((product + nudge) / 2 ** 31);
  if (Math.abs(product) >= 2 ** 52) {
    const exact = BigInt(sum) * BigInt(2 ** Math.max(shift, 0)) * BigInt(multiplier);
    high = Number((exact + BigInt(nudge)) / 2n ** 31n);
  }
  const step = 2 ** Math.max(-shift, 0);
  const whole = Math.floor(high / step);
  const threshold = Math.floor((step - 1) / 2) + (high < 0 && !up ? 1 : 0);
  return whole + (high - whole * step > threshold ? 1 : 0);
}

function fixedPoint(factor) {
  let exponent = factor > 0 ? Math.floor(Math.log2(factor)) + 1 : 0;
  while (factor / 2 ** exponent >= 1) exponent++;
  while (factor > 0 && factor / 2 ** exponent < 0.5) exponent--;
  const multiplier = Math.round((factor / 2 ** exponent) * 2 ** 31);
  return multiplier === 2 ** 31 ? [2 ** 30, exponent + 1] : [multiplier, exponent];
}

// For each place n of the result the sum over j of x[at(n, j)] * w[place(n, j)], and a start.
function sums(out, x, w, count, at, place, start, activation) {
  const scale = (n) => w.scales[w.scales.length > 1 ? n % w.scales.length : 0];
  const [zeroX, zeroW] = [x.quantized ? x.zero : 0, w.quantized ? w.zero : 0];
  const found = new Float64Array(out.size);
  for (let n = 0; n < out.size; n++) {
    let sum = 0;
    for (let j = 0; j < count; j++)
      sum += (x.data[at(n, j)] - zeroX) * (w.data[place(n, j)] - zeroW);
    found[n] = sum * (w.quantized && !x.quantized ? scale(n) : 1) + start(n);
  }
  if (!x.quantized) return store(out, found, activation);
  const factors = w.scales.map((s) => fixedPoint((x.scales[0] * s) / out.scales[0]));
  const [low, high] = bounds(out, activation);
  const write = (sum, n) => scaled(sum, factors[n % factors.length], true) + out.zero;
  out.data = Int8Array.from(found, (sum, n) => Math.min(Math.max(write(sum, n), low), high));
}

function fullyConnected(out, [x, w, bias], options) {
  const [units, width] = w.shape;
  const at = (n, j) => Math.floor(n / units) * width + j;
  const place = (n, j) => (n % units) * width + j;
  const start = bias ? (n) => bias.data[n % units] : () => 0;
  sums(out, x, w, width, at, place, start, options.number(0, "Int8"));
}

function batchMatMul(out, [x, y], options) {
  const [turnX, turnY] = [0, 1].map((field) => options?.number(field, "Int8") ?? 0);
  const [rows, count] = turnX ? x.shape.slice(-2).reverse() : x.shape.slice(-2);
  const columns = y.shape[y.shape.length - (turnY ? 2 : 1)];
  if (x.size / (rows * count) !== y.size / (count * columns))
    throw new Error("BATCH_MATMUL that broadcasts is not supported");
  const batch = (n) => Math.floor(n / (rows * columns));
  const row = (n) => Math.floor(n / columns) % rows;
  const at = (n, j) => batch(n) * rows * count + (turnX ? j * rows + row(n) : row(n) * count + j);
  const of = (n, j) => (turnY ? (n % columns) * count + j : j * columns + (n % columns));
  const place = (n, j) => batch(n) * count * columns + of(n, j);
  sums(out, x, y, count, at, place, () => 0, 0);
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
export const OPERATIONS = {
  0: sum(1),
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
  39: transpose,
  40: reduced(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  41: sum(-1),
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
  94: (out, [, value]) => (out.data = new out.array(out.size).fill(value.data[0])), // FILL
  99: binary((x, y) => (x - y) ** 2),
  101: unary(Math.abs),
  108: unary(Math.cos),
  114: quantize,
  126: batchMatMul,
};
