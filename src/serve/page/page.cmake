# The page at / as a string of the program, from the files it is edited in. Colours, elements and the choice of light or dark are those
# of the report's page. tools/serve_look reads the lists of files here.
function(read_files result)
  set(text "")
  foreach(file ${ARGN})
    get_filename_component(path ${CMAKE_CURRENT_LIST_DIR}/${file} ABSOLUTE)  # each file by one name, as ninja asks
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(READ ${path} content)
    string(APPEND text "${content}")
  endforeach()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

read_files(style ../../report/page/style.css style.css)
read_files(script store.js ../../report/page/dom.js ../../report/page/theme.js api.js markdown.js talk.js view.js main.js)
read_files(page index.html)
string(CONFIGURE "${page}" page @ONLY)
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/talk_page.cpp @ONLY CONTENT
  "#include \"serve/talk_page.h\"\n\nnamespace lmpo {\n\nconst char* const kTalkPage = R\"page(@page@)page\";\n\n}  // namespace lmpo\n")
target_sources(lmpo_serve PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/talk_page.cpp)
