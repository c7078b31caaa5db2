/// @file
/// Two runs side by side.
#pragma once

#include <string>

namespace latent::grader {

/// Prints the numbers that two runs share, next to each other, and writes a page with both reports.
/// @param first   Folder of a run, or "01/2" for one of .lab/runs.
/// @param second  Likewise.
/// @param out     The page; empty: compare.html beside the runs.
/// @return        An exit status.
/// @throws UsageError  if one of them is not the folder of a run with a report.
int compare_runs(const std::string& first, const std::string& second, const std::string& out);

}  // namespace latent::grader
