"use strict";

// A row, its nearest code, and who is pulled where (exercises 5.2, 5.4, 5.5, 5.6).
figure({
  name: "nearest",
  controls: [
    range("x", "z_e, first number", -1.2, 1.2, 0.05, 1.1, {show: v => v.toFixed(2)}),
    range("y", "z_e, second number", -1.2, 1.2, 0.05, -0.5, {show: v => v.toFixed(2)}),
    range("beta", "commitment weight β", 0, 1, 0.05, 0.25, {show: v => v.toFixed(2)}),
    choice("wish", "the decoder wishes", [["left", "z_q farther left"], ["up", "farther up"], ["right", "farther right"], ["down", "farther down"]]),
  ],

  async compute(call, {x, y, beta, wish}) {
    const codes = [[0.9, 0.1], [0.1, 0.9], [-0.5, -0.5], [-0.95, 0.6], [0.5, -0.9], [1.2, 1.1], [-1.2, -1.1]];
    const towards = {up: [0, 0.5], right: [0.5, 0], down: [0, -0.5], left: [-0.5, 0]}[wish];
    const codebook = matrix(codes), row = matrix([[x, y]]), side = 81, at = sketch.linear(0, side - 1, -1.8, 1.8), h = 0.001;
    const grid = Array.from({length: side * side}, (_, i) => [at(i % side), at(Math.floor(i / side))]);
    const [[zq, indices], [cells], [nearby]] = await Promise.all([
      call("vq_straight_through", row, codebook), call("nearest_code", matrix(grid), codebook),
      call("vq_straight_through", matrix([[x + h, y], [x - h, y], [x, y + h], [x, y - h]]), codebook)]);
    // The reconstruction is a square too, as if the decoder were the identity.
    const target = zq[0].map((v, d) => v + towards[d]);
    const [[squared], [, dzq]] = await Promise.all([
      call("pairwise_sqdist", row, codebook), call("mse_loss", matrix(zq), matrix([target]), i32(2))]);
    const [[, codebookLoss, commitment], gradients] = await Promise.all([
      call("vq_losses", f64(0), row, codebook, i64s(indices), f64(beta)),
      call("vq_gradients", matrix(dzq), row, codebook, i64s(indices), f64(beta))]);
    const k = indices[0], [straight, , , codebookPull, commitmentPull] = gradients;
    const differences = [0, 1].flatMap(d => [nearby[0][d] - nearby[1][d], nearby[2][d] - nearby[3][d]]).map(v => Math.abs(v) / (2 * h));
    return {codes, target, cells, k, squared: squared[0][k], codebookLoss, commitment, dzq: dzq[0], straight: straight[0],
      codebookPull: codebookPull[k], commitmentPull: commitmentPull[0], derivative: Math.max(...differences)};
  },

  values: ({k, squared, codebookLoss, commitment, straight, derivative}) => [
    {key: "k", label: "nearest code", value: k, digits: 0},
    {key: "squared", label: "squared distance", value: squared},
    {key: "codebook", label: "codebook term", value: codebookLoss},
    {key: "commitment", label: "commitment term", value: commitment},
    {key: "straight", label: "straight through, dz_e = dz_q", value: straight.map(v => shown({value: v, digits: 2})).join(", ")},
    {key: "derivative", label: "true derivative, by differences", value: derivative, digits: 0},
  ],

  describe: ({k, squared, straight, derivative}, {x, y, beta}) =>
    `The row (${x.toFixed(2)}, ${y.toFixed(2)}) is given code ${k}, at a squared distance of ${squared.toFixed(4)}. ` +
    (derivative === 0 ? "Moving the row a little does not move its code, so the true derivative is 0; "
      : "A border between two codes runs here, where there is no derivative; ") +
    `straight through, the row receives z_q's gradient (${straight.map(v => v.toFixed(2)).join(", ")}). ` +
    "The codebook term pulls the code towards the row, " +
    (beta > 0 ? `the commitment term the row towards the code with ${beta.toFixed(2)} of that.` : "and with β = 0 nothing pulls the row towards the code."),

  drag: (px, py) => ({x: (px - 205) / 390 * 3.6, y: (205 - py) / 390 * 3.6}),

  draw({codes, target, cells, k, dzq, straight, codebookPull, commitmentPull}, {x, y}) {
    const {picture, element, line, circle, rect, text, path, arrow, linear} = sketch;
    const px = linear(-1.8, 1.8, 10, 400), py = linear(-1.8, 1.8, 400, 10), side = 81, pixel = ([i, j]) => [10 + 4.875 * i, 400 - 4.875 * j];
    // A border runs between any two neighbours of the grid that have different codes: through the middle of their edge.
    const borders = [];
    for (let j = 0; j + 1 < side; ++j) {
      for (let i = 0; i + 1 < side; ++i) {
        const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([a, b]) => [i + a, j + b]), code = ([a, b]) => cells[b * side + a];
        if (corners.every(corner => code(corner) === code(corners[0]))) continue;
        const crossed = corners.map((corner, c) => [corner, corners[(c + 1) % 4]]).filter(([from, to]) => code(from) !== code(to))
          .map(([[a, b], [c, d]]) => [(a + c) / 2, (b + d) / 2]);
        const middle = [0, 1].map(d => crossed.reduce((sum, point) => sum + point[d], 0) / crossed.length);
        for (const edge of crossed) borders.push([edge, middle].map(point => pixel(point).map(v => v.toFixed(1)).join(" ")).join("L"));
      }
    }
    // Cells are convex: from its first to its last point in every row.
    const rows = sketch.steps(0, side - 1, 1).map(j => [j, cells.slice(j * side, (j + 1) * side)]).filter(([, row]) => row.includes(k))
      .map(([j, row]) => [j, Math.max(0, row.indexOf(k) - 0.5), Math.min(side - 1, row.lastIndexOf(k) + 0.5)]);
    const cell = [...rows.map(([j, left]) => pixel([left, j])), ...rows.reverse().map(([j, , right]) => pixel([right, j]))];

    const step = ([a, b], [da, db], style, aside = [0, 0]) =>
      arrow(px(a) + aside[0], py(b) + aside[1], px(a - da) + aside[0], py(b - db) + aside[1], style);
    const zq = codes[k], length = Math.hypot(x - zq[0], y - zq[1]) || 1, normal = [(y - zq[1]) / length * 6, (x - zq[0]) / length * 6];
    const cross = (a, b) => [line(a - 6, b - 6, a + 6, b + 6, "line-b"), line(a - 6, b + 6, a + 6, b - 6, "line-b")];
    const square = (a, b, half, style) => rect(a - half, b - half, 2 * half, 2 * half, style);
    const legend = [
      [circle(437, 0, 6, "fill-b"), "z_e, the encoder's row"], [square(437, 0, 6, "fill-a"), `z_q, its nearest code: ${k}`],
      [square(437, 0, 3.5, "fill-text"), "the other codes"], [cross(437, 0), "the decoder's wish for z_q"],
      [line(420, 0, 454, 0, "dashed"), "the lookup"],
      [arrow(420, 0, 454, 0, "line-b"), "the decoder's pull at z_q,", "and its copy at z_e"],
      [arrow(420, 0, 454, 0, "line-a"), "the codebook term's pull"], [arrow(420, 0, 454, 0, "line-a dashed"), "the commitment term's pull"],
    ];
    let base = 34;
    const entries = legend.map(([mark, ...lines]) => {
      const at = base;
      base += 20 + 17 * (lines.length - 1) + 12;
      return [element("g", {transform: `translate(0 ${at})`}, [mark].flat(Infinity).join("")),
        lines.map((words, i) => text(464, at + 4 + 17 * i, words, "small", "start"))];
    });
    return picture(640, 420, path(cell, "area-a", true), element("path", {d: `M${borders.join("M")}`, class: "thin"}),
      element("rect", {x: 10, y: 10, width: 390, height: 390, class: "frame"}),
      codes.map(([a, b], i) => [square(px(a), py(b), i === k ? 7 : 4, i === k ? "fill-a" : "fill-text"), text(px(a) + 11, py(b) - 8, i, "small", "start")]),
      cross(px(target[0]), py(target[1])), line(px(x), py(y), px(zq[0]), py(zq[1]), "dashed"),
      step(zq, dzq, "line-b"), step([x, y], straight, "line-b"),
      step(zq, codebookPull, "line-a", normal), step([x, y], commitmentPull, "line-a dashed", normal.map(v => -v)),
      circle(px(x), py(y), 6, "fill-b"), entries,
      text(420, base + 14, "Arrows: negative gradients,", "small muted", "start"), text(420, base + 30, "a step with learning rate 1", "small muted", "start"));
  },
});
