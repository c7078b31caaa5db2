# add_lab(<NN_name> [USES <NN_name>...])
#
# The one build function of the project; a lab's CMakeLists.txt is one call of it. It adds the lab's
# files of every wing to the grader:
#   grader/{dispatch,hidden,questions}/NN_name.cpp     to the judge
#   grader/{misconceptions,alternatives}/NN_name.cpp   to the judge, with solutions/NN_name, if there
#   grader/stubs/NN_name/*.cpp                         to the kit, as objects for what is not written yet
#   solutions/NN_name/*.cpp                            to the kit, as reference for later labs
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
  foreach(stub IN LISTS stubs)
    cmake_path(GET stub STEM exercise)
    latentlab_kit_object(${stub} stubs/${name}/${exercise}.o)
  endforeach()
  latentlab_kit_object(${root}/grader/dispatch/${name}.cpp dispatch/${name}.o)

  target_include_directories(latentlab_labs INTERFACE ${includes})
  target_sources(latentlab_judge_labs PRIVATE
    ${root}/grader/dispatch/${name}.cpp ${root}/grader/hidden/${name}.cpp ${root}/grader/questions/${name}.cpp)

  file(GLOB solutions CONFIGURE_DEPENDS ${root}/solutions/${name}/*.cpp)
  list(FILTER solutions EXCLUDE REGEX "/fast[^/]*\\.cpp$")
  if(solutions)
    foreach(solution IN LISTS solutions)
      cmake_path(GET solution STEM exercise)
      latentlab_kit_object(${solution} reference/${name}/${exercise}.o)
    endforeach()
    target_sources(latentlab_judge_labs PRIVATE ${solutions}
      ${root}/grader/misconceptions/${name}.cpp ${root}/grader/alternatives/${name}.cpp)
  else()
    # A hand-out: the functions of the judge's table are the stubs, and are never called.
    target_sources(latentlab_judge_labs PRIVATE ${stubs})
  endif()

  file(GLOB learners CONFIGURE_DEPENDS ${root}/labs/${name}/*.cpp)
  if(learners)
    add_library(lab_${name} OBJECT EXCLUDE_FROM_ALL ${learners})
    target_include_directories(lab_${name} PRIVATE ${includes})
    target_link_libraries(lab_${name} PRIVATE latentlab_common)
  endif()
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
