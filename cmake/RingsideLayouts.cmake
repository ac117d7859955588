# SPDX-License-Identifier: MIT
# rs_layouts(NAME LIBRARY...): the program NAME three times more, as NAME_layout1 to NAME_layout3: the
# same sources, each linked in another order, so that code and data lie elsewhere. Layout alone can
# make a few per cent; compare --builds takes the three in turn (docs/benchmarking.md).
#
# LIBRARY: our static libraries that the program is made of. Their objects stand on the command line,
# in the order of a hash, so that a machine makes the same three every time; without link-time
# optimisation, which would choose an order of its own. Not part of `all`: the target is `layouts`.
set(RS_LAYOUTS 3)

function(rs_layouts name)
    if(MSVC OR RS_MUTATE OR RS_FUZZ)
        return()
    endif()
    if(NOT TARGET layouts)
        add_custom_target(layouts)
    endif()
    set(sources "")
    foreach(target ${name} ${ARGN})
        get_target_property(folder ${target} SOURCE_DIR)
        get_target_property(files ${target} SOURCES)
        foreach(file IN LISTS files)
            if(file MATCHES "\\.c$")
                cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${folder})
                list(APPEND sources ${file})
            endif()
        endforeach()
    endforeach()
    foreach(layout RANGE 1 ${RS_LAYOUTS})
        set(keyed "")
        foreach(file IN LISTS sources)
            file(RELATIVE_PATH inside ${PROJECT_SOURCE_DIR} ${file})
            string(MD5 key "${layout} ${inside}")
            list(APPEND keyed "${key}:${file}")
        endforeach()
        list(SORT keyed)
        list(TRANSFORM keyed REPLACE "^[0-9a-f]+:" "")
        set(build ${name}_layout${layout})
        add_executable(${build} EXCLUDE_FROM_ALL ${keyed})
        set_target_properties(${build} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
        # Properties of a source file, as src/common gives options.c, end with its folder.
        target_compile_definitions(${build} PRIVATE RS_VERSION="${PROJECT_VERSION}")
        foreach(library IN LISTS ARGN)
            target_compile_definitions(${build} PRIVATE
                $<TARGET_PROPERTY:${library},COMPILE_DEFINITIONS>)
        endforeach()
        target_link_libraries(${build} PRIVATE ${ARGN})
        rs_target(${build})
        add_dependencies(layouts ${build})
    endforeach()
endfunction()
