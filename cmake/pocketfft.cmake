# SPDX-License-Identifier: BSD-3-Clause
#
# Obtains pocketfft, one C++ header, without a copy of it in this repository.  In this order:
#
#   1. an installed header: SPECFAST_POCKETFFT_DIR (the folder that holds pocketfft_hdronly.h), else
#      the compiler's and CMake's usual include folders;
#   2. the pinned copy in SPECFAST_POCKETFFT_CACHE: from an earlier configure, or, because that folder
#      travels in our source release, from there (this is what makes the source release build offline);
#   3. NumPy's pinned source release, fetched with the small tool `unearth` and checked by SHA-256.
#
# Defines: the target `pocketfft` (include folder only), SPECFAST_POCKETFFT_REVISION ("33ae5dc", or
# "installed, sha256 ..." of another header) and, when it is known, SPECFAST_POCKETFFT_LICENSE (a file).

set(_numpy_version 2.2.6)
set(_numpy_sha256 e29554e2bef54a90aa5cc07da6ce955accb83f21ab5de01a62c8478897b264fd)
set(_numpy_folder "numpy-${_numpy_version}/numpy/fft/pocketfft")
set(_pinned_revision 33ae5dc)
set(_header_sha256 50f4ddbe60432325f560c706b6f1c49f9e0949fc7f20ae6499f2299e37d9790c)
set(_license_sha256 a85ca13fdf90160b64a0698215868c13b74d835ad0a4e2ba44713b8c5058a056)

# A build folder inside the source tree shares one cache, build/pocketfft, which the source release
# carries along.  A build folder elsewhere keeps its own: nothing is written beside foreign sources.
cmake_path(IS_PREFIX PROJECT_SOURCE_DIR "${PROJECT_BINARY_DIR}" NORMALIZE _in_tree)
if(_in_tree OR EXISTS "${PROJECT_SOURCE_DIR}/build/pocketfft/pocketfft_hdronly.h")
  set(_default_cache "${PROJECT_SOURCE_DIR}/build/pocketfft")
else()
  set(_default_cache "${PROJECT_BINARY_DIR}/pocketfft")
endif()
set(SPECFAST_POCKETFFT_DIR "" CACHE PATH "Folder that holds an installed pocketfft_hdronly.h")
set(SPECFAST_POCKETFFT_CACHE "${_default_cache}" CACHE PATH
    "Folder that keeps the pinned pocketfft header between configures")
mark_as_advanced(SPECFAST_POCKETFFT_CACHE)

# Sets ${result} to TRUE if file is there with this SHA-256.
function(_specfast_is_pinned file sha256 result)
  set(found "")
  if(EXISTS "${file}")
    file(SHA256 "${file}" found)
  endif()
  if(found STREQUAL sha256)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(_specfast_pocketfft_is_cached result)
  _specfast_is_pinned("${SPECFAST_POCKETFFT_CACHE}/pocketfft_hdronly.h" ${_header_sha256} header)
  _specfast_is_pinned("${SPECFAST_POCKETFFT_CACHE}/LICENSE.md" ${_license_sha256} license)
  if(header AND license)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Downloads NumPy's source release, checks it, and puts header and licence into the cache.
