// Includes the solution by absolute path.
// verdict: does_not_compile
// secrecy

#include "@ROOT@/solutions/01_autoencoder/2_linear_forward.cpp"
