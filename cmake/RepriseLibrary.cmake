# reprise_library(NAME OBJECTS...): a library of these object libraries, shared or static as
# BUILD_SHARED_LIBS says.
#
# reprise_base has no exported symbols: each shared library holds its own copy, while of the static
# ones the runtime has the only copy, which the others find there.
#
# The promise about the binary interface (docs/c-api.md) is the SONAME: before 1.0 a minor version may
# break it, from then on a major version.
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(REPRISE_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
else()
    set(REPRISE_SOVERSION ${PROJECT_VERSION_MAJOR})
endif()

function(reprise_library name)
    add_library(${name})
    reprise_target(${name})
    set_target_properties(${name} PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${REPRISE_SOVERSION} LINKER_LANGUAGE C)
    if(BUILD_SHARED_LIBS)
        list(APPEND ARGN reprise_base)
        list(REMOVE_DUPLICATES ARGN)
        # What is linked from archives stays inside: it must not clash with the application's own.
        target_link_options(${name} PRIVATE
            -Wl,--no-undefined -Wl,--as-needed -Wl,--exclude-libs,ALL)
    endif()
    foreach(objects IN LISTS ARGN)
        target_sources(${name} PRIVATE $<TARGET_OBJECTS:${objects}>)
    endforeach()
endfunction()
