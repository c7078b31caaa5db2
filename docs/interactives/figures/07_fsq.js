"use strict";

// How many of L codes normal latents use (exercises 7.3, 7.4, 6.1).
figure({
  name: "fsq_usage",
  controls: [
    range("sigma", "deviation σ of the latents", 0.1, 10, 0.1, 1, {show: v => v.toFixed(1)}),
    range("levels", "levels L", 3, 12, 1, 5), range("seed", "seed", 1, 20, 1, 1),
  ],

  async compute(call, {sigma, levels, seed}) {
    const [noise] = await call("sample_prior", i64(2000), i64(1), i64(seed));
    const latents = noise.map(([e]) => [sigma * e]), axis = sketch.steps(-4, 4, 0.01);
    const [[codes], [quantized], [levelCodes]] = await Promise.all([call("fsq_quantize", matrix(latents), i64s([levels])),
      call("fsq_quantize", matrix(axis.map(z => [z])), i64s([levels])), call("implicit_codebook", i64s([levels]), i64(0), i64(levels))]);
    const [indices] = await call("codes_to_index", matrix(codes), i64s([levels]));
    const [[counts], [used], [perplexity]] = await Promise.all([
      call("assignment_stats", matrix(latents), i64s(indices), i64(levels)),
      call("codebook_usage", i64s(indices), i64(levels)), call("codebook_perplexity", i64s(indices), i64(levels))]);
    return {codes: levelCodes.map(([q]) => q), shares: counts.map(n => n / latents.length), used, perplexity,
      borders: axis.filter((_, i) => i > 0 && quantized[i][0] !== quantized[i - 1][0])};
  },

  values: ({shares, used, perplexity}) => [
    {key: "perplexity", label: "perplexity", value: perplexity, digits: 2, unit: "codes"},
    {key: "used", label: "codes that occur", value: used, digits: 0},
    {key: "largest", label: "share of the most frequent", value: Math.max(...shares), digits: 3},
    {key: "outer", label: "share of the two outermost", value: shares[0] + shares.at(-1), digits: 3},
  ],

  describe: ({shares, used, perplexity}, {sigma, levels}) =>
    `Of 2,000 normal latents with deviation ${sigma.toFixed(1)}, ${used} of ${levels} codes get at least one; ` +
    `the perplexity is ${perplexity.toFixed(2)}, and the two outermost codes have a share of ${(shares[0] + shares.at(-1)).toFixed(3)}.`,

  draw({codes, shares, borders}, {sigma}) {
    const {picture, line, path, rect, text, linear, steps, bell} = sketch;
    const x = linear(-4, 4, 30, 610), top = Math.max(...shares), y = linear(0, top, 290, 170), width = 580 / codes.length;
    const middle = i => 30 + (i + 0.5) * width;
    return picture(640, 330,
      text(30, 16, "density of z, scaled; dashed: where one code ends and the next begins", "name", "start"),
      path(steps(-4, 4, 0.02).map(z => [x(z), 104 - 70 * bell(z, 0, sigma) / bell(0, 0, sigma)]), "line-a"),
      borders.map(z => line(x(z), 26, x(z), 104, "dashed")), line(30, 104, 610, 104, "axis"), steps(-4, 4, 1).map(z => text(x(z), 122, z, "small")),
      text(30, 148, "share of each code", "name", "start"),
      shares.map((share, i) => [rect(middle(i) - 0.36 * width, y(share), 0.72 * width, 290 - y(share), "fill-b"),
        text(middle(i), y(share) - 4, share.toFixed(3), "small"), text(middle(i), 308, codes[i].toFixed(2), "small")]),
      line(30, 290, 610, 290, "axis"), text(320, 326, "code q", "name"));
  },
});

