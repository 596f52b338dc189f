include(GoogleTest)

configure_file(${CMAKE_SOURCE_DIR}/cmake/test_paths.cpp.in ${CMAKE_BINARY_DIR}/test_paths.cpp @ONLY)
add_library(lmpo_test_paths STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/test_paths.cpp)
target_link_libraries(lmpo_test_paths PRIVATE lmpo_base lmpo_flags)

# lmpo_module(name HOT USES module... WITHOUT regex LINKS target...): one folder of src/ as a module. Its *.cpp become the library
# lmpo_<name>, its *_test.cpp the program <name>_test, its *_bench.cpp the program <name>_bench.
# USES names the modules it may include, as in docs/design.md. Files that match WITHOUT are left out. A subfolder plugin/ is
# left to the module's own CMakeLists.txt. HOT modules are optimised in the sanitizers' builds, too; the others compile in half the
# time without.
function(lmpo_module name)
  cmake_parse_arguments(MODULE "HOT" "WITHOUT" "USES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/plugin/")
  if(MODULE_WITHOUT)
    list(FILTER sources EXCLUDE REGEX "${MODULE_WITHOUT}")
  endif()
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")
  list(TRANSFORM MODULE_USES PREPEND lmpo_)
  if(NOT sources)
    file(WRITE ${CMAKE_BINARY_DIR}/empty_${name}.cpp "")
    set(sources ${CMAKE_BINARY_DIR}/empty_${name}.cpp)
  endif()
  add_library(lmpo_${name} STATIC ${sources})
  target_include_directories(lmpo_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(lmpo_${name} PUBLIC ${MODULE_USES} ${MODULE_LINKS} PRIVATE lmpo_flags lmpo_coverage)
  if(MODULE_HOT)
    target_compile_options(lmpo_${name} PRIVATE ${LMPO_HOT_OPTIONS})
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    set_target_properties(${name}_test PROPERTIES UNITY_BUILD_BATCH_SIZE 8)
    target_compile_options(${name}_test PRIVATE -O0)  # two thirds of the time to compile
    target_link_libraries(${name}_test PRIVATE
      lmpo_${name} lmpo_test_paths lmpo_flags GTest::gtest GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}." PROPERTIES TIMEOUT 1500)
  endif()
  if(benches AND LMPO_BENCH)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE lmpo_${name} lmpo_flags benchmark::benchmark benchmark::benchmark_main)
  endif()
endfunction()
