# reprise_target(NAME): what every target of the project has in common. C17, no extensions needed,
# warnings on, hidden visibility so that only RP_API functions are exported.
function(reprise_target name)
    set_target_properties(${name} PROPERTIES
        C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS ON
        CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON
        C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
    target_compile_options(${name} PRIVATE
        $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
        -Wpointer-arith -Wvla -Wno-missing-field-initializers>
        $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wpointer-arith>
        $<$<BOOL:${REPRISE_WERROR}>:-Werror>)
endfunction()
