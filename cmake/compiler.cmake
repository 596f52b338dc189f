# Flags of every target: warnings are errors, x86-64-v2 is the floor, vector code is dispatched at run time.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(lmpo_flags INTERFACE)
target_compile_options(lmpo_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  # Contracting a*b+c differently from function to function would make results depend on inlining.
  -ffp-contract=off
  # The program names its source files as they lie in the project: it is the same wherever it is built, and so are the
  # compiler cache's entries.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  if(LMPO_NATIVE)
    target_compile_options(lmpo_flags INTERFACE -march=native)
  else()
    target_compile_options(lmpo_flags INTERFACE -march=x86-64-v2)
  endif()
endif()
add_library(lmpo_sanitize INTERFACE)
if(LMPO_SANITIZE)
  target_compile_options(lmpo_sanitize INTERFACE -fsanitize=${LMPO_SANITIZE} -fno-omit-frame-pointer
                                                 -fno-sanitize-recover=all)
  target_link_options(lmpo_sanitize INTERFACE -fsanitize=${LMPO_SANITIZE})
endif()
# A fuzzer must see the branches of all that it calls: of the libraries, not of their tests.
add_library(lmpo_coverage INTERFACE)
if(LMPO_FUZZ)
  target_compile_options(lmpo_coverage INTERFACE -fsanitize=fuzzer-no-link)
  # Warnings that clang alone knows are shown, not refused.
  target_compile_options(lmpo_sanitize INTERFACE -Wno-error)
endif()
set(LMPO_HOT_OPTIONS $<$<CONFIG:RelWithDebInfo>:-O1>)
target_link_libraries(lmpo_flags INTERFACE lmpo_sanitize)
