// Drives the finished handbook in Chromium, as a reader would: every figure by keyboard and by mouse, every page under
// axe-core. The numbers that figures show are compared with those of the same functions compiled for this machine.
//
//   node handbook.cjs --html DIRECTORY --native PROGRAM --chromium PROGRAM --modules node_modules
//                     [--wasm DIRECTORY] [--only figures|own|pages] [--pages REGULAR_EXPRESSION] [--looks all]
//
// Pages are looked at in the light and, as on a phone, in the dark; with --looks all in all four combinations.
//
// --wasm is the build's docs/wasm: with it, figures are also driven with half of the exercises written by a reader.
"use strict";
const fs = require("fs");
const http = require("http");
const os = require("os");
const path = require("path");
const {spawnSync} = require("child_process");
const {pathToFileURL} = require("url");
const {parseArgs} = require("util");
const {loadFigures, nativeCalls, stateOf} = require("../../tools/figures.cjs");
const {filesBelow} = require("../../tools/links.cjs");

const names = ["html", "native", "chromium", "modules", "wasm", "only", "pages", "looks"];
const {values: options} = parseArgs({options: Object.fromEntries(names.map(name => [name, {type: "string"}]))});
const {chromium} = require(path.resolve(options.modules, "playwright-core"));
const axeSource = fs.readFileSync(path.resolve(options.modules, "axe-core/axe.min.js"), "utf8");
const root = path.resolve(__dirname, "../../..");
const figures = loadFigures();

const problems = [];
const counts = {pages: 0, figures: 0, comparisons: 0, axe: 0};
const problem = text => { problems.push(text); console.log(`FAIL  ${text}`); };

// --- comparing ------------------------------------------------------------------------------------------------------------

/** The first place where two states differ by more than 1e-6 of their size, or "". */
function difference(a, b, at = "state") {
  if (typeof a === "number" && typeof b === "number") {
    return Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b)) ? "" : `${at}: ${a} in the page, ${b} natively`;
  }
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object") {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    for (const key of keys) {
      const found = difference(a[key], b[key], `${at}.${key}`);
      if (found) return found;
    }
    return "";
  }
  return a === b ? "" : `${at}: ${a} in the page, ${b} natively`;
}

/** A page whose every error and every request beyond the handbook is a problem. */
async function openPage(browser, name, base, settings = {}) {
  const page = await browser.newPage({viewport: {width: 1200, height: 900}, ...settings});
  page.on("pageerror", error => problem(`${name}: ${error.message}`));
  page.on("console", message => { if (message.type() === "error") problem(`${name}: ${message.text()}`); });
  page.on("requestfailed", request => problem(`${name}: ${request.url()} could not be loaded`));
  page.on("request", request => {
    if (!request.url().startsWith(base) && !/^(data|blob):/.test(request.url())) problem(`${name}: asks for ${request.url()}`);
  });
  await page.goto(`${base}/${name}`);
  return page;
}

// --- figures --------------------------------------------------------------------------------------------------------------

