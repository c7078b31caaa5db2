# Doxygen's own page header and layout, with our lines put in. The templates are written by the installed Doxygen at
# build time, so that nothing of them has to be kept here and a newer Doxygen brings its own.
#   cmake -D DOXYGEN=... -D HEAD=head.html -D OUT=directory -D KATEX=... -P PatchTemplates.cmake

# generate(<file> <options>...) lets Doxygen write <file>.
function(generate file)
  execute_process(COMMAND ${DOXYGEN} ${ARGN} WORKING_DIRECTORY ${OUT} RESULT_VARIABLE status OUTPUT_QUIET)
  if(NOT status EQUAL 0 OR NOT EXISTS ${OUT}/${file})
    message(FATAL_ERROR "${DOXYGEN} wrote no ${file}")
  endif()
endfunction()

# replace(<variable> <regular expression> <text>) stops where there is nothing to replace.
function(replace variable pattern text)
  if(NOT "${${variable}}" MATCHES "${pattern}")
    message(FATAL_ERROR "this Doxygen's template has no '${pattern}'")
  endif()
  string(REGEX REPLACE "${pattern}" "${text}" changed "${${variable}}")
  set(${variable} "${changed}" PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${OUT})
generate(raw_header.html -w html raw_header.html raw_footer.html raw_style.css)
file(READ ${OUT}/raw_header.html header)
file(READ ${HEAD} head)
if(NOT KATEX)
  string(REGEX REPLACE "<link[^>]*katex[^>]*>\n" "" head "${head}")
endif()
replace(header "<!DOCTYPE[^>]*>" "<!DOCTYPE html>")
replace(header "<html[^>]*>" "<html lang=\"en-GB\">")
replace(header "<meta http-equiv=\"Content-Type\"[^>]*>" "<meta charset=\"utf-8\"/>")
# $mathjax would load a script from a foreign host. Plain replacement: the text of head.html may hold any character.
if(NOT header MATCHES "\\$mathjax")
  message(FATAL_ERROR "this Doxygen's template has no '$mathjax'")
endif()
string(REPLACE "$mathjax" "" header "${header}")
string(REPLACE "</head>" "${head}</head>" header "${header}")
file(WRITE ${OUT}/header.html "${header}")

generate(raw_layout.xml -l raw_layout.xml)
file(READ ${OUT}/raw_layout.xml layout)
replace(layout "<tab type=\"mainpage\" visible=\"yes\" title=\"\"" "<tab type=\"mainpage\" visible=\"yes\" title=\"The labs\"")
replace(layout "<tab type=\"pages\" visible=\"yes\" title=\"\"" "<tab type=\"pages\" visible=\"yes\" title=\"Chapters\"")
replace(layout "<tab type=\"modules\" visible=\"yes\" title=\"\"" "<tab type=\"modules\" visible=\"yes\" title=\"Contracts\"")
replace(layout "<tab type=\"namespaces\" visible=\"yes\" title=\"\"" "<tab type=\"namespaces\" visible=\"yes\" title=\"All functions\"")
# Lists of the same things once more.
foreach(list IN ITEMS classes hierarchy classmembers classindex classlist exceptions namespacemembers)
  replace(layout "<tab type=\"${list}\" visible=\"[^\"]*\"" "<tab type=\"${list}\" visible=\"no\"")
endforeach()
# So is the list of a class's members: no class here inherits documented ones. Pages without a link are not kept.
replace(layout "<allmemberslink visible=\"yes\"" "<allmemberslink visible=\"no\"")
# The page of a namespace repeats no list that stands in the pages of its groups.
replace(layout "(<namespace>.*)<functions title=\"\"/>(.*<memberdef>.*</namespace>)" "\\1\\2")
file(WRITE ${OUT}/layout.xml "${layout}")
