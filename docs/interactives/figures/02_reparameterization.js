"use strict";

// The same draws of noise under a mean and a deviation that move (exercise 2.4).
figure({
  name: "same_noise",
  controls: [
    range("mu", "mean μ", -2, 4, 0.1, 2.3, {show: v => v.toFixed(1)}),
    range("log_var", "log-variance", -4, 1.5, 0.01, -1.39, {show: v => v.toFixed(2)}),
  ],

  async compute(call, {mu, log_var: logVar}) {
    const eps = [-2, -1.3, -0.7, -0.2, 0.4, 0.9, 1.6];
    const column = list => matrix(list.map(v => [v]));
    const [[std], [z]] = await Promise.all([call("std_from_logvar", matrix([[logVar]])),
      call("reparameterize", column(eps.map(() => mu)), column(eps.map(() => logVar)), column(eps))]);
    return {eps, z: z.map(([v]) => v), sigma: std[0][0]};
  },

  values: ({z, sigma}) => [
    {key: "sigma", label: "σ", value: sigma, digits: 6},
    {key: "z", label: "z of ε = −0.7", value: z[2], digits: 6},
  ],

  describe: ({z, sigma}, {mu}) => `Seven draws of noise, and where mu + sigma epsilon takes them: mu is ${mu}, sigma ${sigma.toFixed(3)}, and epsilon = -0.7 becomes ${z[2].toFixed(3)}.`,

  draw({eps, z, sigma}, {mu}) {
    const {picture, path, line, circle, text, linear, steps, bell, clamp} = sketch;
    const low = -6, high = 8, x = linear(low, high, 30, 620);
    const axis = (base, mean, spread, label, style) => [
      path(steps(low, high, 0.05).map(v => [x(v), base - Math.min(72, 62 * bell(v, mean, spread))]), style), line(x(low), base, x(high), base, "axis"),
      steps(low, high, 2).map(v => [line(x(v), base, x(v), base + 4, "axis"), text(x(v), base + 18, v, "small")]), text(x(high), base - 42, label, "", "end")];
    const chosen = e => e === -0.7, inside = v => x(clamp(v, low, high));
    return picture(640, 250, eps.map((e, i) => line(x(e), 110, inside(z[i]), 214, chosen(e) ? "line-b thin" : "thin")),
      axis(85, 0, 1, "ε from N(0, 1)", "line-a"), axis(214, mu, sigma, `z = μ + σε, σ = ${sigma.toFixed(3)}`, "line-a"),
      eps.map((e, i) => [circle(x(e), 85, chosen(e) ? 5.5 : 4, chosen(e) ? "fill-b" : "fill-text"), circle(inside(z[i]), 214, chosen(e) ? 5.5 : 4, chosen(e) ? "fill-b" : "fill-text")]));
  },
});

// Two estimators of the same gradient, of the expectation of z² (exercise 2.6).
figure({
  name: "estimators",
  controls: [
    range("mu", "mean μ", -2, 3, 0.1, 1, {show: v => v.toFixed(1)}), range("sigma", "deviation σ", 0.1, 2, 0.1, 1, {show: v => v.toFixed(1)}),
    range("baseline", "baseline, taken from f", -2, 6, 0.5, 0), range("seed", "seed", 1, 20, 1, 1),
  ],

  async compute(call, {mu, sigma, baseline, seed}) {
    const [noise] = await call("sample_prior", i64(4000), i64(1), i64(seed));
    const eps = noise.map(([e]) => e), z = eps.map(e => mu + sigma * e);
    const [[pathwise], [score]] = await Promise.all([call("pathwise_gradient", f64s(z.map(v => 2 * v)), f64s(eps)),
      call("score_function_gradient", f64s(z.map(v => v * v - baseline)), f64s(z), f64(mu), f64(sigma))]);
    const of = list => {
      const mean = list.reduce((a, b) => a + b) / list.length;
      return {list, mean, variance: list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length};
    };
    return {pathwise: of(pathwise), score: of(score)};
  },

  values: ({pathwise, score}, {mu}) => [
    {key: "exact", label: "the gradient, 2μ", value: 2 * mu, digits: 1},
    {key: "pathwise_mean", label: "pathwise, mean of 4,000", value: pathwise.mean, digits: 3},
    {key: "pathwise_variance", label: "its variance", value: pathwise.variance, digits: 2},
    {key: "score_mean", label: "score function, mean of 4,000", value: score.mean, digits: 3},
    {key: "score_variance", label: "its variance", value: score.variance, digits: 2},
  ],

  describe: ({pathwise, score}) => `Densities of single estimates: the pathwise one has mean ${pathwise.mean.toFixed(2)} and variance ${pathwise.variance.toFixed(1)}, ` +
    `the score-function one mean ${score.mean.toFixed(2)} and variance ${score.variance.toFixed(1)}.`,

  draw({pathwise, score}, {mu}) {
    const {picture, frame, path, line, text, linear, steps} = sketch;
    const low = -12, high = 20, width = 0.5, box = {left: 60, right: 610, top: 34, bottom: 240};
    const x = linear(low, high, box.left, box.right), y = linear(0, 0.5, box.bottom, box.top);
    const outline = ({list}, style) => {
      const bins = new Array((high - low) / width).fill(0);
      for (const v of list) ++bins[Math.min(bins.length - 1, Math.max(0, Math.floor((v - low) / width)))];
      return path(bins.flatMap((count, i) => [0, 1].map(end => [x(low + (i + end) * width), y(Math.min(0.5, count / list.length / width))])), style);
    };
    return picture(640, 290, frame(box, x, y, steps(low, high, 4), [0, 0.1, 0.2, 0.3, 0.4, 0.5], "one estimate of the gradient", "density"),
      outline(pathwise, "line-a"), outline(score, "line-b"), line(x(2 * mu), box.bottom, x(2 * mu), box.top, "dashed"),
      text(600, 50, "pathwise", "text-a", "end"), text(600, 68, "score function", "text-b", "end"), text(600, 86, "dashed: the gradient", "small", "end"));
  },
});

