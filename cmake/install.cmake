# cmake --install build/release --prefix PREFIX: the program; its plugin for Parquet files and Arrow's library, where the
# program looks for them; licences; and what the program writes of itself: manual pages and completions.
install(TARGETS lmpo RUNTIME DESTINATION bin)
if(LMPO_PARQUET)
  install(TARGETS lmpo_parquet_plugin LIBRARY DESTINATION lib/lmpo)
  install(FILES ${LMPO_ARROW_LIBRARIES} DESTINATION lib/lmpo)
  install(FILES ${LMPO_ARROW}/LICENSE.txt ${LMPO_ARROW}/NOTICE.txt DESTINATION share/doc/lmpo/arrow)
endif()
install(FILES LICENSE CITATION.cff DESTINATION share/doc/lmpo)
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/install_pages.cmake)
