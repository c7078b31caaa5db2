// Links the two WebAssembly modules of the figures and wraps them in a script, because a page opened from disk may not
// fetch a file.
//
//   node link_functions.cjs COMPILER OBJECTS OWN OUT
//
// OBJECTS is a file that lists the reference's objects, separated by ;. OWN holds NN_name/K_exercise.{json,o} of
// compile_own.cjs. In OUT it writes reference.wasm, own.wasm where the reader has written something, and functions.js, in
// which a module is base64 of gzip:
//   latentFunctions = {reference: module, own: module or null, exercises: {id: {name, state, problem}}, functions: {name: id}}
"use strict";
const {spawnSync} = require("child_process");
const fs = require("fs");
const path = require("path");
const {gzipSync} = require("zlib");
const {Engine} = require("../interactives/engine.js");

const [compiler, list, written, directory] = process.argv.slice(2);
const objects = fs.readFileSync(list, "utf8").split(";");

/** Links; the complaint, or null. No -O here: clang would run whatever wasm-opt it finds. */
function link(list, file) {
  const run = spawnSync(compiler, ["--target=wasm32-wasi", "-mexec-model=reactor", "-Wl,--strip-all", "-Wl,--gc-sections",
    "-Wl,-z,stack-size=1048576", ...list, "-o", file], {encoding: "utf8"});
  if (run.status === 0) return null;
  return (run.stderr || "clang ended without a word").split("\n").find(line => line.includes("error")) ?? run.stderr;
}

/** The reference's objects with these exercises' own in their places. */
const replaced = pieces => objects.map(object => pieces.find(piece => piece.reference === object)?.object ?? object);

/** A module that can be started. The complaint, or null. */
function linkAndStart(pieces, file) {
  const complaint = link(replaced(pieces), file);
  if (complaint) return complaint;
  try {
    new Engine(new WebAssembly.Module(fs.readFileSync(file))).functions();
    return null;
  } catch (error) {
    return error.message;
  }
}

const reference = path.join(directory, "reference.wasm"), own = path.join(directory, "own.wasm");
const complaint = linkAndStart([], reference);
if (complaint) {
  console.error(`the reference's module: ${complaint}`);
  process.exit(1);
}

const exercises = {}, pieces = [];
for (const lab of fs.readdirSync(written).sort()) {
  for (const file of fs.readdirSync(path.join(written, lab)).filter(name => name.endsWith(".json"))) {
    const stem = file.slice(0, -5), at = stem.indexOf("_");
    const id = `${parseInt(lab, 10)}.${stem.slice(0, at)}`;
    exercises[id] = {name: stem.slice(at + 1), ...JSON.parse(fs.readFileSync(path.join(written, lab, file), "utf8"))};
    if (exercises[id].state !== "written") continue;
    const reference = objects.find(object => object.endsWith(`/reference/${lab}/${stem}.o`));
    pieces.push({id, object: path.join(written, lab, `${stem}.o`), reference});
  }
}

let fitting = pieces;
if (pieces.length > 0 && linkAndStart(pieces, own) !== null) {
  // One of them does not fit: find out which, each alone.
  fitting = pieces.filter(piece => {
    const problem = linkAndStart([piece], own);
    if (problem) Object.assign(exercises[piece.id], {state: "refused", problem});
    return problem === null;
  });
  const rest = linkAndStart(fitting, own);
  if (rest) for (const {id} of fitting.splice(0)) Object.assign(exercises[id], {state: "refused", problem: rest});
}

const packed = file => gzipSync(fs.readFileSync(file)).toString("base64");
const functions = new Engine(new WebAssembly.Module(fs.readFileSync(reference))).functions();
const all = {reference: packed(reference), own: fitting.length > 0 ? packed(own) : null, exercises, functions};
fs.writeFileSync(path.join(directory, "functions.js"), `globalThis.latentFunctions = ${JSON.stringify(all)};\n`);
const refused = Object.entries(exercises).filter(([, e]) => e.state === "refused");
for (const [id, {name, problem}] of refused) console.log(`WebAssembly: exercise ${id} (${name}) stays the reference's: ${problem}`);
console.log(`WebAssembly: ${Object.keys(functions).length} functions, ${fitting.length} exercises are yours`);
