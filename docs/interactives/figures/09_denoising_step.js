"use strict";

// Alpha bar and the signal-to-noise ratio over the timesteps, and which of them a sampler visits (exercises 9.0, 9.3, 9.9).
figure({
  name: "schedule",
  controls: [
    choice("kind", "schedule", [["1", "scaled linear (Stable Diffusion)"], ["0", "linear (DDPM)"], ["2", "cosine"],
      ["zero", "scaled linear, rescaled to end in 0"]]),
    choice("spacing", "spacing", [["0", "leading, offset 1"], ["1", "linspace"], ["2", "trailing"]]),
    range("steps", "steps S", 2, 50, 1, 5),
  ],

  async compute(call, {kind, spacing, steps}) {
    const betas = await Promise.all([[0, 1e-4, 0.02], [1, 0.00085, 0.012], [2, 1e-4, 0.02]].map(([rule, first, last]) =>
      call("make_betas", i32(rule), i64(1000), f64(first), f64(last))));
    const alphas = (await Promise.all(betas.map(([list]) => call("cumulative_alphas", f64s(list))))).map(([list]) => list);
    const chosen = kind === "zero" ? (await call("rescale_zero_terminal_snr", f64s(alphas[1])))[0] : alphas[Number(kind)];
    const [[sigmas], [timesteps]] = await Promise.all([call("noise_sigmas", f64s(chosen.filter(a => a > 0))),
      call("sampling_timesteps", i32(spacing), i64(1000), i64(steps), i64(1))]);
    const ratios = chosen.map((a, t) => a > 0 ? 1 / sigmas[t] ** 2 : 0);
    const shownAt = sketch.steps(0, 999, 9);
    return {others: alphas.map(list => shownAt.map(t => list[t])), curve: shownAt.map(t => [t, chosen[t], ratios[t]]),
      visited: timesteps.map(t => [t, chosen[t], ratios[t]]), terminal: ratios[999]};
  },

  values: ({visited, terminal}) => [
    {key: "first", label: "the sampler starts at", value: visited[0][0], digits: 0},
    {key: "alpha", label: "a there", value: visited[0][1], digits: 6},
    {key: "signal", label: "signal left there, √a", value: Math.sqrt(visited[0][1])},
    {key: "last", label: "last timestep visited", value: visited.at(-1)[0], digits: 0},
    {key: "terminal", label: "signal-to-noise at 999", value: terminal === 0 ? "0" : terminal.toPrecision(3)},
  ],

  describe({visited, terminal}, {steps}) {
    const [[first, a]] = visited, list = steps <= 10 ? visited.map(([t]) => t).join(", ") : `${first} down to ${visited.at(-1)[0]}`;
    return `A sampler of ${steps} steps visits ${list}. At ${first} a share of ${Math.sqrt(a).toFixed(4)} of the signal is left, ` +
      `and the ratio of signal to noise at timestep 999 is ${terminal === 0 ? 0 : terminal.toPrecision(3)}.`;
  },

  draw({others, curve, visited}, {kind}) {
    const {picture, frame, path, line, text, circle, linear, steps, clamp} = sketch;
    const above = {left: 70, right: 610, top: 34, bottom: 190}, below = {left: 70, right: 610, top: 262, bottom: 400};
    const x = linear(0, 999, above.left, above.right), y = linear(0, 1, above.bottom, above.top);
    const level = linear(-5, 4, below.bottom, below.top), log = ratio => level(clamp(Math.log10(Math.max(ratio, 1e-9)), -5, 4));
    const ten = p => [p, p === 0 ? "1" : `10${[...String(p)].map(c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("")}`];
    const numbered = visited.length <= 10, places = [0, 200, 400, 600, 800, 999];
    return picture(640, 450,
      frame(above, x, y, [], [0, 0.25, 0.5, 0.75, 1], "", "a, what is left of the signal's variance"),
      frame(below, x, level, places, [-4, -2, 0, 2, 4].map(ten), "timestep t", "signal to noise, a / (1 − a)"),
      others.map(list => path(list.map((a, i) => [x(curve[i][0]), y(a)]), "thin no-fill")),
      path(curve.map(([t, a]) => [x(t), y(a)]), "line-a"), path(curve.map(([t, , ratio]) => [x(t), log(ratio)]), "line-a"),
      visited.map(([t, a, ratio]) => [numbered ? line(x(t), above.bottom, x(t), y(a), "line-b thin") : "", circle(x(t), y(a), 4, "fill-b"),
        circle(x(t), log(ratio), 4, "fill-b"), numbered ? text(x(t), above.bottom + 18, t, "small") : ""]),
      numbered ? "" : text(x(500), above.bottom + 18, `${visited.length} timesteps from ${visited[0][0]} to ${visited.at(-1)[0]}`, "small"),
      text(600, 52, {0: "linear", 1: "scaled linear", 2: "cosine", zero: "rescaled"}[kind], "text-a", "end"), text(600, 70, "visited", "text-b", "end"),
      text(600, 88, "thin: the others", "small", "end"),
      text(x(285), y(0.36), "linear", "small muted", "end"), text(x(610), y(0.38), "cosine", "small muted", "start"));
  },
});

