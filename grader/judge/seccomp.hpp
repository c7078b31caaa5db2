/// @file
/// Seccomp: system calls that neither a compiler nor an exercise needs, and with which a program
/// could reach other processes, take memory that no limit counts, or leave something behind.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace latent::grader {

/// A filter for the program about to be started.
/// @param shares_processes  Whether it sees the processes of its user, as it does outside a process
///                          namespace. It then may signal nobody but itself, and cannot leave the
///                          process group by which we kill it.
/// @return Empty on machines that this filter has not been written for.
std::vector<sock_filter> call_filter(bool shares_processes);

/// Puts this process and its children behind the filter, for good. Needs no-new-privileges.
void restrict_calls(std::vector<sock_filter> filter);

}  // namespace latent::grader
