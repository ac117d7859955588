# SPDX-License-Identifier: MIT
# What riorun lends to programs of others, and how it treats them. Included where riorun is built.
set(_rio_includes ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/common ${PROJECT_SOURCE_DIR}/include)

# A program, and a DLL that it loads late, that reach Winsock in other ways than by imports.
add_library(rio_late SHARED late_dll.c)
set_target_properties(rio_late PROPERTIES PREFIX "" RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
target_include_directories(rio_late PRIVATE ${_rio_includes})
target_link_libraries(rio_late PRIVATE ws2_32)
rs_target(rio_late)
add_executable(rio_lent_test lent_test.c)
target_include_directories(rio_lent_test PRIVATE ${_rio_includes})
target_link_libraries(rio_lent_test PRIVATE rs_cmocka ws2_32)
rs_target(rio_lent_test)
add_dependencies(rio_lent_test rio_late ringside_rio)

# Its life, from outside.
add_executable(rio_beat beat.c)
target_link_libraries(rio_beat PRIVATE rs_os)
rs_target(rio_beat)
foreach(case code int term kill none bits)
    add_test(NAME riorun.${case} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/riorun_case.sh ${case}
        ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:riorun> $<TARGET_FILE:rio_beat>)
    set_tests_properties(riorun.${case} PROPERTIES TIMEOUT 120)
endforeach()

# Many datagrams while it gets no turn.
add_executable(rio_posted posted.c)
target_include_directories(rio_posted PRIVATE ${_rio_includes})
target_link_libraries(rio_posted PRIVATE ws2_32)
rs_target(rio_posted)

# riorun --verify over a program that breaks the rules one by one.
add_executable(rio_seed seed.c)
target_include_directories(rio_seed PRIVATE ${_rio_includes})
target_link_libraries(rio_seed PRIVATE ws2_32)
rs_target(rio_seed)

foreach(mode wine emulated)
    add_test(NAME rio_lent.${mode} COMMAND riorun rio_lent_test.exe
        WORKING_DIRECTORY $<TARGET_FILE_DIR:rio_lent_test>)
    add_test(NAME riorun_verify.${mode} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/verify_case.sh
        ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:riorun> $<TARGET_FILE:rio_seed>)
    add_test(NAME riorun_posted.${mode} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/posted_case.sh
        ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:riorun> $<TARGET_FILE:rio_posted>)
    set_tests_properties(rio_lent.${mode} riorun_verify.${mode} riorun_posted.${mode} PROPERTIES
        SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()
set_tests_properties(rio_lent.emulated riorun_verify.emulated riorun_posted.emulated PROPERTIES
    ENVIRONMENT "RINGSIDE_RIO_PROVIDER_MODE=emulated")
