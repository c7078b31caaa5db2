// The figures of the handbook. Every number in them is computed here, from the formulas of the chapters; a figure that
// is a graph is a Graphviz file in handbook/figures. Colours come from theme/handbook.css, so that they follow the
// light and the dark page.
"use strict";
const {spawnSync} = require("child_process");
const fs = require("fs");
const path = require("path");

// --- drawing ------------------------------------------------------------------------------------------------------------

const escape = text => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
const round = x => Math.round(x * 100) / 100;

function element(name, attributes, content = "") {
  const list = Object.entries(attributes).map(([key, value]) =>
    ` ${key}="${typeof value === "number" ? round(value) : escape(value)}"`).join("");
  return content === "" ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`;
}

const line = (x1, y1, x2, y2, style) => element("line", {x1, y1, x2, y2, class: style});
const circle = (cx, cy, r, style) => element("circle", {cx, cy, r, class: style});
const rect = (x, y, width, height, style) => element("rect", {x, y, width, height, class: style});
const text = (x, y, content, style = "", anchor = "middle") =>
  element("text", {x, y, class: style, "text-anchor": anchor}, escape(content));
const polyline = (points, style, closed = false) =>
  element("path", {d: "M" + points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L") + (closed ? "Z" : ""), class: style});

/** A whole picture; `description` is what a screen reader says instead. */
function picture(width, height, description, parts) {
  return element("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": description, class: "drawn"},
    parts.flat(Infinity).join(""));
}

const linear = (from, to, low, high) => x => low + (x - from) / (to - from) * (high - low);
const logarithmic = (from, to, low, high) => x => linear(Math.log(from), Math.log(to), low, high)(Math.log(x));

/** A chart's frame: ticks as [position, label], names of the axes. */
function frame(box, x, y, xTicks, yTicks, xName, yName) {
  return [
    xTicks.map(([at, label]) => [line(x(at), box.bottom, x(at), box.top, "grid"), text(x(at), box.bottom + 18, label)]),
    yTicks.map(([at, label]) => [line(box.left, y(at), box.right, y(at), "grid"), text(box.left - 8, y(at) + 4, label, "", "end")]),
    line(box.left, box.bottom, box.right, box.bottom, "axis"),
    line(box.left, box.bottom, box.left, box.top, "axis"),
    text((box.left + box.right) / 2, box.bottom + 38, xName, "name"),
    text(box.left - 8, box.top - 12, yName, "name", "start"),
  ];
}

const range = (from, to, step) => Array.from({length: Math.round((to - from) / step) + 1}, (_, i) => from + i * step);
const thousands = n => n.toLocaleString("en-GB");
const density = (x, mean = 0, sigma = 1) =>
  Math.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));

/** A figure checks the numbers that its chapter states. */
function claim(name, value, stated, tolerance = 1e-3) {
  if (!(Math.abs(value - stated) <= tolerance)) throw new Error(`${name} is ${value}, but the chapter says ${stated}`);
}

// --- lab 01 -------------------------------------------------------------------------------------------------------------

/** How many values each stage of a small convolutional encoder holds. */
function stages() {
  const shapes = [["image", [3, 256, 256]], ["conv 1", [64, 128, 128]], ["conv 2", [128, 64, 64]],
    ["conv 3", [256, 32, 32]], ["latent", [64]]];
  const rows = shapes.map(([name, shape]) => ({name, shape: shape.join(" × "), values: shape.reduce((a, b) => a * b)}));
  claim("the widest stage", rows[1].values, 1048576);
  claim("the flattened stage", rows[3].values, 262144);
  const width = linear(0, 1048576, 0, 330);
  const parts = rows.map(({name, shape, values}, i) => {
    const y = 12 + 38 * i;
    return [text(70, y + 18, name, "", "end"), rect(84, y, Math.max(width(values), 1), 26, i === 4 ? "fill-b" : "fill-a"),
      text(94 + width(values), y + 18, shape === String(values) ? shape : `${shape} = ${thousands(values)}`, "", "start")];
  });
  return picture(640, 206, "Values per stage of an encoder: " + rows.map(r => `${r.name} ${thousands(r.values)}`).join(", "), parts);
}

/** Four points, the best line through them, their reconstructions, and a midpoint far from all of them. */
function midpoint() {
  const points = [[2, 1], [1, 2], [-1, -2], [-2, -1]];
  const codes = points.map(([a, b]) => (a + b) / Math.SQRT2);
  const decode = z => [z / Math.SQRT2, z / Math.SQRT2];
  const distance = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);
  claim("the residual of one point", distance(points[0], decode(codes[0])) ** 2, 0.5, 1e-12);
  const middle = decode((codes[0] + codes[3]) / 2);
  claim("from the midpoint to the nearest datum", Math.min(...points.map(p => distance(p, middle))), 2.236);
  const x = linear(-3, 3, 70, 430), y = linear(-3, 3, 380, 20);
  const at = ([a, b]) => [x(a), y(b)];
  return picture(640, 400, "Two pairs of points, the line of all decodings, and the decoded midpoint in the gap between the pairs", [
    line(x(-3), y(0), x(3), y(0), "grid"), line(x(0), y(-3), x(0), y(3), "grid"),
    line(x(-2.9), y(-2.9), x(2.9), y(2.9), "line-a"), text(x(2.95), y(2.75), "all that the decoder", "", "start"),
    text(x(2.95), y(2.75) + 17, "can say", "", "start"),
    points.map((p, i) => [line(...at(p), ...at(decode(codes[i])), "thin"), circle(...at(decode(codes[i])), 4, "fill-a"),
      circle(...at(p), 6, "fill-text"), text(x(p[0]) + (p[0] > p[1] ? 12 : -12), y(p[1]) + 5, `(${p.join(", ")})`.replaceAll("-", "−"), "",
        p[0] > p[1] ? "start" : "end")]),
    circle(...at(middle), 7, "fill-b"), text(x(0) + 14, y(0) + 22, "decoded midpoint of (2, 1) and (−2, −1):", "", "start"),
    text(x(0) + 14, y(0) + 39, "2.236 from the nearest point", "", "start"),
  ]);
}

/** Adam's step length under a constant gradient, in units of the learning rate. */
function adam() {
  const uncorrected = t => (1 - 0.9 ** t) / Math.sqrt(1 - 0.999 ** t);
  claim("the first step", uncorrected(1), 3.162);
  claim("the largest step", Math.max(...range(1, 100, 1).map(uncorrected)), 6.569);
  const box = {left: 60, right: 600, top: 34, bottom: 240};
  const x = logarithmic(1, 3000, box.left, box.right), y = linear(0, 7, box.bottom, box.top);
  const steps = [...range(1, 20, 1), ...range(22, 100, 2), ...range(120, 3000, 20)];
  return picture(640, 290, "Without bias correction the first step is 3.16 learning rates long, the twelfth 6.57; with it every step is 1", [
    frame(box, x, y, [1, 3, 10, 30, 100, 300, 1000, 3000].map(t => [t, t]), range(0, 7, 1).map(v => [v, v]), "step t",
      "step length / learning rate"),
    polyline(steps.map(t => [x(t), y(uncorrected(t))]), "line-b"), polyline([[x(1), y(1)], [x(3000), y(1)]], "line-a"),
    circle(x(1), y(uncorrected(1)), 4, "fill-b"), text(x(1) + 10, y(uncorrected(1)) + 14, "3.162", "", "start"),
    circle(x(12), y(uncorrected(12)), 4, "fill-b"), text(x(12), y(uncorrected(12)) - 9, "6.569"),
    text(x(140), y(4.2), "without the correction", "", "start"), text(x(3), y(1) - 8, "with the correction", "", "start"),
  ]);
}

/** Which positions of an axis of four a kernel of three visits at stride two. */
function padding() {
  const cell = 56, left = 250;
  const panel = (title, before, after, top) => {
    const outputs = Math.floor((4 + before + after - 3) / 2) + 1;
    claim("the number of outputs", outputs, 2);
    const at = index => left + (index + 1) * cell;
    const cells = range(-before, 3 + after, 1).map(i => [
      rect(at(i), top, cell - 4, 30, i >= 0 && i < 4 ? "cell" : "cell-empty"), text(at(i) + cell / 2 - 2, top + 20, i >= 0 && i < 4 ? i : "0",
        i >= 0 && i < 4 ? "" : "muted")]);
    const windows = range(0, outputs - 1, 1).map(o => {
      const from = at(2 * o - before), to = at(2 * o - before + 2) + cell - 4, y = top + 42 + 12 * o;
      return [line(from, y, to, y, o === 0 ? "line-a" : "line-b"), text(to + 8, y + 4, `output ${o}`, "small", "start")];
    });
    return [text(left - 24, top + 20, title, "", "end"), cells, windows];
  };
  return picture(640, 170, "With padding 1 before and 1 after, the windows start at -1 and 1; with 0 before and 1 after, at 0 and 2", [
    panel("pad 1 before, 1 after", 1, 1, 10), panel("pad 0 before, 1 after", 0, 1, 95),
  ]);
}

// --- lab 02 -------------------------------------------------------------------------------------------------------------

/** The same seven draws of noise under two pairs of mu and sigma. */
function same_noise() {
  const draws = [-2, -1.3, -0.7, -0.2, 0.4, 0.9, 1.6];
  const sigma = Math.exp(-1.39 / 2);
  claim("z", 2.3 - 0.7 * sigma, 1.950648, 1e-6);
  const x = linear(-3, 5, 40, 610);
  const row = (base, mean, spread, label, style) => [
    polyline(range(-3, 5, 0.05).map(v => [x(v), base - 62 * density(v, mean, spread)]), style),
    line(x(-3), base, x(5), base, "axis"), range(-3, 5, 1).map(v => [line(x(v), base, x(v), base + 4, "axis"),
      text(x(v), base + 18, String(v).replace("-", "−"), "small")]),
    text(x(5), base - 42, label, "", "end")];
  const link = (from, to, mean, spread) =>
    draws.map(e => line(x(e), from, x(mean + spread * e), to, e === -0.7 ? "line-b thin" : "thin"));
  const dots = (base, mean, spread) => draws.map(e => circle(x(mean + spread * e), base, e === -0.7 ? 5.5 : 4, e === -0.7 ? "fill-b" : "fill-text"));
  return picture(640, 375, "Seven draws of noise on one axis, and where mu + sigma * epsilon takes them for two pairs of mu and sigma", [
    link(205, 100, 2.3, sigma), link(229, 345, 0.5, 1.2),
    row(75, 2.3, sigma, "z with μ = 2.3, σ = 0.499", "line-a"), dots(75, 2.3, sigma),
    row(205, 0, 1, "ε from N(0, 1)", "line-a"), dots(205, 0, 1),
    row(350, 0.5, 1.2, "z with μ = 0.5, σ = 1.2", "line-a"), dots(350, 0.5, 1.2),
  ]);
}

/** How the two estimators of the same gradient spread, for f = z^2 and mu = sigma = 1. */
function estimators() {
  const low = -12, high = 20, width = 0.5, step = 1e-4;
  const kinds = [{name: "pathwise", of: e => 2 * (1 + e), style: "line-a", variance: 4},
    {name: "score function", of: e => (1 + e) ** 2 * e, style: "line-b", variance: 30}];
  const box = {left: 60, right: 610, top: 34, bottom: 240};
  const x = linear(low, high, box.left, box.right), y = linear(0, 0.5, box.bottom, box.top);
  const curves = kinds.map(({name, of, style, variance}) => {
    const bins = new Array(Math.round((high - low) / width)).fill(0);
    let mean = 0, square = 0;
    for (let e = -10; e <= 10; e += step) {
      const value = of(e), weight = density(e) * step;
      mean += weight * value;
      square += weight * value * value;
      const bin = Math.floor((value - low) / width);
      if (bin >= 0 && bin < bins.length) bins[bin] += weight / width;
    }
    claim(`the mean of the ${name} estimator`, mean, 2);
    claim(`the variance of the ${name} estimator`, square - mean * mean, variance);
    const outline = bins.flatMap((height, i) => [[x(low + i * width), y(Math.min(height, 0.5))], [x(low + (i + 1) * width), y(Math.min(height, 0.5))]]);
    return {path: polyline(outline, style), peak: Math.max(...bins)};
  });
  return picture(640, 290, "Densities of single estimates: both have mean 2, the pathwise one variance 4, the score-function one variance 30", [
    frame(box, x, y, range(-12, 20, 4).map(v => [v, String(v).replace("-", "−")]), [0, 0.1, 0.2, 0.3, 0.4, 0.5].map(v => [v, v]), "one estimate of the gradient",
      "density"),
    curves.map(c => c.path), line(x(2), box.bottom, x(2), box.top, "dashed"), text(x(2) + 8, y(0.46), "the gradient, 2", "", "start"),
    text(x(5), y(0.17), "pathwise, variance 4", "text-a", "start"),
    text(x(5), y(0.17) - 46, `score function, variance 30 (peak ${curves[1].peak.toFixed(2)})`, "text-b", "start"),
  ]);
}

/** How sigma moves with the raw output x, as a function of sigma, for exp and softplus. */
function sigma_gradient() {
  const box = {left: 74, right: 600, top: 34, bottom: 260};
  const x = logarithmic(1e-3, 10, box.left, box.right), y = logarithmic(1e-4, 10, box.bottom, box.top);
  claim("softplus at 1e-3", 1 - Math.exp(-1e-3), 9.995e-4, 1e-7);
  const grid = range(-3, 1, 0.02).map(p => 10 ** p);
  const power = p => `10${[...String(p)].map(c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("")}`;
  return picture(640, 310, "Both derivatives fall in proportion to sigma near 0, softplus being twice as large; softplus levels off at 1, exp keeps growing", [
    frame(box, x, y, range(-3, 1, 1).map(p => [10 ** p, power(p)]), range(-4, 1, 1).map(p => [10 ** p, power(p)]), "σ", "dσ/dx"),
    polyline(grid.map(s => [x(s), y(s / 2)]), "line-a"), polyline(grid.map(s => [x(s), y(1 - Math.exp(-s))]), "line-b"),
    text(x(0.1), y(0.2), "softplus(x): 1 − exp(−σ)", "text-b", "end"), text(x(0.03), y(0.006), "exp(x/2): σ/2", "text-a", "start"),
  ]);
}

// --- graphs -------------------------------------------------------------------------------------------------------------

/** Runs Graphviz and strips what would fight with the page: the prologue, titles, fixed size and background. */
function graph(file, dot) {
  const source = fs.readFileSync(file, "utf8");
  const run = spawnSync(dot, ["-Tsvg"], {input: source, encoding: "utf8"});
  if (run.error) throw run.error;
  if (run.status !== 0 || run.stderr !== "") throw new Error(run.stderr || `dot ended with status ${run.status}`);
  const description = source.match(/^\/\/ (.*)/)?.[1];
  if (!description) throw new Error("the first line must be a comment that describes the graph");
  const scope = path.basename(file, ".dot");
  return run.stdout.slice(run.stdout.indexOf("<svg"))
    .replace(/<!--[\s\S]*?-->/g, "").replace(/<title>[\s\S]*?<\/title>/g, "").replace(/\n/g, "")
    .replace(/ id="/g, ` id="${scope}_`)
    .replace(/<svg width="([\d.]+)pt" height="[\d.]+pt"/, (_, width) =>
      `<svg class="graph" role="img" aria-label="${escape(description)}" style="width:${Math.round(width * 4 / 3)}px"`);
}

const drawn = {stages, midpoint, adam, padding, same_noise, estimators, sigma_gradient};

/** The SVG of a figure, drawn here or by Graphviz. */
function drawFigure(name, {figures, dot}) {
  if (Object.hasOwn(drawn, name)) return drawn[name]();
  const file = path.join(figures, `${name}.dot`);
  if (!fs.existsSync(file)) throw new Error("there is no such figure");
  return graph(file, dot);
}

module.exports = {drawFigure};
