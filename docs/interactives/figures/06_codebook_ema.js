"use strict";

// What one code makes of many rows, by two running averages and by a running mean of means (exercises 6.2, 6.3, 6.5).
figure({
  name: "ema_rules",
  controls: [
    range("rows", "rows in a batch", 1, 50, 1, 50),
    choice("batches", "batches", [["alike", "all alike, rows at 1"], ["mixed", "every second one a single row at −1"]]),
    choice("decay", "decay γ", [["0.99", "0.99"], ["0.95", "0.95"], ["0.9", "0.9"]]),
  ],

  async compute(call, {rows, batches, decay}) {
    const large = Array(rows).fill([1]), small = [[-1]];
    const stats = await Promise.all([large, batches === "mixed" ? small : large].map(z =>
      call("assignment_stats", matrix(z), i64s(z.map(() => 0)), i64(1))));
    // Code 0 averages sizes and sums, both from N = 1 and m = 0. Code 1 is given the mean as if it were one row: that is the simpler rule.
    let average = [[1, 1], [[0], [0]]];
    const sizes = [], sums = [];
    for (let t = 0; t < 100; ++t) {
      const [[n], [[s]]] = stats[t % 2];
      average = await call("ema_decay", f64s(average[0]), matrix(average[1]), f64s([n, 1]), matrix([[s], [s / n]]), f64(Number(decay)));
      sizes.push(average[0]);
      sums.push(average[1]);
    }
    const codes = k => call("codebook_from_ema", f64s(sizes.map(N => N[k])), matrix(sums.map(m => m[k])), f64(1e-12));
    const [two, simple] = (await Promise.all([codes(0), codes(1)])).map(([e]) => e.map(([place]) => place));
    return {two: [0, ...two], simple: [0, ...simple]};
  },

  values: ({two, simple}) => [
    {key: "two_first", label: "two averages: code after one batch", value: two[1], digits: 5},
    {key: "simple_first", label: "simpler rule: after one", value: simple[1], digits: 5},
    {key: "two_last", label: "two averages: after 100", value: two[100], digits: 3},
    {key: "simple_last", label: "simpler rule: after 100", value: simple[100], digits: 3},
  ],

  describe: ({two, simple}, {rows, batches}) =>
    `From 0, with ${rows} rows at 1 in ${batches === "mixed" ? "every other batch and one at −1 in the rest" : "a batch"}, ` +
    `one batch takes the code to ${two[1].toFixed(4)} with two averages and to ${simple[1].toFixed(4)} with the simpler rule; ` +
    `after 100 batches it is at ${two[100].toFixed(3)} and ${simple[100].toFixed(3)}.`,

  draw({two, simple}, {batches}) {
    const {picture, frame, path, line, text, linear, steps} = sketch;
    const box = {left: 60, right: 610, top: 34, bottom: 240}, low = batches === "mixed" ? -1 : 0;
    const x = linear(0, 100, box.left, box.right), y = linear(low, 1, box.bottom, box.top);
    const curve = (list, style) => path(list.map((e, t) => [x(t), y(e)]), style);
    return picture(640, 330, frame(box, x, y, steps(0, 100, 20), low < 0 ? [-1, -0.5, 0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1], "batches", "place of the code"),
      curve(simple, "line-b dashed"), curve(two, "line-a"),
      line(60, 306, 90, 306, "line-a"), text(98, 310, "two averages, divided", "text-a", "start"),
      line(330, 306, 360, 306, "line-b dashed"), text(368, 310, "the simpler rule: a mean of means", "text-b", "start"));
  },
});

// A codebook that starts badly, with and without revival of dead codes (exercises 6.1, 6.7, 6.8, 6.9).
const utilisation = {
  codes: 32, rows: 64,
  clusters: [[5.2, 3.7], [2.3, 4.7], [5.4, 1.4], [3.6, 2.7], [1.4, 3], [2.6, 1.1]],

  /** Rows of all clusters in turn, and a random permutation of them: by a third normal number each. */
  async batch(call, count, seed) {
    const [noise] = await call("sample_prior", i64(count), i64(3), i64(seed));
    const z = noise.map(([a, b], i) => [a, b].map((e, d) => this.clusters[i % 6][d] + 0.4 * e));
    return {z, order: noise.map((_, i) => i).sort((i, j) => noise[i][2] - noise[j][2])};
  },

  /** The wire's form of a codebook with its memory, and back. */
  argument: ({codebook, size, sum, updates}) => [matrix(codebook), f64s(size), matrix(sum), i64(updates)],
  result: ([codebook, size, sum, updates]) => ({codebook, size, sum, updates}),

  /** With a weight of 1 the commitment term is the quantization error. */
  options: decay => [f64(Number(decay)), f64(1e-5), f64(0.1), f64(1)],

  /** How well the codebooks serve 256 rows that they do not learn from. */
  async measure(call, {z, without, revived, history}, decay) {
    const measured = await Promise.all([without, revived].map(async memory => {
      const [, indices, error] = await call("ema_codebook_step", matrix(z), this.argument(memory), i64s([]), this.options(decay), i32(false));
      const [[used], [perplexity]] = await Promise.all(["codebook_usage", "codebook_perplexity"].map(name => call(name, i64s(indices), i64(this.codes))));
      return {used, perplexity, error, live: [...new Set(indices)].sort((a, b) => a - b)};
    }));
    return {z, without, revived, measured, history: [...history, measured.map(({used}) => used)]};
  },
};

