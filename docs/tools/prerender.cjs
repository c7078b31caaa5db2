// Finishes the pages that Doxygen wrote: formulas become KaTeX's HTML and MathML, figures become inline SVG. Nothing is
// left to compute when a page is read. A formula that KaTeX cannot read stops the build, and so does a dead link.
//
//   node prerender.cjs --html DIRECTORY --figures DIRECTORY (--functions functions.js | --native PROGRAM)
//                      [--katex MODULE] [--dot PROGRAM]
//
// Without KaTeX formulas stay TeX, without Graphviz graphs are described in words.
// What figures compute with is the functions.js of tools/link_functions.cjs. Without a compiler for WebAssembly it is a
// program for this machine; the pictures are then drawn once, here, and do not move.
"use strict";
const fs = require("fs");
const path = require("path");
const {parseArgs} = require("util");

const {values: options} = parseArgs({
  options: Object.fromEntries(["html", "katex", "figures", "dot", "functions", "native"].map(name => [name, {type: "string"}])),
});
const katex = options.katex ? require(path.resolve(options.katex)) : null;
const {deadLinks, removeOrphans} = require("./links.cjs");
const {bundle, drawFigures, nativeCalls, wasmCalls} = require("./figures.cjs");

const entities = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": " ", "&amp;": "&"};
const unescapeHtml = text => text.replace(/&(?:lt|gt|quot|#39|nbsp|amp);/g, entity => entities[entity]);

// Shorthands of the chapters. Few, because contracts and chapters are also read as plain text.
const macros = {"\\E": "\\mathbb{E}", "\\Var": "\\operatorname{Var}", "\\KL": "D_{\\mathrm{KL}}", "\\N": "\\mathcal{N}"};

const counts = {formulas: 0, figures: 0};
const problems = [];

// KaTeX writes a few hundred different style attributes, tens of thousands of times: nearly a tenth of the handbook.
// Each becomes a class, whose rule goes behind KaTeX's own.
const classes = new Map();
const classOf = style => classes.get(style) ?? classes.set(style, `_${classes.size.toString(36)}`).get(style);
const stylesToClasses = html => html.replace(/<span(?: class="([^"]*)")? style="([^"]*)"/g,
  (_, names = "", style) => `<span class="${`${names} ${classOf(style)}`.trim()}"`);
/** Important, as an attribute is: no rule of KaTeX's may win against it. */
const styleSheet = () => [...classes].map(([style, name]) => `.${name}{${style.replace(/;/g, "!important;")}}\n`).join("");

function renderTex(page, tex, displayMode) {
  ++counts.formulas;
  if (!katex) return `<code class="tex">${tex.trim()}</code>`;
  try {
    const html = katex.renderToString(unescapeHtml(tex), {displayMode, throwOnError: true, strict: "error", macros: {...macros}});
    // Less the TeX once more, which no reader is shown, and what HTML does not need around MathML.
    return stylesToClasses(html.replace(/<annotation[^>]*>[\s\S]*?<\/annotation>|<\/?semantics>| xmlns="[^"]*"/g, ""));
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

/** Doxygen takes Python's .std() for a namespace of ours. */
const unlinkStd = html => html.replace(/<a class="code hl_namespace" href="namespacestd.html">std<\/a>/g, "std")
  .replace(/<div class="ttc" id="anamespacestd_html">.*?<\/div><\/div>/g, "");

/** Commands that Doxygen has left in the text because it did not see them as such. */
function reportLeftovers(page, html) {
  const text = html.replace(/<(pre|code|script|svg)[\s>][\s\S]*?<\/\1>|<div class="fragment">[\s\S]*?<!-- fragment -->/g, "");
  for (const [, command] of text.matchAll(/((?:@|\\)(?:sub)*(?:section|ref|figure|question|answer|snippet|beside|issue|f[$[{])[^<]{0,60})/g)) {
    problems.push(`${page}: Doxygen did not understand "${command}"`);
  }
}

/** Moves snippets that stood inside a function to the left margin; Doxygen 1.9.4 cannot. */
function dedentCode(html) {
  return html.replace(/<div class="fragment">[\s\S]*?<!-- fragment -->/g, fragment => {
    const indents = [...fragment.matchAll(/<div class="line">( *)(?=[^ ])(?!<\/div>)/g)].map(match => match[1].length);
    const common = Math.min(...indents);
    return common > 0 && common < Infinity ? fragment.replaceAll('<div class="line">' + " ".repeat(common), '<div class="line">') : fragment;
  });
}

/** The parts of Doxygen's page, named for those who cannot see which is which. */
function nameParts(html) {
  const parts = [
    [/<div id="top">/, '<div id="top" role="banner">'],
    [/<div id="main-nav">/, '<div id="main-nav" role="navigation" aria-label="Handbook">'],
    [/<div id="side-nav"/, '<div id="side-nav" role="navigation" aria-label="Pages"'],
    [/<div id="nav-path" class="navpath">(?=\s*<ul>\s*<li class="footer">)/, '<div id="nav-path" class="navpath" role="contentinfo">'],
    [/<div id="nav-path" class="navpath">/, '<div id="nav-path" class="navpath" role="navigation" aria-label="Where this page belongs">'],
    [/<div id="doc-content">/, '<div id="doc-content" role="main">'],
    [/<div id="MSearchSelectWindow"/, '<div id="MSearchSelectWindow" role="region" aria-label="What to search"'],
    [/<div id="MSearchResultsWindow"/, '<div id="MSearchResultsWindow" role="region" aria-label="Search results"'],
    [/<div class="title">/, '<div class="title" role="heading" aria-level="1">'],
    [/<h3>Table of Contents<\/h3>/, "<h2>Table of Contents</h2>"],
    [/<div class="contents">(?![\s\S]*<div class="title")/, '<div class="contents"><h1 class="only-heard">Index</h1>'],
    [/<h3>(<a id="index_\w+"[^>]*><\/a>[^<]*)<\/h3>/g, "<h2>$1</h2>"],
    [/<th([^>]*)>\s*<\/th>/g, "<td$1></td>"], // a column without a name has no heading
    // The heading of a column is what one sees: a formula in it is read letter by letter.
    [/<th[^>]*>\s*<span class="katex">[\s\S]*?<\/th>/g, header => header.replace(/<span class="katex-mathml">[\s\S]*?<\/math><\/span>/g, "").replaceAll(' aria-hidden="true"', "")],
  ];
  return parts.reduce((text, [from, to]) => text.replace(from, to), html);
}

/** Figures, and the scripts that let them move. */
async function insertFigures(page, html, figures) {
  let scripts = "";
  const parts = html.split(/(<div data-picture="[^"]*"><\/div>)/);
  for (let i = 1; i < parts.length; i += 2) {
    const name = parts[i].match(/"([^"]*)"/)[1];
    ++counts.figures;
    try {
      parts[i] = await figures.draw(name);
    } catch (error) {
      problems.push(`${page}: figure ${name}: ${error.message}`);
    }
    if (options.functions && figures.isComputed(name)) scripts = '<script defer src="functions.js"></script><script defer src="figures.js"></script>';
  }
  return parts.join("").replace("</head>", `${scripts}</head>`);
}

async function finish() {
  const calls = options.functions ? wasmCalls(options.functions) : nativeCalls(path.resolve(options.native));
  const figures = drawFigures({...options, calls});
  for (const name of fs.readdirSync(options.html).filter(name => name.endsWith(".html"))) {
    const file = path.join(options.html, name);
    const before = fs.readFileSync(file, "utf8");
    const after = await insertFigures(name, nameParts(dedentCode(unlinkStd(renderFormulas(name, before)))), figures);
    reportLeftovers(name, after);
    if (after !== before) fs.writeFileSync(file, after);
  }
  calls.end();
  if (katex) fs.appendFileSync(path.join(options.html, "katex.min.css"), styleSheet());
  if (options.functions) {
    fs.copyFileSync(options.functions, path.join(options.html, "functions.js"));
    fs.writeFileSync(path.join(options.html, "figures.js"), `"use strict";\n${bundle()}`);
  }
  removeOrphans(options.html);
  problems.push(...deadLinks(options.html));
  for (const problem of problems) console.error(problem);
  console.log(`prerender: ${counts.formulas} formulas, ${counts.figures} figures, ${problems.length} errors`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

finish();
