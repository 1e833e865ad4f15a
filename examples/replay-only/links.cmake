# A program that only replays plans must not pull in the compiler: asks the dynamic section of FILE.
execute_process(COMMAND readelf -d ${FILE} OUTPUT_VARIABLE dynamic RESULT_VARIABLE failed)
string(REGEX MATCHALL "\\(NEEDED\\)[^\n]*" needed "${dynamic}")
if(failed OR NOT needed MATCHES "libc\\.so")
    message(FATAL_ERROR "${FILE}: readelf shows no libc.so: is it a dynamic program at all?")
endif()
foreach(line ${needed})
    string(REGEX REPLACE ".*\\[(.*)\\].*" "\\1" library "${line}")
    message(STATUS "${library}")
    if(library MATCHES "shaderc|yaml|stdc\\+\\+|libc\\+\\+|glslang|[sS][pP][iI][rR]-?[vV]|libreprise\\.so")
        message(NOTICE "${FILE} links the compiler: ${library}") # not wrapped, as errors are
        message(FATAL_ERROR "")
    endif()
endforeach()
