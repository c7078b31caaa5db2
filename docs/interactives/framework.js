// The frame of every figure that computes. A figure is a description, `figure({...})`, in a file of interactives/figures:
//
//   name       how a chapter names it: \figure{name}
//   controls   what a reader can set: range(), choice(), toggle()
//   compute    async (call, settings) => state; the only numbers it may make up itself are places on the page
//   values     (state, settings) => [{key, label, value, digits, unit}]: what is shown as text, and tested
//   draw       (state, settings) => SVG, of sketch.js
//   describe   (state, settings) => one sentence instead of the picture
//   step       async (call, state, settings) => state, for figures that run; `stills` says how many steps the picture
//              on paper is ahead, `speed` how many are made between two drawings
//   drag       (x, y, settings) => settings to change, for a pointer pressed at x, y of the picture
//
// call("elbo_gap", f64(x), ...) calls a function of the labs (engine.js) and yields its results in order. The same
// descriptions run in Node, for the pictures that are in the pages before any script runs, and for the tests.
"use strict";

const latentFigures = {};
const figure = description => { latentFigures[description.name] = description; };

const range = (key, label, min, max, step, value, {unit = "", show = String} = {}) =>
  ({kind: "range", key, label, min, max, step, value, unit, show});
const choice = (key, label, options, value = options[0][0]) => ({kind: "choice", key, label, options, value});
const toggle = (key, label, value = false) => ({kind: "toggle", key, label, value});

const {make: wire} = wireFormat();
const {f64, i64, i32, f32s, f64s, i64s, matrix, indices, tensor} = wire;

/** What a figure starts with. */
const defaults = ({controls = []}) => Object.fromEntries(controls.map(control => [control.key, control.value]));

/** A number as it is shown: a true minus, no "-0.00". */
function shown({value, digits = 4, unit = ""}) {
  if (typeof value !== "number") return value;
  let text = Number.isInteger(value) && digits === 0 ? value.toLocaleString("en-GB") : value.toFixed(digits);
  if (Number(text.replaceAll(",", "")) === 0) text = text.replace("-", "");
  return text.replace("-", "\u2212") + (unit ? ` ${unit}` : "");
}

const {escape: escapeHtml} = sketch;

/** The values as a list of definitions; also what is in the page before any script runs. */
const valuesHtml = list => list.length === 0 ? "" : `<dl class="values">${list.map(entry =>
  `<div><dt>${escapeHtml(entry.label)}</dt><dd data-value="${entry.key}">${escapeHtml(shown(entry))}</dd></div>`).join("")}</dl>`;

// --- in a page -------------------------------------------------------------------------------------------------------------

/** The worker's side: calls are answered one by one, so that the page sees which one does not end. */
function latentWorker(wireFormat, Engine) {
  let engine;
  addEventListener("message", ({data: {module, calls}}) => {
    if (module) engine = new Engine(module);
    for (const {name, args} of calls ?? []) {
      try {
        postMessage({results: engine.call(name, args)});
      } catch (error) {
        postMessage({problem: error.message, notAttempted: error.notAttempted === true});
      }
    }
  });
}

/** Calls the functions of one module in a worker, and ends the worker when one of them takes too long. */
class Caller {
  constructor(module, deadline) {
    this.module = module;
    this.deadline = deadline;
    this.waiting = []; // in the order of their answers
    this.unsent = 0;
    this.endless = new Set();
  }

