// The figures of the handbook as they are in a page before any script runs. A figure that computes is described in
// interactives/figures; one that is a graph is a Graphviz file in handbook/figures.
"use strict";
const {spawn, spawnSync} = require("child_process");
const fs = require("fs");
const path = require("path");
const {gunzipSync} = require("zlib");
const {wireFormat, Engine} = require("../interactives/engine.js");

const interactives = path.join(__dirname, "..", "interactives");
const escape = text => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** All that the pages need as one classic script: a page opened from disk may not load modules. */
function bundle() {
  const folder = path.join(interactives, "figures");
  const files = ["engine.js", "sketch.js", "framework.js"].map(name => path.join(interactives, name))
    .concat(fs.readdirSync(folder).filter(name => name.endsWith(".js")).sort().map(name => path.join(folder, name)));
  return files.map(file => fs.readFileSync(file, "utf8").replace(/^"use strict";$/m, "")).join("\n");
}

/** {latentFigures, defaults, shown, valuesHtml} */
const loadFigures = () => new Function(`"use strict"; ${bundle()}; return {latentFigures, defaults, shown, valuesHtml};`)();

// --- who computes -------------------------------------------------------------------------------------------------------

/** The WebAssembly in a functions.js. */
function wasmCalls(file) {
  const text = fs.readFileSync(file, "utf8");
  const {reference} = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  const engine = new Engine(new WebAssembly.Module(gunzipSync(Buffer.from(reference, "base64"))));
  return {call: async (name, ...args) => engine.call(name, args), end() {}};
}

/** The same functions compiled for this machine: a worker that is asked through descriptors 3 and 4. */
function nativeCalls(executable) {
  const format = wireFormat();
  const child = spawn(executable, [], {stdio: ["ignore", "inherit", "inherit", "pipe", "pipe"]});
  const waiting = [];
  let received = Buffer.alloc(0);
  child.stdio[4].on("data", chunk => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 16 && received.length >= 16 + Number(received.readBigUInt64LE(8))) {
      const end = 16 + Number(received.readBigUInt64LE(8)), {resolve, reject, name} = waiting.shift();
      const {outcome, results} = format.decode(new Uint8Array(received.subarray(16, end)));
      received = received.subarray(end);
      if (outcome === 0) resolve(results);
      else reject(Object.assign(new Error(`${name} did not answer`), {notAttempted: outcome === 2}));
    }
  });
  child.on("exit", () => waiting.splice(0).forEach(({reject}) => reject(new Error(`${executable} ended`))));
  const call = (name, ...args) => new Promise((resolve, reject) => {
    const body = format.encode(name, args), header = Buffer.alloc(16);
    header.writeUInt32LE(0x4C41544C, 0);
    header.writeBigUInt64LE(BigInt(body.length), 8);
    waiting.push({resolve, reject, name});
    child.stdio[3].write(Buffer.concat([header, body]));
  });
  return {call, end: () => child.stdio[3].end()};
}

// --- figures that compute -------------------------------------------------------------------------------------------------

/** A figure with the given settings, after as many steps as its picture is ahead. */
async function stateOf(description, call, settings, steps = description.stills ?? 0) {
  let state = await description.compute(call, settings);
  for (let i = 0; i < steps; ++i) state = await description.step(call, state, settings);
  return state;
}

async function drawComputed(description, {valuesHtml, defaults}, call) {
  const settings = defaults(description), state = await stateOf(description, call, settings);
  const svg = description.draw(state, settings).replace("<svg", `<svg aria-label="${escape(description.describe(state, settings))}"`);
  return `<div class="picture">${svg}</div><div class="outcome">${valuesHtml(description.values(state, settings))}</div>`;
}

// --- graphs -------------------------------------------------------------------------------------------------------------

/** Runs Graphviz and strips what would fight with the page: the prologue, titles, fixed size and background. */
function graph(file, dot) {
  const source = fs.readFileSync(file, "utf8");
  if (!dot) return `<p>${escape(source.match(/^\/\/ (.*)/)[1])}</p>`;
  const run = spawnSync(dot, ["-Tsvg"], {input: source, encoding: "utf8"});
  if (run.error) throw run.error;
  if (run.status !== 0 || run.stderr !== "") throw new Error(run.stderr || `dot ended with status ${run.status}`);
  const description = source.match(/^\/\/ (.*)/)?.[1];
  if (!description) throw new Error("the first line must be a comment that describes the graph");
  const scope = path.basename(file, ".dot");
  return run.stdout.slice(run.stdout.indexOf("<svg"))
    .replace(/<!--[\s\S]*?-->/g, "").replace(/<title>[\s\S]*?<\/title>/g, "").replace(/\n/g, "")
    .replace(/ id="/g, ` id="${scope}_`)
    .replace(/<svg width="([\d.]+)pt" height="[\d.]+pt"/, (_, width) =>
      `<svg class="graph" role="img" aria-label="${escape(description)}" style="width:${Math.round(width * 4 / 3)}px"`);
}

/** Draws figures by name: {isComputed, draw}. `calls` is wasmCalls(...) or nativeCalls(...). */
function drawFigures({figures, dot, calls}) {
  const loaded = loadFigures();
  return {
    isComputed: name => Object.hasOwn(loaded.latentFigures, name),
    async draw(name) {
      if (Object.hasOwn(loaded.latentFigures, name)) {
        try {
          return await drawComputed(loaded.latentFigures[name], loaded, calls.call);
        } catch (error) {
          if (!error.notAttempted) throw error;
          return '<div class="picture"></div><div class="outcome"><p>This figure appears when its exercises are written.</p></div>';
        }
      }
      const file = path.join(figures, `${name}.dot`);
      if (!fs.existsSync(file)) throw new Error("there is no such figure");
      return graph(file, dot);
    },
  };
}

module.exports = {bundle, loadFigures, wasmCalls, nativeCalls, stateOf, drawFigures};
