#include "common/report.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/files.hpp"
#include "common/markup.hpp"
#include "common/plot.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

constexpr const char* kStyle =
    ":root{color-scheme:light dark;--line:#c8c8c8;--soft:#f3f4f6;--text:#1b1b1b;--page:#fff}"
    "@media(prefers-color-scheme:dark){:root{--line:#44484f;--soft:#22252a;--text:#e8e8e8;"
    "--page:#16181c}}"
    "body{margin:0 auto;max-width:44rem;padding:1rem;font:1rem/1.55 system-ui,sans-serif;"
    "color:var(--text);background:var(--page)}"
    "h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2rem}"
    "figure{margin:1.2rem 0}figcaption,caption{font-size:.9rem;text-align:left;padding:.3rem 0}"
    "figure svg{width:100%;height:auto;display:block}"
    "figure img{width:100%;height:auto;image-rendering:pixelated;display:block}"
    ".wide{overflow-x:auto}pre{font-size:.8rem;line-height:1.4}table{border-collapse:collapse;font-"
    "variant-numeric:tabular-nums}"
    "th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:right}"
    "th:first-child{text-align:left}"
    "dl{background:var(--soft);padding:.8rem 1rem;border-radius:.4rem}dt{font-weight:600}"
    "dd{margin:0 0 .5rem;overflow-wrap:anywhere}code{font-family:ui-monospace,monospace}";

std::string entry(const std::string& name, const std::string& html) {
  return "<dt>" + escape_markup(name) + "</dt><dd>" + html + "</dd>\n";
}

std::string facts_of(const Run& run) {
  const RunFacts& facts = run.facts();
  std::string html = "<dl>\n";
  if (!facts.yours.empty()) html += entry("Your functions ran", escape_markup(facts.yours));
  if (!facts.reference.empty())
    html += entry("The reference's functions ran, not yours", escape_markup(facts.reference));
  html += entry("Seed", std::to_string(run.seed()));
  if (!facts.command.empty())
    html += entry("Command", "<code>" + escape_markup(facts.command) + "</code>");
  return html + "</dl>\n";
}

std::string html_of(const ReportTable& table) {
  std::string html = "<div class=\"wide\"><table><caption>" + escape_markup(table.caption) +
                     "</caption>\n<thead><tr>";
  for (const std::string& name : table.columns)
    html += "<th scope=\"col\">" + escape_markup(name) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      html += i == 0 ? "<th scope=\"row\">" + escape_markup(row[i]) + "</th>"
                     : "<td>" + escape_markup(row[i]) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

/// How many columns a text in UTF-8 takes: continuation bytes take none.
std::size_t letters_in(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// The first column to the left, the others to the right, each as wide as its widest cell.
void print(const ReportTable& table) {
  std::vector<std::vector<std::string>> lines;
  if (table.columns != std::vector<std::string>(table.columns.size()))  // not all are empty
    lines.push_back(table.columns);
  lines.insert(lines.end(), table.rows.begin(), table.rows.end());
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], letters_in(line[i]));
  }
  std::printf("\n%s\n", table.caption.c_str());
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - letters_in(line[i]), ' ');
      text += "  " + (i == 0 ? line[i] + space : space + line[i]);
    }
    std::printf("%s\n", text.c_str());
  }
}

/// Columns of the terminal, or 0 where it cannot show pictures.
int picture_columns() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::string charset = variable("LC_ALL");
  if (charset.empty()) charset = variable("LC_CTYPE");
  if (charset.empty()) charset = variable("LANG");
  const bool utf8 =
      charset.find("UTF-8") != std::string::npos || charset.find("utf8") != std::string::npos;
  if (::isatty(STDOUT_FILENO) == 0 || !utf8 || variable("TERM") == "dumb" ||
      !variable("NO_COLOR").empty())
    return 0;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Report::Report(std::string title, Run& run) : title_(std::move(title)), run_(run) {
  std::printf("seed       %llu%s\n", static_cast<unsigned long long>(run.seed()),
              run.quick() ? ", quick" : "");
  body_ = "<h1>" + escape_markup(title_) + "</h1>\n" + facts_of(run);
}

