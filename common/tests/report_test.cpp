#include "common/report.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/files.hpp"

namespace latent {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A run with a folder of its own.
class ReportTest : public testing::Test {
 protected:
  ReportTest() : folder_(testing::TempDir() + "report-" + std::to_string(::getpid())) {}
  ~ReportTest() override { std::filesystem::remove_all(folder_); }

  /// The one run there is, begun again.
  latent::Run& a_run(const RunFacts& facts = {}) {
    run_.emplace("labs/01_x", folder_, std::map<std::string, std::string>{{"--seed", "42"}}, facts);
    return *run_;
  }

  std::string kept(const std::string& name) const {
    return read_bytes(folder_ + "/" + name, "a file", 1 << 20);
  }

  std::string folder_;
  std::optional<latent::Run> run_;
};

TEST(Base64, GivesThePublishedAnswers) {  // RFC 4648, section 10
  const std::vector<std::pair<std::string, std::string>> known{{"", ""},
                                                               {"f", "Zg=="},
                                                               {"fo", "Zm8="},
                                                               {"foo", "Zm9v"},
                                                               {"foob", "Zm9vYg=="},
                                                               {"fooba", "Zm9vYmE="},
                                                               {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : known) EXPECT_EQ(base64(bytes), text);
  EXPECT_EQ(base64("\xff\xff\xfe"), "///+");
}

TEST_F(ReportTest, SaysWhoseFunctionsRanWithWhichSeedAndCommand) {
  const std::string both = Report("T", a_run({"./lab run 1 --seed 42", "1.2 1.3", "1.7"})).html();
  EXPECT_TRUE(has(both, "<dt>Your functions ran</dt><dd>1.2 1.3</dd>")) << both;
  EXPECT_TRUE(has(both, "<dt>The reference's functions ran, not yours</dt><dd>1.7</dd>") ||
              has(both, "<dt>The reference&#39;s functions ran, not yours</dt><dd>1.7</dd>"));
  EXPECT_TRUE(has(both, "<dt>Seed</dt><dd>42</dd>"));
  EXPECT_TRUE(has(both, "<code>./lab run 1 --seed 42</code>"));
  const std::string own = Report("T", a_run({"c", "1.2", ""})).html();
  EXPECT_FALSE(has(own, "not yours"));
  EXPECT_FALSE(has(Report("T", a_run({"c", "", "1.2"})).html(), "Your functions ran"));
}

TEST_F(ReportTest, ShowsTextAsItIs) {
  Report report("<script>", a_run({"a <b> & \"c\"", "", ""}));
  report.heading("<i>");
  report.paragraph("1 < 2 & 3");
  report.listing("<k>\n", "<l>");
  report.table({"<c>", {"<d>"}, {{"<e>"}}});
  report.plot("f.svg", "<svg></svg>", "<f>");
  report.picture("g.png", {1, 1, 1, {7}}, "\"><g>", "<h>");
  report.try_next({"<j>"});
  const std::string html = report.html();
  for (const char* tag :
       {"<script", "<i>", "<b>", "<c>", "<d>", "<e>", "<f>", "<g>", "<h>", "<j>", "<k>", "<l>"})
    EXPECT_FALSE(has(html, tag)) << tag;
  EXPECT_TRUE(has(html, "<p>1 &lt; 2 &amp; 3</p>"));
  EXPECT_TRUE(has(html, "<svg></svg>"));
  EXPECT_EQ(kept("f.svg"), "<svg></svg>");
}

TEST_F(ReportTest, HoldsItsPicturesAndAsksNobody) {
  Report report("T", a_run({"./lab run 1", "1.2", ""}));
  const Image image{2, 1, 3, {1, 2, 3, 4, 5, 6}};
  report.picture("two.png", image, "two pixels", "c");
  const std::string html = report.html();
  const std::string start = "alt=\"two pixels\" src=\"data:image/png;base64,";
  ASSERT_TRUE(has(html, start));
  EXPECT_TRUE(has(html, base64(encode_png(image))));
  EXPECT_EQ(kept("two.png"), encode_png(image));
  EXPECT_FALSE(has(html, "http:"));
  EXPECT_FALSE(has(html, "https:"));
  EXPECT_FALSE(has(html, "<link"));
  EXPECT_FALSE(has(html, "url("));
  EXPECT_TRUE(has(html, "default-src 'none'"));
}

TEST_F(ReportTest, CanBeReadOnATelephoneAndInTheDark) {
  const std::string html = Report("T", a_run()).html();
  EXPECT_TRUE(has(html, "name=\"viewport\" content=\"width=device-width, initial-scale=1\""));
  EXPECT_TRUE(has(html, "prefers-color-scheme:dark"));
  EXPECT_TRUE(has(html, "<html lang=\"en\">"));
  EXPECT_TRUE(has(html, "<title>T</title>"));
}

TEST_F(ReportTest, NamesTheRowsAndColumnsOfATable) {
  Report report("T", a_run());
  report.table({"Errors", {"what", "value"}, {{"PCA", "0.2"}, {"yours", "0.1"}}});
  const std::string html = report.html();
  EXPECT_TRUE(has(html, "<caption>Errors</caption>"));
  EXPECT_TRUE(has(html, "<th scope=\"col\">value</th>"));
  EXPECT_TRUE(has(html, "<tr><th scope=\"row\">PCA</th><td>0.2</td></tr>"));
  EXPECT_THROW(report.table({"", {"a", "b"}, {{"1"}}}), std::invalid_argument);
}

TEST_F(ReportTest, PrintsTablesInColumns) {
  Report report("T", a_run());
  testing::internal::CaptureStdout();
  report.heading("Errörs");
  report.table({"Below one", {"", "value"}, {{"PCA", "0.25"}, {"yours", "10.25"}}});
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "\nErrörs\n------\n\nBelow one\n         value\n  PCA     0.25\n  yours  10.25\n");
}

TEST_F(ReportTest, LeavesAPageAndItsTablesForPrograms) {
  Report report("T", a_run({"./lab run 1 '\xff'", "1.2", "1.3"}));
  report.heading("S");
  report.table({"C", {"", "value"}, {{"PCA", "0.25"}}});
  report.finish();
  EXPECT_EQ(kept("report.html"), report.html());
  const auto json = nlohmann::json::parse(kept("report.json"));
  EXPECT_EQ(json.at("title"), "T");
  EXPECT_EQ(json.at("seed"), 42);
  EXPECT_EQ(json.at("yours"), "1.2");
  EXPECT_EQ(json.at("reference"), "1.3");
  const nlohmann::json table = json.at("tables").at(0);
  EXPECT_EQ(table.at("section"), "S");
  EXPECT_EQ(table.at("caption"), "C");
  EXPECT_EQ(table.at("rows").at(0), (nlohmann::json{"PCA", "0.25"}));
}

TEST(Decimal, WritesNumbersAndWhatIsNone) {
  EXPECT_EQ(decimal(0.12345), "0.1235");
  EXPECT_EQ(decimal(-2.0, 1), "-2.0");
  EXPECT_EQ(decimal(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(decimal(1e300, 0).size(), 63U) << "cut off, not written beyond its place";
}

}  // namespace
}  // namespace latent
