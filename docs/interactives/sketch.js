// What the figures are drawn with: SVG as text. Colours and strokes are classes of theme/handbook.css, so that they
// follow the light and the dark page.
"use strict";

const sketch = (() => {
  const escape = text => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  const round = x => Math.round(x * 10) / 10; // of a unit that is about a pixel

  function element(name, attributes, content = "") {
    const list = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== "")
      .map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escape(value)}"`).join("");
    return content === "" ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`;
  }

  const line = (x1, y1, x2, y2, style) => element("line", {x1, y1, x2, y2, class: style});
  const circle = (cx, cy, r, style, more = {}) => element("circle", {cx, cy, r, class: style, ...more});
  const rect = (x, y, width, height, style, more = {}) =>
    element("rect", {x, y, width: Math.max(0, width), height: Math.max(0, height), class: style, ...more});
  /** `content` may use a true minus or not: a hyphen before a digit becomes one. */
  const text = (x, y, content, style = "", anchor = "middle") => element("text", {x, y, class: style, "text-anchor": anchor},
    escape(String(content).replace(/-(?=[\d.])/g, "\u2212")));
  const path = (points, style, closed = false) => points.length === 0 ? "" :
    element("path", {d: "M" + points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L") + (closed ? "Z" : ""), class: style});
  /** From a to b, with a head at b. */
  function arrow(x1, y1, x2, y2, style) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (length < 1) return "";
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length], head = Math.min(9, length * 0.6);
    const back = [x2 - head * ux, y2 - head * uy], side = head * 0.45;
    return line(x1, y1, back[0], back[1], style) +
      path([[x2, y2], [back[0] - side * uy, back[1] + side * ux], [back[0] + side * uy, back[1] - side * ux]], `${style} head`, true);
  }

  /** A whole picture, up to 640 wide; the page puts the description into aria-label. */
  const picture = (width, height, ...parts) =>
    element("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", class: "drawn"}, parts.flat(Infinity).join(""));

  const linear = (from, to, low, high) => x => low + (x - from) / (to - from) * (high - low);
  const logarithmic = (from, to, low, high) => x => linear(Math.log(from), Math.log(to), low, high)(Math.log(x));
  const steps = (from, to, step) => Array.from({length: Math.round((to - from) / step) + 1}, (_, i) => from + i * step);

  /** Axes with a grid. `box` is {left, right, top, bottom}; ticks are [place, label], or numbers. */
  function frame(box, x, y, xTicks, yTicks, xName, yName) {
    const pair = tick => Array.isArray(tick) ? tick : [tick, tick];
    return [
      xTicks.map(pair).map(([at, label]) => [line(x(at), box.bottom, x(at), box.top, "grid"), text(x(at), box.bottom + 18, label)]),
      yTicks.map(pair).map(([at, label]) => [line(box.left, y(at), box.right, y(at), "grid"), text(box.left - 8, y(at) + 4, label, "", "end")]),
      line(box.left, box.bottom, box.right, box.bottom, "axis"), line(box.left, box.bottom, box.left, box.top, "axis"),
      text((box.left + box.right) / 2, box.bottom + 38, xName, "name"), text(box.left - 8, box.top - 12, yName, "name", "start"),
    ];
  }

  /** Keeps what is drawn inside the axes. */
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
  /** Density of a normal, for outlines; no figure states it as a number. */
  const bell = (x, mean, sigma) => Math.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));
  const thousands = n => n.toLocaleString("en-GB");

  return {escape, element, line, circle, rect, text, path, arrow, picture, linear, logarithmic, steps, frame, clamp, bell, thousands};
})();
