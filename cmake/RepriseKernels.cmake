# Embeds kernels/**/*.glsl into libreprise: writes OUT, C with an array of the characters of each file
# and a table of their names, which are the paths below FOLDER without ".glsl", in order.
#   cmake -DFOLDER=... -DOUT=... -P RepriseKernels.cmake
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*.glsl)
list(SORT files)
set(text "/* Made by cmake/RepriseKernels.cmake from kernels/. */\n#include \"lower/sources.h\"\n\n")
set(table "")
set(count 0)
foreach(file IN LISTS files)
    file(READ ${FOLDER}/${file} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "\\.glsl$" "" name ${file})
    string(APPEND text "static const char text${count}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${name}\", text${count}},\n")
    math(EXPR count "${count} + 1")
endforeach()
string(APPEND text "\nconst rp_kernel_text rp_kernel_sources[] = {\n${table}};\n"
    "const uint32_t rp_kernel_sources_count = ${count};\n")
file(WRITE ${OUT} "${text}")