// A denoiser that knows the answer, and a sampler that takes it for something else (exercises 9.1, 9.2, 9.4).
figure({
  name: "denoise",
  controls: [
    choice("predicts", "the model predicts", [["epsilon", "ε"], ["sample", "x₀"], ["velocity", "v"]], "velocity"),
    choice("believed", "the sampler believes it to be", [["epsilon", "ε"], ["sample", "x₀"], ["velocity", "v"]], "epsilon"),
    range("t", "timestep t", 0, 999, 1, 500),
    range("jump", "timesteps to go", 20, 1000, 20, 20),
  ],

  async compute(call, {predicts, believed, t, jump}) {
    // Columns: x_0 and ε as the two axes of a plane, then the chapter's latent.
    const clean = matrix([[1, 0, 0.7]]), noise = matrix([[0, 1, -1.3]]), types = ["epsilon", "sample", "velocity"];
    const [betas] = await call("make_betas", i32(1), i64(1000), f64(0.00085), f64(0.012));
    const [alphas] = await call("cumulative_alphas", f64s(betas));
    const at = [i64s([t]), f64s(alphas)];
    const [[x], [v]] = await Promise.all([call("add_noise", clean, noise, ...at), call("velocity", clean, noise, ...at)]);
    const output = {epsilon: noise, sample: clean, velocity: matrix(v)}[predicts], previous = Math.max(t - jump, -1);
    const step = type => call("ddim_step", matrix(x), output, i64(t), i64(previous), f64s(alphas), noise,
      i32(types.indexOf(type)), f64(0), f64(Infinity), i32(0), f64(1));
    const [[right, x0], [wrong, estimate], [, eps]] = await Promise.all([step(predicts), step(believed),
      call("convert_prediction", i32(types.indexOf(believed)), matrix(x), output, f64(alphas[t]))]);
    return {a: alphas[t], previous, x: x[0], v: v[0], right: right[0], x0: x0[0], wrong: wrong[0], estimate: estimate[0], eps: eps[0]};
  },

  values: ({estimate: [clean, noise, x0], eps, wrong, right}) => [
    {key: "estimate", label: "x₀ of the sampler, as a mixture",
      value: `${shown({value: clean, digits: 3})} x₀ ${noise < -5e-4 ? "−" : "+"} ${Math.abs(noise).toFixed(3)} ε`},
    {key: "x0", label: "for x₀ = 0.7, ε = −1.3", value: x0, digits: 6},
    {key: "eps", label: "its ε there", value: eps[2], digits: 6},
    {key: "prev", label: "its x′", value: wrong[2], digits: 6},
    {key: "right", label: "x′ without a mix-up", value: right[2], digits: 6},
    {key: "error", label: "error of x′", value: Math.abs(wrong[2] - right[2]), digits: 6},
  ],

  describe({estimate, previous, wrong, right}, {predicts, believed, t}) {
    const name = {epsilon: "epsilon", sample: "x0", velocity: "v"}, mixture = ([p, q]) => `${p.toFixed(3)} x0 plus ${q.toFixed(3)} epsilon`;
    return `The model puts out ${name[predicts]} at timestep ${t}, the sampler takes it for ${name[believed]}: it aims at ${mixture(estimate)}, ` +
      `where 1 and 0 would be right, and its step to ${previous} ends at ${mixture(wrong)} in place of ${mixture(right)}.`;
  },

  draw({x: here, v, right, estimate, wrong, previous}, {t}) {
    const {picture, line, text, circle, path, arrow, linear, steps} = sketch;
    const low = [-1.3, -1.2], high = [2.9, 2], x = linear(low[0], high[0], 20, 460), y = linear(low[1], high[1], 355, 20);
    // What lies outside is drawn where the line to it, from x_t, leaves the picture.
    const reach = (to, i) => to === here[i] ? 1 : ((to > here[i] ? high : low)[i] - here[i]) / (to - here[i]);
    const at = point => {
      const share = Math.min(1, reach(point[0], 0), reach(point[1], 1));
      return [x(here[0] + share * (point[0] - here[0])), y(here[1] + share * (point[1] - here[1]))];
    };
    const outside = ([p, q]) => p < low[0] || p > high[0] || q < low[1] || q > high[1];
    const pair = ([p, q]) => `(${shown({value: p, digits: 2})}, ${shown({value: q, digits: 2})})`;
    const note = (i, mark, style, name, point) => [mark(482, 40 + 48 * i), text(496, 44 + 48 * i, name, style, "start"),
      text(496, 61 + 48 * i, pair(point) + (outside(point) ? ", outside" : ""), "small", "start")];
    const dot = style => (cx, cy) => circle(cx, cy, 5, style), ring = style => (cx, cy) => circle(cx, cy, 7, `${style} no-fill`);
    return picture(640, 375,
      line(x(low[0]), y(0), x(high[0]), y(0), "axis"), line(x(0), y(low[1]), x(0), y(high[1]), "axis"),
      path(steps(0, 360, 3).map(d => [x(Math.cos(d * Math.PI / 180)), y(Math.sin(d * Math.PI / 180))]), "grid no-fill"),
      arrow(x(0), y(0), ...at(here), "line-a"), arrow(...at(here), ...at([here[0] + 0.5 * v[0], here[1] + 0.5 * v[1]]), "thin"),
      arrow(...at(here), ...at(estimate), "line-b thin"),
      dot("fill-text")(x(1), y(0)), dot("fill-text")(x(0), y(1)), dot("fill-a")(...at(here)), dot("fill-b")(...at(estimate)),
      ring("line-a")(...at(right)), ring("line-b")(...at(wrong)),
      text(x(1) + 9, y(0) + 19, "x₀", "", "start"), text(x(0) - 9, y(1) - 9, "ε", "", "end"), text(x(high[0]), y(0) - 8, "share of x₀", "name", "end"),
      text(x(0) + 8, y(high[1]) + 10, "share of ε", "name", "start"),
      note(0, dot("fill-a"), "text-a", `xₜ, t = ${t}`, here), note(1, dot("fill-b"), "text-b", "taken for x₀", estimate),
      note(2, ring("line-a"), "text-a", `x′, t = ${previous}, right`, right), note(3, ring("line-b"), "text-b", "x′ as computed", wrong),
      text(474, 250, "thin arrow: half of v", "small", "start"), text(474, 274, "orange arrow: to what the", "small", "start"),
      text(474, 290, "sampler takes for x₀", "small", "start"));
  },
});
