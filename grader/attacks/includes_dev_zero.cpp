// Lets the compiler read a file that never ends.
// verdict: does_not_compile

#include "/dev/random"
#include "/dev/stdin"
#include "/dev/zero"
