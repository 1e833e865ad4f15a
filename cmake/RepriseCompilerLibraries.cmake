# reprise::compiler_libraries: what libreprise needs beyond libc and libreprise-runtime.
#
#   yaml          libyaml                       reads pipelines
#   shaderc       GLSL -> SPIR-V
#   SPIRV-Tools   validates SPIR-V before a driver sees it
#
# shaderc is linked as a shared library where that works. Some distributions (Debian 12) ship a
# libshaderc.so with undefined glslang symbols: it is tried, and the static libraries take its place
# when the trial fails. The static archives hold C++; their symbols stay inside libreprise.so
# (RepriseLibrary.cmake).
include_guard(GLOBAL)
include(CheckSourceCompiles)
include(CheckSourceRuns)

# reprise_need(VARIABLE PACKAGE): stops with the name of the Debian package when VARIABLE was not found.
function(reprise_need variable package)
    if(NOT ${variable})
        message(FATAL_ERROR "${variable} was not found: install ${package}, or set ${variable}")
    endif()
endfunction()

find_path(REPRISE_YAML_INCLUDE yaml.h)
find_library(REPRISE_YAML_LIBRARY yaml)
find_path(REPRISE_SHADERC_INCLUDE shaderc/shaderc.h)
find_library(REPRISE_SHADERC_LIBRARY shaderc_shared NAMES shaderc_shared shaderc)
find_path(REPRISE_SPIRV_TOOLS_INCLUDE spirv-tools/libspirv.h)
find_library(REPRISE_SPIRV_TOOLS_LIBRARY SPIRV-Tools)
find_path(REPRISE_SPIRV_HEADERS_INCLUDE spirv/unified1/spirv.h)
reprise_need(REPRISE_YAML_INCLUDE libyaml-dev)
reprise_need(REPRISE_YAML_LIBRARY libyaml-dev)
reprise_need(REPRISE_SHADERC_INCLUDE libshaderc-dev)
reprise_need(REPRISE_SPIRV_TOOLS_INCLUDE spirv-tools)
reprise_need(REPRISE_SPIRV_TOOLS_LIBRARY spirv-tools)
reprise_need(REPRISE_SPIRV_HEADERS_INCLUDE spirv-headers)

# reprise_try_shaderc(RESULT LIBRARIES...): whether a small program links with these libraries, and
# runs. The linker is told to report undefined symbols of shared libraries, whatever the
# distribution's default; some do not (mold), and then it is the loader that does.
function(reprise_try_shaderc result)
    set(CMAKE_REQUIRED_INCLUDES ${REPRISE_SHADERC_INCLUDE})
    set(CMAKE_REQUIRED_LIBRARIES ${ARGN})
    set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,--no-allow-shlib-undefined)
    set(program "
        #include <shaderc/shaderc.h>
        int main(void) { shaderc_compiler_release(shaderc_compiler_initialize()); return 0; }
    ")
    if(CMAKE_CROSSCOMPILING)
        check_source_compiles(C "${program}" ${result})
    else()
        check_source_runs(C "${program}" ${result})
    endif()
    set(${result} ${${result}} PARENT_SCOPE)
endfunction()

set(reprise_shaderc)
if(REPRISE_SHADERC_LIBRARY)
    reprise_try_shaderc(REPRISE_SHADERC_SHARED_LINKS ${REPRISE_SHADERC_LIBRARY})
    if(REPRISE_SHADERC_SHARED_LINKS)
        set(reprise_shaderc ${REPRISE_SHADERC_LIBRARY})
    endif()
endif()
if(NOT reprise_shaderc)
    set(reprise_shaderc -lshaderc_combined -lglslang -lSPIRV -lMachineIndependent -lGenericCodeGen
        -lOSDependent -lOGLCompiler -lglslang-default-resource-limits -lSPIRV-Tools-opt -lSPIRV-Tools
        -lstdc++ -lm -lpthread)
    reprise_try_shaderc(REPRISE_SHADERC_STATIC_LINKS ${reprise_shaderc})
    if(NOT REPRISE_SHADERC_STATIC_LINKS)
        message(FATAL_ERROR "shaderc does not link, neither shared nor static: install "
            "libshaderc-dev, glslang-dev and spirv-tools")
    endif()
endif()

find_package(Threads REQUIRED)
add_library(reprise_compiler_libraries INTERFACE)
target_include_directories(reprise_compiler_libraries SYSTEM INTERFACE ${REPRISE_YAML_INCLUDE}
    ${REPRISE_SHADERC_INCLUDE} ${REPRISE_SPIRV_TOOLS_INCLUDE}
    ${REPRISE_SPIRV_HEADERS_INCLUDE})
target_link_libraries(reprise_compiler_libraries INTERFACE ${REPRISE_YAML_LIBRARY} ${reprise_shaderc} ${REPRISE_SPIRV_TOOLS_LIBRARY} -lstdc++ -lm
    Threads::Threads)
add_library(reprise::compiler_libraries ALIAS reprise_compiler_libraries)
