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
