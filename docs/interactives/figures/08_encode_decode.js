"use strict";

// Live bytes of a TAESD decoder, step by step (exercises 8.5, 8.6).
figure({
  name: "peak",
  controls: [
    choice("part", "steps of", [["decoder", "the whole decoder"], ["block", "one block at full size"]]),
    range("side", "side of the image", 128, 1024, 128, 256, {unit: "pixels"}),
    choice("bytes", "numbers", [["4", "fp32, 4 bytes"], ["2", "fp16, 2 bytes"]]),
    toggle("skip", "blocks have a skip", true),
  ],

  async compute(call, {part, side, bytes, skip}) {
    const steps = [];
    let size = side, channels = 64;
    // A step makes tensor steps.length + 1; without more said it reads the one before.
    const add = (name, more = {}) => steps.push({name, reads: [steps.length], taken: channels, made: channels, size, ...more});
    const block = () => {
      const input = steps.length;
      for (const i of [1, 2, 3]) {
        add(`conv ${i}`, {conv: true});
        if (i < 3) add("relu");
      }
      if (skip) add("add", {reads: [input, steps.length]});
      add("relu");
    };
    if (part === "decoder") {
      size = side / 8;
      channels = 4;
      add("clamp");
      channels = 64;
      add("conv", {conv: true, taken: 4});
      add("relu");
      for (let level = 0; level < 4; ++level) {
        for (let i = 0; i < (level === 3 ? 1 : 3); ++i) block();
        if (level < 3) {
          size *= 2;
          add("upsample");
        }
        add("conv", {conv: true, made: level === 3 ? 3 : 64});
      }
    } else {
      block();
    }
    const given = part === "decoder" ? [4, side / 8, side / 8] : [64, side, side];
    const [[[first], ...values], costs] = await Promise.all([
      Promise.all([given, ...steps.map(step => [step.made, step.size, step.size])].map(shape => call("values_in", i64s(shape)))),
      Promise.all(steps.filter(step => step.conv).map(step => call("conv_cost", i64s([1, step.taken, step.size, step.size]),
        i64(step.made), i64(3), i64(1), i64(1), i64(1), i32(1), i64(bytes))))]);
    const [peak, at, live] = await call("peak_activation_bytes", i64(first * bytes), i64(steps.length),
      steps.map((step, i) => [i64s(step.reads), i64(values[i][0] * bytes)]));
    return {names: steps.map(step => step.name), sizes: steps.map(step => step.size), peak, at, live, macs: costs.reduce((sum, [macs]) => sum + macs, 0),
      largest: Math.max(...values.map(([count]) => count)) * bytes};
  },

  values: ({names, sizes, peak, at, largest, macs}) => [
    {key: "peak", label: "peak", value: peak / 2 ** 20, digits: 2, unit: "MiB"},
    {key: "at", label: "first reached in", value: `step ${at}, ${names[at]} at ${sizes[at]} × ${sizes[at]}`},
    {key: "largest", label: "largest tensor", value: largest / 2 ** 20, digits: 2, unit: "MiB"},
    {key: "macs", label: "multiply-accumulates", value: macs / 1e9, digits: 3, unit: "G"},
  ],

  describe: ({names, sizes, peak, at, largest, live}, {side}) =>
    `Memory alive in each of ${live.length} steps for an image of ${side} x ${side}. The peak of ${(peak / 2 ** 20).toFixed(2)} MiB is first reached ` +
    `in step ${at}, ${names[at]} at ${sizes[at]} x ${sizes[at]}; the largest single tensor has ${(largest / 2 ** 20).toFixed(2)} MiB.`,

  draw({names, sizes, peak, live}) {
    const {picture, frame, rect, text, line, linear} = sketch;
    const box = {left: 74, right: 620, top: 40, bottom: 240}, mib = 2 ** 20;
    const x = linear(0, live.length, box.left, box.right), y = linear(0, 1.1 * peak, box.bottom, box.top);
    const width = x(1) - x(0), few = live.length < 10;
    const number = v => shown({value: v / mib, digits: v % mib === 0 ? 0 : 2});
    const levels = [...new Set(sizes)].map(size => ({size, from: sizes.indexOf(size), to: sizes.lastIndexOf(size) + 1}));
    return picture(640, 290,
      frame(box, x, y, [], [0, 0.5, 1].map(share => [share * peak, number(share * peak)]), "", "MiB alive while the step runs"),
      live.map((v, i) => rect(x(i) + 0.1 * width, y(v), 0.8 * width, box.bottom - y(v), v === peak ? "fill-b" : "fill-a")),
      few ? live.map((v, i) => [text(x(i + 0.5), y(v) - 6, number(v), "small"), text(x(i + 0.5), box.bottom + 18, names[i])]) : "",
      few ? "" : levels.map(({size, from, to}) => [line(x(from), box.bottom, x(from), box.bottom + 8, "axis"),
        text(x((from + to) / 2), box.bottom + 20, `${size} × ${size}`)]),
      text((box.left + box.right) / 2, box.bottom + 40,
        few ? `steps of a block at ${sizes[0]} × ${sizes[0]}` : "steps of the decoder, by the size of what they make", "name"),
      text(box.right, box.top - 12, "at the peak", "text-b", "end"));
  },
});

