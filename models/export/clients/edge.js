// Answers raw records with an edge bundle in a browser: no library, nothing fetched from elsewhere.
//
//   import { Bundle } from "./edge.js";
//   const bundle = await Bundle.load("./");      // of a folder with `tflite`, `preprocessing.json`
//   bundle.answer({ age: "39", workclass: null });  // { class: "<=50K", probability: 0.03 }
//
// An empty cell or null is missing; every column has to be there. docs/edge.md says it in words.

import { Model } from "./tflite.js";

const f = Math.fround;
const LARGEST = f(3.4028234663852886e38);

// A number, or null, as what it is in the input `numeric`, and its bucket.
function number(value, column, told) {
  let x = value === null ? NaN : f(value);
  if (Number.isNaN(x)) return [empty(told), told.buckets];
  x = Math.abs(x) < 2 ** -100 ? 0 : x;
  const bounds = column.boundaries.map(f);
  let bucket = 0;
  while (bucket < bounds.length && x >= bounds[bucket]) bucket++;
  if (column.center === undefined) return [rank(x, bounds, bucket, told.buckets), bucket];
  const score = f(f(x - f(column.center)) / f(column.scale));
  return [Math.min(Math.max(score, -told.limit), told.limit), bucket];
}

// What `numeric` holds of a number that is missing, or where there is none.
const empty = (told) => (told.limit === undefined ? 0.5 : 0);

// The quantile rank: what `numeric` held up to format 2 of preprocessing.json.
function rank(x, bounds, bucket, buckets) {
  const below = bounds[Math.max(bucket - 1, 0)] / 2;
  const above = bounds[Math.min(bucket, bounds.length - 1)] / 2;
  const halved = f(Math.min(Math.max(x, -LARGEST), LARGEST) / 2);
  const quotient = above > below ? f(f(halved - below) / f(above - below)) : 0;
  return f(f(bucket + Math.min(Math.max(quotient, 0), 1)) / buckets);
}

function toNumber(cell, column) {
  if (cell === null || /^\s*[+-]?nan\s*$/i.test(cell)) return null;
  const infinite = /^\s*([+-]?)inf(inity)?\s*$/i.exec(cell);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  if (!/^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?\s*$/i.test(cell))
    throw new Error(`${column}: ${JSON.stringify(cell)} is no number`);
  return Number(cell);
}

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";

// Seconds since 1970 on the clock of a date's zone; null where the cell tells none.
function moment(cell, date) {
  const match = new RegExp(`^(?:${date.pattern})$`).exec(cell ?? "");
  if (match === null) return null;
  const has = Object.fromEntries(date.fields.map((field, n) => [field, match[n + 1]]));
  const name = (has.month_name ?? "jan").slice(0, 3).toLowerCase();
  const month = Number(has.month ?? MONTHS.indexOf(name) / 3 + 1);
  const short = Number(has.year_of_century ?? 70);
  const year = Number(has.year ?? short + (short >= 69 ? 1900 : 2000));
  const day = Number(has.day ?? 1);
  const midnight = Date.UTC(year, month - 1, day);
  if (new Date(midnight).getUTCDate() !== day) return null; // the 31st of April
  let hour = Number(has.hour ?? 0);
  if (has.half) hour = (Number(has.hour12) % 12) + (/^p/i.test(has.half) ? 12 : 0);
  let utc = midnight / 1000 + hour * 3600 + Number(has.minute ?? 0) * 60 + Number(has.second ?? 0);
  if (has.offset) {
    const digits = has.offset.replace(/[^0-9]/g, "").padEnd(4, "0");
    const ahead = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2)) * 60;
    utc -= has.offset[0] === "-" ? -ahead : ahead;
  }
  if (has.epoch) utc = Number(has.epoch);
  const begun = date.offsets.filter(([since]) => since <= utc);
  return utc + (begun.length ? begun[begun.length - 1][1] : 0);
}

function partIds(time, date) {
  const clock = new Date((time ?? 0) * 1000);
  const values = {
    month: clock.getUTCMonth(),
    weekday: (clock.getUTCDay() + 6) % 7,
    hour: clock.getUTCHours(),
  };
  return date.parts.map((p) => p.offset + (time === null ? p.values : values[p.part]));
}

// SipHash-2-4 of bytes, 64 bits.
function sipHash(content, key) {
  const turned = (word, by) => BigInt.asUintN(64, (word << by) | (word >> (64n - by)));
  const start = [
    0x736f6d6570736575n,
    0x646f72616e646f6dn,
    0x6c7967656e657261n,
    0x7465646279746573n,
  ];
  let [a, b, c, d] = start.map((word, n) => word ^ BigInt(key[n % 2]));
  const full = new Uint8Array(content.length + 8 - (content.length % 8));
  full.set(content);
  full[full.length - 1] = content.length % 256;
  const view = new DataView(full.buffer);
  for (let at = 0; at <= full.length; at += 8) {
    const last = at === full.length;
    const word = last ? 0n : view.getBigUint64(at, true);
    if (last) c ^= 255n;
    else d ^= word;
    for (let round = 0; round < (last ? 8 : 4); round++) {
      const [byB, byD] = round % 2 ? [17n, 21n] : [13n, 16n];
      [a, c] = [BigInt.asUintN(64, a + b), BigInt.asUintN(64, c + d)];
      [b, d] = [turned(b, byB) ^ a, turned(d, byD) ^ c];
      [a, c] = [c, turned(a, 32n)];
    }
    a ^= word;
  }
  return a ^ b ^ c ^ d;
}

