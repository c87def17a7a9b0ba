# SPDX-License-Identifier: BSD-3-Clause
#
# The C and C++ library for other programs: libspecfast, shared and static, its headers, a CMake
# package and a pkg-config file.  Everything finds its neighbours by relative paths, so an installed
# folder may be moved.
#
# A wheel carries them inside the package, without the static library: that alone would more than
# double the wheel.  Its Python module uses the same shared library.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(DEFINED SKBUILD)
  set(CMAKE_INSTALL_INCLUDEDIR specfast/include)
  set(CMAKE_INSTALL_LIBDIR specfast/lib)
  # Windows finds what a Python module needs beside it, and has no run paths.
  set(CMAKE_INSTALL_BINDIR specfast)
endif()
set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/specfast")
# Before 1.0 a new minor version may break the ABI.
set(_so_version "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")

# specfast_write_exports(<file>)
#   What a library exports on Windows: every function that the headers declare.  (To mark them in the
#   code would mark them in the static library too, and so in each program that it becomes part of.)
function(specfast_write_exports file)
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/cpp/include/specfast/*.h")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
  set(lines "EXPORTS\n")
  foreach(header IN LISTS headers)
    file(READ "${header}" text)
    string(REGEX MATCHALL "\nSPECFAST_API [^;(]*[ *]specfast_[a-z0-9_]+\\(" declarations "${text}")
    foreach(declaration IN LISTS declarations)
      string(REGEX MATCH "specfast_[a-z0-9_]+\\($" name "${declaration}")
      string(REPLACE "(" "" name "${name}")
      string(APPEND lines "  ${name}\n")
    endforeach()
  endforeach()
  file(GENERATE OUTPUT "${file}" CONTENT "${lines}")
endfunction()

# ---- Targets --------------------------------------------------------------------------------------
# The shared library is made of the very objects of the static one.
get_property(_isas GLOBAL PROPERTY SPECFAST_ISAS)
list(TRANSFORM _isas REPLACE "(.+)" "$<TARGET_OBJECTS:specfast_kernels_\\1>" OUTPUT_VARIABLE _kernels)
add_library(specfast_shared SHARED $<TARGET_OBJECTS:specfast_engine> ${_kernels})
target_include_directories(specfast_shared INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/cpp/include>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_include_directories(specfast_engine INTERFACE
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_libraries(specfast_shared PRIVATE $<BUILD_INTERFACE:specfast_options> Threads::Threads
                                              ${CMAKE_DL_LIBS} ${SPECFAST_OPENMP_TARGET})
set_target_properties(specfast_shared PROPERTIES
  LINKER_LANGUAGE CXX OUTPUT_NAME specfast EXPORT_NAME shared SOVERSION ${_so_version})
if(NOT DEFINED SKBUILD)
  set_target_properties(specfast_shared PROPERTIES VERSION ${PROJECT_VERSION})
endif()
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  # Nothing but specfast_* leaves the library, the templates of the standard library included.
  set(_exports "${PROJECT_SOURCE_DIR}/cmake/exports.map")
  target_link_options(specfast_shared PRIVATE "-Wl,--version-script=${_exports}" -Wl,--gc-sections)
  set_property(TARGET specfast_shared APPEND PROPERTY LINK_DEPENDS "${_exports}")
  if(NOT SPECFAST_SANITIZE)
    target_link_options(specfast_shared PRIVATE -Wl,--no-undefined)
  endif()
endif()
if(WIN32)
  # The version is in the name of the file that programs load, as elsewhere: in one process, Windows
  # takes two files of one name for the same library.
  set_target_properties(specfast_shared PROPERTIES RUNTIME_OUTPUT_NAME specfast-${_so_version})
  target_sources(specfast_shared PRIVATE "${PROJECT_BINARY_DIR}/specfast.def")
  specfast_write_exports("${PROJECT_BINARY_DIR}/specfast.def")
endif()
set_target_properties(specfast_engine PROPERTIES OUTPUT_NAME specfast EXPORT_NAME static)
if(SPECFAST_CLANG_CL)
  # specfast.lib is what stands for the shared library.
  set_target_properties(specfast_engine PROPERTIES OUTPUT_NAME specfast_static)
endif()
# For projects that take this one in with add_subdirectory or FetchContent.
if(BUILD_SHARED_LIBS)
  add_library(specfast::specfast ALIAS specfast_shared)
else()
  add_library(specfast::specfast ALIAS specfast_engine)
endif()

# ---- Installation ---------------------------------------------------------------------------------
if(NOT CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
  return()
endif()
install(DIRECTORY cpp/include/specfast
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library)
if(DEFINED SKBUILD)
  # A wheel holds no symbolic links: the file is the one that programs load, and the name that
  # linkers look for is a script of one line.
  install(TARGETS specfast_shared EXPORT specfast-shared
          RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT library
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library NAMELINK_SKIP)
  if(NOT WIN32)
    file(WRITE "${PROJECT_BINARY_DIR}/wheel/libspecfast.so" "INPUT(libspecfast.so.${_so_version})\n")
    install(FILES "${PROJECT_BINARY_DIR}/wheel/libspecfast.so"
            DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
  endif()
else()
  install(TARGETS specfast_shared EXPORT specfast-shared
          RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT library
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
  install(TARGETS specfast_engine EXPORT specfast-static
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
  install(EXPORT specfast-static NAMESPACE specfast:: FILE specfast-static.cmake
          DESTINATION "${_package_dir}" COMPONENT library)
endif()
install(EXPORT specfast-shared NAMESPACE specfast:: FILE specfast-shared.cmake
        DESTINATION "${_package_dir}" COMPONENT library)

configure_package_config_file(cmake/specfastConfig.cmake.in specfastConfig.cmake
  INSTALL_DESTINATION "${_package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(specfastConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/specfastConfig.cmake"
              "${PROJECT_BINARY_DIR}/specfastConfigVersion.cmake"
        DESTINATION "${_package_dir}" COMPONENT library)

# For the pkg-config file: from its folder to the prefix, and what a static library needs.
string(REGEX REPLACE "[^/]+" ".." _pc_up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(_pc_private "-lstdc++ -lpthread -ldl -lm")
if(APPLE)
  set(_pc_private "-lc++")
elseif(MINGW)
  set(_pc_private "-lstdc++ -lpthread")
elseif(WIN32)
  set(_pc_private "")
endif()
if(SPECFAST_OPENMP_TARGET)
  string(APPEND _pc_private " ${OpenMP_CXX_FLAGS}")
endif()
# Programs find the shared library where it lies when they are linked.  Distributions, which install
# where the system looks by itself, object to a run path.
cmake_path(SET _pc_prefix NORMALIZE "${CMAKE_INSTALL_PREFIX}")
set(_pc_run_path " -Wl,-rpath,\${libdir}")
if(WIN32 OR (NOT DEFINED SKBUILD AND _pc_prefix MATCHES "^/(usr/?)?$"))
  set(_pc_run_path "")
endif()
configure_file(cmake/specfast.pc.in specfast.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/specfast.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT library)