  async unpack() {
    const packed = new Blob([Uint8Array.from(atob(this.module), letter => letter.charCodeAt(0))]);
    return WebAssembly.compile(await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  }

  async start() {
    this.compiled ??= this.unpack();
    const module = await this.compiled;
    const source = `"use strict";${wireFormat}\n${Engine}\n(${latentWorker})(wireFormat, Engine);`;
    this.worker = new Worker(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
    this.worker.onmessage = ({data}) => this.answered(data);
    this.worker.postMessage({module});
  }

  /** {results} or {problem}. Calls made before the page's next turn travel together. */
  ask(name, args) {
    if (this.endless.has(name)) return {problem: "it took too long"};
    return new Promise(resolve => {
      this.waiting.push({name, args, resolve});
      if (++this.unsent === 1) queueMicrotask(() => this.send());
    });
  }

  async send() {
    this.ready ??= this.start();
    await this.ready;
    const calls = this.waiting.slice(this.waiting.length - this.unsent).map(({name, args}) => ({name, args}));
    this.unsent = 0;
    if (calls.length === 0) return;
    this.worker.postMessage({calls});
    if (!this.timer) this.watch();
  }

  watch() {
    clearTimeout(this.timer);
    this.timer = this.waiting.length > 0 ? setTimeout(() => this.giveUp(), this.deadline) : null;
  }

  answered(answer) {
    this.waiting.shift().resolve(answer);
    this.watch();
  }

  /** The first call that waits is the one that does not end; the others are asked again. */
  giveUp() {
    this.worker.terminate();
    this.ready = this.timer = null;
    this.endless.add(this.waiting[0].name);
    const innocent = this.waiting.splice(0).filter(({name, resolve}) => {
      if (this.endless.has(name)) resolve({problem: "it took too long"});
      return !this.endless.has(name);
    });
    this.waiting = innocent;
    this.unsent = innocent.length;
    if (innocent.length > 0) this.send();
  }
}

/** Whose function answers, and what is to be said about it. */
class Source {
  constructor(callers, functions) {
    this.callers = callers;
    this.functions = functions;
    this.own = functions.own !== null;
    this.clear();
  }

  clear() {
    this.used = new Map(); // exercise -> "own", or why it is the reference's
  }

  async call(name, ...args) {
    const id = this.functions.functions[name], exercise = this.functions.exercises[id];
    let why = "not_started";
    if (this.own && exercise?.state === "written") {
      const answer = await this.callers.own.ask(name, args);
      if (answer.results) {
        if (!this.used.has(id)) this.used.set(id, "own");
        return answer.results;
      }
      why = answer.notAttempted ? "not_started" : answer.problem;
    } else if (exercise?.state === "refused") {
      why = exercise.problem;
    }
    this.used.set(id, why);
    const answer = await this.callers.reference.ask(name, args);
    if (!answer.results) throw new Error(answer.problem);
    return answer.results;
  }

  /** One or two sentences under the figure. */
  sentence() {
    const named = ids => ids.map(id => `${this.functions.exercises[id].name} (${id})`).join(", ");
    const of = test => [...this.used].filter(([, why]) => test(why)).map(([id]) => id);
    const own = of(why => why === "own"), missing = of(why => why === "not_started");
    const failing = of(why => why !== "own" && why !== "not_started");
    if (!this.own) {
      const all = [...this.used.keys()];
      return `Computed by the reference: ${named(all)}.` + (this.functions.own === null
        ? ` Write ${all.length === 1 ? "it" : "them"} and build the handbook again, and your own code moves this figure.` : "");
    }
    return [own.length > 0 ? `Yours: ${named(own)}.` : "", missing.length > 0 ? `The reference's, until you write it: ${named(missing)}.` : "",
      ...failing.map(id => `The reference's: ${named([id])}. Yours did not answer here: ${this.used.get(id)}.`)].filter(Boolean).join(" ");
  }
}

/** One figure of a page. */
class Mounted {
  constructor(host, description, functions, callers, serial) {
    Object.assign(this, {host, description, functions, serial});
    this.settings = defaults(description);
    this.source = new Source(callers, functions);
    this.call = this.source.call.bind(this.source);
    this.picture = host.querySelector(".picture");
    this.outcome = host.querySelector(".outcome");
    this.build();
    this.refresh();
  }

  element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  build() {
    const panel = this.element("div", {class: "controls", role: "group", "aria-label": `Settings of the figure ${this.description.name.replaceAll("_", " ")}`});
    this.inputs = {};
    for (const control of this.description.controls ?? []) panel.append(this.control(control));
    if (this.description.step) panel.append(this.buttons());
    if (this.functions.own !== null) {
      panel.append(this.control({kind: "choice", key: "source", label: "Computed by", options: [["own", "your functions"], ["reference", "the reference"]], value: "own"}));
    }
    this.status = this.element("p", {class: "source", role: "status"});
    this.outcome.setAttribute("aria-live", "polite");
    this.host.insertBefore(panel, this.picture);
    this.outcome.after(this.status);
    if (this.description.drag) this.makeDraggable();
  }

  control({kind, key, label, min, max, step, value, unit, show, options}) {
    const id = `figure-${this.serial}-${key}`;
    const changed = next => this.set({[key]: next});
    if (kind === "range") {
      const input = this.element("input", {id, type: "range", min, max, step, value, oninput: () => changed(Number(input.value))});
      const output = this.element("output", {for: id});
      this.inputs[key] = next => {
        input.value = next;
        output.textContent = show(Number(next)).replace("-", "\u2212") + (unit ? ` ${unit}` : "");
        input.setAttribute("aria-valuetext", output.textContent);
      };
      this.inputs[key](value);
      return this.element("div", {class: "control"}, this.element("label", {for: id}, label), input, output);
    }
    if (kind === "toggle") {
      const input = this.element("input", {id, type: "checkbox", checked: value, onchange: () => changed(input.checked)});
      this.inputs[key] = next => { input.checked = next; };
      return this.element("div", {class: "control"}, input, this.element("label", {for: id}, label));
    }
    const input = this.element("select", {id, onchange: () => changed(input.value)},
      ...options.map(([name, text]) => this.element("option", {value: name, selected: name === value}, text)));
    this.inputs[key] = next => { input.value = next; };
    return this.element("div", {class: "control"}, this.element("label", {for: id}, label), input);
  }

  buttons() {
    const button = (text, action) => this.element("button", {type: "button", onclick: action}, text);
    this.runButton = button("Run", () => this.toggleRun());
    return this.element("div", {class: "control"}, this.runButton, button("One step", () => { this.stop(); this.advance(1); }),
      button("Start again", () => { this.stop(); this.refresh(); }));
  }

  makeDraggable() {
    const pressed = event => {
      const svg = this.picture.querySelector("svg"), box = svg.getBoundingClientRect(), [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
      this.set(this.description.drag((event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height, this.settings));
    };
    this.picture.classList.add("draggable");
    this.picture.addEventListener("pointerdown", event => { this.picture.setPointerCapture(event.pointerId); pressed(event); });
    this.picture.addEventListener("pointermove", event => { if (this.picture.hasPointerCapture(event.pointerId)) pressed(event); });
  }

  set(changes) {
    for (const [key, value] of Object.entries(changes)) {
      const control = this.description.controls?.find(c => c.key === key);
      let next = value;
      if (control?.kind === "range") next = Math.min(control.max, Math.max(control.min, Number((Math.round((value - control.min) / control.step) * control.step + control.min).toFixed(10))));
      if (key === "source") this.source.own = next === "own";
      else this.settings[key] = next;
      this.inputs[key](next);
    }
    this.stop();
    this.refresh();
  }

  /** Computes anew; settings that change meanwhile make one more round, not a queue. */
  async refresh() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    do {
      this.again = false;
      this.source.clear();
      const settings = {...this.settings};
      await this.attempt(async () => this.show(await this.description.compute(this.call, settings), settings));
    } while (this.again);
    this.busy = false;
    this.host.dataset.ready = "yes";
  }

  async attempt(action) {
    try {
      await action();
    } catch (error) {
      this.stop();
      this.status.textContent = `This figure could not be computed: ${error.message}.`;
    }
  }

  show(state, settings) {
    this.state = state;
    this.picture.innerHTML = this.description.draw(state, settings);
    this.picture.querySelector("svg").setAttribute("aria-label", this.description.describe(state, settings));
    const values = this.description.values(state, settings), list = this.outcome.querySelector("dl");
    // Text in place, so that a screen reader hears what has changed and not the whole list.
    if (list?.children.length === values.length) {
      values.forEach((entry, i) => {
        const [term, definition] = list.children[i].children, text = shown(entry);
        if (term.textContent !== entry.label) term.textContent = entry.label;
        if (definition.textContent !== text) definition.textContent = text;
        definition.dataset.value = entry.key;
      });
    } else {
      this.outcome.innerHTML = valuesHtml(values);
    }
    const sentence = this.source.sentence();
    if (this.status.textContent !== sentence) this.status.textContent = sentence;
  }

  async advance(steps) {
    if (this.busy) return;
    this.busy = true;
    const settings = {...this.settings};
    await this.attempt(async () => {
      let state = this.state;
      for (let i = 0; i < steps && !this.again; ++i) state = await this.description.step(this.call, state, settings);
      if (!this.again) this.show(state, settings);
    });
    this.busy = false;
    if (this.again) this.refresh();
  }

  stop() {
    this.running = false;
    if (this.runButton) this.runButton.textContent = "Run";
    this.outcome.setAttribute("aria-live", "polite");
  }

  async toggleRun() {
    if (this.running) { this.stop(); return; }
    this.running = true;
    this.runButton.textContent = "Pause";
    this.outcome.setAttribute("aria-live", "off"); // nobody can listen to every step
    const visible = () => new Promise(resolve => requestAnimationFrame(resolve));
    while (this.running && !(this.description.finished?.(this.state, this.settings))) {
      await this.advance(this.description.speed ?? 1);
      await visible();
    }
    this.stop();
  }
}

function mountFigures() {
  const hosts = [...document.querySelectorAll("figure[data-figure]")].filter(host => latentFigures[host.dataset.figure]);
  const functions = globalThis.latentFunctions;
  if (hosts.length === 0 || !functions) return;
  const callers = {reference: new Caller(functions.reference, 20000), own: functions.own && new Caller(functions.own, 2000)};
  globalThis.latentMounted = hosts.map((host, i) => new Mounted(host, latentFigures[host.dataset.figure], functions, callers, i));
}

if (typeof document !== "undefined") addEventListener("DOMContentLoaded", mountFigures);
