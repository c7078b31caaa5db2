"use strict";

// The small network that two figures train, 8-16-2-16-8 as in lab 01, and its data: two clusters in eight numbers, which
// vary in four directions with the variances 3, 1.2, 0.3 and 0.1 of the table of 4.3. Parameters travel as one row of
// numbers, so that Adam, to whom every number is its own, takes a single call.
const smallVae = (() => {
  const layers = [[16, 8], [2, 16], [2, 16], [16, 2], [8, 16]]; // encoder, mu, log_var, decoder, output: [outputs, inputs]
  const decoder = 212; // where the decoder's parameters begin
  const adam = [f64(0.01), f64(0.9), f64(0.999), f64(1e-8)];
  const odd = (row, mask) => [1, 2, 4].filter(bit => row & mask & bit).length % 2 === 1;
  const directions = sketch.steps(0, 7, 1).map(row => [1, 2, 4, 7].map(mask => (odd(row, mask) ? -1 : 1) / Math.sqrt(8)));

  /** The arguments that a row of parameters stands for. */
  function cut(row, sizes = layers) {
    let at = 0;
    return sizes.flatMap(([outputs, inputs]) => [matrix(Array.from({length: outputs}, () => row.slice(at, at += inputs)), inputs),
      f32s(row.slice(at, at += outputs))]);
  }

  /** Samples, even rows of the one cluster and odd rows of the other, and the noise for their latents. */
  async function batch(call, count, seed) {
    const [drawn] = await call("sample_prior", i64(count), i64(6), i64(seed));
    const along = drawn.map(([a, b, c, d], n) =>
      [(n % 2 === 0 ? 1 : -1) * Math.sqrt(2.64) + 0.6 * a, Math.sqrt(1.2) * b, Math.sqrt(0.3) * c, Math.sqrt(0.1) * d]);
    const [x] = await call("linear_forward", matrix(along), matrix(directions), f32s(Array(8).fill(0)));
    return {x, eps: drawn.map(row => row.slice(4))};
  }

  /** Parameters and both moments of Adam before the first step: weights drawn with the variance 1/inputs, biases 0. */
  async function start(call, seed) {
    const [[drawn]] = await call("sample_prior", i64(1), i64(352), i64(seed));
    let at = 0;
    const row = layers.flatMap(([outputs, inputs]) =>
      [...drawn.slice(at, at += outputs * inputs).map(w => w / Math.sqrt(inputs)), ...Array(outputs).fill(0)]);
    return [row, row.map(() => 0), row.map(() => 0)];
  }

  async function train(call, parameters, {x, eps}, steps, beta) {
    const after = await call("vae_train_step", ...parameters.map(row => cut(row)), i64(steps), matrix(x), matrix(eps), f64(beta), ...adam);
    return [0, 10, 20].map(first => after.slice(first, first + 10).flat(2));
  }

  /** One step of Adam for a whole row. */
  async function descend(call, parameters, gradient, steps) {
    const after = await call("adam_step", ...[...parameters, gradient].map(row => matrix([row])), i64(steps + 1), ...adam);
    return after.map(([row]) => row);
  }

  return {layers, decoder, cut, batch, start, train, descend};
})();

/** A cloud of codes with the circle of the prior: the clusters of smallVae alternate, discs and diamonds. */
function drawSmallVaeCodes(box, codes, deviations, name) {
  const {frame, circle, path, element, text, linear, steps, clamp} = sketch;
  const reach = Math.max(...codes.flat().map(Math.abs)), extent = [3, 6, 12].find(e => e >= reach) ?? 24;
  const x = linear(-extent, extent, box.left, box.right), y = linear(-extent, extent, box.bottom, box.top), unit = x(1) - x(0);
  const at = code => [x(clamp(code[0], -extent, extent)), y(clamp(code[1], -extent, extent))];
  const diamond = ([a, b], r) => path([[a - r, b], [a, b - r], [a + r, b], [a, b + r]], "fill-b", true);
  const inside = (code, sigma) => [0, 1].every(d => Math.abs(code[d]) + sigma[d] <= extent);
  return [
    frame(box, x, y, steps(-extent, extent, extent / 3), steps(-extent, extent, extent / 3), "z₁", name),
    deviations.map((sigma, n) => inside(codes[n], sigma) ? element("ellipse", {cx: x(codes[n][0]), cy: y(codes[n][1]), rx: sigma[0] * unit,
      ry: sigma[1] * unit, class: "thin", fill: "none"}) : ""),
    codes.map((code, n) => n % 2 === 0 ? circle(...at(code), 3, "fill-a") : diamond(at(code), 4.2)),
    circle(x(0), y(0), 2 * unit, "dashed"),
    text(box.right - 70, box.top - 12, "● one cluster", "small text-a", "end"), text(box.right, box.top - 12, "◆ the other", "small text-b", "end"),
  ];
}

