"use strict";

// A point of the plane in three stages, and what a prefix of the indices decodes to (exercises 10.0, 10.1, 10.3).
figure({
  name: "residual",
  controls: [
    range("used", "stages decoded", 1, 3, 1, 3),
    range("x", "first coordinate of x", -1.5, 1.5, 0.05, 0.8, {show: v => v.toFixed(2)}),
    range("y", "second coordinate", -1.5, 1.5, 0.05, 0.45, {show: v => v.toFixed(2)}),
    choice("codes", "codebooks", [["two", "two codes each, the table's"], ["four", "four codes each"]]),
  ],

  async compute(call, {used, x, y, codes}) {
    const turned = (length, degrees) => [0, 90, 180, 270].map(more => (degrees + more) * Math.PI / 180)
      .map(angle => [length * Math.cos(angle), length * Math.sin(angle)]);
    const books = codes === "two" ? [[[1, 0], [-1, 0]], [[0, 0.5], [0, -0.5]], [[0.1, 0.1], [-0.1, -0.1]]]
      : [turned(0.8, 45), turned(0.45, 10), turned(0.25, 60)];
    const stages = [i64(3), books.map(book => matrix(book))], count = books[0].length;
    const every = Array.from({length: count ** 3}, (_, n) => [Math.floor(n / count ** 2), Math.floor(n / count) % count, n % count]);
    const [[found, , lengths], [points], [bits], [rate]] = await Promise.all([
      call("residual_quantize", matrix([[x, y]]), stages), call("rvq_decode", indices(every), stages, i64(3)),
      call("bits_per_token", i64(count)), call("rvq_bitrate", i64(24000), i64(320), i64(count), i64(used))]);
    const [nearest, ...prefixes] = await Promise.all([call("nearest_code", matrix([[x, y]]), matrix(points)),
      ...[1, 2, 3].map(stage => call("rvq_decode", indices(found), stages, i64(stage)))]);
    const best = points[nearest[0][0]];
    return {found: found[0], lengths: lengths[0], points, best, bestLength: Math.hypot(best[0] - x, best[1] - y),
      prefixes: prefixes.map(([rows]) => rows[0]), bits: used * bits, rate, count};
  },

  values: ({found, lengths, bits, rate, points, bestLength}, {used}) => [
    {key: "indices", label: "indices", value: found.slice(0, used).join(", ")},
    {key: "left", label: "left, stage by stage", value: lengths.slice(0, used).map(v => v.toFixed(6)).join(", ")},
    {key: "bits", label: "bits", value: bits, digits: 0},
    {key: "rate", label: "at 75 points per second", value: rate, digits: 3, unit: "kbit/s"},
    {key: "points", label: "sums of three codes", value: points.length, digits: 0},
    {key: "best", label: "the nearest of them is away", value: bestLength, digits: 6},
  ],

  describe: ({found, lengths, prefixes, points, bestLength}, {used, x, y}) =>
    `The indices ${found.join(", ")}, of which ${used} ${used === 1 ? "is" : "are"} decoded, give (${prefixes[used - 1].map(v => v.toFixed(2)).join(", ")}), ` +
    `${lengths[used - 1].toFixed(3)} away from x = (${x.toFixed(2)}, ${y.toFixed(2)}). All three stages leave ${lengths[2].toFixed(3)}; ` +
    `the nearest of all ${points.length} sums is ${bestLength.toFixed(3)} away.`,

  drag: (px, py) => ({x: (px - 205) / 115, y: (205 - py) / 115}),

  draw({found, lengths, points, prefixes, best}, {used, x: first, y: second}) {
    const {picture, line, text, circle, arrow, linear} = sketch;
    const x = linear(0, 1, 205, 320), y = linear(0, 1, 205, 90), at = ([p, q]) => [x(p), y(q)];
    const shape = v => `(${v.map(c => shown({value: c, digits: 2})).join(", ")})`;
    const path = [[0, 0], ...prefixes], [dx, dy] = at(prefixes[used - 1]);
    const style = stage => stage % 2 === 0 ? "a" : "b";
    return picture(640, 410,
      line(x(-1.6), y(0), x(1.6), y(0), "grid"), line(x(0), y(-1.6), x(0), y(1.6), "grid"),
      points.map(point => circle(...at(point), 2.5, "muted")), circle(...at(best), 6, "dashed"),
      path.slice(1).map((to, stage) => stage < used ? arrow(...at(path[stage]), ...at(to), `line-${style(stage)}`) : ""),
      line(dx, dy, x(first), y(second), "dashed"), circle(x(first), y(second), 5, "fill-text"),
      text(x(first) + 12, y(second) - 7, "x", "", "start"),
      path.slice(1).map((to, stage) => {
        const top = 40 + 64 * stage, code = [to[0] - path[stage][0], to[1] - path[stage][1]];
        return [stage < used ? arrow(406, top - 4, 436, top - 4, `line-${style(stage)}`) : line(406, top - 4, 436, top - 4, "thin"),
          text(446, top, `stage ${stage}: code ${found[stage]}`, stage < used ? `text-${style(stage)}` : "muted", "start"),
          text(446, top + 18, `${shape(code)}, left ${shown({value: lengths[stage], digits: 3})}`, stage < used ? "small" : "small muted", "start"),
          text(446, top + 35, stage < used ? "" : "not decoded", "small muted", "start")];
      }),
      line(406, 246, 436, 246, "dashed"), text(446, 250, "what is left, from decoded to x", "small", "start"),
      circle(421, 272, 2.5, "muted"), text(446, 276, `all ${points.length} sums of three`, "small", "start"),
      circle(421, 298, 6, "dashed"), text(446, 302, "the nearest of them", "small", "start"));
  },
});

