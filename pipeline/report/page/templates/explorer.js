// The threshold explorer: everything is reckoned from counts of rows by class and bin.
"use strict";
const slider = part.querySelector("#explorer-threshold");
const DASH = "\u2013", MINUS = "\u2212", Z = 1.959964;
const sum = (values) => values.reduce((total, value) => total + value, 0);
// above[k]: rows in bin k or a later one
const above = (counts) => {
  const found = new Array(counts.length + 1).fill(0);
  for (let k = counts.length - 1; k >= 0; k--) found[k] = found[k + 1] + counts[k];
  return found;
};
for (const target of Object.values(data.targets)) {
  for (const group of target.groups) {
    group.hits = above(group.positive);
    group.alarms = above(group.negative);
    group.positives = group.hits[0];
    group.negatives = group.alarms[0];
  }
}
const share = (of, among) => (among ? of / among : null);

// Hits and trials of what is a share of rows.
function trialsOf(group, metric, k) {
  const { positives, negatives } = group, hits = group.hits[k], alarms = group.alarms[k];
  switch (metric) {
    case "accuracy": return [hits + negatives - alarms, positives + negatives];
    case "precision": return [hits, hits + alarms];
    case "recall": case "tpr": return [hits, positives];
    case "fpr": return [alarms, negatives];
    case "f1": return [2 * hits, positives ? hits + alarms + positives : 0];
    default: return [hits + alarms, positives + negatives];
  }
}
const valueOf = (group, metric, k) => share(...trialsOf(group, metric, k));