// Training, and three ways to break it (exercises 4.1 to 4.6).
figure({
  name: "vae_training",
  controls: [
    choice("loss", "loss", [["ordinary", "ordinary, β = 1"], ["no_kl", "without the KL, β = 0"], ["no_reconstruction", "without the reconstruction"],
      ["beta_100", "β = 100"]]),
    range("seed", "seed", 1, 20, 1, 1),
  ],
  speed: 5,
  stills: 120,
  finished: ({steps}) => steps >= 600,

  async compute(call, {loss, seed}) {
    const [parameters, held, law] = await Promise.all([smallVae.start(call, seed), smallVae.batch(call, 100, 1005),
      loss === "ordinary" || loss === "beta_100" ? call("rate_distortion_law", f64s([3, 1.2, 0.3, 0.1]), f64(loss === "ordinary" ? 1 : 100)) : null]);
    return this.observe(call, {steps: 0, parameters, held, curve: [], start: parameters[0].slice(smallVae.decoder), law: law && [law[4], law[5]]});
  },

  /** How the model does on samples that it is not trained on. */
  async observe(call, state) {
    const {x, eps} = state.held;
    const [, mu, logVar, , , xHat] = await call("vae_forward", ...smallVae.cut(state.parameters[0]), matrix(x), matrix(eps));
    const [[, reconstruction, kl], [sigma], [, active]] = await Promise.all([
      call("beta_loss", matrix(x), matrix(xHat), matrix(mu), matrix(logVar), f64(1)),
      call("std_from_logvar", matrix(logVar)), call("active_units", matrix(mu), f64(0.01))]);
    return {...state, mu, sigma, active, curve: [...state.curve, [reconstruction, kl]]};
  },

  async step(call, state, {loss, seed}) {
    if (state.steps >= 600) return state;
    const batch = await smallVae.batch(call, 64, 10000 * seed + state.steps);
    const parameters = loss === "no_reconstruction" ? await this.stepWithoutReconstruction(call, state, batch) :
      await smallVae.train(call, state.parameters, batch, state.steps, {ordinary: 1, no_kl: 0, beta_100: 100}[loss]);
    return this.observe(call, {...state, parameters, steps: state.steps + 1});
  },

  /** What vae_train_step does, with zeros for what the error says to the reconstruction. */
  async stepWithoutReconstruction(call, {parameters, steps}, {x, eps}) {
    const model = smallVae.cut(parameters[0]);
    const pass = (await call("vae_forward", ...model, matrix(x), matrix(eps))).map(m => matrix(m)), [, mu, logVar, , , xHat] = pass;
    const [, , , , , ofMu, ofLogVar] = await call("beta_loss", matrix(x), xHat, mu, logVar, f64(1));
    const nothing = matrix(x.map(row => row.map(() => 0)));
    const gradient = await call("vae_backward", ...model, matrix(x), matrix(eps), ...pass, nothing, matrix(ofMu), matrix(ofLogVar));
    return smallVae.descend(call, parameters, gradient.flat(2), steps);
  },

  values({steps, curve, sigma, active, parameters, start}) {
    const [reconstruction, kl] = curve.at(-1), widths = sigma.flat();
    const moved = parameters[0].slice(smallVae.decoder).map((p, i) => (p - start[i]) ** 2);
    const mean = list => list.reduce((a, b) => a + b) / list.length;
    return [
      {key: "step", label: "step", value: steps, digits: 0},
      {key: "reconstruction", label: "squared error", value: reconstruction, digits: 2},
      {key: "kl", label: "KL", value: kl, digits: 2, unit: "nats"},
      {key: "sigma", label: "mean σ", value: mean(widths), digits: 3},
      {key: "active", label: "active units", value: active, digits: 0},
      {key: "moved", label: "decoder's weights moved by (root mean square)", value: Math.sqrt(mean(moved)), digits: 3},
    ];
  },

  describe({steps, curve, active}, {loss}) {
    const name = {ordinary: "the ordinary loss", no_kl: "no KL", no_reconstruction: "no reconstruction", beta_100: "beta 100"}[loss];
    const [reconstruction, kl] = curve.at(-1);
    return `After ${steps} steps with ${name} the squared error is ${reconstruction.toFixed(2)}, the KL ${kl.toFixed(2)} nats, ` +
      `and ${active} of 2 latent units ${active === 1 ? "is" : "are"} active; ` +
      `before the first step error and KL were ${curve[0][0].toFixed(2)} and ${curve[0][1].toFixed(2)}.`;
  },

  draw({mu, sigma, curve, law}, {loss}) {
    const {picture, frame, path, line, text, linear, clamp} = sketch;
    const panel = (which, top, most, name, style) => {
      const box = {left: 394, right: 622, top, bottom: top + 116}, x = linear(0, 600, box.left, box.right), y = linear(0, most, box.bottom, box.top);
      return [frame(box, x, y, [0, 200, 400, 600], [0, most / 2, most], which === 1 ? "step" : "", name),
        law ? [line(box.left, y(law[which]), box.right, y(law[which]), "dashed"), text(box.right, box.top - 12, "dashed: law of 4.3", "small", "end")] : "",
        path(curve.map((both, i) => [x(i), y(clamp(both[which], 0, most))]), style)];
    };
    return picture(640, 366, drawSmallVaeCodes({left: 40, right: 324, top: 34, bottom: 318}, mu, sigma.slice(0, 8), "z₂, means"),
      panel(0, 34, [8, 12].find(most => most >= Math.max(...curve.map(([error]) => error))) ?? 16, "squared error", "line-a"),
      panel(1, 202, loss === "no_kl" ? 12 : 3, "KL, nats", "line-b"));
  },
});

