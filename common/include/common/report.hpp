/// @file
/// A page that a run leaves behind: what was done, by whose functions, and what came out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/experiment.hpp"
#include "common/image.hpp"

namespace latent {

/// Numbers in rows; the first column names the row.
struct ReportTable {
  std::string caption;                         ///< What it shows.
  std::vector<std::string> columns;            ///< Headings.
  std::vector<std::vector<std::string>> rows;  ///< As many cells each as there are columns.
};

/// What a run shows, as it goes: on standard output, in files of its own, and in the end as one
/// HTML page that needs no other file: pictures are part of it and nothing is fetched. Texts are
/// shown as they are, markup in them included.
class Report {
 public:
  /// Prints the seed.
  /// @param title  Of the page.
  /// @param run    Tells the seed, the command line, whose functions ran, and where files go. Must
  ///               outlive the report.
  Report(std::string title, Run& run);

  /// Begins a section.
  /// @param text  Its heading.
  void heading(const std::string& text);

  /// A paragraph, in the page only.
  /// @param text  What it says.
  void paragraph(const std::string& text);

  /// Lines of text in which columns are aligned already.
  /// @param text     As on a terminal.
  /// @param caption  Above it.
  void listing(const std::string& text, const std::string& caption);

  /// A table.
  /// @param table  Numbers in rows.
  /// @throws std::invalid_argument  if a row has another number of cells than there are columns.
  void table(const ReportTable& table);

  /// A plot.
  /// @param file     Its name among the run's files: "loss.svg".
  /// @param svg      From plot.hpp, which says in words what it shows.
  /// @param caption  Below it.
  /// @throws FileError  if the file cannot be written.
  void plot(const std::string& file, const std::string& svg, const std::string& caption);

  /// A picture, enlarged without smoothing; small ones also on the terminal.
  /// @param file     Its name among the run's files: "samples.png".
  /// @param image    What.
  /// @param words    What it shows, for those who do not see it.
  /// @param caption  Below it.
  /// @throws std::invalid_argument  if it is no picture.
  /// @throws FileError              if the file cannot be written.
  void picture(const std::string& file, const Image& image, const std::string& words,
               const std::string& caption);

  /// Ends the page with a list of things to try.
  /// @param ideas  One each.
  void try_next(const std::vector<std::string>& ideas);

  /// Writes report.html, and report.json, from which `lab run --compare` takes the tables; prints
  /// which files there are.
  /// @throws FileError  if one cannot be written.
  void finish();

  /// @return  The page.
  std::string html() const;

 private:
  std::string json() const;

  std::string title_, body_;
  Run& run_;
  std::vector<std::pair<std::string, ReportTable>> tables_;  ///< Each with its section's heading.
  std::string section_;
};

/// A number as tables show it.
/// @param value     Any.
/// @param decimals  Behind the point.
/// @return          "0.1250"; "nan" and "inf" where it is none.
std::string decimal(double value, int decimals = 4);

/// Bytes in base 64 with padding, as data: URIs hold them. Throws nothing.
/// @param bytes  Any.
/// @return       Four letters for every three bytes begun.
std::string base64(std::string_view bytes);

}  // namespace latent
