// Finishes the pages that Doxygen wrote: formulas become KaTeX's HTML and MathML, figures become inline SVG. Nothing is
// left to compute when a page is read, and a formula that KaTeX cannot read stops the build.
//
//   node prerender.cjs --html DIRECTORY --katex MODULE --figures DIRECTORY --dot PROGRAM
"use strict";
const fs = require("fs");
const path = require("path");
const {parseArgs} = require("util");

const {values: options} = parseArgs({
  options: {html: {type: "string"}, katex: {type: "string"}, figures: {type: "string"}, dot: {type: "string"}},
});
const katex = require(path.resolve(options.katex));
const {drawFigure} = require("./figures.cjs");

const entities = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": " ", "&amp;": "&"};
const unescapeHtml = text => text.replace(/&(?:lt|gt|quot|#39|nbsp|amp);/g, entity => entities[entity]);

// Shorthands of the chapters. Few, because contracts and chapters are also read as plain text.
const macros = {"\\E": "\\mathbb{E}", "\\Var": "\\operatorname{Var}", "\\KL": "D_{\\mathrm{KL}}", "\\N": "\\mathcal{N}"};

const counts = {formulas: 0, figures: 0};
const problems = [];

function renderTex(page, tex, displayMode) {
  ++counts.formulas;
  try {
    return katex.renderToString(unescapeHtml(tex), {displayMode, throwOnError: true, strict: "error", macros: {...macros}});
  } catch (error) {
    problems.push(`${page}: ${error.message}\n    in: ${tex.trim()}`);
    return "";
  }
}

// \( \) and \[ \] are what Doxygen makes of \f$ \f$ and \f[ \f]; \begin{x} \end{x} is left of \f{x}{ \f}.
const formula = /\\\(([\s\S]*?)\\\)|\\\[([\s\S]*?)\\\]|(\\begin\{([a-z]+\*?)\}[\s\S]*?\\end\{\4\})/g;

/** Renders the formulas of one page, except in code, where a backslash is a backslash. */
function renderFormulas(page, html) {
  const verbatim = /^(?:pre|code|script|style|textarea)$/;
  let depth = 0;
  return html.split(/(<[^>]*>)/).map(part => {
    const tag = part.match(/^<(\/?)([a-z]+)/i);
    if (tag && verbatim.test(tag[2].toLowerCase())) depth += tag[1] ? -1 : 1;
    if (part.startsWith("<") || depth > 0) return part;
    return part.replace(formula, (_, inline, display, environment) =>
      inline === undefined ? renderTex(page, display ?? environment, true) : renderTex(page, inline, false));
  }).join("");
}

/** Moves snippets that stood inside a function to the left margin; Doxygen 1.9.4 cannot. */
function dedentCode(html) {
  return html.replace(/<div class="fragment">[\s\S]*?<!-- fragment -->/g, fragment => {
    const indents = [...fragment.matchAll(/<div class="line">( *)(?=[^ ])(?!<\/div>)/g)].map(match => match[1].length);
    const common = Math.min(...indents);
    return common > 0 && common < Infinity ? fragment.replaceAll('<div class="line">' + " ".repeat(common), '<div class="line">') : fragment;
  });
}

function insertFigures(page, html) {
  return html.replace(/<div data-figure="([^"]*)"><\/div>/g, (_, name) => {
    ++counts.figures;
    try {
      return drawFigure(name, options);
    } catch (error) {
      problems.push(`${page}: figure ${name}: ${error.message}`);
      return "";
    }
  });
}

for (const name of fs.readdirSync(options.html).filter(name => name.endsWith(".html"))) {
  const file = path.join(options.html, name);
  const before = fs.readFileSync(file, "utf8");
  const after = insertFigures(name, dedentCode(renderFormulas(name, before)));
  if (after !== before) fs.writeFileSync(file, after);
}
for (const problem of problems) console.error(problem);
console.log(`prerender: ${counts.formulas} formulas, ${counts.figures} figures, ${problems.length} errors`);
process.exitCode = problems.length === 0 ? 0 : 1;
