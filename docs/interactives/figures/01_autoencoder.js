"use strict";

// Values per stage of an encoder that halves the sides three times (exercises 1.0, 1.1, 1.8).
figure({
  name: "stages",
  controls: [
    range("side", "side of the image", 64, 512, 64, 256, {unit: "pixels"}),
    range("kernel", "kernel", 2, 4, 1, 3),
    choice("latent", "latent", [["vector", "a vector of 64"], ["map4", "a map of 4 channels"], ["map16", "a map of 16 channels"]]),
  ],

  async compute(call, {side, kernel, latent}) {
    let size = side;
    const shapes = [["image", [3, side, side]]];
    for (const [layer, channels] of [64, 128, 256].entries()) {
      [size] = await call("conv2d_out", i64(size), i64(kernel), i64(2), i64(kernel === 4 ? 1 : 0), i64(1));
      shapes.push([`conv ${layer + 1}`, [channels, size, size]]);
    }
    shapes.push(["latent", latent === "vector" ? [64] : [latent === "map4" ? 4 : 16, size, size]]);
    const counts = await Promise.all(shapes.map(([, shape]) => call("values_in", i64s(shape))));
    const [values, bits] = await call("compression_ratio", i64s(shapes[0][1]), f64(8), i64s(shapes[4][1]), f64(32));
    return {rows: shapes.map(([name, shape], i) => ({name, shape, values: counts[i][0]})), values, bits};
  },

  values: ({rows, values, bits}) => [
    {key: "widest", label: "widest stage", value: Math.max(...rows.map(row => row.values)), digits: 0, unit: "values"},
    {key: "values", label: "compression, in values", value: values, digits: 1, unit: "×"},
    {key: "bits", label: "in bits, 8 per pixel value, 32 per latent value", value: bits, digits: 1, unit: "×"},
  ],

  describe: ({rows}) => `Values per stage of an encoder: ${rows.map(({name, values}) => `${name} ${sketch.thousands(values)}`).join(", ")}.`,

  draw({rows}) {
    const {picture, text, rect, linear, thousands} = sketch;
    const width = linear(0, Math.max(...rows.map(row => row.values)), 0, 330);
    return picture(640, 206, rows.map(({name, shape, values}, i) => {
      const y = 12 + 38 * i;
      return [text(70, y + 18, name, "", "end"), rect(84, y, Math.max(width(values), 1), 26, i === 4 ? "fill-b" : "fill-a"),
        text(94 + width(values), y + 18, (shape.length > 1 ? `${shape.join(" × ")} = ` : "") + thousands(values), "", "start")];
    }));
  },
});

// Four points, the line of all decodings, and the code that a reader moves along it (exercises 1.2, 1.5).
figure({
  name: "midpoint",
  controls: [range("z", "code z", -3, 3, 0.05, 0, {show: v => v.toFixed(2)})],

  async compute(call, {z}) {
    const points = [[2, 1], [1, 2], [-1, -2], [-2, -1]], half = Math.SQRT1_2;
    const [codes] = await call("linear_forward", matrix(points), matrix([[half, half]]), f32s([0]));
    const [decoded] = await call("linear_forward", matrix([...codes, [z]]), matrix([[half], [half]]), f32s([0, 0]));
    const squared = await Promise.all(points.map(point => call("mse_loss", matrix([decoded[4]]), matrix([point]), i32(0))));
    return {points, codes: codes.map(([c]) => c), decoded, distance: Math.sqrt(Math.min(...squared.map(([value]) => value)))};
  },

  values: ({codes, decoded, distance}) => [
    {key: "codes", label: "codes of the four points", value: codes.map(c => shown({value: c, digits: 3})).join(", ")},
    {key: "x", label: "decoded, first coordinate", value: decoded[4][0], digits: 3},
    {key: "y", label: "second coordinate", value: decoded[4][1], digits: 3},
    {key: "distance", label: "distance to the nearest datum", value: distance, digits: 3},
  ],

  describe: ({distance}, {z}) => `Two pairs of points and the line of all decodings. The code ${z} decodes to a point ${distance.toFixed(3)} away from the nearest datum.`,

  drag: x => ({z: (x - 250) / 60 * Math.SQRT2}),

  draw({points, decoded}) {
    const {picture, line, circle, text, linear} = sketch;
    const x = linear(-3, 3, 70, 430), y = linear(-3, 3, 380, 20), at = ([a, b]) => [x(a), y(b)];
    const [p, q] = at(decoded[4]);
    return picture(640, 400,
      line(x(-3), y(0), x(3), y(0), "grid"), line(x(0), y(-3), x(0), y(3), "grid"),
      line(x(-2.9), y(-2.9), x(2.9), y(2.9), "line-a"), text(x(2.95), y(2.75), "all that the decoder", "", "start"),
      text(x(2.95), y(2.75) + 17, "can say", "", "start"),
      points.map((point, i) => [line(...at(point), ...at(decoded[i]), "thin"), circle(...at(decoded[i]), 4, "fill-a"), circle(...at(point), 6, "fill-text"),
        text(x(point[0]) + (point[0] > point[1] ? 12 : -12), y(point[1]) + 5, `(${point.join(", ")})`, "", point[0] > point[1] ? "start" : "end")]),
      circle(p, q, 8, "fill-b"), text(p + 16, q + 22, "decoded z", "text-b", "start"));
  },
});

