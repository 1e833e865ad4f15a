# Embeds files into libreprise: writes OUT, C with an array of the characters of each file below FOLDER that
# matches PATTERN, and a table NAME of them (compiler/embedded.h). They are called by their paths below FOLDER,
# without SUFFIX, and stand in their order.
#   cmake -DFOLDER=... -DPATTERN=*.glsl -DSUFFIX=.glsl -DNAME=rp_kernel_sources -DOUT=... -P RepriseTexts.cmake
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/${PATTERN})
list(SORT files)
set(text "/* Made by cmake/RepriseTexts.cmake. */\n#include \"embedded.h\"\n\n")
set(table "")
set(count 0)
foreach(file IN LISTS files)
    file(READ ${FOLDER}/${file} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    set(name ${file})
    if(SUFFIX)
        string(REPLACE "." "\\." suffix ${SUFFIX})
        string(REGEX REPLACE "${suffix}$" "" name ${file})
    endif()
    string(APPEND text "static const char text${count}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${name}\", text${count}},\n")
    math(EXPR count "${count} + 1")
endforeach()
string(APPEND text "\nconst rp_embedded_text ${NAME}[] = {\n${table}};\n"
    "const uint32_t ${NAME}_count = ${count};\n")
file(WRITE ${OUT} "${text}")