function hashedId(value, column, hashed) {
  if (value === null) return column.offset + hashed.buckets;
  if (Object.hasOwn(column.values, value)) return column.values[value];
  const hash = sipHash(new TextEncoder().encode(value), hashed.key);
  return column.offset + Number(hash % BigInt(hashed.buckets));
}

function listedId(value, column) {
  if (value === null) return column.missing;
  return column.offset + column.values.indexOf(value) + 1;
}

// Ids of the words and n-grams of a text, `width` of them.
function tokens(cell, text, idOf) {
  let content = cell ?? "";
  for (const [pattern, replacement] of text.steps)
    content = content.replace(new RegExp(pattern, "gu"), replacement.replace(/\\(\d)/g, "$$$1"));
  const words = content.toLowerCase().split(" ").filter(Boolean);
  const ids = words.map((word) => idOf.get(word) ?? text.unknown);
  for (let n = 2; n <= text.ngrams; n++)
    for (let at = 0; at + n <= words.length; at++) {
      const id = idOf.get(words.slice(at, at + n).join(" "));
      if (id !== undefined) ids.push(id);
    }
  return [...ids, ...Array(text.width).fill(text.padding)].slice(0, text.width);
}

export class Bundle {
  constructor(preprocessing, model) {
    this.told = preprocessing;
    this.model = new Model(model);
    const { vocabulary = [], offset = 0 } = preprocessing.text ?? {};
    this.gramIds = new Map(vocabulary.map((gram, n) => [gram, offset + n]));
  }

  // Fetches a folder's files; compares them with manifest.json where it is there.
  static async load(folder) {
    const fetched = async (name) => {
      const response = await fetch(new URL(name, new URL(folder, document.baseURI)));
      if (!response.ok) throw new Error(`${name}: ${response.status}`);
      return response.arrayBuffer();
    };
    const manifest = await fetched("manifest.json").catch(() => null);
    const files = manifest ? JSON.parse(new TextDecoder().decode(manifest)).files : {};
    const [preprocessing, model] = await Promise.all(
      ["preprocessing.json", "tflite"].map(async (name) => {
        const content = await fetched(name);
        const digest = crypto.subtle && (await crypto.subtle.digest("SHA-256", content)); // on https
        const hex =
          digest &&
          [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
        if (hex && files[name] && files[name].sha256 !== hex)
          throw new Error(`${name} is not the file of manifest.json`);
        return content;
      }),
    );
    return new Bundle(JSON.parse(new TextDecoder().decode(preprocessing)), model);
  }

  // The columns that a record has to have, by their kinds.
  get columns() {
    const { numeric, categorical, dates = [], hashed, text } = this.told;
    return {
      numbers: numeric.map((c) => c.column),
      listed: categorical.map((c) => c.column),
      texts: [...dates, ...(hashed?.columns ?? [])]
        .map((c) => c.column)
        .concat(text?.columns ?? []),
    };
  }

  // What the model takes, for one record.
  inputs(record) {
    const { numeric, categorical, dates = [], hashed, text } = this.told;
    const cell = (column) => {
      const value = Object.hasOwn(record, column) ? record[column] : undefined;
      if (value === undefined) throw new Error(`the record has no column ${column}`);
      return value === null || value === "" ? null : String(value);
    };
    const times = dates.map((date) => moment(cell(date.column), date));
    const values = numeric.map((c) => toNumber(cell(c.column), c.column));
    times.forEach((time, n) =>
      values.push(time === null ? null : (time - dates[n].newest) / 86400),
    );
    const numbers = [...numeric, ...dates].map((c, n) => number(values[n], c, this.told));
    const ids = [
      ...[...numeric, ...dates].map((column, n) => column.offset + numbers[n][1]),
      ...categorical.map((column) => listedId(cell(column.column), column)),
      ...dates.flatMap((date, n) => partIds(times[n], date)),
      ...(hashed?.columns ?? []).map((column) => hashedId(cell(column.column), column, hashed)),
    ];
    const found = numbers.map(([given]) => given);
    const inputs = {
      numeric: found.length ? found : [empty(this.told)],
      categorical: ids.length ? ids : [0],
    };
    if (text) inputs.tokens = text.columns.flatMap((c) => tokens(cell(c), text, this.gramIds));
    return inputs;
  }

  // The class that is chosen, and the probability of the positive class or of each.
  answer(record) {
    const { classes, threshold } = this.told;
    const shares = this.model.run(this.inputs(record));
    if (shares.length === 1)
      return { class: classes[shares[0] > threshold ? 1 : 0], probability: shares[0] };
    return { class: classes[shares.indexOf(Math.max(...shares))], probabilities: shares };
  }
}

// Records of a CSV text with a header, or of JSON lines.
export function records(text) {
  if (text.trimStart().startsWith("{"))
    return text
      .split("\n")
      .filter((line) => line.trim())
      .map((line) => JSON.parse(line));
  const [cells, rows] = [/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/g, [[]]];
  for (const [, cell, end] of text.matchAll(cells)) {
    rows[rows.length - 1].push(
      cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
    );
    if (end === "") break;
    if (end !== ",") rows.push([]);
  }
  const [header, ...others] = rows.filter((row) => row.length > 1 || row[0]);
  return others.map((row, place) => {
    if (row.length !== header.length)
      throw new Error(`record ${place + 1} has ${row.length} cells, the first line ${header.length}`);
    return Object.fromEntries(header.map((name, n) => [name, row[n]]));
  });
}