figure({
  name: "utilisation",
  stills: 60,
  controls: [
    choice("start", "codes start", [["zero", "near 0, deviation 1/K"], ["normal", "normal, deviation 1"],
      ["rows", "on rows of a batch"], ["kmeans", "by k-means on a batch"]]),
    choice("decay", "decay γ", [["0.9", "0.9"], ["0.95", "0.95"], ["0.99", "0.99"]]), range("seed", "seed", 1, 20, 1, 1),
  ],

  async compute(call, {start, decay, seed}) {
    const {codes, argument, result} = utilisation, first = 10000 * seed;
    const [{z}, batch, [noise]] = await Promise.all([
      utilisation.batch(call, 256, first), utilisation.batch(call, utilisation.rows, first + 1),
      call("sample_prior", i64(codes), i64(2), i64(first + 2))]);
    let memory;
    if (start === "rows" || start === "kmeans") {
      memory = result(await call("kmeans_init", matrix(batch.z), i64(codes), i64s(batch.order), i64(start === "kmeans" ? 10 : 0)));
    } else {
      const codebook = noise.map(row => row.map(e => start === "normal" ? e : e / codes));
      memory = {codebook, size: codebook.map(() => 1), sum: codebook, updates: 0};
    }
    return utilisation.measure(call, {z, without: memory, revived: memory, history: []}, decay);
  },

  async step(call, state, {decay, seed}) {
    const {z, order} = await utilisation.batch(call, utilisation.rows, 10000 * seed + 2 + state.history.length);
    // A dead code is put on the next row of the order; without an order it stays dead.
    const next = async (memory, rows) => utilisation.result((await call("ema_codebook_step", matrix(z),
      utilisation.argument(memory), i64s(rows), utilisation.options(decay), i32(true))).slice(3));
    const [without, revived] = await Promise.all([next(state.without, []), next(state.revived, order)]);
    return utilisation.measure(call, {z: state.z, without, revived, history: state.history}, decay);
  },

  finished: ({history}) => history.length > 300,

  values: ({measured: [without, revived]}) => [
    {key: "used_without", label: "without revival: codes used", value: without.used, digits: 0, unit: "of 32"},
    {key: "perplexity_without", label: "its perplexity", value: without.perplexity, digits: 2},
    {key: "error_without", label: "its quantization error", value: without.error},
    {key: "used_revived", label: "with revival: codes used", value: revived.used, digits: 0, unit: "of 32"},
    {key: "perplexity_revived", label: "its perplexity", value: revived.perplexity, digits: 2},
    {key: "error_revived", label: "its quantization error", value: revived.error},
  ],

  describe: ({measured: [without, revived], history}) =>
    `After ${history.length - 1} batches, the codebook without revival uses ${without.used} of 32 codes (perplexity ` +
    `${without.perplexity.toFixed(1)}, error ${without.error.toFixed(3)}), ` +
    `the one with revival ${revived.used} (perplexity ${revived.perplexity.toFixed(1)}, error ${revived.error.toFixed(3)}).`,

  draw({z, without, revived, measured, history}) {
    const {picture, element, line, circle, text, path, frame, linear, steps, clamp} = sketch;
    const dot = ([a, b]) => `M${(a - 1.3).toFixed(1)} ${(b - 1.3).toFixed(1)}h2.6v2.6h-2.6z`;
    const dots = places => element("path", {d: places.map(dot).join(""), class: "muted"});
    const panel = (left, {codebook}, {live, used}, title) => {
      const px = linear(-1.2, 6.8, left, left + 300), py = linear(-1.1, 6.02, 291, 24);
      const at = ([a, b]) => [px(clamp(a, -1.1, 6.7)), py(clamp(b, -1, 5.9))];
      const cross = (a, b) => [line(a - 4, b - 4, a + 4, b + 4, "line-b thin"), line(a - 4, b + 4, a + 4, b - 4, "line-b thin")];
      return [element("rect", {x: left, y: 24, width: 300, height: 267, class: "frame"}),
        line(left, py(0), left + 300, py(0), "grid"), line(px(0), 24, px(0), 291, "grid"),
        text(left, 16, `${title}: ${used} of 32 codes used`, "name", "start"),
        dots(z.map(at)), codebook.map((code, k) => live.includes(k) ? "" : cross(...at(code))),
        codebook.map((code, k) => live.includes(k) ? circle(...at(code), 5, "fill-a") : "")];
    };
    const last = history.length - 1, unit = [10, 20, 50].find(u => last <= 6 * u) ?? Math.ceil(last / 600) * 100, to = 6 * unit;
    const box = {left: 60, right: 612, top: 350, bottom: 450}, x = linear(0, to, box.left, box.right), y = linear(0, 32, box.bottom, box.top);
    const curve = (which, style) => [path(history.map((used, t) => [x(t), y(used[which])]), style),
      circle(x(last), y(history[last][which]), 3.5, which === 0 ? "fill-b" : "fill-a")];
    return picture(640, 494, panel(10, without, measured[0], "Without revival"), panel(330, revived, measured[1], "With revival"),
      dots([[17, 308]]), text(26, 312, "row", "small", "start"), circle(77, 308, 5, "fill-a"), text(88, 312, "code in use", "small", "start"),
      line(179, 304, 187, 312, "line-b thin"), line(179, 312, 187, 304, "line-b thin"), text(194, 312, "code without rows", "small", "start"),
      line(390, 308, 418, 308, "line-a"), text(425, 312, "with revival", "small text-a", "start"),
      line(515, 308, 543, 308, "line-b dashed"), text(550, 312, "without", "small text-b", "start"),
      frame(box, x, y, steps(0, to, unit), [0, 8, 16, 24, 32], "batches", "codes used"), curve(0, "line-b dashed"), curve(1, "line-a"));
  },
});