void Report::heading(const std::string& text) {
  section_ = text;
  body_ += "<h2>" + escape_markup(text) + "</h2>\n";
  std::printf("\n%s\n%s\n", text.c_str(), std::string(letters_in(text), '-').c_str());
}

void Report::paragraph(const std::string& text) {
  body_ += "<p>" + escape_markup(text) + "</p>\n";
}

void Report::listing(const std::string& text, const std::string& caption) {
  // What scrolls has to be reachable by the keyboard.
  body_ += "<figure><figcaption>" + escape_markup(caption) +
           "</figcaption><pre class=\"wide\" tabindex=\"0\">" + escape_markup(text) +
           "</pre></figure>\n";
  std::printf("\n%s\n%s", caption.c_str(), text.c_str());
}

void Report::table(const ReportTable& table) {
  for (const std::vector<std::string>& row : table.rows)
    require_size(std::ssize(row), std::ssize(table.columns), "Report::table: cells of a row");
  tables_.emplace_back(section_, table);
  body_ += html_of(table);
  print(table);
}

void Report::plot(const std::string& file, const std::string& svg, const std::string& caption) {
  write_bytes(run_.output(file), svg);
  body_ += "<figure>" + svg + "<figcaption>" + escape_markup(caption) + "</figcaption></figure>\n";
}

void Report::picture(const std::string& file, const Image& image, const std::string& words,
                     const std::string& caption) {
  const std::string bytes = encode_png(image);
  write_bytes(run_.output(file), bytes);
  body_ += "<figure><img width=\"" + std::to_string(image.width) + "\" height=\"" +
           std::to_string(image.height) + "\" alt=\"" + escape_markup(words) +
           "\" src=\"data:image/png;base64," + base64(bytes) + "\"><figcaption>" +
           escape_markup(caption) + "</figcaption></figure>\n";
  if (const int columns = picture_columns(); columns > 0)
    std::printf("\n%s%s\n", half_blocks(image, columns).c_str(), words.c_str());
}

void Report::try_next(const std::vector<std::string>& ideas) {
  body_ += "<h2>What to try next</h2>\n<ul>\n";
  for (const std::string& idea : ideas) body_ += "<li>" + escape_markup(idea) + "</li>\n";
  body_ += "</ul>\n";
}

void Report::finish() {
  write_bytes(run_.output("report.html"), html());
  write_bytes(run_.output("report.json"), json());
  std::printf("\n");
  run_.list_outputs();
}

std::string Report::json() const {
  const RunFacts& facts = run_.facts();
  nlohmann::ordered_json all{{"schema", "latentlab/run/v1"},
                             {"title", title_},
                             {"command", facts.command},
                             {"seed", run_.seed()},
                             {"yours", facts.yours},
                             {"reference", facts.reference},
                             {"tables", nlohmann::json::array()}};
  for (const auto& [section, table] : tables_)
    all["tables"].push_back({{"section", section},
                             {"caption", table.caption},
                             {"columns", table.columns},
                             {"rows", table.rows}});
  // A command line may hold any bytes.
  return all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string Report::html() const {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         // Whatever comes into the page, it cannot ask anybody for anything.
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "img-src data:; style-src 'unsafe-inline'\">\n<title>" +
         escape_markup(title_) + "</title>\n<style>" + kStyle +
         "</style>\n</head>\n<body>\n<main>\n" + body_ + "</main>\n</body>\n</html>\n";
}

std::string decimal(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string base64(std::string_view bytes) {
  constexpr const char* kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    unsigned word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8U | (k < left ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= left ? kLetters[word >> (18 - 6 * k) & 63U] : '=';
  }
  return text;
}

}  // namespace latent
