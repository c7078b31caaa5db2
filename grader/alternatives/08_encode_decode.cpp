#include "grader/judge/misconception.hpp"