const pagesOf = html => fs.readdirSync(html).filter(name => name.endsWith(".html") && new RegExp(options.pages ?? "").test(name));
const figurePages = html => pagesOf(html).filter(name =>
  [...fs.readFileSync(path.join(html, name), "utf8").matchAll(/<figure data-figure="([^"]*)"/g)].some(([, figure]) => figures.latentFigures[figure]));

const idle = (page, i) => page.waitForFunction(n => latentMounted[n].host.dataset.ready && !latentMounted[n].busy && !latentMounted[n].again, i, {timeout: 20000});

/** What a figure shows against what it should. */
async function check(page, i, native, what, {compare = true, steps = 0} = {}) {
  await idle(page, i);
  const seen = await page.evaluate(n => {
    const {state, settings, host, description, status} = latentMounted[n];
    return {state, settings, name: description.name, status: status.textContent, svg: host.querySelector(".picture svg")?.outerHTML ?? "",
      label: host.querySelector(".picture svg")?.getAttribute("aria-label") ?? "",
      texts: [...host.querySelectorAll("dd")].map(dd => [dd.dataset.value, dd.textContent])};
  }, i);
  const where = `figure ${seen.name}, ${what}`, description = figures.latentFigures[seen.name];
  if (/NaN|undefined|Infinity/.test(seen.svg + seen.label)) problem(`${where}: the picture or its description holds no number`);
  if (seen.label.length < 20) problem(`${where}: nothing for a screen reader`);
  if (/could not be computed/.test(seen.status)) problem(`${where}: ${seen.status}`);
  const expected = description.values(seen.state, seen.settings).map(entry => [entry.key, figures.shown(entry)]);
  if (JSON.stringify(expected) !== JSON.stringify(seen.texts)) problem(`${where}: shows ${seen.texts} instead of ${expected}`);
  if (compare) {
    const state = await stateOf(description, native.call, seen.settings, steps);
    const found = difference(seen.state, JSON.parse(JSON.stringify(state)));
    if (found) problem(`${where}: ${found}`);
  }
  ++counts.comparisons;
  return seen;
}

async function driveRange(page, i, native, host, {label, key, min, max, step}) {
  const slider = host.getByRole("slider", {name: label, exact: true});
  await slider.focus();
  for (const [pressed, expected] of [["Home", min], ["End", max], ["ArrowLeft", max - step]]) {
    await page.keyboard.press(pressed);
    const seen = await check(page, i, native, `${label} after ${pressed}`);
    if (Math.abs(seen.settings[key] - expected) > 1e-9) problem(`figure ${seen.name}: ${pressed} moves ${label} to ${seen.settings[key]}, not ${expected}`);
  }
  const box = await slider.boundingBox();
  await page.mouse.click(box.x + box.width * 0.3, box.y + box.height / 2);
  await check(page, i, native, `${label} by mouse`);
}

async function driveChoice(page, i, native, host, {label, options: list}) {
  const select = host.getByRole("combobox", {name: label, exact: true});
  for (const [value] of list) {
    await select.selectOption(value);
    await check(page, i, native, `${label} = ${value}`);
  }
}

async function driveToggle(page, i, native, host, {label}) {
  const box = host.getByRole("checkbox", {name: label, exact: true});
  await box.click();
  await check(page, i, native, `${label} clicked`);
  await box.press("Space");
  await check(page, i, native, `${label} by keyboard`);
}

async function driveDrag(page, i, native, host) {
  const svg = host.locator(".picture svg");
  await svg.scrollIntoViewIfNeeded();
  const box = await svg.boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.4);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.45, box.y + box.height * 0.55, {steps: 5});
  await page.mouse.up();
  await check(page, i, native, "dragged");
}

async function driveSteps(page, i, native, host) {
  const press = name => host.getByRole("button", {name}).click();
  await press("Start again");
  await check(page, i, native, "started again");
  await press("One step");
  await idle(page, i);
  await press("One step");
  await check(page, i, native, "after two steps", {steps: 2});
  await press("Run");
  await page.waitForTimeout(400);
  await press("Pause");
  await check(page, i, native, "after a run", {compare: false}); // how far it came is the machine's affair
}

async function driveFigure(page, i, native) {
  const name = await page.evaluate(n => latentMounted[n].description.name, i);
  const description = figures.latentFigures[name];
  const host = page.locator(`figure[data-figure="${name}"]`);
  await host.scrollIntoViewIfNeeded();
  await check(page, i, native, "as it opens");
  for (const control of description.controls ?? []) {
    await {range: driveRange, choice: driveChoice, toggle: driveToggle}[control.kind](page, i, native, host, control);
  }
  if (description.drag) await driveDrag(page, i, native, host);
  if (description.step) await driveSteps(page, i, native, host);
  ++counts.figures;
}

async function driveFigures(browser, html, base, native) {
  for (const name of figurePages(html)) {
    const page = await openPage(browser, name, base);
    await page.waitForFunction(() => globalThis.latentMounted?.every(m => m.host.dataset.ready), null, {timeout: 30000});
    const count = await page.evaluate(() => latentMounted.length);
    for (let i = 0; i < count; ++i) await driveFigure(page, i, native);
    await page.close();
  }
}

// --- figures of a reader who is half way --------------------------------------------------------------------------------------

/** What a reader may have written: right answers, one that is wrong, one that clang refuses, one that does not end. */
function readersFiles(folder) {
  const files = {};
  for (const lab of fs.readdirSync(path.join(root, "grader/stubs")).sort()) {
    fs.readdirSync(path.join(root, "grader/stubs", lab)).filter(file => file.endsWith(".cpp")).sort().forEach((file, k) => {
      if (k % 2 === 0) files[`${lab}/${file}`] = fs.readFileSync(path.join(root, "solutions", lab, file), "utf8");
    });
  }
  const stub = name => fs.readFileSync(path.join(root, "grader/stubs", name), "utf8");
  const filled = (name, body) => stub(name).replace(/return todo\([^;]*\);/g, body);
  files["01_autoencoder/8_conv2d_out.cpp"] = filled("01_autoencoder/8_conv2d_out.cpp", "for (volatile int forever = 1; forever;) {} return 0;");
  files["02_reparameterization/4_reparameterize.cpp"] = filled("02_reparameterization/4_reparameterize.cpp", "return mu.array() + log_var.array().exp() * eps.array();");
  files["03_elbo/5_linear_gaussian_evidence.cpp"] = filled("03_elbo/5_linear_gaussian_evidence.cpp", "return this_is_no_name;");
  files["03_elbo/6_elbo_gap.cpp"] = stub("03_elbo/6_elbo_gap.cpp") + "\n// started, but still a stub\n";
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.join(folder, path.dirname(name)), {recursive: true});
    fs.writeFileSync(path.join(folder, name), text);
  }
  return Object.keys(files);
}

