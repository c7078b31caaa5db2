# Kernels: solutions/NN_name/K_name.cu beside K_name.cpp, and K_name.device.cpp, which keeps the contract around them.
#
# latentlab_device(<NN_name> [<lab it uses>...]), where the lab has kernels:
#   kernels_{cuda,emulated}_NN_name   libraries: the .cu files, for GPUs and for the processor. No Eigen in them, so
#                                     that they fit whatever they are linked with.
#   worker_{cuda,emulated}_NN_name    variants/NN_name.{cuda,emulated}, which answer the judge's questions: the lab's
#                                     functions, on the device wherever there is a .cu, and the kit's objects otherwise
# Those for cuda only where CMake finds nvcc; where it does not, nothing is missing.

option(LATENTLAB_CUDA "Compile the kernels for GPUs, where nvcc is found" ON)
# Ampere, Hopper, and an intermediate form that a driver translates for what comes later.
set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 90-virtual)

# Does it compile for them, with this compiler and cuBLAS? An nvcc that is too old for g++ must not stop anybody's build.
function(_latentlab_try_nvcc)
  find_program(LATENTLAB_NVCC NAMES nvcc PATHS /usr/local/cuda/bin $ENV{CUDA_HOME}/bin)
  mark_as_advanced(LATENTLAB_NVCC)
  if(NOT LATENTLAB_NVCC OR DEFINED LATENTLAB_NVCC_WORKS)
    return()
  endif()
  set(trial ${PROJECT_BINARY_DIR}/CMakeFiles/nvcc_trial)
  file(WRITE ${trial}.cu "#include <cublas_v2.h>\n__global__ void f() {}\nint main() { f<<<1, 1>>>(); return cublasCreate(nullptr); }\n")
  execute_process(COMMAND ${LATENTLAB_NVCC} -std=c++17 -ccbin ${CMAKE_CXX_COMPILER} -gencode arch=compute_80,code=sm_80
    -gencode arch=compute_90,code=[sm_90,compute_90] ${trial}.cu -o ${trial} -lcublas
    RESULT_VARIABLE status OUTPUT_FILE ${trial}.txt ERROR_FILE ${trial}.txt)
  set(works FALSE)
  if(status EQUAL 0)
    set(works TRUE)
  else()
    message(STATUS "Kernels are not compiled for GPUs: see ${trial}.txt for what ${LATENTLAB_NVCC} says")
  endif()
  set(LATENTLAB_NVCC_WORKS ${works} CACHE INTERNAL "Whether nvcc compiles for what we want with our compiler")
endfunction()

set(LATENTLAB_HAS_CUDA false)
if(LATENTLAB_CUDA AND NOT LATENTLAB_SANITIZE)
  _latentlab_try_nvcc()
  if(LATENTLAB_NVCC_WORKS)
    set(CMAKE_CUDA_COMPILER ${LATENTLAB_NVCC})
    set(CMAKE_CUDA_STANDARD 17)  # what CMake 3.25 knows of
    set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    set(LATENTLAB_CUDA_LIBRARIES ${CUDA_cudart_LIBRARY} ${CUDA_cublas_LIBRARY} "-Wl,-rpath,${CUDAToolkit_LIBRARY_DIR}")
    set(LATENTLAB_HAS_CUDA true)
  endif()
endif()

set(LATENTLAB_KINDS emulated)
if(LATENTLAB_HAS_CUDA)
  list(APPEND LATENTLAB_KINDS cuda)
endif()

# CUDA counts threads without a sign. To be linked after latentlab_options, whose warnings it takes one from.
add_library(latentlab_unsigned_threads INTERFACE)
target_compile_options(latentlab_unsigned_threads INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)

# What both kinds of a target are told.
function(_latentlab_device_options target kind)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/common/include)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-O2>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)  # GCC 12 suspects Eigen's empty matrices
  if(kind STREQUAL cuda)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--extended-lambda>")
    target_link_libraries(${target} PUBLIC CUDA::cudart CUDA::cublas)
  else()
    target_compile_definitions(${target} PUBLIC LATENTLAB_EMULATED)
  endif()
endfunction()

# A library of .cu files. For the processor each is included by a .cpp file: one source cannot be of two languages.
function(latentlab_kernels name kind)
  set(sources)
  foreach(source IN LISTS ARGN)
    if(kind STREQUAL emulated)
      cmake_path(GET source STEM stem)
      set(wrapped ${CMAKE_CURRENT_BINARY_DIR}/emulated/${stem}.cpp)
      file(CONFIGURE OUTPUT ${wrapped} CONTENT "#include \"${source}\"\n" @ONLY)
      list(APPEND sources ${wrapped})
    else()
      list(APPEND sources ${source})
    endif()
  endforeach()
  add_library(kernels_${kind}_${name} STATIC EXCLUDE_FROM_ALL ${sources})
  set_target_properties(kernels_${kind}_${name} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${LATENTLAB_VARIANTS_DIR})
  _latentlab_device_options(kernels_${kind}_${name} ${kind})
  if(kind STREQUAL emulated)
    target_link_libraries(kernels_emulated_${name} PRIVATE latentlab_options latentlab_unsigned_threads)
  endif()
