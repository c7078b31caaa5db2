/// @file
/// A page that a run leaves behind: what was done, by whose functions, and what came out.
#pragma once

#include <string>
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

/// One HTML file that needs no other: pictures are part of it and nothing is fetched. Texts are
/// shown as they are, markup in them included.
class Report {
 public:
  /// @param title  Of the page.
  /// @param run    Tells the seed, the command line, and whose functions ran.
  Report(const std::string& title, const Run& run);

  /// Begins a section.
  /// @param text  Its heading.
  void heading(const std::string& text);

  /// A paragraph.
  /// @param text  What it says.
  void paragraph(const std::string& text);

  /// A table.
  /// @param table  Numbers in rows.
  /// @throws std::invalid_argument  if a row has another number of cells than there are columns.
  void table(const ReportTable& table);

  /// A plot.
  /// @param svg      From plot.hpp, which says in words what it shows.
  /// @param caption  Below it.
  void plot(const std::string& svg, const std::string& caption);

  /// A picture, enlarged without smoothing.
  /// @param image    What.
  /// @param words    What it shows, for those who do not see it.
  /// @param caption  Below it.
  /// @throws std::invalid_argument  if it is no picture.
  void picture(const Image& image, const std::string& words, const std::string& caption);

  /// Ends the page with a list of things to try.
  /// @param ideas  One each.
  void try_next(const std::vector<std::string>& ideas);

  /// @return  The page.
  std::string html() const;

 private:
  std::string title_, body_;
};

/// Bytes in base 64 with padding, as data: URIs hold them. Throws nothing.
/// @param bytes  Any.
/// @return       Four letters for every three bytes begun.
std::string base64(std::string_view bytes);

}  // namespace latent
