# Compares docs/ops.md with `reprise kernels --format markdown`; RP_BLESS=1 writes it.
execute_process(COMMAND ${PROGRAM} kernels --format markdown
    OUTPUT_VARIABLE page RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} kernels failed: ${status}")
endif()
if("$ENV{RP_BLESS}" STREQUAL "1")
    file(WRITE ${PAGE} "${page}")
endif()
file(READ ${PAGE} written)
if(NOT page STREQUAL written)
    message(FATAL_ERROR "${PAGE} is not what the program prints: ./dev bless writes it")
endif()
