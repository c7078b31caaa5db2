# Faster solutions: K_name.fast.cpp stands beside K_name.cpp in solutions/NN_name, and is made of the same contract.
#
# latentlab_variants(<NN_name> [<lab it uses>...])
#   fast_NN_name          library: the lab's solutions, the fast one wherever there is one
#   worker_fast_NN_name   variants/NN_name.fast, which answers the judge's questions with it: `author check` asks all of
#                         the lab's properties. Only if the lab has a fast solution.
# Everything linked into one program has the same flags, because Eigen aligns its matrices as they say.

option(LATENTLAB_BLAS "Let OpenBLAS, where it is installed, multiply for the fast solutions" ON)
set(LATENTLAB_OPENBLAS "")
if(LATENTLAB_BLAS)
  find_library(LATENTLAB_OPENBLAS_LIBRARY NAMES openblas)
  if(LATENTLAB_OPENBLAS_LIBRARY)
    set(LATENTLAB_OPENBLAS ${LATENTLAB_OPENBLAS_LIBRARY})
  endif()
endif()
set(LATENTLAB_VARIANTS_DIR ${PROJECT_BINARY_DIR}/variants)

add_library(latentlab_fast INTERFACE)
target_link_libraries(latentlab_fast INTERFACE latentlab_options)
target_include_directories(latentlab_fast INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/common/include)
# Not for this machine alone where sanitizers look: Clang's own AVX-512 header does not please them.
target_compile_options(latentlab_fast INTERFACE -O3 $<$<NOT:$<BOOL:${LATENTLAB_SANITIZE}>>:-march=native>
  "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-restrict;-Wno-array-bounds>")  # GCC 12 warns of its own headers
if(LATENTLAB_OPENBLAS)
  target_compile_definitions(latentlab_fast INTERFACE EIGEN_USE_BLAS LATENTLAB_BLAS)
  target_link_libraries(latentlab_fast INTERFACE ${LATENTLAB_OPENBLAS})
endif()

# common/ and the worker's loop, for these flags. Drawn numbers have the same bits everywhere.
function(latentlab_variant_runtime)
  set(wire ${PROJECT_SOURCE_DIR}/grader/wire)
  add_library(fast_common STATIC EXCLUDE_FROM_ALL ${LATENTLAB_COMMON_SOURCES})
  target_compile_options(fast_common PRIVATE -ffp-contract=off)
  target_link_libraries(fast_common PUBLIC latentlab_fast)
  add_library(fast_worker STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/grader/worker/worker_main.cpp
    ${wire}/answer.cpp ${wire}/dispatch.cpp ${wire}/frame.cpp ${wire}/value.cpp)
  target_compile_options(fast_worker PRIVATE -include grader/wire/eigen_misuse.hpp)  # before Eigen, or not at all
  target_link_libraries(fast_worker PUBLIC fast_common)
endfunction()

function(latentlab_variants name)
  set(root ${PROJECT_SOURCE_DIR})
  if(NOT TARGET fast_common)
    latentlab_variant_runtime()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${root}/solutions/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "\\.device\\.cpp$")
  set(fast ${sources})
  list(FILTER fast INCLUDE REGEX "\\.fast\\.cpp$")
  foreach(source IN LISTS fast)
    string(REGEX REPLACE "\\.fast\\.cpp$" ".cpp" plain ${source})
    list(REMOVE_ITEM sources ${plain})
  endforeach()
  add_library(fast_${name} STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(fast_${name} PUBLIC ${root}/labs/${name})
  target_link_libraries(fast_${name} PUBLIC fast_common)
  foreach(used IN LISTS ARGN)
    target_link_libraries(fast_${name} PUBLIC fast_${used})
  endforeach()
  if(NOT fast)
    return()
  endif()
  add_executable(worker_fast_${name} EXCLUDE_FROM_ALL ${root}/grader/dispatch/${name}.cpp)
  target_link_libraries(worker_fast_${name} PRIVATE fast_worker fast_${name} fast_worker)
  set_target_properties(worker_fast_${name} PROPERTIES OUTPUT_NAME ${name}.fast
    RUNTIME_OUTPUT_DIRECTORY ${LATENTLAB_VARIANTS_DIR})
  add_dependencies(author_${name} worker_fast_${name})
endfunction()
