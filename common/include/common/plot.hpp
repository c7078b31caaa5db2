/// @file
/// Pictures of numbers: plots as SVG, which also says in words what it shows, and grids of tiles.
///
/// Every plot is one `<svg>` element that stands alone in a file or within a page. It follows the
/// reader's choice of light or dark, and tells series apart by dashes or marks as well as by
/// colour. Numbers that are not finite, and on a logarithmic axis those that are not above 0, are
/// left out.
#pragma once

#include <string>
#include <vector>

#include "common/image.hpp"
#include "common/types.hpp"

namespace latent {

/// What a plot says in words.
struct PlotText {
  std::string title;        ///< Above it.
  std::string x_axis;       ///< What runs to the right, with its unit.
  std::string y_axis;       ///< What runs upwards, with its unit.
  std::string description;  ///< For those who do not see it: what it shows, with numbers.
};

/// Which axes are logarithmic.
struct PlotAxes {
  bool log_x = false;  ///< To the right.
  bool log_y = false;  ///< Upwards.
};

/// Points with a name.
struct Series {
  std::string name;       ///< For the legend.
  std::vector<double> x;  ///< To the right.
  std::vector<double> y;  ///< Upwards; as many.
};

/// A horizontal line to compare with.
struct ReferenceLine {
  std::string name;  ///< Written at its end.
  double y = 0.0;    ///< Where.
};

/// Numbers with a name.
struct Sample {
  std::string name;            ///< For the legend.
  std::vector<double> values;  ///< In any order.
};

/// A bar with a name.
struct Bar {
  std::string name;    ///< Below it.
  double value = 0.0;  ///< Its height.
};

/// Lines through points, in their order.
/// @param text        Title, axes, description.
/// @param series      Up to six.
/// @param references  Horizontal lines.
/// @param axes        Which axes are logarithmic.
/// @return            An `<svg>` element.
/// @throws std::invalid_argument  if x and y of a series differ in number, or there are more than
///                                six series.
std::string line_chart(const PlotText& text, const std::vector<Series>& series,
                       const std::vector<ReferenceLine>& references = {},
                       const PlotAxes& axes = {});

/// Points, a mark and a colour for each series.
/// @param text    Title, axes, description.
/// @param series  Up to six, drawn one over the other.
/// @return        An `<svg>` element.
/// @throws std::invalid_argument  as `line_chart` does.
std::string scatter_plot(const PlotText& text, const std::vector<Series>& series);

/// How often values occur: the share of each sample's finite values per bin, all samples over the
/// same bins.
/// @param text     Title, axes, description.
/// @param samples  Up to six.
/// @param bins     How many, from 1 to 200.
/// @param axes     With log_x, bins are equally wide on a logarithmic axis.
/// @return         An `<svg>` element.
/// @throws std::invalid_argument  if bins are out of range or there are more than six samples.
std::string histogram(const PlotText& text, const std::vector<Sample>& samples, int bins,
                      const PlotAxes& axes = {});

/// Bars from 0.
/// @param text  Title, axes, description.
/// @param bars  Up to forty.
/// @return      An `<svg>` element.
/// @throws std::invalid_argument  if there are more than forty.
std::string bar_chart(const PlotText& text, const std::vector<Bar>& bars);

/// Tiles in rows, with a grey line of two pixels between them.
/// @param tiles    One a row, channel by channel as in `[C, H, W]`; 0 is black, 1 is white, what is
///                 outside is clamped, what is no number becomes black.
/// @param shape    Of one tile: `{1, H, W}` grey or `{3, H, W}` red, green, blue.
/// @param columns  Tiles in a row of the grid, at least 1.
/// @return         The picture, grey or coloured as the tiles are.
/// @throws std::invalid_argument  if there is no tile, or shape and columns of tiles do not fit.
Image tile_grid(const Matrix& tiles, const Shape& shape, Index columns);

/// Rows below rows, for grids of several kinds of tiles.
/// @param blocks  At least one, all with as many columns.
/// @return        All rows, in their order.
/// @throws std::invalid_argument  if there is none, or columns differ.
Matrix stacked(const std::vector<Matrix>& blocks);

/// A picture as text for a terminal of 256 colours: each letter is the upper half of a box whose
/// two halves are two pixels. If it is too wide, squares of four pixels become one; what then still
/// does not fit is cut off on the right, since smaller ones could not be told apart.
/// @param image    What.
/// @param columns  Of the terminal, at least 1.
/// @return         One line for every two rows that are left, each ending in a newline.
/// @throws std::invalid_argument  if it is no picture, or columns is below 1.
std::string half_blocks(const Image& image, Index columns);

}  // namespace latent