// The codes of an autoencoder and of a VAE, and what becomes of draws from the prior (exercises 1.7, 2.7, 4.6).
figure({
  name: "latent_space",
  controls: [choice("beta", "β of the VAE", [["1", "1"], ["0.1", "0.1"], ["0.01", "0.01"]]), range("seed", "seed", 1, 20, 1, 1)],
  stills: 15,
  finished: ({steps}) => steps >= 300,
  plainLayers: smallVae.layers.filter((_, i) => i !== 2), // an autoencoder has no head for the variance

  async compute(call, {seed}) {
    const [vae, held, [prior]] = await Promise.all([smallVae.start(call, seed), smallVae.batch(call, 100, 1005),
      call("sample_prior", i64(100), i64(2), i64(1006))]);
    const plain = vae.map(row => [...row.slice(0, 178), ...row.slice(smallVae.decoder)]);
    const [own] = await call("pairwise_sqdist", matrix(held.x), matrix(held.x));
    const neighbour = own.map((row, n) => Math.min(...row.filter((_, other) => other !== n)));
    return this.observe(call, {steps: 0, plain, vae, held, prior, own: this.meanRoot(neighbour)});
  },

  meanRoot: list => list.reduce((sum, v) => sum + Math.sqrt(v), 0) / list.length,

  async observe(call, state) {
    const {plain: [plain], vae: [vae], held: {x, eps}, prior} = state;
    const [[, codes], [, mu, logVar]] = await Promise.all([call("autoencoder_gradients", ...smallVae.cut(plain, this.plainLayers), matrix(x)),
      call("vae_forward", ...smallVae.cut(vae), matrix(x), matrix(eps))]);
    const [[sigma], ...missed] = await Promise.all([call("std_from_logvar", matrix(logVar)), ...[plain, vae].map(row => this.miss(call, row, prior, x))]);
    return {...state, codes, mu, sigma, missed};
  },

  /** How far decoded draws from the prior are from the nearest datum. */
  async miss(call, row, prior, x) {
    const [weight, bias, outWeight, outBias] = smallVae.cut(row.slice(-184), smallVae.layers.slice(3));
    const [hidden] = await call("linear_forward", matrix(prior), weight, bias);
    const [bent] = await call("tanh_forward", matrix(hidden));
    const [decoded] = await call("linear_forward", matrix(bent), outWeight, outBias);
    const [squared] = await call("pairwise_sqdist", matrix(decoded), matrix(x));
    return this.meanRoot(squared.map(distances => Math.min(...distances)));
  },

  /** Ten batches, the same for both. */
  async step(call, state, {beta, seed}) {
    let {plain, vae, steps} = state;
    if (steps >= 300) return state;
    for (let i = 0; i < 10; ++i, ++steps) {
      const batch = await smallVae.batch(call, 64, 10000 * seed + steps);
      const [, , , ...gradient] = await call("autoencoder_gradients", ...smallVae.cut(plain[0], this.plainLayers), matrix(batch.x));
      [plain, vae] = await Promise.all([smallVae.descend(call, plain, gradient.flat(2), steps), smallVae.train(call, vae, batch, steps, Number(beta))]);
    }
    return this.observe(call, {...state, plain, vae, steps});
  },

  values: ({steps, missed, own}) => [
    {key: "step", label: "batches", value: steps, digits: 0},
    {key: "plain", label: "autoencoder: a decoded draw to the nearest datum", value: missed[0], digits: 2},
    {key: "vae", label: "VAE", value: missed[1], digits: 2},
    {key: "own", label: "a datum to its nearest neighbour", value: own, digits: 2},
  ],

  describe: ({steps, missed, own}, {beta}) => `After ${steps} batches, draws from the prior decode to points that are on average ` +
    `${missed[0].toFixed(2)} from the nearest datum with the autoencoder and ${missed[1].toFixed(2)} with the VAE at beta ${beta}; ` +
    `a datum is ${own.toFixed(2)} from its nearest neighbour.`,

  draw({codes, mu, sigma}) {
    const box = left => ({left, right: left + 264, top: 34, bottom: 298});
    return sketch.picture(640, 346, drawSmallVaeCodes(box(44), codes, [], "z₂, autoencoder"),
      drawSmallVaeCodes(box(366), mu, sigma.slice(0, 8), "z₂, VAE"));
  },
});

