// Includes the hidden test, whose first lines an error would show, and the linker's view of the
// reference.
// verdict: does_not_compile
// secrecy

#include "@ROOT@/grader/hidden/01_autoencoder.cpp"
#include "@ROOT@/solutions/01_autoencoder/answers.toml"
