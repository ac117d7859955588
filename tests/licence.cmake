# SPDX-License-Identifier: MIT
# The licence: cmake -DROOT=DIR -P licence.cmake. licence_test.cmake shows that it can fail.
#
# Every source file says in its first line (in its second, after #!) under which licence it may be
# used, and LICENSE is that licence.
cmake_minimum_required(VERSION 3.25)

set(say "SPDX-License-Identifier: MIT")
set(faults 0)
set(seen 0)

file(GLOB_RECURSE sources RELATIVE "${ROOT}"
    "${ROOT}/.ci/*" "${ROOT}/.github/*.yml"
    "${ROOT}/bench/*" "${ROOT}/cmake/*" "${ROOT}/include/*" "${ROOT}/scripts/*" "${ROOT}/src/*"
    "${ROOT}/tests/*" "${ROOT}/wine/*")
list(APPEND sources CMakeLists.txt)
foreach(source IN LISTS sources)
    if(source MATCHES "^tests/fuzz/corpus/" OR
       NOT source MATCHES "[.](c|h|rc|pml|cmd|sh|cmake|yml)$|(^|/)CMakeLists[.]txt$|^[.]ci/run$")
        continue()
    endif()
    if(NOT EXISTS "${ROOT}/${source}")
        continue()
    endif()
    math(EXPR seen "${seen} + 1")
    file(STRINGS "${ROOT}/${source}" first LIMIT_COUNT 1)
    if(first MATCHES "^#!")
        file(STRINGS "${ROOT}/${source}" first LIMIT_COUNT 2)
    endif()
    if(NOT first MATCHES "(^|;)(# |/[*] |@rem )${say}( [*]/)?$")
        message("licence: ${source} does not begin with ${say}")
        math(EXPR faults "${faults} + 1")
    endif()
endforeach()

if(NOT EXISTS "${ROOT}/LICENSE")
    message(FATAL_ERROR "licence: no file LICENSE under ${ROOT}")
endif()
file(STRINGS "${ROOT}/LICENSE" licence)
if(NOT licence MATCHES "^MIT License;.*Copyright [(]c[)] 2026 The Ringside authors")
    message("licence: LICENSE is not the MIT licence of the Ringside authors")
    math(EXPR faults "${faults} + 1")
endif()
if(seen EQUAL 0)
    message(FATAL_ERROR "licence: no source file under ${ROOT}")
endif()
if(faults GREATER 0)
    message(FATAL_ERROR "licence: ${faults} faults")
endif()
message("licence: each of ${seen} source files says its licence")