function(_specfast_fetch_pocketfft)
  set(download "${PROJECT_BINARY_DIR}/_pocketfft_download")
  set(archive "${download}/numpy-${_numpy_version}.tar.gz")
  find_package(Python 3.10 COMPONENTS Interpreter QUIET)
  get_filename_component(python_folder "${Python_EXECUTABLE}" DIRECTORY)
  unset(SPECFAST_UNEARTH CACHE)  # an isolated build environment's path is gone the next time
  find_program(SPECFAST_UNEARTH unearth HINTS "${python_folder}")
  mark_as_advanced(SPECFAST_UNEARTH)
  if(SPECFAST_UNEARTH)
    set(command "${SPECFAST_UNEARTH}")
  else()
    set(command "${Python_EXECUTABLE}" -m unearth)
  endif()
  list(APPEND command "numpy==${_numpy_version}" --no-binary --download "${download}")
  if(DEFINED ENV{PIP_INDEX_URL})
    list(APPEND command --index-url "$ENV{PIP_INDEX_URL}")
  endif()

  message(STATUS "pocketfft: fetching NumPy ${_numpy_version}'s source release")
  set(log "Python 3.10 or newer with the tool 'unearth' was not found")
  foreach(attempt RANGE 1 3)
    file(REMOVE_RECURSE "${download}")
    file(MAKE_DIRECTORY "${download}")
    if(SPECFAST_UNEARTH OR Python_Interpreter_FOUND)
      execute_process(COMMAND ${command} TIMEOUT 300 RESULT_VARIABLE status
                      OUTPUT_VARIABLE log ERROR_VARIABLE log)
    endif()
    if(EXISTS "${archive}")
      break()
    endif()
  endforeach()
  if(NOT EXISTS "${archive}")
    message(FATAL_ERROR
      "specfast needs pocketfft_hdronly.h (pocketfft, a C++ header) and could not get it.\n"
      "  - No installed header was found.  If you have one: -DSPECFAST_POCKETFFT_DIR=<its folder>.\n"
      "  - No pinned copy lies in ${SPECFAST_POCKETFFT_CACHE}; specfast's source release carries one.\n"
      "  - Fetching NumPy ${_numpy_version}'s source release failed.  It takes a network and the tool "
      "'unearth' (pip install unearth).  It said:\n${log}")
  endif()
  _specfast_is_pinned("${archive}" ${_numpy_sha256} genuine)
  if(NOT genuine)
    file(SHA256 "${archive}" found)
    message(FATAL_ERROR "specfast: NumPy ${_numpy_version}'s source release has SHA-256\n  ${found}\n"
                        "but this build accepts only\n  ${_numpy_sha256}")
  endif()
  file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${download}"
       PATTERNS "${_numpy_folder}/pocketfft_hdronly.h" "${_numpy_folder}/LICENSE.md")
  file(COPY "${download}/${_numpy_folder}/LICENSE.md"
            "${download}/${_numpy_folder}/pocketfft_hdronly.h"
       DESTINATION "${SPECFAST_POCKETFFT_CACHE}")
  file(REMOVE_RECURSE "${download}")
endfunction()

set(SPECFAST_POCKETFFT_LICENSE "")
unset(SPECFAST_POCKETFFT_INCLUDE_DIR CACHE)  # searched again: SPECFAST_POCKETFFT_DIR may differ
# The source release carries the pinned header, whatever the machine that makes it has installed.
if(NOT SKBUILD_STATE STREQUAL "sdist")
  if(SPECFAST_POCKETFFT_DIR)
    find_path(SPECFAST_POCKETFFT_INCLUDE_DIR pocketfft_hdronly.h
              PATHS "${SPECFAST_POCKETFFT_DIR}" NO_DEFAULT_PATH)
    if(NOT SPECFAST_POCKETFFT_INCLUDE_DIR)
      message(FATAL_ERROR
        "SPECFAST_POCKETFFT_DIR is '${SPECFAST_POCKETFFT_DIR}', which holds no pocketfft_hdronly.h")
    endif()
  else()
    find_path(SPECFAST_POCKETFFT_INCLUDE_DIR pocketfft_hdronly.h PATH_SUFFIXES pocketfft)
  endif()
endif()

if(SPECFAST_POCKETFFT_INCLUDE_DIR)
  # An installed header says nothing of its revision; unless it is the pinned one, its hash must do.
  file(SHA256 "${SPECFAST_POCKETFFT_INCLUDE_DIR}/pocketfft_hdronly.h" _installed_sha256)
  if(_installed_sha256 STREQUAL _header_sha256)
    set(SPECFAST_POCKETFFT_REVISION ${_pinned_revision})
  else()
    string(SUBSTRING "${_installed_sha256}" 0 12 _installed_sha256)
    set(SPECFAST_POCKETFFT_REVISION "installed, sha256 ${_installed_sha256}")
  endif()
else()
  _specfast_pocketfft_is_cached(_cached)
  if(NOT _cached)
    _specfast_fetch_pocketfft()
    _specfast_pocketfft_is_cached(_cached)
  endif()
  if(NOT _cached)
    message(FATAL_ERROR "specfast: the files in ${SPECFAST_POCKETFFT_CACHE} are not pocketfft "
                        "${_pinned_revision}; delete that folder and configure again")
  endif()
  set(SPECFAST_POCKETFFT_INCLUDE_DIR "${SPECFAST_POCKETFFT_CACHE}")
  set(SPECFAST_POCKETFFT_REVISION ${_pinned_revision})
  set(SPECFAST_POCKETFFT_LICENSE "${SPECFAST_POCKETFFT_CACHE}/LICENSE.md")
endif()
message(STATUS
  "pocketfft: ${SPECFAST_POCKETFFT_INCLUDE_DIR} (revision ${SPECFAST_POCKETFFT_REVISION})")

add_library(pocketfft INTERFACE)
# SYSTEM: the warnings of a header that is not ours are not ours to mend.
target_include_directories(pocketfft SYSTEM INTERFACE "${SPECFAST_POCKETFFT_INCLUDE_DIR}")
