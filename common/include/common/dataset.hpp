/// @file
/// Data to train on: drawn from a seed, with what is known about it stated, or read from files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/experiment.hpp"
#include "common/files.hpp"
#include "common/types.hpp"

namespace latent {

/// Samples, one a row.
struct Dataset {
  Matrix x;                          ///< `[N, D]`
  std::vector<std::int64_t> labels;  ///< N of them; what they mean depends on the data.
  std::string name;                  ///< For people: "sprites".
  Shape shape;                       ///< Of one sample; its product is D. `{1, 28, 28}`.
};

/// Two Gaussians in eight dimensions, equally likely: \f$ x = s\,m + \varepsilon \f$ with
/// \f$ s = \pm 1 \f$, \f$ m = (1, \dots, 1) \f$ and \f$ \varepsilon_k \sim N(0, 2^{-k}) \f$
/// independent for k = 0 to 7. The covariance of all is therefore
/// \f$ m m^\top + \operatorname{diag}(1, 1/2, \dots, 1/128) \f$.
/// @param seed  Decides everything; the same bits on every machine.
/// @param n     Samples, not negative.
/// @return      Shape `[n, 8]`; label 0 where s = -1, 1 where s = 1.
/// @throws std::invalid_argument  if n is negative.
Dataset mixture8(std::uint64_t seed, Index n);

/// One Gaussian in eight dimensions with mean 0 and covariance \f$ H \Lambda H^\top \f$, where
/// \f$ \Lambda \f$ holds `gaussian8_spectrum()` and H is the 8x8 Hadamard matrix (Sylvester's)
/// divided by \f$ \sqrt 8 \f$, so that no feature is a principal axis.
/// @param seed  Decides everything; the same bits on every machine.
/// @param n     Samples, not negative.
/// @return      Shape `[n, 8]`; all labels are 0.
/// @throws std::invalid_argument  if n is negative.
Dataset gaussian8(std::uint64_t seed, Index n);

/// The eigenvalues of the covariance that `gaussian8` draws from. Throws nothing.
/// @return  Shape `[8]`: 4, 2, 1, 1/2, 1/4, 1/8, 1/16, 1/32.
DoubleVector gaussian8_spectrum();

/// Columns of the factors of `sprites`.
enum SpriteFactor : int {
  kSpriteShape,        ///< 0 a rectangle, 1 an ellipse, 2 a triangle; this is the label, too.
  kSpriteColumn,       ///< Of its centre, in pixels from the left edge, from 8 to 20.
  kSpriteRow,          ///< Of its centre, in pixels from the upper edge, from 8 to 20.
  kSpriteSize,         ///< Half of its longer side, in pixels, from 3.5 to 7.
  kSpriteOrientation,  ///< In radians, from 0 to pi.
  kSpriteIntensity,    ///< Of its inside, from 0.5 to 1; outside is 0.
  kSpriteFactors       ///< How many there are.
};

/// Pictures of which everything is known.
struct Sprites {
  Dataset data;    ///< Shape `[n, 784]`, grey values from 0 to 1.
  Matrix factors;  ///< What each shows, shape `[n, 6]`, columns as in SpriteFactor.
};

/// One turned figure on black per picture, 28x28, its edges one pixel soft. Factors are independent
/// and uniform.
/// @param seed  Decides everything; the same bits on every machine.
/// @param n     Pictures, not negative.
/// @return      Pictures and factors.
/// @throws std::invalid_argument  if n is negative.
Sprites sprites(std::uint64_t seed, Index n);

/// Columns of the factors of `moving_bars`.
enum BarFactor : int {
  kBarVertical,    ///< 1 a vertical bar that moves sideways, 0 a horizontal one that moves up and
                   ///< down; this is the label, too.
  kBarStart,       ///< Of its middle in frame 0, in pixels from the left or upper edge, 0 to 16.
  kBarSpeed,       ///< In pixels a frame, from 0.25 to 1.5, negative half of the time.
  kBarWidth,       ///< In pixels, from 2 to 5.
  kBarBrightness,  ///< From 0.5 to 1; outside is 0.
  kBarFactors      ///< How many there are.
};

/// Clips of which everything is known.
struct MovingBars {
  Dataset data;  ///< Shape `[n * frames, 256]`, a frame a row, a clip's frames one after another.
  Index frames = 0;  ///< Of a clip.
  Matrix factors;    ///< What each clip shows, shape `[n, 5]`, columns as in BarFactor.
};

/// One bar on black that moves at its own constant speed and comes in again where it went out: the
/// middle of frame t is at start + speed * t, modulo 16. Frames are 16x16, a pixel is as bright as
/// the share of it that the bar covers. Factors are independent and uniform.
/// @param seed    Decides everything; the same bits on every machine.
/// @param n       Clips, not negative.
/// @param frames  Of each clip, at least 1.
/// @return        Frames, and the factors of each clip.
/// @throws std::invalid_argument  if n is negative or frames below 1.
MovingBars moving_bars(std::uint64_t seed, Index n, Index frames);

/// Pictures to train on, and pictures of the same kind that are kept back.
struct ImageSplit {
  Dataset train;  ///< Shape `[N, D]`
  Dataset test;   ///< Shape `[M, D]`
};

/// Reads a folder of pictures. If it holds IDX files (`*-images-idx3-ubyte` and the same name with
/// `-labels-idx1-ubyte`, plain or `.gz`), those: `train-` to train on and `t10k-` or `test-` to
/// test, or, if there is one pair only, its first 80 % to train on and the rest to test. Those of
/// EMNIST are turned upright. Otherwise PNGs of one size, in the folder itself or one folder for
/// each label, in the order of their names, every fifth to test; grey ones stay grey.
/// @param folder  Its path.
/// @return        Values from 0 to 1.
/// @throws FileError  if it cannot be read, holds neither, one is damaged, sizes differ or are
///                    above 64 x 64, or there are fewer than ten pictures.
ImageSplit read_image_folder(const std::string& folder);

/// What a run trains on: the folder of its option --data, or else sprites.
/// @param run    Its option, its seed; and its checkpoint, if it has one, must be of the same data.
/// @param train  Sprites to train on.
/// @param test   Sprites kept back.
/// @return       All that the folder holds, or as many sprites as asked for.
/// @throws FileError      as `read_image_folder` does.
/// @throws RunUsageError  if the run that is resumed had other data.
ImageSplit images_for(Run& run, Index train, Index test);

/// The options of an experiment that trains on pictures.
/// @return  Those of `training_options`, and --data DIR, which `images_for` reads.
std::vector<ExperimentOption> picture_options();

/// Reads pictures and their labels as MNIST and its relatives publish them: two IDX files of
/// unsigned bytes, plain or compressed with gzip.
/// @param images_file  Magic number 2051, then count, rows, columns, then the pixels.
/// @param labels_file  Magic number 2049, then count, then the labels.
/// @return             Grey values from 0 to 1, shape `{1, rows, columns}` each.
/// @throws FileError  if one cannot be read, is damaged, is no such file, is larger than 256 MiB
///                    when unpacked, or if their counts differ.
Dataset read_idx(const std::string& images_file, const std::string& labels_file);

/// The same for bytes that are already in memory; messages call them "images" and "labels".
/// @param images  The content of an images file.
/// @param labels  The content of a labels file.
/// @return        As `read_idx` does.
/// @throws FileError  as `read_idx` does.
Dataset parse_idx(std::string_view images, std::string_view labels);

}  // namespace latent
