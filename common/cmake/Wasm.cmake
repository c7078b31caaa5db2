# The labs' functions for the handbook's figures, as WebAssembly: two modules, the reference's and the reader's own.
#
# latentlab_wasm(<script> <available>)
# Sets <script> to a file to be built, which holds both modules and which exercises are the reader's. Where no compiler
# for WebAssembly is found, or its libraries are missing, <available> is false and <script> empty.
#
# The reader's files are compiled one by one, and one that clang refuses, or that cannot be linked, is left out and
# said to be: the handbook never fails because of labs/.

find_program(LATENT_CLANG NAMES clang++)
find_program(LATENT_WASM_LD NAMES wasm-ld)
mark_as_advanced(LATENT_CLANG LATENT_WASM_LD)

set(wasm_flags --target=wasm32-wasi -std=c++20 -O1 -msimd128 -ffp-contract=off -fvisibility=hidden)

# Is all of it there? A compiler without its libraries is found as well.
function(_latentlab_try_wasm result)
  set(${result} FALSE PARENT_SCOPE)
  if(NOT LATENT_CLANG OR NOT LATENT_WASM_LD)
    return()
  endif()
  set(trial ${CMAKE_CURRENT_BINARY_DIR}/wasm/trial)
  file(WRITE ${trial}.cpp "#include <vector>\n#include <cmath>\nint main(int n, char**) { return static_cast<int>(std::sqrt(n)); }\n")
  execute_process(COMMAND ${LATENT_CLANG} ${wasm_flags} ${trial}.cpp -o ${trial}.wasm
    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    set(${result} TRUE PARENT_SCOPE)
  endif()
endfunction()

function(latentlab_wasm script available)
  set(${script} "" PARENT_SCOPE)
  _latentlab_try_wasm(works)
  set(${available} ${works} PARENT_SCOPE)
  if(NOT works)
    return()
  endif()
  set(root ${PROJECT_SOURCE_DIR})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/wasm)
  get_target_property(eigen Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  file(GLOB labs CONFIGURE_DEPENDS RELATIVE ${root}/labs ${root}/labs/[0-9][0-9]_*)
  set(command ${LATENT_CLANG} ${wasm_flags} -I${root} -I${root}/common/include -isystem ${eigen})
  foreach(lab IN LISTS labs)
    list(APPEND command -I${root}/labs/${lab})
  endforeach()

  set(prelude ${out}/prelude.pch)
  add_custom_command(OUTPUT ${prelude}
    COMMAND ${command} -x c++-header -MD -MF ${prelude}.d -MT ${prelude} ${root}/grader/worker/prelude.hpp -o ${prelude}
    DEPFILE ${prelude}.d VERBATIM COMMENT "WebAssembly: prelude")
  list(APPEND command -include-pch ${prelude})

  # object(<source> <name>) appends to objects.
  set(objects)
  macro(object source name)
    set(output ${out}/${name}.o)
    cmake_path(GET output PARENT_PATH folder)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${output}
      COMMAND ${command} -MD -MF ${output}.d -c ${source} -o ${output}
      DEPENDS ${source} ${prelude} DEPFILE ${output}.d VERBATIM COMMENT "WebAssembly: ${name}")
    list(APPEND objects ${output})
  endmacro()

  object(${root}/docs/interactives/module.cpp runtime/module)
  foreach(stem dispatch frame value)
    object(${root}/grader/wire/${stem}.cpp runtime/${stem})
  endforeach()
  foreach(source IN LISTS LATENTLAB_COMMON_SOURCES)
    cmake_path(GET source STEM stem)
    object(${source} runtime/common_${stem})
  endforeach()
  set(own)
  foreach(lab IN LISTS labs)
    object(${root}/grader/dispatch/${lab}.cpp dispatch/${lab})
    file(GLOB stubs CONFIGURE_DEPENDS ${root}/grader/stubs/${lab}/*.cpp)
    file(GLOB contract ${root}/labs/${lab}/*.hpp)
    foreach(stub IN LISTS stubs)
      cmake_path(GET stub STEM exercise)
      set(solution ${root}/solutions/${lab}/${exercise}.cpp)
      if(NOT EXISTS ${solution})
        set(solution ${stub})  # a hand-out: what nobody has written has no figure
      endif()
      object(${solution} reference/${lab}/${exercise})

      set(source ${root}/labs/${lab}/${exercise}.cpp)
      set(verdict ${out}/own/${lab}/${exercise}.json)
      file(GLOB present CONFIGURE_DEPENDS ${source})
      file(MAKE_DIRECTORY ${out}/own/${lab})
      add_custom_command(OUTPUT ${verdict}
        COMMAND ${LATENT_NODE} ${root}/docs/tools/compile_own.cjs ${source} ${stub} ${out}/own/${lab}/${exercise}.o ${verdict}
                ${command}
        DEPENDS ${present} ${stub} ${contract} ${prelude} ${root}/docs/tools/compile_own.cjs
        VERBATIM COMMENT "WebAssembly: labs/${lab}/${exercise}")
      list(APPEND own ${verdict})
    endforeach()
  endforeach()

  file(WRITE ${out}/objects.txt "${objects}")
  file(WRITE ${out}/compile.txt "${command}")  # for the tests, which compile readers' files of their own
  add_custom_command(OUTPUT ${out}/functions.js
    COMMAND ${LATENT_NODE} ${root}/docs/tools/link_functions.cjs ${LATENT_CLANG} ${out}/objects.txt ${out}/own ${out}
    DEPENDS ${objects} ${own} ${root}/docs/tools/link_functions.cjs ${root}/docs/interactives/engine.js
    VERBATIM COMMENT "WebAssembly: modules")
  set(${script} ${out}/functions.js PARENT_SCOPE)
endfunction()
