# Copies compile_commands.json from the build to the root, without the precompiled headers, which
# clangd and clang-tidy cannot read when another compiler made them.
file(READ ${FROM}/compile_commands.json commands)
string(REGEX REPLACE " (-Winvalid-pch|-Xclang -include-pch -Xclang [^ \"]+|-Xclang -emit-pch|-include [^ \"]*cmake_pch[^ \"]*|-Xclang -include -Xclang [^ \"]*cmake_pch[^ \"]*)" "" commands "${commands}")
if(EXISTS ${TO}/compile_commands.json)
  file(READ ${TO}/compile_commands.json before)
  if(before STREQUAL commands)
    return()
  endif()
endif()
file(REMOVE ${TO}/compile_commands.json)
file(WRITE ${TO}/compile_commands.json "${commands}")