endfunction()

# Called once, by common/: what all labs' kernels need, and a program that names the GPU there is, or fails.
function(latentlab_device_runtime)
  set(common ${PROJECT_SOURCE_DIR}/common/src)
  foreach(kind IN LISTS LATENTLAB_KINDS)
    latentlab_kernels(common ${kind} ${common}/device.cu)
  endforeach()
  target_sources(kernels_emulated_common PRIVATE ${common}/emulated_device.cpp)
  if(LATENTLAB_HAS_CUDA)
    add_executable(device_name EXCLUDE_FROM_ALL ${common}/device_name.cpp)
    _latentlab_device_options(device_name cuda)
    target_link_libraries(device_name PRIVATE kernels_cuda_common)
    set_target_properties(device_name PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${LATENTLAB_VARIANTS_DIR})
  endif()
endfunction()

function(latentlab_device name)
  set(root ${PROJECT_SOURCE_DIR})
  file(GLOB kernels CONFIGURE_DEPENDS ${root}/solutions/${name}/*.cu)
  if(NOT kernels)
    return()
  endif()
  file(GLOB functions CONFIGURE_DEPENDS ${root}/solutions/${name}/*.device.cpp)
  get_property(objects GLOBAL PROPERTY LATENTLAB_WORKER_OBJECTS)
  list(APPEND objects ${LATENTLAB_KIT_DIR}/dispatch/${name}.o)
  foreach(lab IN ITEMS ${name} LISTS ARGN)
    file(GLOB solutions CONFIGURE_DEPENDS ${root}/solutions/${lab}/*.cpp)
    list(FILTER solutions EXCLUDE REGEX "\\.(fast|device)\\.cpp$")
    foreach(solution IN LISTS solutions)
      cmake_path(GET solution STEM exercise)
      if(lab STREQUAL name AND EXISTS ${root}/solutions/${name}/${exercise}.cu)
        continue()
      endif()
      list(APPEND objects ${LATENTLAB_REFERENCE_DIR}/${lab}/${exercise}.o)
    endforeach()
  endforeach()
  foreach(kind IN LISTS LATENTLAB_KINDS)
    latentlab_kernels(${name} ${kind} ${kernels})
    target_link_libraries(kernels_${kind}_${name} PUBLIC kernels_${kind}_common)
    foreach(used IN LISTS ARGN)  # a step of one lab may be a launch of another's
      target_link_libraries(kernels_${kind}_${name} PUBLIC $<TARGET_NAME_IF_EXISTS:kernels_${kind}_${used}>)
    endforeach()
    add_executable(worker_${kind}_${name} EXCLUDE_FROM_ALL ${functions} ${objects})
    _latentlab_device_options(worker_${kind}_${name} ${kind})
    foreach(lab IN ITEMS ${name} LISTS ARGN)
      target_include_directories(worker_${kind}_${name} PRIVATE ${root}/labs/${lab})
      add_dependencies(worker_${kind}_${name} kit_${lab})
    endforeach()
    target_link_libraries(worker_${kind}_${name} PRIVATE latentlab_options kernels_${kind}_${name})
    set_target_properties(worker_${kind}_${name} PROPERTIES OUTPUT_NAME ${name}.${kind}
      RUNTIME_OUTPUT_DIRECTORY ${LATENTLAB_VARIANTS_DIR})
    add_dependencies(author_${name} worker_${kind}_${name})
  endforeach()
  if(LATENTLAB_HAS_CUDA)
    add_dependencies(author_${name} device_name)
  endif()
endfunction()

# latentlab_device_program(<name> <source>...): <name>_emulated, and <name>_cuda where there is nvcc, made of all kernels.
function(latentlab_device_program name)
  file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/solutions/*/*.cu)
  foreach(kind IN LISTS LATENTLAB_KINDS)
    add_executable(${name}_${kind} ${ARGN})
    _latentlab_device_options(${name}_${kind} ${kind})
    target_link_libraries(${name}_${kind} PRIVATE latentlab_common)
    foreach(kernel IN LISTS kernels)
      cmake_path(GET kernel PARENT_PATH folder)
      cmake_path(GET folder FILENAME lab)
      target_link_libraries(${name}_${kind} PRIVATE kernels_${kind}_${lab})
    endforeach()
    add_dependencies(suites ${name}_${kind})
  endforeach()
endfunction()