// How sigma moves with what the network puts out (exercise 2.9).
figure({
  name: "sigma_gradient",
  controls: [range("power", "σ, a power of ten", -3, 1, 0.05, -1, {show: v => (10 ** v).toPrecision(3)})],

  async compute(call, {power}) {
    const sigmas = [...sketch.steps(-3, 1, 0.05), power].map(p => 10 ** p);
    const all = name => Promise.all(sigmas.map(sigma => call(name, f64(sigma))));
    const [exp, softplus] = await Promise.all([all("exp_parameterisation"), all("softplus_parameterisation")]);
    return {sigmas, exp: exp.map(([, slope]) => slope), softplus: softplus.map(([, slope]) => slope), last: [exp.at(-1), softplus.at(-1)]};
  },

  values: ({last: [[x1, s1, k1], [x2, s2, k2]]}) => [
    {key: "x_exp", label: "exp: x", value: x1}, {key: "slope_exp", label: "dσ/dx", value: s1, digits: 6}, {key: "kl_exp", label: "dKL/dx", value: k1},
    {key: "x_softplus", label: "softplus: x", value: x2}, {key: "slope_softplus", label: "dσ/dx", value: s2, digits: 6}, {key: "kl_softplus", label: "dKL/dx", value: k2},
  ],

  describe: ({last: [[, s1], [, s2]]}, {power}) => `At sigma ${(10 ** power).toPrecision(3)} the slope is ${s1.toPrecision(3)} for exp and ${s2.toPrecision(3)} for softplus: near 0 both fall in ` +
    "proportion to sigma, softplus being twice as large; softplus levels off at 1, exp keeps growing.",

  draw({sigmas, exp, softplus}, {power}) {
    const {picture, frame, path, text, circle, logarithmic, steps, clamp} = sketch;
    const box = {left: 74, right: 600, top: 34, bottom: 260}, x = logarithmic(1e-3, 10, box.left, box.right), y = logarithmic(1e-4, 10, box.bottom, box.top);
    const ten = p => [10 ** p, `10${[...String(p)].map(c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("")}`];
    const curve = (list, style) => path(list.slice(0, -1).map((v, i) => [x(sigmas[i]), y(clamp(v, 1e-4, 10))]), style);
    return picture(640, 310, frame(box, x, y, steps(-3, 1, 1).map(ten), steps(-4, 1, 1).map(ten), "σ", "dσ/dx"), curve(exp, "line-a"), curve(softplus, "line-b"),
      circle(x(10 ** power), y(exp.at(-1)), 5, "fill-a"), circle(x(10 ** power), y(softplus.at(-1)), 5, "fill-b"),
      text(x(0.1), y(0.2), "softplus", "text-b", "end"), text(x(0.03), y(0.006), "exp(x/2)", "text-a", "start"));
  },
});
