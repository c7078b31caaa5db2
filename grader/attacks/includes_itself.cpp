// Includes itself twice, two hundred levels deep.
// verdict: does_not_compile

#include __FILE__
#include __FILE__
