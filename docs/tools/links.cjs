// Links of the finished pages: nothing may point to a page, a place in a page, or a picture that is not there. Doxygen
// itself notices neither a missing picture nor a plain link that leads nowhere.
"use strict";
const fs = require("fs");
const path = require("path");

const entities = {"&amp;": "&", "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">"};
const unescapeHtml = text => text.replace(/&(?:amp|quot|#39|lt|gt);/g, entity => entities[entity]);

/** Every file below a directory. */
function filesBelow(directory) {
  return fs.readdirSync(directory, {withFileTypes: true}).flatMap(entry => {
    const file = path.join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(file) : [file];
  });
}

/** Removes the pages that no other file mentions: Doxygen writes lists even where its menu is told not to show them. */
function removeOrphans(html) {
  const removed = [];
  for (;;) {
    const texts = filesBelow(html).filter(file => /\.(html|js)$/.test(file)).map(file => [path.basename(file), fs.readFileSync(file, "utf8")]);
    const mentioned = new Map(); // page -> files that mention it
    for (const [name, text] of texts) {
      for (const [, page] of text.matchAll(/([\w-]+\.html)/g)) mentioned.set(page, (mentioned.get(page) ?? new Set()).add(name));
    }
    const orphans = fs.readdirSync(html).filter(name => name.endsWith(".html") && name !== "index.html" &&
      [...(mentioned.get(name) ?? [])].every(from => from === name || /^functions\w*\.html$/.test(from) && /^functions/.test(name)));
    if (orphans.length === 0) return removed;
    for (const name of orphans) fs.rmSync(path.join(html, name));
    removed.push(...orphans);
  }
}

/** What is wrong, one sentence each. */
function deadLinks(html) {
  const problems = [], anchors = new Map();
  const anchorsOf = file => {
    if (!anchors.has(file)) {
      const text = fs.readFileSync(file, "utf8");
      anchors.set(file, new Set([...text.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id]) => unescapeHtml(id))));
    }
    return anchors.get(file);
  };
  for (const name of fs.readdirSync(html).filter(entry => entry.endsWith(".html"))) {
    const text = fs.readFileSync(path.join(html, name), "utf8");
    for (const [, attribute, raw] of text.matchAll(/\s(href|src)="([^"]*)"/g)) {
      const link = unescapeHtml(raw);
      if (/^(https?:|mailto:|javascript:|data:)/.test(link)) {
        if (attribute === "src" && /^https?:/.test(link)) problems.push(`${name} loads ${link}, which is not part of the handbook`);
        continue;
      }
      const [target, fragment] = link.split("#"), file = target === "" ? path.join(html, name) : path.join(html, decodeURIComponent(target));
      if (!fs.existsSync(file)) problems.push(`${name} points to ${target}, which is not there`);
      else if (fragment && file.endsWith(".html") && !anchorsOf(file).has(decodeURIComponent(fragment))) problems.push(`${name} points to ${link}, a place that is not there`);
    }
  }
  return problems;
}

module.exports = {filesBelow, removeOrphans, deadLinks};