/** A copy of the handbook whose figures compute with such files. */
function halfSolved(folder) {
  const labs = path.join(folder, "labs"), own = path.join(folder, "own"), html = path.join(folder, "html");
  const written = readersFiles(labs), command = fs.readFileSync(path.join(options.wasm, "compile.txt"), "utf8").split(";");
  const run = (program, ...words) => {
    const {status, stdout, stderr} = spawnSync(process.execPath, [path.join(root, "docs/tools", program), ...words], {encoding: "utf8"});
    if (status !== 0) throw new Error(stdout + stderr);
    return stdout;
  };
  for (const lab of fs.readdirSync(path.join(root, "grader/stubs"))) {
    fs.mkdirSync(path.join(own, lab), {recursive: true});
    for (const file of fs.readdirSync(path.join(root, "grader/stubs", lab)).filter(name => name.endsWith(".cpp"))) {
      const stem = file.slice(0, -4);
      run("compile_own.cjs", path.join(labs, lab, file), path.join(root, "grader/stubs", lab, file), path.join(own, lab, `${stem}.o`), path.join(own, lab, `${stem}.json`), ...command);
    }
  }
  run("link_functions.cjs", command[0], path.join(options.wasm, "objects.txt"), own, folder);
  fs.cpSync(options.html, html, {recursive: true});
  fs.copyFileSync(path.join(folder, "functions.js"), path.join(html, "functions.js"));
  return {html, written};
}

async function driveHalfSolved(browser, native) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "handbook-"));
  try {
    const {html} = halfSolved(folder), base = pathToFileURL(html).href;
    const expectations = { // figure -> what is said, and whether its numbers are the reference's
      stages: [/The reference's: conv2d_out \(1\.8\)\. Yours did not answer here: it took too long/, true],
      same_noise: [/Yours: .*reparameterize \(2\.4\)/, false], // the variance where the deviation belongs: another picture
      iwae: [/Yours: .*reparameterize \(2\.4\)/, false],
      vae_training: [/Yours: .*vae_forward/, false], // which calls it
      elbo: [/The reference's, until you write it: elbo_gap \(3\.6\).*linear_gaussian_evidence \(3\.5\)\. Yours did not answer here: use of undeclared identifier/, true],
    };
    for (const name of figurePages(html)) {
      const page = await openPage(browser, name, base);
      await page.waitForFunction(() => globalThis.latentMounted?.every(m => m.host.dataset.ready), null, {timeout: 60000});
      for (let i = 0, count = await page.evaluate(() => latentMounted.length); i < count; ++i) {
        const figure = await page.evaluate(n => latentMounted[n].description.name, i);
        const [sentence, same] = expectations[figure] ?? [/./, true];
        const seen = await check(page, i, native, "half solved", {compare: same});
        if (!sentence.test(seen.status)) problem(`figure ${figure}, half solved: says "${seen.status}"`);
        if (!same) {
          const state = await stateOf(figures.latentFigures[figure], native.call, seen.settings, 0);
          if (!difference(seen.state, JSON.parse(JSON.stringify(state)))) problem(`figure ${figure}, half solved: does not compute with the reader's function`);
        }
        await page.locator(`figure[data-figure="${figure}"]`).getByRole("combobox", {name: "Computed by"}).selectOption("reference");
        await check(page, i, native, "switched to the reference");
        ++counts.figures;
      }
      await page.close();
    }
  } finally {
    fs.rmSync(folder, {recursive: true, force: true});
  }
}

// --- size -------------------------------------------------------------------------------------------------------------------

/** Asked here, not by the build: no reader shall lack a handbook because another Doxygen writes more. */
function checkSize(html) {
  const files = filesBelow(html), bytes = files.reduce((sum, file) => sum + fs.statSync(file).size, 0), most = 8000000;
  console.log(`${files.length} files, ${bytes} bytes`);
  if (bytes > most) problem(`the handbook has ${bytes} bytes, more than ${most}`);
}

// --- pages ------------------------------------------------------------------------------------------------------------------

async function axe(page, what) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => (await axe.run(document, {preload: false, resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}))
    .violations.map(({id, nodes}) => `${id}: ${nodes.length} times, first ${nodes[0].target.join(" ")} ${nodes[0].html.slice(0, 160)}`));
  for (const violation of violations) problem(`${what}: ${violation}`);
  ++counts.axe;
}

