# What `cmake --install` and `cpack` put on a machine: the libraries, the headers, a CMake package
# (reprise::reprise, reprise::runtime, reprise::weights), pkg-config files, the program, its man page and
# completions, and the documentation with the examples that it speaks of.
# Included for a top-level build only: a project that adds Reprise as a subdirectory installs itself.
include(CMakePackageConfigHelpers)

set(reprise_targets reprise-runtime)
set(reprise_modules ir runtime)
set(reprise_pc_files reprise-runtime)
if(TARGET reprise-weights)
    list(APPEND reprise_targets reprise-weights)
    list(APPEND reprise_modules weights)
    list(APPEND reprise_pc_files reprise-weights)
    set_target_properties(reprise-weights PROPERTIES EXPORT_NAME weights)
endif()
if(REPRISE_COMPILER)
    list(APPEND reprise_targets reprise)
    list(APPEND reprise_modules passes compiler)
    list(APPEND reprise_pc_files reprise)
    set_target_properties(reprise-tool PROPERTIES
        INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    install(TARGETS reprise-tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES tools/reprise/reprise.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES tools/completion/reprise.bash RENAME reprise
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES tools/completion/_reprise
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
endif()
# The library finds its neighbour wherever both are put.
set_target_properties(${reprise_targets} PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(reprise-runtime PROPERTIES EXPORT_NAME runtime)

install(TARGETS ${reprise_targets} EXPORT reprise-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Who links a static library links what it needs.
if(REPRISE_COMPILER AND NOT BUILD_SHARED_LIBS)
    set_target_properties(reprise_compiler_libraries PROPERTIES EXPORT_NAME compiler_libraries)
    install(TARGETS reprise_compiler_libraries EXPORT reprise-targets)
endif()
foreach(module ${reprise_modules})
    install(DIRECTORY ${module}/include/reprise DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
endforeach()

# The headers speak of docs/, which is there as in the source tree, so that the pages' links to each
# other, to the README and to the examples lead somewhere. What is not installed they name in text.
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN __pycache__ EXCLUDE)

# ---- CMake package -------------------------------------------------------------------------------
set(reprise_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/reprise)
install(EXPORT reprise-targets NAMESPACE reprise:: DESTINATION ${reprise_package_dir})
configure_package_config_file(cmake/reprise-config.cmake.in
    ${CMAKE_CURRENT_BINARY_DIR}/reprise-config.cmake INSTALL_DESTINATION ${reprise_package_dir})
# Before 1.0 every minor version may change the interface, later major ones alone.
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(reprise_compatibility SameMinorVersion)
else()
    set(reprise_compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/reprise-config-version.cmake
    COMPATIBILITY ${reprise_compatibility})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/reprise-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/reprise-config-version.cmake DESTINATION ${reprise_package_dir})

# ---- pkg-config ----------------------------------------------------------------------------------
# Paths relative to the .pc file, so that an installed tree can be moved.
file(RELATIVE_PATH reprise_pc_to_prefix
    /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" reprise_pc_to_prefix "${reprise_pc_to_prefix}")
# What a static library needs, as a line of text: full paths and flags.
set(reprise_runtime_private -l${CMAKE_DL_LIBS})
set(reprise_compiler_private "")
if(REPRISE_COMPILER)
    get_target_property(reprise_compiler_private reprise_compiler_libraries INTERFACE_LINK_LIBRARIES)
    list(TRANSFORM reprise_compiler_private REPLACE "^Threads::Threads$" "-lpthread")
    list(JOIN reprise_compiler_private " " reprise_compiler_private)
endif()
foreach(pc ${reprise_pc_files})
    configure_file(cmake/${pc}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# ---- Debian package ------------------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME reprise)
set(CPACK_PACKAGE_VENDOR "Reprise")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Records a DAG of GPU dispatches once and replays it on Vulkan")
set(CPACK_PACKAGE_DESCRIPTION
    "Reprise compiles a graph of compute dispatches, proves that the result computes what
the source means, and replays it as one persistent Vulkan command buffer. This package
holds the program, the compiler, runtime and weights libraries with their headers.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The Reprise authors <reprise@localhost>")
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
# Opened at run time, so that dpkg-shlibdeps cannot see it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libvulkan1")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "mesa-vulkan-drivers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_SOURCE_IGNORE_FILES "/build[^/]*/;/\\\\.git/")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
include(CPack)
