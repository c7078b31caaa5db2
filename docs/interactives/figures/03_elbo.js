"use strict";

// The linear-Gaussian model of exercise 3.6, where evidence and posterior are known.
figure({
  name: "elbo",
  controls: [
    range("mean", "mean of q", -2, 3, 0.05, 0.3, {show: v => v.toFixed(2)}),
    range("var", "variance of q", 0.02, 2, 0.02, 0.4, {show: v => v.toFixed(2)}),
    range("weight", "weight w of the decoder", -4, 4, 0.1, 2, {show: v => v.toFixed(1)}),
    range("x", "datum x", -3, 3, 0.1, 1.7, {show: v => v.toFixed(1)}),
  ],

  async compute(call, {mean, var: variance, weight, x}) {
    const model = [f64(weight), f64(0.5)];
    const [[evidence, posteriorMean, posteriorVar], [reconstruction, kl, elbo, gap]] = await Promise.all([
      call("linear_gaussian_evidence", f64(x), ...model), call("elbo_gap", f64(x), ...model, f64(mean), f64(variance))]);
    return {evidence, posteriorMean, posteriorVar, reconstruction, kl, elbo, gap};
  },

  values: ({evidence, reconstruction, kl, elbo, gap}) => [
    {key: "evidence", label: "log p(x)", value: evidence, unit: "nats"},
    {key: "reconstruction", label: "reconstruction", value: reconstruction, unit: "nats"},
    {key: "kl", label: "KL(q ‖ p(z))", value: kl, unit: "nats"},
    {key: "elbo", label: "ELBO", value: elbo, unit: "nats"},
    {key: "gap", label: "gap = KL(q ‖ p(z | x))", value: gap, unit: "nats"},
  ],

  describe: ({evidence, elbo, gap, posteriorMean, posteriorVar}, {mean, var: variance}) =>
    `q has mean ${mean.toFixed(2)} and variance ${variance.toFixed(2)}, the posterior mean ${posteriorMean.toFixed(2)} and variance ` +
    `${posteriorVar.toFixed(2)}. The ELBO of ${elbo.toFixed(3)} lies ${gap.toFixed(3)} below log p(x) = ${evidence.toFixed(3)}.`,

  draw({evidence, elbo, posteriorMean, posteriorVar}, {mean, var: variance}) {
    const {picture, frame, path, line, text, rect, linear, steps, bell, clamp} = sketch;
    const box = {left: 50, right: 430, top: 34, bottom: 250};
    const x = linear(-4, 4, box.left, box.right), y = linear(0, 3, box.bottom, box.top);
    const curve = (m, v, style) => path(steps(-4, 4, 0.04).map(z => [x(z), y(Math.min(3, bell(z, m, Math.sqrt(v))))]), style);
    const level = linear(-12, 0, 250, 34), bar = v => level(clamp(v, -12, 0));
    return picture(640, 300,
      frame(box, x, y, steps(-4, 4, 2), [0, 1, 2, 3], "z", "density"),
      curve(0, 1, "dashed"), curve(posteriorMean, posteriorVar, "line-b"), curve(mean, variance, "line-a"),
      text(60, 52, "prior p(z), dashed", "small", "start"), text(60, 68, "posterior p(z | x)", "small text-b", "start"),
      text(60, 84, "q(z | x)", "small text-a", "start"),
      [0, -3, -6, -9, -12].map(v => [line(500, level(v), 620, level(v), "grid"), text(492, level(v) + 4, v, "", "end")]),
      text(500, 22, "nats", "name", "start"), rect(515, 34, 34, bar(evidence) - 34, "fill-b"), rect(571, 34, 34, bar(elbo) - 34, "fill-a"),
      line(515, bar(evidence), 620, bar(evidence), "dashed"),
      text(532, 268, "log p(x)", "small"), text(588, 268, "ELBO", "small"), text(560, 288, "the longer, the less likely", "small muted"));
  },
});

