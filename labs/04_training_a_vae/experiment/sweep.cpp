// The weight of the KL swept, and three ways to break a VAE.

#include <cmath>
#include <cstring>
#include <sstream>

#include "common/plot.hpp"
#include "common/statistics.hpp"
#include "parts.hpp"

namespace latent::run04 {

namespace {

std::int64_t mixture_steps(const Run& run) {
  return run.quick() ? 1500 : 10'000;
}

Vae mixture_model(const Run& run) {
  return initial_model(8, 32, 4, run.seed());
}

}  // namespace

void sweep(Run& run, Report& report, const Matrix& x) {
  report.heading("The sweep of beta: eight numbers through four");
  const std::vector<double> betas{0.01, 0.1, 1.0, 5.0};
  DoubleVector distortion(4), rate(4);
  std::vector<ActiveUnits> active;
  std::vector<Series> points;
  for (Index i = 0; i < 4; ++i) {
    const std::string name = "beta " + decimal(betas[static_cast<std::size_t>(i)], 2);
    // The same first weights and batches for all: what differs is beta.
    const Vae model =
        train(run, x, mixture_model(run),
              {name, mixture_steps(run), 5e-3, always(betas[static_cast<std::size_t>(i)])})
            .model;
    const Look look = look_at(model, x, run.seed());
    distortion(i) = look.terms.reconstruction;
    rate(i) = look.terms.kl;
    active.push_back(active_units(look.pass.q.mu, kActive));
    points.push_back({name, {rate(i)}, {distortion(i)}});
  }
  const std::vector<std::int64_t> front = pareto_front(distortion, rate);
  ReportTable table{"The mixture in eight dimensions; the same first weights for every beta",
                    {"beta", "squared error", "KL in nats", "active units", "on the front"},
                    {}};
  for (Index i = 0; i < 4; ++i)
    table.rows.push_back({decimal(betas[static_cast<std::size_t>(i)], 2), decimal(distortion(i), 3),
                          decimal(rate(i), 3),
                          std::to_string(active[static_cast<std::size_t>(i)].count),
                          yes(std::find(front.begin(), front.end(), i) != front.end())});
  report.table(table);
  report.plot("sweep.svg",
              scatter_plot({"Rate against distortion", "KL, nats", "squared error",
                            std::to_string(front.size()) + " of 4 models are on the Pareto front."},
                           points),
              "On the front is what no other model beats in both.");
}

namespace {

/// The text of the choice that the reader wrote into answers.toml.
std::string prediction(const Run& run, const std::string& question) {
  std::string text;
  try {
    text = read_bytes(run.given("answers.toml"), "answers", 1 << 20);
  } catch (const FileError&) {
    return "no answers.toml";
  }
  const std::size_t from = text.find("[" + question + "]"), answer = text.find("answer = \"", from);
  if (from == std::string::npos || answer == std::string::npos) return "no such question";
  const auto letter = static_cast<char>(
      std::tolower(static_cast<unsigned char>(text[answer + std::strlen("answer = \"")])));
  const std::size_t choice = text.find(std::string("#    ") + letter + ") ", from);
  if (choice == std::string::npos || choice > answer)
    return "nothing yet; write a letter into answers.toml";
  std::string said;
  for (std::size_t i = choice + 8; i < answer; ++i) {
    if (text[i] != '\n') {
      said += text[i];
    } else if (text.compare(i, 9, "\n#       ") == 0) {
      said += ' ', i += 8;
    } else {
      break;
    }
  }
  return said;
}

/// Text in lines of at most 76 letters, all but the first indented.
std::string wrapped(const std::string& text) {
  std::string lines;
  std::size_t used = 0;
  std::istringstream words(text);
  for (std::string word; words >> word; used += word.size() + 1) {
    if (used + word.size() > 76) {
      lines += "\n           ";
      used = 10;
    }
    lines += (lines.empty() ? "" : " ") + word;
  }
  return lines + "\n";
}

std::string side_by_side(const std::string& what, const std::string& said,
                         const std::string& found) {
  return what + "\n  " + wrapped("you said: " + said) + "  " + wrapped("measured: " + found);
}

}  // namespace

void broken(Run& run, Report& report, const Matrix& x) {
  report.heading("Broken on purpose");
  const Vae start = mixture_model(run);
  const std::int64_t steps = mixture_steps(run) / 2;
  const Vae whole = train(run, x, start, {"whole", steps, 5e-3, always(1.0)}).model,
            no_kl = train(run, x, start, {"no KL", steps, 5e-3, always(0.0)}).model,
            huge = train(run, x, start, {"beta 100", steps, 5e-3, always(100.0)}).model;
  const Vae no_data =
      train(run, x, start, {"no reconstruction", steps, 5e-3, always(1.0), false, false}).model;
  ReportTable table{"What was measured",
                    {"", "squared error", "KL", "median sigma", "spread of mu", "active",
                     "decoded prior: Frechet"},
                    {}};
  for (const auto& [name, model] :
       {std::pair("whole, beta 1", &whole), std::pair("no KL", &no_kl),
        std::pair("no reconstruction", &no_data), std::pair("beta 100", &huge)}) {
    const Look look = look_at(*model, x, run.seed());
    const Matrix sigma = std_from_logvar(look.pass.q.log_var);
    const double spread = std::sqrt(double(look.pass.q.mu.squaredNorm()) / double(x.rows()));
    table.rows.push_back({name, decimal(look.terms.reconstruction, 3), decimal(look.terms.kl, 3),
                          decimal(median({sigma.data(), sigma.data() + sigma.size()}), 3),
                          decimal(spread, 2),
                          std::to_string(active_units(look.pass.q.mu, kActive).count),
                          decimal(frechet_distance(decode(*model, prior(run, 4096, 4)), x), 2)});
  }
  report.table(table);
  const bool same = start.decoder_hidden.bias == no_data.decoder_hidden.bias &&
                    start.decoder_hidden.weight == no_data.decoder_hidden.weight &&
                    start.decoder_output.weight == no_data.decoder_output.weight &&
                    start.decoder_output.bias == no_data.decoder_output.bias;
  const Matrix out = decode(huge, prior(run, 1000, 4));
  const double moved =
      double((out.rowwise() - out.colwise().mean()).rowwise().squaredNorm().mean());
  const double off = double((out.colwise().mean() - x.colwise().mean()).norm());
  const std::vector<std::string>&kept = table.rows[0], &free = table.rows[1];
  report.listing(
      side_by_side("no KL", prediction(run, "break_it_no_kl"),
                   "error " + free[1] + ", median sigma " + free[3] + ", spread of mu " + free[4] +
                       ", decoded draws of the prior at a distance of " + free[6] +
                       "; with beta 1: " + kept[1] + ", " + kept[3] + ", " + kept[4] + ", " +
                       kept[6]) +
          side_by_side("no reconstruction", prediction(run, "break_it_no_reconstruction"),
                       same ? "the decoder's weights are those of the start, bit for bit"
                            : "the decoder's weights have changed") +
          side_by_side("beta 100", prediction(run, "break_it_beta_hundred"),
                       "the decoder's output varies by " + decimal(moved, 4) +
                           " over draws of z; its mean is " + decimal(off, 3) + " from the data's"),
      "Your predictions, from answers.toml, beside what was measured");
}

}  // namespace latent::run04