// Two schedules for the weight of the KL (exercise 4.0).
figure({
  name: "annealing",
  controls: [
    range("cycles", "cycles M", 1, 10, 1, 4), range("ramp", "rising share R", 0.1, 1, 0.1, 0.5, {show: v => v.toFixed(1)}),
    range("top", "top b", 0.2, 2, 0.2, 1, {show: v => v.toFixed(1)}), range("step", "step t", 0, 99, 1, 12),
  ],

  async compute(call, {cycles, ramp, top}) {
    const all = of => Promise.all(sketch.steps(0, 99, 1).map(of));
    const [linear, cyclical] = await Promise.all([all(t => call("linear_anneal", i64(t), i64(0), i64(Math.round(100 * ramp)), f64(0), f64(top))),
      all(t => call("cyclical_anneal", i64(t), i64(100), i64(cycles), f64(ramp), f64(top)))]);
    return {linear: linear.flat(), cyclical: cyclical.flat()};
  },

  values({linear, cyclical}, {step}) {
    const mean = list => list.reduce((a, b) => a + b) / list.length;
    return [
      {key: "cyclical", label: `cyclical, step ${step}`, value: cyclical[step], digits: 2},
      {key: "linear", label: `linear, step ${step}`, value: linear[step], digits: 2},
      {key: "cyclical_mean", label: "cyclical, mean of all steps", value: mean(cyclical), digits: 3},
      {key: "linear_mean", label: "linear, mean", value: mean(linear), digits: 3},
    ];
  },

  describe: ({linear, cyclical}, {cycles, ramp, top, step}) =>
    `Over 100 steps the linear weight rises once, in ${Math.round(100 * ramp)} steps, from 0 to ${top.toFixed(1)}; the cyclical one has ` +
    `${cycles} ${cycles === 1 ? "cycle" : "cycles"}. At step ${step} they are ${linear[step].toFixed(2)} and ${cyclical[step].toFixed(2)}.`,

  drag: x => ({step: (x - 60) / 540 * 100}),

  draw({linear: once, cyclical}, {step}) {
    const {picture, frame, path, line, circle, text, linear, steps} = sketch;
    const box = {left: 60, right: 600, top: 44, bottom: 230}, x = linear(0, 100, box.left, box.right), y = linear(0, 2, box.bottom, box.top);
    const curve = (list, style) => path(list.map((weight, t) => [x(t), y(weight)]), style);
    return picture(640, 280, frame(box, x, y, steps(0, 100, 20), [0, 0.5, 1, 1.5, 2], "step t", "weight of the KL"),
      text(500, 22, "linear", "text-a", "end"), text(600, 22, "cyclical", "text-b", "end"), line(x(step), box.bottom, x(step), box.top, "dashed"),
      curve(once, "line-a"), curve(cyclical, "line-b"), circle(x(step), y(once[step]), 5, "fill-a"), circle(x(step), y(cyclical[step]), 4, "fill-b"));
  },
});