// The importance-weighted bound: 200 estimates at each number of draws (exercises 2.4, 3.3, 3.5, 3.6, 3.7, 3.9).
figure({
  name: "iwae",
  controls: [
    range("mean", "mean of q", -1, 2, 0.05, 0.3, {show: v => v.toFixed(2)}),
    range("var", "variance of q", 0.04, 1, 0.02, 0.4, {show: v => v.toFixed(2)}),
    range("seed", "seed", 1, 20, 1, 1),
  ],

  async compute(call, {mean, var: variance, seed}) {
    const sizes = [1, 2, 4, 8, 16, 32], repeats = 200, x = 1.7, weight = 2, decoderVar = 0.5;
    const [[noise], [evidence], [, , elbo]] = await Promise.all([call("sample_prior", i64(repeats * 32), i64(1), i64(seed)),
      call("linear_gaussian_evidence", f64(x), f64(weight), f64(decoderVar)),
      call("elbo_gap", f64(x), f64(weight), f64(decoderVar), f64(mean), f64(variance))]);
    const eps = matrix(noise), same = value => matrix(noise.map(() => [value])), logVar = Math.log(variance);
    const [[z], [logRatio]] = await Promise.all([call("reparameterize", same(mean), same(logVar), eps),
      call("kl_monte_carlo", f32s([mean]), f32s([logVar]), eps)]);
    const [decoded] = await call("linear_forward", matrix(z), matrix([[weight]]), f32s([0]));
    const [nll] = await call("gaussian_nll", same(x), matrix(decoded), same(Math.log(decoderVar)));
    const logWeights = nll.map((cost, s) => -cost - logRatio[s]); // log p(x | z) minus log q(z) / p(z)
    const estimates = size => Promise.all(sketch.steps(0, repeats - 1, 1).map(r => call("iwae_bound", f64s(logWeights.slice(32 * r, 32 * r + size)))));
    const bounds = await Promise.all(sizes.map(estimates));
    return {evidence, elbo, rows: sizes.map((size, i) => this.summary(size, bounds[i].flat(), evidence))};
  },

  summary(size, list, evidence) {
    const average = numbers => numbers.reduce((a, b) => a + b) / numbers.length, mean = average(list);
    const deviation = Math.sqrt(average(list.map(v => (v - mean) ** 2)));
    return {size, mean, deviation, above: average(list.map(v => Number(v > evidence))), shown: list.slice(0, 40)};
  },

  values: ({evidence, elbo, rows}) => [
    {key: "evidence", label: "log p(x)", value: evidence, unit: "nats"},
    {key: "elbo", label: "ELBO", value: elbo, unit: "nats"},
    {key: "first", label: "mean of 200 at S = 1", value: rows[0].mean, digits: 2},
    {key: "last", label: "mean at S = 32", value: rows.at(-1).mean, digits: 2},
    {key: "above_first", label: "estimates above log p(x) at S = 1", value: 100 * rows[0].above, digits: 0, unit: "%"},
    {key: "above_last", label: "at S = 32", value: 100 * rows.at(-1).above, digits: 0, unit: "%"},
  ],

  describe({evidence, elbo, rows}) {
    const [one, many] = [rows[0], rows.at(-1)], percent = share => (100 * share).toFixed(0);
    return `The mean of 200 estimates goes from ${one.mean.toFixed(2)} with one draw, where the ELBO is ${elbo.toFixed(2)}, to ` +
      `${many.mean.toFixed(2)} with 32; log p(x) is ${evidence.toFixed(2)}. Of single estimates ${percent(one.above)} % ` +
      `lie above it with one draw and ${percent(many.above)} % with 32.`;
  },

  draw({evidence, elbo, rows}) {
    const {picture, frame, path, line, circle, text, linear, logarithmic, steps, clamp} = sketch;
    const low = -10, high = 1, box = {left: 60, right: 520, top: 34, bottom: 280};
    const x = logarithmic(0.8, 40, box.left, box.right), y = linear(low, high, box.bottom, box.top), inside = v => y(clamp(v, low, high));
    // Side by side, so that dots of one column do not hide each other.
    const dots = ({size, shown: list}) => list.map((v, i) => v < low || v > high ? "" :
      circle(x(size) + (i - 19.5) * 0.9, y(v), 2.2, v > evidence ? "fill-b" : "fill-text"));
    const edge = sign => rows.map(({size, mean, deviation}) => [x(size), inside(mean + sign * deviation)]);
    return picture(640, 330, path([...edge(1), ...edge(-1).reverse()], "cell", true),
      frame(box, x, y, rows.map(({size}) => size), steps(-10, 0, 2), "draws S", "nats"),
      rows.map(dots), line(box.left, y(evidence), box.right, y(evidence), "dashed"), elbo < low ? "" : line(box.left, y(elbo), box.right, y(elbo), "dashed"),
      path(rows.map(({size, mean}) => [x(size), inside(mean)]), "line-a"),
      text(box.right, box.top - 12, "dots: single estimates; line and band: their mean ± deviation", "small", "end"),
      text(528, y(evidence) - 14, "above log p(x)", "small text-b", "start"), text(528, y(evidence) + 4, "log p(x)", "", "start"),
      text(528, Math.max(inside(elbo) + 4, y(evidence) + 20), elbo < low ? "ELBO, below" : "ELBO", "", "start"));
  },
});