function wilson(hits, trials) {
  const part = hits / trials, spread = Z * Z / trials;
  const middle = (part + spread / 2) / (1 + spread);
  const half = Z / (1 + spread) * Math.sqrt(part * (1 - part) / trials + spread / (4 * trials));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
function intervalOf(group, metric, k) {
  if (metric !== "f1") return wilson(...trialsOf(group, metric, k));
  const either = group.positives + group.alarms[k]; // F1 = 2j / (1 + j), j of the rows of either
  return wilson(group.hits[k], either).map((j) => 2 * j / (1 + j));
}

// A bound and a value: the verdict, where few rows cannot tell it "undecided".
function judge(gate, value, interval, fewest) {
  const holds = gate.sign === ">=" ? value >= gate.limit : value <= gate.limit;
  const unsure = interval && fewest < data.fewRows && interval[0] < gate.limit && gate.limit < interval[1];
  const passed = unsure ? data.undecidedPasses : holds;
  const margin = gate.sign === ">=" ? value - gate.limit : gate.limit - value;
  return { value, passed, undecided: Boolean(unsure), margin };
}
const nothing = () => ({ value: null, passed: data.undecidedPasses, undecided: true, margin: 0 });

function ofSlice(gate, group, k) {
  const value = valueOf(group, gate.metric, k);
  if (value === null) return { ...nothing(), where: group.label };
  const fewest = Math.min(group.positives, group.negatives);
  return { ...judge(gate, value, intervalOf(group, gate.metric, k), fewest), where: group.label };
}
function gapOf(groups, metric, k) {
  const found = groups.map((group) => ({ group, value: valueOf(group, metric, k) }));
  if (found.length < 2 || found.some((each) => each.value === null)) return null;
  found.sort((one, other) => one.value - other.value);
  const low = found[0], high = found[found.length - 1];
  return { low: low.group, high: high.group, value: high.value - low.value };
}
function ofGap(gate, groups, k) {
  const gap = gapOf(groups, gate.metric, k);
  if (gap === null) return { ...nothing(), where: "" };
  const [high, low] = [gap.high, gap.low].map((group) => ({
    value: valueOf(group, gate.metric, k), ends: wilson(...trialsOf(group, gate.metric, k)),
    trials: trialsOf(group, gate.metric, k)[1],
  }));
  const below = Math.hypot(high.value - high.ends[0], low.ends[1] - low.value);
  const beyond = Math.hypot(high.ends[1] - high.value, low.value - low.ends[0]);
  const interval = [Math.max(0, gap.value - below), gap.value + beyond];
  const told = judge(gate, gap.value, interval, Math.min(high.trials, low.trials));
  return { ...told, where: `${gap.high.label} over ${gap.low.label}` };
}
function ofDrop(gate, all, k) {
  const before = gate.value + valueOf(all, gate.metric, Math.round(data.start * data.bins));
  const now = valueOf(all, gate.metric, k);
  return now === null ? { ...nothing(), where: "all rows" }
    : { ...judge(gate, before - now, null, 0), where: "all rows" };
}
function ofChance(gate, all, k) {
  const chosen = valueOf(all, "selection_rate", k), only = chosen === 0 || chosen === 1;
  const undecided = !only && gate.verdicts[0].startsWith("undecided");
  const passed = !only && gate.verdicts[0] !== "failed" && gate.verdicts[0] !== "undecided, failed";
  const where = only ? `one answer only: ${chosen ? "yes" : "no"} on all rows` : "all rows";
  return { value: gate.value, passed, undecided, margin: 0, where };
}
function decide(gate, groups, k) {
  if (gate.kind === "gap") return [ofGap(gate, gate.groups.map((place) => groups[place]), k)];
  if (gate.kind === "drop") return [ofDrop(gate, groups[0], k)];
  if (gate.kind === "chance") return [ofChance(gate, groups[0], k)];
  return gate.groups.map((place) => ofSlice(gate, groups[place], k));
}
const rank = (found) => (found.passed ? (found.undecided ? 1 : 2) : 0);
const worst = (found) => [...found].sort((a, b) => rank(a) - rank(b) || a.margin - b.margin)[0];
const verdictOf = ({ passed, undecided }) =>
  (undecided ? (passed ? "undecided" : "undecided, failed") : passed ? "passed" : "failed");

// Bounds by key under which what fails would pass.
function linesFor(failed) {
  const found = new Map();
  for (const { gate, told } of failed) {
    if (told.undecided) found.set("evaluation.when_too_few", "warn");
    else if (gate.kind === "chance") found.set(gate.key, "false");
    else {
      const above = gate.sign === "<=";
      const rounded = (above ? Math.ceil(told.value * 1000 - 1e-9) : Math.floor(told.value * 1000 + 1e-9)) / 1000;
      const bound = Math.min(1, Math.max(0, rounded));
      const earlier = found.get(gate.key);
      found.set(gate.key, earlier === undefined ? bound : (above ? Math.max : Math.min)(earlier, bound));
    }
  }
  return found;
}
const quoted = (text) => (/^[\w.,:@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const number = (value) => (value === null ? DASH : value.toFixed(4).replace("-", MINUS));

function write(element, text) { if (element && element.textContent !== text) element.textContent = text; }
function showNumbers(k) {
  const start = Math.round(data.start * data.bins);
  for (const cell of part.querySelectorAll("[data-live]")) {
    const { live, group, metric } = cell.dataset;
    write(cell, number(valueOf(data.targets[live].groups[group], metric, k)));
  }
  for (const cell of part.querySelectorAll("[data-change]")) {
    const all = data.targets[cell.dataset.change].groups[0];
    const [now, before] = [k, start].map((at) => valueOf(all, cell.dataset.metric, at));
    const known = now !== null && before !== null && k !== start;
    write(cell, known ? (now < before ? "" : "+") + number(now - before) : DASH);
  }
  for (const cell of part.querySelectorAll("[data-gap]")) {
    const target = data.targets[cell.dataset.gap];
    const groups = target.columns[cell.dataset.columns].map((place) => target.groups[place]);
    const gap = gapOf(groups, cell.dataset.metric, k);
    write(cell, gap === null ? DASH : number(gap.value));
  }
}
function showGates(k) {
  const counts = {}, failed = [];
  for (const [name, target] of Object.entries(data.targets)) {
    counts[name] = { bounds: 0, failed: [] };
    target.gates.forEach((gate, place) => {
      const found = decide(gate, target.groups, k), told = worst(found), verdict = verdictOf(told);
      const slot = (what) => part.querySelector(
        `[data-gate="${CSS.escape(name)}"][data-place="${place}"][data-what="${what}"]`);
      const beyond = found.filter((each) => !each.passed).length;
      write(slot("where"), told.where + (found.length > 1 ? ` (worst of ${found.length})` : ""));
      write(slot("value"), number(told.value));
      const badge = slot("verdict").firstElementChild;
      write(badge, found.length > 1 && beyond ? `${verdict}, ${beyond} of ${found.length}` : verdict);
      badge.className = `badge ${told.passed ? (told.undecided ? "warn" : "good") : "bad"}`;
      counts[name].bounds += 1;
      if (beyond) counts[name].failed.push(gate.called);
      failed.push(...found.filter((each) => !each.passed).map((each) => ({ gate, told: each })));
    });
  }
  return { counts, failed };
}
const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
function sayGates(counts) {
  return Object.entries(counts).filter(([, each]) => each.bounds).map(([name, each]) => {
    const told = each.failed.length
      ? `${each.failed.length} of ${many(each.bounds, "gate")} would fail (${each.failed.join(", ")})`
      : `all ${many(each.bounds, "gate")} that depend on it would hold`;
    const other = data.targets[name].otherFailed;
    return `${name}: ${told}${other ? `; ${many(other, "other gate")} failed in the run` : ""}`;
  }).join("; ");
}
function showLines(failed, threshold) {
  const lines = linesFor(failed), box = part.querySelector("#explorer-lines").parentElement;
  box.hidden = lines.size === 0;
  const flags = [...lines].map(([key, value]) => `--set ${quoted(`${key}=${value}`)}`);
  write(part.querySelector("#explorer-lines"), [box.dataset.base, ...flags].join(" \\\n  "));
  const atStart = threshold === data.start;
  write(part.querySelector("#explorer-lines-said"), lines.size === 0
    ? `At ${threshold.toFixed(3)} nothing fails that another bound would let pass.`
    : atStart ? "A run with these bounds would pass them:"
      : `These bounds would hold at ${threshold.toFixed(3)}; a run judges at ${data.start}${alsoAtStart(lines)}:`);
}
// What a run, which judges at the start, would say of the bounds that are written.
function alsoAtStart(lines) {
  const k = Math.round(data.start * data.bins);
  let beyond = 0;
  for (const target of Object.values(data.targets)) {
    for (const gate of target.gates) {
      const bound = lines.get(gate.key);
      const anew = typeof bound === "number" ? { ...gate, limit: bound } : gate;
      if (decide(anew, target.groups, k).some((each) => !each.passed)) beyond += 1;
    }
  }
  return beyond ? `, where ${many(beyond, "gate")} would still fail` : ", where they would hold, too";
}

async function draw(k, threshold) {
  for (const metric of data.rates) {
    if (!document.getElementById(`explorer-${metric}`)) continue;
    const view = await chart(`explorer-${metric}`), points = [], overall = [];
    for (const [name, target] of Object.entries(data.targets)) {
      for (const { place, ...point } of target.drawn) {
        const group = target.groups[place], value = valueOf(group, metric, k);
        const [low, high] = value === null ? [null, null] : intervalOf(group, metric, k);
        points.push({ ...point, value, low, high });
      }
      const value = valueOf(target.groups[0], metric, k);
      if (value !== null) overall.push({ target: name, value });
    }
    await view.data("points", points).data("overall", overall).runAsync();
  }
  for (let n = 0; n < Object.keys(data.targets).length; n++) {
    const view = await chart(`explorer-curves-${n}`);
    await view.signal("threshold", threshold).runAsync();
  }
}
let drawing = false, wanted = null, talking = null;
async function drawNewest() { // a picture that is not ready yet skips what came meanwhile
  if (drawing) return;
  drawing = true;
  while (wanted) { const next = wanted; wanted = null; await draw(...next); }
  drawing = false;
}
function show(moved) {
  const k = Math.round(Number(slider.value) * data.bins), threshold = k / data.bins;
  showNumbers(k);
  const { counts, failed } = showGates(k);
  showLines(failed, threshold);
  write(part.querySelector("#explorer-shown"), threshold.toFixed(3));
  const said = sayGates(counts) || "no gate is decided anew";
  slider.setAttribute("aria-valuetext", threshold.toFixed(3));
  clearTimeout(talking); // a screen reader is told when the slider rests
  talking = setTimeout(() => write(part.querySelector("#explorer-said"),
    `At ${threshold.toFixed(3)}: ${said}.`), moved ? 250 : 0);
  if (moved) { wanted = [k, threshold]; drawNewest(); }
}
slider.addEventListener("input", () => show(true));
part.querySelector("#explorer-back").addEventListener("click", () => {
  slider.value = data.start;
  show(true);
});
show(false);