// The quantizer of one dimension and the slope that its backward pass lets through (exercises 7.1 to 7.4, 7.6).
figure({
  name: "fsq_levels",
  controls: [range("levels", "levels L", 3, 16, 1, 8), range("z", "latent z", -4, 4, 0.05, 0.3, {show: v => v.toFixed(2)})],

  async compute(call, {levels, z}) {
    const axis = [...sketch.steps(-4, 4, 0.02), z], column = matrix(axis.map(v => [v])), L = i64s([levels]);
    const [[half], [bounded], [codes], [slopes], [levelCodes]] = await Promise.all([
      call("level_geometry", i64(levels)), call("fsq_bound", column, L),
      call("fsq_quantize", column, L), call("fsq_quantize_backward", matrix(axis.map(() => [1])), column, L),
      call("implicit_codebook", L, i64(0), i64(levels))]);
    const [digits] = await call("codes_to_index", matrix([...levelCodes, codes.at(-1)]), L), flat = rows => rows.map(([v]) => v);
    return {axis, half, bounded: flat(bounded), codes: flat(codes), slopes: flat(slopes), levelCodes: flat(levelCodes), digits};
  },

  values: ({half, bounded, codes, slopes, digits}) => [
    {key: "bounded", label: "bounded", value: bounded.at(-1), digits: 6, unit: "steps"},
    {key: "rounded", label: "rounded", value: codes.at(-1) * half, digits: 0},
    {key: "code", label: "code q", value: codes.at(-1)},
    {key: "digit", label: "digit", value: digits.at(-1), digits: 0},
    {key: "slope", label: "slope that passes back, dq/dz", value: slopes.at(-1), digits: 6},
  ],

  describe: ({bounded, codes, slopes, levelCodes, digits}, {levels, z}) =>
    `${levels} levels, from ${levelCodes[0]} to ${Number(levelCodes.at(-1).toFixed(4))}. The latent ${z.toFixed(2)} is bounded to ` +
    `${bounded.at(-1).toFixed(4)} steps and becomes the code ${codes.at(-1).toFixed(4)}, digit ${digits.at(-1)}; a gradient passes back ` +
    `with the slope ${slopes.at(-1).toFixed(4)}, which is largest in the middle and fades towards both ends.`,

  draw({axis, half, bounded, codes, slopes, levelCodes, digits}, {levels, z}) {
    const {picture, frame, line, path, circle, text, linear, steps} = sketch;
    const box = {left: 66, right: 560, top: 36, bottom: 286}, below = {...box, top: 322, bottom: 384};
    const x = linear(-4, 4, box.left, box.right), y = linear(-half - 0.6, levels - half - 0.4, box.bottom, box.top);
    const digitsAfter = [1, 2, 4].includes(half) ? 2 : 3, slope = linear(0, 1.05, below.bottom, below.top);
    const last = axis.length - 1, points = axis.slice(0, last);
    // Between two points with different codes the line is drawn upright.
    const turns = points.map((_, i) => i).filter(i => i === 0 || i === last - 1 || codes[i] !== codes[i - 1]);
    const stairs = turns.flatMap(i => [codes[Math.max(0, i - 1)], codes[i]].map(q => [x(points[i]), y(q * half)]));
    return picture(640, 430,
      levelCodes.map((q, i) => [line(box.left, y(q * half), box.right, y(q * half), "grid"),
        text(box.left - 8, y(q * half) + 4, q.toFixed(digitsAfter), "small", "end"),
        text(box.right + 22, y(q * half) + 4, digits[i], digits[i] === digits[levels] ? "text-a" : "small")]),
      line(box.left, box.top, box.left, box.bottom, "axis"), line(box.left, box.bottom, box.right, box.bottom, "axis"),
      text(box.left - 8, box.top - 14, "code q", "name", "end"), text(box.right + 22, box.top - 14, "digit", "name"),
      text(box.left + 12, box.top + 14, "thin: bounded, not yet rounded", "small text-b", "start"),
      text(box.left + 12, box.top + 30, "steps: the code", "small text-a", "start"),
      frame(below, x, slope, steps(-4, 4, 1), [0, 0.5, 1], "latent z", "slope that passes back, dq/dz"),
      line(x(z), box.bottom, x(z), Math.min(y(bounded[last]), y(codes[last] * half)), "dashed"),
      line(x(z), below.bottom, x(z), slope(slopes[last]), "dashed"),
      path(points.map((v, i) => [x(v), y(bounded[i])]).filter((_, i) => i % 4 === 0), "line-b thin"), path(stairs, "line-a"),
      path(points.map((v, i) => [x(v), slope(slopes[i])]).filter((_, i) => i % 4 === 0), "line-a"),
      circle(x(z), y(bounded[last]), 4, "fill-b"), circle(x(z), y(codes[last] * half), 5, "fill-a"),
      circle(x(z), slope(slopes[last]), 5, "fill-a"));
  },
});
