// Is everything public documented? Doxygen itself does not complain about an undocumented enumerator or concept, a
// struct without a word, or a header without @file (it then drops the header's functions in silence). A function of a
// contract also has to say the shapes of its arrays and what it refuses; parameters and results are Doxygen's to demand.
//
//   node coverage.cjs DIRECTORY     with the XML of a run with EXTRACT_ALL; exit status 1 if something has no text
"use strict";
const fs = require("fs");
const path = require("path");

/** The inner XML of the first <tag> of `xml` outside its members, or "". */
function inner(xml, tag) {
  const match = xml.match(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`));
  return match ? match[1].trim() : "";
}

const isDocumented = xml => inner(xml, "briefdescription") !== "" || inner(xml, "detaileddescription") !== "";

const place = xml => {
  const match = xml.match(/<location file="([^"]*)"(?: line="(\d+)")?/);
  return match ? match[1] + (match[2] ? `:${match[2]}` : "") : "?";
};

/** What a contract leaves open of a function: shapes of its arrays, and what it refuses. */
function unsaid(member, where) {
  if (!/^labs\/|\/labs\//.test(where)) return [];
  const text = inner(member, "briefdescription") + inner(member, "detaileddescription");
  const types = inner(member, "type") + [...member.matchAll(/<param>\s*<type>([\s\S]*?)<\/type>/g)].map(([, type]) => type).join(" ");
  const missing = [];
  if (/Matrix|Tensor4|Vector/.test(types) && !/\[|[Ss]hape|[Ss]ame size/.test(text)) missing.push("says no shape");
  if (!/kind="exception"|[Tt]hrows nothing/.test(text)) missing.push("says neither @throws nor that it throws nothing");
  return missing;
}

/** Every documentable thing of one XML file: {what, where, documented, id, unsaid}. */
function* things(xml) {
  const compound = xml.match(/<compounddef id="([^"]*)" kind="(\w+)"/);
  if (!compound || ["page", "dir", "example"].includes(compound[2])) return;
  const own = xml.replace(/<sectiondef[\s\S]*?<\/sectiondef>/g, "");
  if (place(own).startsWith("[generated]")) return; // namespace std
  yield {id: compound[1], what: `${compound[2]} ${inner(own, "compoundname")}`, where: place(own), documented: isDocumented(own)};

  for (const [member, kind, id, access] of
    xml.matchAll(/<memberdef kind="(\w+)" id="([^"]*)" prot="(\w+)"[\s\S]*?<\/memberdef>/g)) {
    if (access === "private") continue;
    const values = member.match(/<enumvalue[\s\S]*?<\/enumvalue>/g) ?? [];
    const rest = member.replace(/<enumvalue[\s\S]*?<\/enumvalue>/g, "");
    const where = place(rest);
    yield {id, what: `${kind} ${inner(rest, "name")}`, where, documented: isDocumented(rest), unsaid: kind === "function" ? unsaid(rest, where) : []};
    for (const [index, value] of values.entries()) {
      yield {id: `${id}.${index}`, what: `enumerator ${inner(value, "name")}`, where, documented: isDocumented(value)};
    }
  }
}

function main([directory]) {
  const all = new Map(); // a member of a namespace is listed with its file too
  for (const name of fs.readdirSync(directory)) {
    if (!name.endsWith(".xml") || name === "index.xml") continue;
    for (const thing of things(fs.readFileSync(path.join(directory, name), "utf8"))) all.set(thing.id, thing);
  }
  if (all.size === 0) {
    console.error(`coverage: there is nothing to judge in ${directory}`);
    return 1;
  }
  const missing = [...all.values()].filter(thing => !thing.documented);
  for (const {where, what} of missing) console.error(`${where}: ${what} is not documented`);
  const open = [...all.values()].flatMap(({where, what, unsaid: list}) => (list ?? []).map(words => `${where}: ${what} ${words}`));
  for (const sentence of open) console.error(sentence);
  console.log(`coverage: ${all.size - missing.length} of ${all.size} public names are documented`);
  return missing.length + open.length === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
