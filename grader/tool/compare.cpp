#include "grader/tool/compare.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/markup.hpp"
#include "grader/judge/files.hpp"
#include "grader/judge/jail.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kBegin = "<main>";
constexpr const char* kEnd = "</main>";

/// What a run has left behind.
struct RunReport {
  std::string folder, page;
  Json json;

  std::string text(const char* key) const { return json.at(key).get<std::string>(); }
};

/// A table that both runs have, or one of them.
struct SharedTable {
  std::string section, caption;
  const Json *first = nullptr, *second = nullptr;
};

std::string folder_of(const std::string& name) {
  const std::string given = from_callers_folder(name), kept = state_dir() + "/runs/" + name;
  return !fs::exists(given) && fs::exists(kept) ? kept : given;
}

RunReport report_of(const std::string& name) {
  RunReport report{folder_of(name), "", {}};
  std::string json;
  if (!read_file(report.folder + "/report.json", json) ||
      !read_file(report.folder + "/report.html", report.page))
    throw UsageError(report.folder +
                     " is not the folder of a run: it has no report.json and report.html. Folders "
                     "are named at the end of ./lab run NN; .lab/runs/01/2 may be written 01/2.");
  report.json = Json::parse(json, nullptr, false);
  const bool whole = report.json.is_object() &&
                     report.json.value("schema", Json()) == "latentlab/run/v1" &&
                     report.page.find(kBegin) < report.page.rfind(kEnd);
  if (!whole)
    throw UsageError(report.folder +
                     "/report.json is damaged, or of another version of ./lab run.");
  return report;
}

std::vector<SharedTable> tables_of(const RunReport& first, const RunReport& second) {
  std::vector<SharedTable> all;
  for (const Json& table : first.json.at("tables"))
    all.push_back({table.at("section").get<std::string>(), table.at("caption").get<std::string>(),
                   &table, nullptr});
  for (const Json& table : second.json.at("tables")) {
    const auto section = table.at("section").get<std::string>(),
               caption = table.at("caption").get<std::string>();
    auto found = std::find_if(all.begin(), all.end(), [&](const SharedTable& t) {
      return t.section == section && t.caption == caption && t.second == nullptr;
    });
    if (found == all.end()) found = all.insert(all.end(), {section, caption, nullptr, nullptr});
    found->second = &table;
  }
  return all;
}

/// The cell of a table in the row and column of these names; empty if there is none.
std::string cell(const Json* table, const std::string& row, const std::string& column) {
  if (table == nullptr) return "";
  const Json& columns = table->at("columns");
  for (const Json& cells : table->at("rows")) {
    if (cells.at(0) != row) continue;
    for (std::size_t i = 1; i < columns.size(); ++i) {
      if (columns[i] == column) return cells.at(i).get<std::string>();
    }
  }
  return "";
}

/// Rows and columns by name: those of the first table, then what only the second has.
std::vector<std::pair<std::string, std::string>> cells_of(const SharedTable& table) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Json* one : {table.first, table.second}) {
    if (one == nullptr) continue;
    for (const Json& row : one->at("rows")) {
      for (std::size_t i = 1; i < one->at("columns").size(); ++i) {
        std::pair name(row.at(0).get<std::string>(), one->at("columns")[i].get<std::string>());
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
  }
  return names;
}

void print_tables(const RunReport& first, const RunReport& second) {
  std::string section;
  for (const SharedTable& table : tables_of(first, second)) {
    if (table.section != section) std::cout << '\n' << printable(table.section) << '\n';
    section = table.section;
    std::cout << "\n  " << printable(table.caption) << '\n';
    for (const auto& [row, column] : cells_of(table)) {
      std::string a = cell(table.first, row, column), b = cell(table.second, row, column);
      if (a.empty()) a = "-";
      if (b.empty()) b = "-";
      std::string name = printable(row) + (column.empty() ? "" : ": " + printable(column));
      name.resize(std::max<std::size_t>(name.size(), 50), ' ');
      std::cout << (a == b ? "    " : "  * ") << name << "  " << printable(a) << "  "
                << printable(b) << '\n';
    }
  }
}

std::string main_of(const RunReport& report) {
  const std::size_t begin = report.page.find(kBegin) + std::string(kBegin).size();
  return report.page.substr(begin, report.page.rfind(kEnd) - begin);
}

/// The head of the first page, and below it both bodies in two columns where there is room.
std::string page_of(const RunReport& first, const RunReport& second) {
  std::string head = first.page.substr(0, first.page.find(kBegin));
  const std::string style =
      "<style>body{max-width:none}main{display:grid;gap:2rem;"
      "grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr))}"
      "section{min-width:0}</style>\n</head>";
  head.replace(head.find("</head>"), 7, style);
  const auto column = [](const RunReport& report) {
    return "<section>\n<p><code>" + escape_markup(report.folder) + "</code></p>\n" +
           main_of(report) + "</section>\n";
  };
  return head + kBegin + "\n" + column(first) + column(second) + kEnd + "\n</body>\n</html>\n";
}

}  // namespace

int compare_runs(const std::string& first_name, const std::string& second_name,
                 const std::string& out) {
  const RunReport first = report_of(first_name), second = report_of(second_name);
  try {
    for (const RunReport* report : {&first, &second})
      std::cout << (report == &first ? "first   " : "second  ") << report->folder << "\n        "
                << printable(report->text("command")) << "  (seed " << report->json.at("seed")
                << ")\n";
    print_tables(first, second);
  } catch (const nlohmann::json::exception&) {
    throw UsageError("one of the two report.json is damaged; run it again.");
  }
  const std::string page =
      out.empty() ? state_dir() + "/runs/compare.html" : from_callers_folder(out);
  fs::create_directories(fs::path(page).parent_path());
  write_file(page, page_of(first, second));
  std::cout << "\n* where they differ. Both reports side by side: " << page << '\n';
  return kComplete;
}

}  // namespace latent::grader
