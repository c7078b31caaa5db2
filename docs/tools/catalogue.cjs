// Chapters that nobody writes by hand: of each lab, the mistakes that the grader names and the questions that it asks,
// taken from where the grader has them, so that ./lab why can point to a place for each.
//
//   node catalogue.cjs ROOT OUT      writes OUT/catalogue_NN_name.md; without solutions/ there are no mistakes in it
"use strict";
const fs = require("fs");
const path = require("path");

const escapeHtml = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** The arguments of a macro's call that starts at `at`, adjacent string literals joined. */
function argumentsAt(source, at) {
  const token = /\s+|\/\/.*|"((?:[^"\\]|\\.)*)"|([\w:]+)|([,()])|(.)/gy;
  const list = [""];
  token.lastIndex = at;
  for (let depth = 0; ;) {
    const [, string, word, mark, other] = token.exec(source);
    if (other !== undefined) throw new Error(`unexpected ${other}`);
    if (string !== undefined) list[list.length - 1] += JSON.parse(`"${string}"`);
    else if (word) list[list.length - 1] += word;
    else if (mark === "(") ++depth;
    else if (mark === ",") list.push("");
    else if (mark === ")" && --depth === 0) return list;
  }
}

/** [{function, id, verdict, why}] in the order of the source. */
function mistakesOf(file) {
  const source = fs.readFileSync(file, "utf8"), found = [];
  for (const match of source.matchAll(/^MISCONCEPTION(?=\()/gm)) {
    const [, name, id, verdict, why] = argumentsAt(source, match.index + match[0].length);
    if (!id || !verdict || !why) throw new Error(`${file}: a misconception of ${name} has no id, verdict or explanation`);
    found.push({function: name, id, verdict, why});
  }
  return found;
}

/** {function: {id, name}} of a lab's table. */
function exercisesOf(file) {
  const source = fs.readFileSync(file, "utf8"), functions = {};
  for (const [, id, name, operations] of source.matchAll(/\{"(\d+\.\d+)",\s*"(\w+)",[\s\S]*?\{((?:\s*OPERATION\(\w+\),?)+)\s*\}\}/g)) {
    for (const [, operation] of operations.matchAll(/OPERATION\((\w+)\)/g)) functions[operation] = {id, name};
  }
  return functions;
}

/** [{key, id, lines}] of an answers.toml. */
function questionsOf(file) {
  const found = [];
  for (const block of fs.readFileSync(file, "utf8").split(/^\[/m).slice(1)) {
    const key = block.slice(0, block.indexOf("]")), lines = [...block.matchAll(/^# ?(.*)$/gm)].map(([, line]) => line);
    const id = lines[0].match(/^\d+\.q\d+/)[0];
    found.push({key, id, lines: [lines[0].slice(id.length + 1), ...lines.slice(1)]});
  }
  return found;
}

/** A question's text, its choices as a list. */
function questionHtml({key, id, lines}) {
  const parts = [[]]; // the text, then each choice
  for (const line of lines) {
    if (/^\s*[a-z]\) /.test(line)) parts.push([line.trim().slice(3)]);
    else parts.at(-1).push(line.trim());
  }
  const [text, ...choices] = parts.map(part => escapeHtml(part.join(" ")));
  const list = choices.length > 0 ? `<ol type="a">${choices.map(choice => `<li>${choice}</li>`).join("")}</ol>` : "";
  return `<p id="question-${key}"><b>${id} ${key}</b> ${text}</p>${list}`;
}

const anchorOf = id => `why-${id.replaceAll(".", "-")}`;
const block = html => `\\htmlonly[block]${html}\\endhtmlonly\n`;

function chapter(root, lab) {
  const number = lab.slice(0, 2), exercises = exercisesOf(path.join(root, "grader/dispatch", `${lab}.cpp`));
  const mistakes = fs.existsSync(path.join(root, "solutions")) ? mistakesOf(path.join(root, "grader/misconceptions", `${lab}.cpp`)) : [];
  const text = [`# Lab ${number}: mistakes and questions {#catalogue_${lab}}\n`, "\\tableofcontents\n",
    `The questions stand in \`labs/${lab}/answers.toml\`, where you answer them; \`./lab grade ${Number(number)}\` explains the answers. ` +
    "A mistake is named when your function answers as that mistake does, on the same inputs. Reading ahead spoils little: each says what is wrong, none what is right.\n",
    `## Questions {#questions_${lab}}\n`, block(questionsOf(path.join(root, "labs", lab, "answers.toml")).map(questionHtml).join("\n"))];
  const seen = new Set();
  for (const {id, name} of new Map(Object.values(exercises).map(exercise => [exercise.id, exercise])).values()) {
    const own = mistakes.filter(mistake => exercises[mistake.function]?.id === id);
    if (own.length === 0) continue;
    text.push(`## ${id} ${name} {#mistakes_${name}}\n`, `The chapter: \\ref ex_${name} "${id} ${name}".\n`);
    const entries = own.filter(mistake => !seen.has(mistake.id)).map(mistake => {
      seen.add(mistake.id);
      return `<dt id="${anchorOf(mistake.id)}"><code>${mistake.id}</code> ${escapeHtml(mistake.verdict)}</dt><dd>${escapeHtml(mistake.why)}</dd>`;
    });
    text.push(block(`<dl class="mistakes">${entries.join("\n")}</dl>`));
  }
  const lost = mistakes.filter(mistake => !seen.has(mistake.id));
  if (lost.length > 0) throw new Error(`${lab}: ${lost[0].id} belongs to no exercise`);
  return text.join("\n");
}

const [root, out] = process.argv.slice(2);
fs.rmSync(out, {recursive: true, force: true});
fs.mkdirSync(out, {recursive: true});
for (const lab of fs.readdirSync(path.join(root, "labs")).filter(name => /^\d\d_/.test(name))) {
  fs.writeFileSync(path.join(out, `catalogue_${lab}.md`), chapter(root, lab));
}
