#include "common/report.hpp"

#include "common/markup.hpp"
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
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
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

}  // namespace

Report::Report(const std::string& title, const Run& run) : title_(title) {
  body_ = "<h1>" + escape_markup(title) + "</h1>\n" + facts_of(run);
}

void Report::heading(const std::string& text) {
  body_ += "<h2>" + escape_markup(text) + "</h2>\n";
}

void Report::paragraph(const std::string& text) {
  body_ += "<p>" + escape_markup(text) + "</p>\n";
}

void Report::table(const ReportTable& table) {
  body_ += "<div class=\"wide\"><table><caption>" + escape_markup(table.caption) +
           "</caption>\n<thead><tr>";
  for (const std::string& name : table.columns)
    body_ += "<th scope=\"col\">" + escape_markup(name) + "</th>";
  body_ += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    require_size(std::ssize(row), std::ssize(table.columns), "Report::table: cells of a row");
    body_ += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      body_ += i == 0 ? "<th scope=\"row\">" + escape_markup(row[i]) + "</th>"
                      : "<td>" + escape_markup(row[i]) + "</td>";
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
}

void Report::plot(const std::string& svg, const std::string& caption) {
  body_ += "<figure>" + svg + "<figcaption>" + escape_markup(caption) + "</figcaption></figure>\n";
}

void Report::picture(const Image& image, const std::string& words, const std::string& caption) {
  body_ += "<figure><img width=\"" + std::to_string(image.width) + "\" height=\"" +
           std::to_string(image.height) + "\" alt=\"" + escape_markup(words) +
           "\" src=\"data:image/png;base64," + base64(encode_png(image)) + "\"><figcaption>" +
           escape_markup(caption) + "</figcaption></figure>\n";
}

void Report::try_next(const std::vector<std::string>& ideas) {
  heading("What to try next");
  body_ += "<ul>\n";
  for (const std::string& idea : ideas) body_ += "<li>" + escape_markup(idea) + "</li>\n";
  body_ += "</ul>\n";
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
