# Submissions that try to cheat or to break the grader, graded by the real tool in both sandboxes.
add_executable(attacks_test attacks_test.cpp)
target_link_libraries(attacks_test PRIVATE latentlab_options GTest::gtest GTest::gtest_main nlohmann_json::nlohmann_json)
target_compile_definitions(attacks_test PRIVATE
  ATTACKS_TOOL="$<TARGET_FILE:tool>" ATTACKS_ROOT="${PROJECT_SOURCE_DIR}"
  ATTACKS_STATE="${CMAKE_CURRENT_BINARY_DIR}/attacks_state")
add_dependencies(attacks_test tool)

# One test per sandbox, not one per attack: all share the honest neighbours' objects.
foreach(mode full reduced)
  add_test(NAME attacks_${mode} COMMAND attacks_test)
  set_tests_properties(attacks_${mode} PROPERTIES LABELS attacks TIMEOUT 900
    ENVIRONMENT "LATENTLAB_SANDBOX=${mode}")
endforeach()
