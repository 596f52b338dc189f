# Runs at the end of an installation: the installed program writes its manual pages and completions.
set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")

function(run_lmpo)
  execute_process(COMMAND "${prefix}/bin/lmpo" ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

message(STATUS "Installing: ${prefix}/share/man/man1")
run_lmpo(docs man --output "${prefix}/share/man/man1")
foreach(place "bash share/bash-completion/completions/lmpo" "zsh share/zsh/site-functions/_lmpo"
        "fish share/fish/vendor_completions.d/lmpo.fish")
  separate_arguments(place)
  list(GET place 0 shell)
  list(GET place 1 file)
  message(STATUS "Installing: ${prefix}/${file}")
  get_filename_component(folder "${prefix}/${file}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  run_lmpo(--completion ${shell} OUTPUT_FILE "${prefix}/${file}")
endforeach()
