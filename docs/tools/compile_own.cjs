// Compiles one file of labs/ for WebAssembly, or says why there is nothing to compile. It always succeeds: what readers
// have written does not stop the handbook.
//
//   node compile_own.cjs SOURCE STUB OBJECT VERDICT COMPILER [FLAG ...]
//
// VERDICT receives {"state": "written" | "not_started" | "refused", "problem": "..."}.
"use strict";
const {spawnSync} = require("child_process");
const fs = require("fs");
const path = require("path");

const [source, stub, object, verdict, compiler, ...flags] = process.argv.slice(2);

function judge() {
  fs.rmSync(object, {force: true});
  if (!fs.existsSync(source)) return {state: "not_started"};
  if (!fs.lstatSync(source).isFile()) return {state: "refused", problem: "it is not a regular file"};
  if (fs.readFileSync(source).equals(fs.readFileSync(stub))) return {state: "not_started"};
  const run = spawnSync(compiler, [...flags, "-c", source, "-o", object],
    {encoding: "utf8", timeout: 30000, killSignal: "SIGKILL", cwd: path.dirname(source)});
  if (run.status === 0 && fs.existsSync(object)) return {state: "written"};
  fs.rmSync(object, {force: true});
  if (run.error?.code === "ETIMEDOUT") return {state: "refused", problem: "clang needed more than 30 s"};
  const error = (run.stderr ?? "").split("\n").find(line => line.includes("error: "));
  return {state: "refused", problem: error?.slice(error.indexOf("error: ") + 7) ?? "clang ended without a word"};
}

fs.writeFileSync(verdict, JSON.stringify(judge()) + "\n");