/** What reaches beyond the text's right edge and cannot be scrolled to. */
const clipped = page => page.evaluate(() => {
  const contents = document.querySelector(".contents");
  if (!contents) return [];
  const right = Math.min(innerWidth, contents.getBoundingClientRect().right) + 1;
  const scrolls = element => element !== contents && (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  return [...contents.querySelectorAll("*")].filter(element => {
    const box = element.getBoundingClientRect();
    // KaTeX draws roots far wider than they are and hides the rest itself.
    return box.width > 0 && box.right > right && !element.closest(".katex-mathml, .katex svg, .only-heard") && !scrolls(element);
  }).map(element => `${element.tagName.toLowerCase()} "${element.textContent.trim().slice(0, 40)}"`);
});

async function checkPages(browser, html, base) {
  const phone = {viewport: {width: 390, height: 844}};
  const looks = [{name: "light", colorScheme: "light"}, {name: "dark phone", colorScheme: "dark", ...phone}];
  if (options.looks === "all") looks.push({name: "dark", colorScheme: "dark"}, {name: "phone", colorScheme: "light", ...phone});
  const list = pagesOf(html);
  for (const {name: look, ...settings} of looks) {
    await Promise.all([0, 1].map(async half => { // two at a time
      for (const name of list.filter((_, i) => i % 2 === half)) {
        const page = await openPage(browser, name, base, settings);
        await page.evaluate(() => document.querySelectorAll("details").forEach(element => { element.open = true; }));
        await page.waitForFunction(() => !globalThis.latentMounted || latentMounted.every(m => m.host.dataset.ready), null, {timeout: 30000});
        await axe(page, `${name}, ${look}`);
        const [cut] = await clipped(page);
        if (cut) problem(`${name}, ${look}: ${cut} is cut off at the right`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) problem(`${name}, ${look}: scrolls sideways by ${wide} pixels`);
        ++counts.pages;
        await page.close();
      }
    }));
  }
}

async function checkSearch(browser, base) {
  const page = await openPage(browser, "index.html", base);
  await page.getByRole("textbox", {name: "Search the handbook"}).pressSequentially("kl_standard");
  const frame = page.frameLocator("#MSearchResults");
  const found = page.locator("#MSearchResultsWindow .SRResult:visible, .SRResult:visible").first();
  try {
    await Promise.any([found.waitFor({timeout: 5000}), frame.locator(".SRResult:visible").first().waitFor({timeout: 5000})]);
  } catch {
    problem("index.html: the search finds nothing for kl_standard");
  }
  await page.close();
}

/** From the start of the navigation until a formula is on the screen; a figure for people, not a test. */
async function firstFormula(browser, base) {
  const page = await openPage(browser, "lab_03_elbo.html", base);
  const times = [];
  for (let i = 0; i < 5; ++i) {
    await page.reload({waitUntil: "commit"});
    times.push(await page.evaluate(() => new Promise(resolve => {
      const look = () => document.querySelector(".katex") ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look);
      look();
    })));
  }
  await page.close();
  return times.sort((a, b) => a - b)[2];
}

/** The same page from a static server. */
async function checkServer(browser, html, native) {
  const server = http.createServer((request, response) => {
    if (request.url === "/favicon.ico") { response.writeHead(204).end(); return; } // browsers ask for one by themselves
    const file = path.join(html, decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    if (!file.startsWith(html) || !fs.existsSync(file)) { response.writeHead(404).end(); return; }
    const types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png"};
    response.writeHead(200, {"Content-Type": types[path.extname(file)] ?? "application/octet-stream"}).end(fs.readFileSync(file));
  });
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  const page = await openPage(browser, "lab_03_elbo.html", `http://127.0.0.1:${server.address().port}`);
  await page.waitForFunction(() => globalThis.latentMounted?.every(m => m.host.dataset.ready), null, {timeout: 30000});
  await check(page, 0, native, "from a server");
  await page.close();
  server.close();
}

async function main() {
  const html = path.resolve(options.html), base = pathToFileURL(html).href;
  const browser = await chromium.launch({executablePath: options.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]});
  const native = nativeCalls(path.resolve(options.native)), wants = part => !options.only || options.only === part;
  console.log(`Chromium ${browser.version()}`);
  if (wants("figures")) {
    await driveFigures(browser, html, base, native);
    await checkServer(browser, html, native);
  }
  if (wants("own") && options.wasm) await driveHalfSolved(browser, native);
  if (wants("pages")) {
    checkSize(html);
    await checkSearch(browser, base);
    await checkPages(browser, html, base);
    console.log(`first formula after ${Math.round(await firstFormula(browser, base))} ms (median of 5, lab_03_elbo.html)`);
  }
  native.end();
  await browser.close();
  console.log(`${counts.figures} figures driven, ${counts.comparisons} states compared, ${counts.pages} pages looked at, ${counts.axe} times axe: ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

main().catch(error => { console.error(error); process.exit(1); });
