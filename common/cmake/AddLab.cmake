# add_lab(<NN_name> [USES <NN_name>...])
#
# The one build function of the project; a lab's CMakeLists.txt is one call of it. It takes the lab's
# files from every wing:
#   grader/{dispatch,questions}/NN_name.cpp         into the tool, which knows every lab's table
#   grader/{dispatch,hidden,misconceptions}/NN_name.cpp, solutions/NN_name/*.cpp
#                                                   into judges/NN_name.so, loaded when the lab is judged
#   grader/alternatives/NN_name.cpp                 into judges/NN_name.author.so, loaded by author check
#   grader/stubs/NN_name/*.cpp                      to the kit, as objects for what is not written yet
#   solutions/NN_name/*.cpp                         to the kit, as reference for later labs
#   solutions/NN_name/*.fast.cpp, *.cu, *.device.cpp into workers of their own, see Variants.cmake and Cuda.cmake
# and a library of the learner's own files, which nothing builds, for editors to find their flags.
# USES names the earlier labs whose contracts this one includes.
function(add_lab name)
  cmake_parse_arguments(PARSE_ARGV 1 lab "" "" "USES")
  set(root ${PROJECT_SOURCE_DIR})
  set(includes ${root}/labs/${name})
  foreach(used IN LISTS lab_USES)
    list(APPEND includes ${root}/labs/${used})
  endforeach()
  _latentlab_check_folder(${name})

  file(GLOB stubs CONFIGURE_DEPENDS ${root}/grader/stubs/${name}/*.cpp)
  file(GLOB solutions CONFIGURE_DEPENDS ${root}/solutions/${name}/*.cpp)
  list(FILTER solutions EXCLUDE REGEX "\\.(fast|device)\\.cpp$")

  foreach(stub IN LISTS stubs)
    cmake_path(GET stub STEM exercise)
    latentlab_kit_object(${stub} stubs/${name}/${exercise}.o ${name})
  endforeach()
  set(references)
  foreach(solution IN LISTS solutions)
    cmake_path(GET solution STEM exercise)
    latentlab_kit_object(${solution} reference/${name}/${exercise}.o ${name})
    list(APPEND references ${LATENTLAB_REFERENCE_DIR}/${name}/${exercise}.o)
  endforeach()
  latentlab_kit_object(${root}/grader/dispatch/${name}.cpp dispatch/${name}.o ${name})

  target_sources(latentlab_tables PRIVATE ${root}/grader/dispatch/${name}.cpp ${root}/grader/questions/${name}.cpp)
  target_include_directories(latentlab_tables PRIVATE ${includes})

  set(sources ${root}/grader/dispatch/${name}.cpp ${root}/grader/hidden/${name}.cpp)
  if(NOT solutions)
    list(APPEND sources ${stubs})  # a hand-out: the functions of the judge's table are never called
  elseif(LATENTLAB_SANITIZE)
    list(APPEND sources ${root}/grader/misconceptions/${name}.cpp ${solutions})
  else()
    list(APPEND sources ${root}/grader/misconceptions/${name}.cpp ${references})
  endif()
  if(LATENTLAB_SANITIZE)
    # Wrong on purpose, and half of what takes long to compile: without the sanitizers, and so
    # without the precompiled header, whose first line they need all the same.
    set_source_files_properties(${root}/grader/misconceptions/${name}.cpp PROPERTIES
      SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "-fno-sanitize=all;-include;grader/wire/eigen_misuse.hpp")
  endif()
  _latentlab_loaded(judge_${name} ${name} ${sources})
  foreach(used IN LISTS lab_USES)
    target_link_libraries(judge_${name} PRIVATE judge_${used})
  endforeach()
  add_dependencies(judge_${name} kit_${name})
  add_dependencies(suites judge_${name})
  if(solutions)
    _latentlab_loaded(author_${name} ${name}.author ${root}/grader/alternatives/${name}.cpp)
    target_link_libraries(author_${name} PRIVATE judge_${name})
    latentlab_variants(${name} ${lab_USES})
    latentlab_device(${name} ${lab_USES})
    set_property(GLOBAL APPEND PROPERTY LATENTLAB_REFERENCES ${references})
    if(BUILD_TESTING)
      # One seed, so that a run that failed fails again. `author check --sweep` looks for luck.
      add_test(NAME author.${name} COMMAND tool author check ${name} --seed 1)
      set_tests_properties(author.${name} PROPERTIES LABELS author)
    endif()
  endif()

  file(GLOB learners CONFIGURE_DEPENDS ${root}/labs/${name}/*.cpp ${root}/labs/${name}/experiment/*.cpp)
  if(learners)
    add_library(lab_${name} OBJECT EXCLUDE_FROM_ALL ${learners})
    target_include_directories(lab_${name} PRIVATE ${includes})
    target_link_libraries(lab_${name} PRIVATE latentlab_common)
  endif()
endfunction()

# A library that the judge loads; it finds the judge's functions in the program that loads it.
function(_latentlab_loaded target file)
  add_library(${target} SHARED ${ARGN})
  target_include_directories(${target} PRIVATE ${includes})
  target_link_libraries(${target} PRIVATE latentlab_judge_api)
  target_precompile_headers(${target} REUSE_FROM latentlab_judge)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${file} DEFINE_SYMBOL ""
    LIBRARY_OUTPUT_DIRECTORY ${LATENTLAB_JUDGES_DIR})
endfunction()

# A lab is one folder or file per wing: say at once which one is missing.
function(_latentlab_check_folder name)
  foreach(wing dispatch hidden questions misconceptions alternatives)
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/grader/${wing}/${name}.cpp)
      message(FATAL_ERROR "add_lab(${name}): expected grader/${wing}/${name}.cpp, see CONTRIBUTING.md")
    endif()
  endforeach()
  if(NOT IS_DIRECTORY ${PROJECT_SOURCE_DIR}/grader/stubs/${name})
    message(FATAL_ERROR "add_lab(${name}): expected grader/stubs/${name}/, see CONTRIBUTING.md")
  endif()
endfunction()