// Which outputs notice that one frame was changed (exercises 10.6, 1.9).
figure({
  name: "causal",
  controls: [
    range("frame", "frame that is changed", 0, 8, 1, 4), range("kernel", "taps k", 1, 5, 1, 3),
    choice("stride", "stride s", [["1", "1"], ["2", "2"], ["4", "4"]]),
    choice("rival", "compared with", [["centred", "a centred kernel"], ["short", "k − s frames in front"]]),
  ],

  async compute(call, {frame, kernel, stride, rival}) {
    const frames = 9, clip = [0.3, 0.5, 0.2, 0.6, 0.4, 0.7, 0.1, 0.5, 0.3], changed = clip.map((v, t) => t === frame ? v + 1 : v);
    const sum = kernel * (kernel + 1) / 2, taps = Array.from({length: kernel}, (_, j) => (j + 1) / sum), s = Number(stride);
    const before = rival === "centred" ? Math.floor((kernel - 1) / 2) : Math.max(kernel - s, 0), after = rival === "centred" ? kernel - 1 - before : 0;
    const causal = x => call("causal_conv_time", matrix(x.map(v => [v])), tensor([1, 1, kernel, 1], taps), f32s([0]), i64(s));
    // A square kernel whose first column has the taps, over a picture of one column with zeros to its right.
    const square = taps.flatMap(w => Array.from({length: kernel}, (_, column) => column === 0 ? w : 0));
    const other = x => call("conv2d_forward", tensor([1, 1, frames, 1], x), tensor([1, 1, kernel, kernel], square), f32s([0]),
      i64(s), i64(0), i64(kernel - 1), i64(before), i64(after));
    const [[y], [y2], [z], [z2], [latent]] = await Promise.all([causal(clip), causal(changed), other(clip), other(changed),
      call("latent_frames", i64(frames), i64(s))]);
    const changes = (a, b) => a.map((v, t) => Math.abs(b[t] - v));
    return {frames, latent, before, after, causal: changes(y.flat(), y2.flat()), other: changes(z.data, z2.data)};
  },

  values({causal, other, latent}, {frame, stride}) {
    const first = list => list.findIndex(v => v > 0), name = list => first(list) < 0 ? "none" : `output ${first(list)}, at frame ${first(list) * stride}`;
    return [
      {key: "causal", label: "causal: the first output that changes", value: name(causal)},
      {key: "other", label: "the other one", value: name(other)},
      {key: "leak", label: "its outputs that change before that frame", value: other.filter((v, t) => v > 0 && t * stride < frame).length, digits: 0},
      {key: "latent", label: "latent frames of 9", value: latent, digits: 0},
    ];
  },

  describe({causal, other}, {frame, stride, rival}) {
    const list = changes => changes.map((v, t) => [v, t * stride]).filter(([v]) => v > 0).map(([, at]) => at).join(", ") || "none";
    return `Frame ${frame} of 9 is changed. Of the causal convolution the outputs at these frames change: ${list(causal)}; ` +
      `of the ${rival === "centred" ? "centred kernel" : "one with k - s frames in front"}: ${list(other)}.`;
  },

  drag: px => ({frame: Math.floor((px - 70) / 60)}),

  draw({frames, before, after, causal, other}, {frame, kernel, stride, rival}) {
    const {picture, rect, text, line, linear, steps} = sketch;
    const x = t => 70 + 60 * t, height = linear(0, 1, 0, 62);
    const row = (changes, base, name) => [text(70, base - 92, name, "", "start"), line(70, base, 606, base, "axis"),
      text(60, base - 12, "|change|", "small", "end"), line(x(frame) + 2, base - 82, x(frame) + 2, base + 8, "dashed"),
      changes.map((v, o) => {
        const t = o * stride, early = v > 0 && t < frame;
        return [v > 0 ? rect(x(t) + 8, base - height(v), 40, height(v), early ? "fill-b" : "fill-a") : "",
          text(x(t) + 28, base - height(v) - 6, v > 0 ? v.toFixed(2) : "0", v > 0 ? "small" : "small muted"),
          text(x(t) + 28, base + 16, `y${o}`, early ? "text-b" : "")];
      })];
    return picture(640, 356,
      steps(0, frames - 1, 1).map(t => [rect(x(t) + 4, 12, 48, 30, t === frame ? "fill-a" : "cell"), text(x(t) + 28, 32, t, t === frame ? "on-fill" : "")]),
      text(60, 32, "frame", "", "end"), row(causal, 176, `causal, frame 0 copied in front: ${kernel - 1} more`),
      row(other, 322, rival === "centred" ? `the same taps, centred: zeros before ${before}, after ${after}` : `the same taps, zeros before: ${before}`),
      text(606, 230, "orange: has read the future", "small text-b", "end"));
  },
});
