# The kit: everything that compiling and linking a submission needs, in build/kit, and nothing else.
# It is all that a jailed compiler sees of this project: contracts, common/, the precompiled prelude,
# the objects of the worker. References lie apart, in build/reference: only the linker sees them.
#
# Kit objects are compiled with the very command that the tool uses for learners' files, whatever
# the build type of the judge, so that the two always fit.

find_program(LATENTLAB_MOLD mold)
set(LATENTLAB_HAS_MOLD false)
if(LATENTLAB_MOLD)
  set(LATENTLAB_HAS_MOLD true)
endif()
set(LATENTLAB_KIT_DIR ${PROJECT_BINARY_DIR}/kit)
set(LATENTLAB_REFERENCE_DIR ${PROJECT_BINARY_DIR}/reference)
set(LATENTLAB_JUDGES_DIR ${PROJECT_BINARY_DIR}/judges)
get_target_property(eigen_include Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
file(REAL_PATH ${CMAKE_CXX_COMPILER} LATENTLAB_KIT_COMPILER)
# The real path of clang++ is clang: it must be called by the name that makes it a C++ compiler.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  string(APPEND LATENTLAB_KIT_COMPILER "++")
  if(NOT EXISTS ${LATENTLAB_KIT_COMPILER})
    set(LATENTLAB_KIT_COMPILER ${CMAKE_CXX_COMPILER})
  endif()
endif()
set(LATENTLAB_KIT_FLAGS -std=c++20 -O1 -fPIC -pipe -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -fno-diagnostics-color -isystem ${eigen_include})
set(prelude ${LATENTLAB_KIT_DIR}/include/grader/worker/prelude.hpp)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  set(precompiled ${prelude}.pch)
  set(LATENTLAB_KIT_PRELUDE -include-pch ${precompiled})
  set(pch_flags -Xclang -fno-pch-timestamp)
else()
  set(precompiled ${prelude}.gch)
  set(LATENTLAB_KIT_PRELUDE -include ${prelude})
endif()

# latentlab_kit_object(<source> <object, below build/kit or, for references, below build> [<NN_name>])
# The command itself is written by latentlab_finish_kit, in one place for all folders. What belongs to
# a lab is built with its judge, by the target kit_NN_name; the rest by the target kit.
function(latentlab_kit_object source object)
  set_property(GLOBAL APPEND PROPERTY LATENTLAB_KIT_SOURCES "${source}|${object}|${ARGV2}")
endfunction()

# latentlab_finish_kit(): the targets, after all labs.
function(latentlab_finish_kit)
  file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/common/include/common/*.hpp ${PROJECT_SOURCE_DIR}/labs/*/*.hpp)
  list(FILTER headers EXCLUDE REGEX "helpers\\.hpp$")  # the learner's own
  list(APPEND headers grader/worker/prelude.hpp grader/wire/eigen_misuse.hpp)
  set(kit_headers)
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "^common/include/|^labs/[^/]*/" "" inside ${header})
    set(copy ${LATENTLAB_KIT_DIR}/include/${inside})
    add_custom_command(OUTPUT ${copy}
      COMMAND ${CMAKE_COMMAND} -E copy ${PROJECT_SOURCE_DIR}/${header} ${copy}
      DEPENDS ${PROJECT_SOURCE_DIR}/${header} VERBATIM COMMENT "kit: ${inside}")
    list(APPEND kit_headers ${copy})
  endforeach()
  add_custom_command(OUTPUT ${precompiled}
    COMMAND ${LATENTLAB_KIT_COMPILER} ${LATENTLAB_KIT_FLAGS} ${pch_flags} -I${LATENTLAB_KIT_DIR}/include
            -x c++-header ${prelude} -o ${precompiled}
    DEPENDS ${kit_headers} VERBATIM COMMENT "kit: precompiled prelude")

  get_property(sources GLOBAL PROPERTY LATENTLAB_KIT_SOURCES)
  set(groups)
  foreach(entry IN LISTS sources)
    string(REPLACE "|" ";" entry "${entry}")
    list(POP_FRONT entry source object lab)
    set(output ${LATENTLAB_KIT_DIR}/${object})
    if(object MATCHES "^reference/")
      set(output ${PROJECT_BINARY_DIR}/${object})
    endif()
    cmake_path(GET output PARENT_PATH folder)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${output}
      COMMAND ${LATENTLAB_KIT_COMPILER} ${LATENTLAB_KIT_FLAGS} ${LATENTLAB_KIT_PRELUDE}
              -I${LATENTLAB_KIT_DIR}/include -I${PROJECT_SOURCE_DIR} -ffp-contract=off
              -MD -MF ${output}.d -c ${source} -o ${output}
      COMMAND sh -c "nm -P -g --defined-only '${output}' > '${output}.sym'"
      DEPENDS ${source} ${precompiled} DEPFILE ${output}.d VERBATIM COMMENT "kit: ${object}")
    list(APPEND objects_${lab} ${output})
    list(APPEND groups "${lab}")
  endforeach()
  add_custom_target(kit DEPENDS ${objects_} ${precompiled} ${kit_headers})
  list(REMOVE_DUPLICATES groups)
  foreach(lab IN LISTS groups)
    if(lab)
      add_custom_target(kit_${lab} DEPENDS ${objects_${lab}})
      add_dependencies(kit_${lab} kit)
    endif()
  endforeach()
endfunction()