// Rate and distortion of the best linear VAE at a price (exercises 4.1, 4.3).
const vaePrices = sketch.steps(-2, 1, 1).flatMap(power => [1, 1.5, 2, 3, 5, 7].map(m => Number((m * 10 ** power).toPrecision(2)))).concat(100);
figure({
  name: "beta_rate",
  controls: [
    range("price", "β", 0, vaePrices.length - 1, 1, vaePrices.indexOf(1), {show: i => String(vaePrices[i])}),
    choice("spectrum", "variances of the data", [["table", "3, 1.2, 0.3, 0.1"], ["even", "all 1.15"], ["one", "4.3, and three of 0.1"]]),
  ],

  async compute(call, {price, spectrum}) {
    const variances = {table: [3, 1.2, 0.3, 0.1], even: [1.15, 1.15, 1.15, 1.15], one: [4.3, 0.1, 0.1, 0.1]}[spectrum];
    const law = beta => call("rate_distortion_law", f64s(variances), f64(beta));
    const [[decoderVar], ...laws] = await Promise.all([call("implied_decoder_variance", f64(vaePrices[price]), i64(1)), law(vaePrices[price]),
      ...sketch.steps(-2, 1, 0.02).map(power => law(10 ** power))]);
    const [distortion, rate, , , totalDistortion, totalRate, active] = laws[0];
    return {variances, distortion, rate, totalDistortion, totalRate, active, decoderVar, curve: laws.slice(1).map(([, , , , d, r]) => [d, r])};
  },

  values: ({totalDistortion, totalRate, active, decoderVar}) => [
    {key: "rate", label: "rate", value: totalRate, digits: 6, unit: "nats"},
    {key: "distortion", label: "distortion", value: totalDistortion, digits: 3},
    {key: "active", label: "directions in use", value: active, digits: 0, unit: "of 4"},
    {key: "decoder", label: "decoder variance s² = β/2", value: decoderVar, digits: 3},
  ],

  describe: ({totalDistortion, totalRate, active, variances}, {price}) =>
    `At beta ${vaePrices[price]}, ${active} of four directions with the variances ${variances.join(", ")} ` +
    `${active === 1 ? "is" : "are"} in use, at ${totalRate.toFixed(3)} nats; a squared error of ${totalDistortion.toFixed(3)} is left.`,

  draw({variances, distortion, rate, totalDistortion, totalRate, decoderVar, curve}, {price}) {
    const {picture, frame, rect, line, path, circle, text, linear, steps, clamp} = sketch;
    const left = {left: 40, right: 300, top: 44, bottom: 250}, right = {left: 370, right: 620, top: 44, bottom: 250};
    const column = linear(0, 4, left.left, left.right), height = linear(0, 5, left.bottom, left.top), level = height(clamp(decoderVar, 0, 5));
    const x = linear(0, 5, right.left, right.right), y = linear(0, 12, right.bottom, right.top), bar = 40;
    return picture(640, 300, frame(left, column, height, variances.map((v, i) => [i + 0.5, v]), steps(0, 5, 1), "variance of each direction",
      decoderVar > 5 ? "the water, β/2, is above the frame" : "filled: above the water, β/2"),
      variances.map((v, i) => [rect(column(i + 0.5) - bar / 2, height(v), bar, height(distortion[i]) - height(v), "fill-a"),
        rect(column(i + 0.5) - bar / 2, height(distortion[i]), bar, left.bottom - height(distortion[i]), "cell"),
        text(column(i + 0.5), (decoderVar < 5 ? Math.min(height(v), level) : height(v)) - 7,
          rate[i] > 0 ? `${rate[i].toFixed(2)} nats` : "silent", rate[i] > 0 ? "small text-a" : "small")]),
      decoderVar > 5 ? "" : line(left.left, level, left.right, level, "dashed"),
      frame(right, x, y, steps(0, 5, 1), steps(0, 12, 3), "distortion", "rate, nats"), path(curve.map(([d, r]) => [x(d), y(r)]), "line-a"),
      circle(x(totalDistortion), y(totalRate), 6, "fill-b"),
      totalDistortion > 3 ? text(x(totalDistortion), y(totalRate) - 22, `β = ${vaePrices[price]}`, "text-b", "end") :
        text(x(totalDistortion) + 12, y(totalRate) - 6, `β = ${vaePrices[price]}`, "text-b", "start"));
  },
});