// One latent decoded at once and in tiles (exercises 8.7, 8.9).
figure({
  name: "seam",
  controls: [
    choice("decoder", "layers look at", [["neighbours", "their neighbours (3 × 3)"], ["itself", "their own position (1 × 1)"],
      ["norm", "all positions (GroupNorm)"]]),
    range("tile", "tile, in positions", 4, 16, 1, 4),
    range("overlap", "overlap, in positions", 0, 3, 1, 1),
  ],

  async compute(call, {decoder, tile, overlap}) {
    const size = 16, none = tensor([0, 0, 0, 0], []);
    const conv = kernel => [tensor([1, 1, Math.sqrt(kernel.length), Math.sqrt(kernel.length)], kernel), f32s([0]), i64(1)];
    const noPool = [none, f32s([]), f32s([]), none], still = conv([0]);
    const layer = (kind, convolution = conv([1]), pool = noPool) => [i32(kind), convolution, pool, still, still, still];
    const blur = [1, 2, 1, 2, 4, 2, 1, 2, 1].map(w => w / 16), upsample = layer(4);
    // ReLU of the normalised map and of its negative, then their difference: the map itself, of which 0.06 is added.
    const pool = [tensor([4, 1, 1, 1], [1, -1, 1, -1]), f32s([1, 1, 1, 1]), f32s([0, 0, 0, 0]), tensor([1, 4, 1, 1], [0.03, -0.03, 0.03, -0.03])];
    const layers = {neighbours: [layer(0, conv(blur)), upsample, layer(0, conv(blur))], itself: [layer(0), upsample, layer(0)],
      norm: [layer(3, conv([1]), pool), upsample, layer(0)]}[decoder];
    const latent = tensor([1, 1, size, size], Array.from({length: size * size}, (_, i) => {
      const row = Math.floor(i / size), column = i % size;
      return 0.45 + 0.018 * (row + column - 15) + 0.17 * Math.sin(0.55 * column + 0.6) * Math.cos(0.45 * row);
    }));
    const atOnce = async () => {
      let image = latent;
      for (const each of layers) {
        const [made] = await call("run_layer", image, each);
        image = tensor(made.shape, made.data);
      }
      return image.data;
    };
    const cost = side => call("conv_cost", i64s([1, 1, side, side]), i64(1), i64(3), i64(1), i64(1), i64(1), i32(1), i64(4));
    const [[tiled], [starts], [whole], [piece], once] = await Promise.all([
      call("tiled_decode", latent, i64(layers.length), layers, i64(tile), i64(overlap)),
      call("tile_starts", i64(size), i64(tile), i64(overlap)), cost(size), cost(tile), atOnce()]);
    const difference = tiled.data.map((v, i) => Math.abs(v - once[i]));
    return {once, tiled: tiled.data, difference, starts, tiles: starts.length ** 2, work: starts.length ** 2 * piece / whole, memory: piece / whole,
      largest: Math.max(...difference)};
  },

  values: ({tiles, work, memory, largest}) => [
    {key: "tiles", label: "tiles", value: tiles, digits: 0},
    {key: "work", label: "work, against decoding at once", value: work, digits: 4, unit: "×"},
    {key: "memory", label: "memory", value: memory, digits: 4, unit: "×"},
    {key: "largest", label: "largest difference of a pixel", value: largest},
  ],

  describe: ({tiles, work, largest}, {tile, overlap}) =>
    `A map of 16 x 16 positions decoded at once, and in ${tiles === 1 ? "one tile" : `${tiles} tiles`} of ${tile} x ${tile} with an overlap of ${overlap}: ` +
    `${work.toFixed(2)} times the work, and a largest difference of ${largest.toFixed(4)} between the two pictures, whose values lie between 0 and 1.`,

  draw({once, tiled, difference, starts}, {tile, overlap}) {
    const {picture, element, text, rect, line, clamp} = sketch;
    const cell = 6, side = 32, levels = 24, top = 62, lefts = [12, 224, 436];
    // One path for each shade, so that a picture is a few kilobytes.
    const shades = (values, left, gain) => {
      const paths = {};
      values.forEach((v, i) => {
        const level = Math.round(levels * clamp(gain * v, 0, 1));
        if (level > 0) paths[level] = `${paths[level] ?? ""}M${left + cell * (i % side)} ${top + cell * Math.floor(i / side)}h${cell}v${cell}h-${cell}z`;
      });
      return [rect(left, top, cell * side, cell * side, "cell-empty"),
        Object.entries(paths).map(([level, d]) =>
          element("path", {d, class: "fill-text", "fill-opacity": (level / levels).toFixed(3), "shape-rendering": "crispEdges"}))];
    };
    const rows = Math.floor(tile / (tile - overlap)) + 1;
    return picture(640, 290,
      shades(once, lefts[0], 1), shades(tiled, lefts[1], 1), shades(difference, lefts[2], 4),
      text(lefts[0], 20, "decoded at once", "", "start"), text(lefts[1], 20, "in tiles", "", "start"),
      text(lefts[2], 20, "difference, 4 times", "", "start"), text(lefts[2], 36, "as strong", "", "start"),
      starts.map((start, i) => {
        const left = lefts[1] + 2 * cell * start, y = 30 + 5 * (i % rows);
        return line(left + 1, y, left + 2 * cell * tile - 1, y, i % 2 === 0 ? "line-a" : "line-b");
      }),
      text(lefts[1] + 96, top + 210, starts.length === 1 ? "one tile" : `lines above: the ${starts.length} tiles of a row`, "small"),
      text(lefts[0] + 96, top + 210, "the stronger, the larger the value", "small"));
  },
});