// Adam under a gradient that never changes, with and without the correction of the bias (exercise 1.6).
figure({
  name: "adam",
  controls: [
    range("gradient", "gradient, a power of ten", -9, 2, 1, 0, {show: v => `1e${v}`}),
    choice("beta2", "β₂", [["0.999", "0.999"], ["0.99", "0.99"], ["0.95", "0.95"]]),
  ],

  async compute(call, {gradient, beta2}) {
    const g = 10 ** gradient, rate = 1e-3, epsilon = 1e-8;
    let state = [[[0]], [[0]], [[0]]];
    const corrected = [], uncorrected = [];
    for (let t = 1; t <= 200; ++t) {
      const before = state[0][0][0];
      state = await call("adam_step", ...state.map(m => matrix(m)), matrix([[g]]), i64(t), f64(rate), f64(0.9), f64(Number(beta2)), f64(epsilon));
      corrected.push((before - state[0][0][0]) / rate);
      uncorrected.push(state[1][0][0] / (Math.sqrt(state[2][0][0]) + epsilon));
    }
    return {corrected, uncorrected};
  },

  values: ({corrected, uncorrected}) => [
    {key: "first", label: "first step", value: corrected[0], digits: 3, unit: "learning rates"},
    {key: "first_uncorrected", label: "without the correction", value: uncorrected[0], digits: 3},
    {key: "longest_uncorrected", label: "longest without it", value: Math.max(...uncorrected), digits: 3},
    {key: "longest_at", label: "at step", value: uncorrected.indexOf(Math.max(...uncorrected)) + 1, digits: 0},
  ],

  describe: ({corrected, uncorrected}) => `The first step is ${corrected[0].toFixed(3)} learning rates long with the correction and ` +
    `${uncorrected[0].toFixed(3)} without; uncorrected, the longest of the first 200 is ${Math.max(...uncorrected).toFixed(3)}.`,

  draw({corrected, uncorrected}) {
    const {picture, frame, path, text, circle, logarithmic, linear, steps, clamp} = sketch;
    const box = {left: 60, right: 600, top: 34, bottom: 240};
    const x = logarithmic(1, 200, box.left, box.right), y = linear(0, 7, box.bottom, box.top);
    const curve = (list, style) => path(list.map((v, i) => [x(i + 1), y(clamp(v, 0, 7))]), style);
    return picture(640, 290, frame(box, x, y, [1, 3, 10, 30, 100, 200], steps(0, 7, 1), "step t", "step length / learning rate"),
      curve(uncorrected, "line-b"), curve(corrected, "line-a"), circle(x(1), y(clamp(uncorrected[0], 0, 7)), 4, "fill-b"),
      text(590, 52, "without the correction", "text-b", "end"), text(590, 70, "with the correction", "text-a", "end"));
  },
});

// Which positions of an axis a kernel visits (exercises 1.8, 1.9).
figure({
  name: "padding",
  controls: [
    range("before", "zeros before", 0, 2, 1, 1), range("after", "zeros after", 0, 2, 1, 1),
    range("kernel", "kernel", 1, 4, 1, 3), range("stride", "stride", 1, 3, 1, 2),
  ],

  async compute(call, {before, after, kernel, stride}) {
    const [outputs] = await call("conv2d_out", i64(4), i64(kernel), i64(stride), i64(before), i64(after));
    const [y] = await call("conv2d_forward", tensor([1, 1, 4, 4], Array.from({length: 16}, (_, i) => i)),
      tensor([1, 1, kernel, kernel], Array(kernel * kernel).fill(1)), f32s([0]), i64(stride), ...[before, after, before, after].map(i64));
    return {outputs, y: y.data};
  },

  values: ({outputs, y}) => [
    {key: "outputs", label: "outputs along the axis", value: outputs, digits: 0},
    {key: "y", label: "a kernel of ones over the 4 × 4 ramp 0 to 15", value: y.join(", ")},
  ],

  describe: ({outputs}, {before, after, stride}) => `With ${before} zeros before and ${after} after an axis of four, ${outputs} windows, ${stride} apart.`,

  draw({outputs}, {before, after, kernel, stride}) {
    const {picture, rect, text, line, steps} = sketch;
    const cell = 56, at = index => 130 + (index + 1) * cell;
    return picture(640, 76 + 14 * outputs,
      steps(-before, 3 + after, 1).map(i => [rect(at(i), 12, cell - 4, 30, i >= 0 && i < 4 ? "cell" : "cell-empty"),
        text(at(i) + cell / 2 - 2, 32, i >= 0 && i < 4 ? i : "0", i >= 0 && i < 4 ? "" : "muted")]),
      steps(0, outputs - 1, 1).map(o => {
        const y = 58 + 14 * o;
        return [line(at(o * stride - before), y, at(o * stride - before + kernel - 1) + cell - 4, y, o % 2 === 0 ? "line-a" : "line-b"),
          text(at(o * stride - before + kernel - 1) + cell + 4, y + 4, `output ${o}`, "small", "start")];
      }));
  },
});
