#include "grader/judge/question.hpp"
