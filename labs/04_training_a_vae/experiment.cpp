// `./lab run 4`: VAEs trained with your functions. One that draws pictures, one that has an exact
// answer, a sweep of beta, three that are broken on purpose. Each is a file in experiment/.

#include "common/experiment.hpp"

#include "common/dataset.hpp"
#include "common/report.hpp"
#include "experiment/parts.hpp"

namespace latent {

std::vector<ExperimentOption> experiment_options() {
  return picture_options();
}

void run_experiment(Run& run) {
  const ImageSplit data = images_for(run, 8192, 1024);
  if (data.test.x.rows() < 12) throw FileError("--data: expected at least 60 pictures");
  Report report("VAEs, trained, swept and broken", run);
  run04::pictures(run, report, data);
  run04::organised(run, report, data);
  run04::law(run, report);
  const Matrix mixture = mixture8(run.seed(), 4096).x;
  run04::sweep(run, report, mixture);
  run04::broken(run, report, mixture);
  run04::annealing(run, report, data);
  run04::likelihoods(run, report, data);
  run04::blur(run, report);
  report.try_next(
      {"./lab run 4 --data DIR with handwritten digits: which of them does the prior draw best?",
       "In experiment/pictures.cpp, set kPictureBeta to 0.03 and to 3: reconstructions, samples, "
       "active "
       "units?",
       "Write your three predictions into labs/04_training_a_vae/answers.toml and run again.",
       "Let kl_standard_normal return half of its gradient. Where does the law notice first?"});
  report.finish();
}

}  // namespace latent
