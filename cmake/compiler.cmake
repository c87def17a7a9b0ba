# SPDX-License-Identifier: BSD-3-Clause
#
# What differs between compilers: how flags are written, and what their programs need at run time.

# clang-cl, which takes the place of Microsoft's compiler.  It ignores most names that GCC and Clang
# give their options, with a warning, unless they follow /clang:; results would differ without them.
set(SPECFAST_CLANG_CL OFF)
if(CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
  set(SPECFAST_CLANG_CL ON)
endif()

# Its -Wall is Clang's -Weverything.
set(SPECFAST_WARNINGS "$<IF:$<BOOL:${SPECFAST_CLANG_CL}>,-W4,-Wall;-Wextra>" -Wpedantic)

# specfast_add_flags(<target> <scope> <flag>...)
#   target_compile_options, for flags as GCC and Clang take them.
function(specfast_add_flags target scope)
  set(flags ${ARGN})
  if(SPECFAST_CLANG_CL)
    list(TRANSFORM flags PREPEND "/clang:")
  endif()
  target_compile_options(${target} ${scope} ${flags})
endfunction()

if(MINGW)
  # Programs and libraries that need no other files of the compiler.
  add_link_options(-static)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # On Windows, GCC moves vectors of 32 and 64 bytes to and from the stack as if it were aligned to
    # them, which it is not (GCC bug 54412); the assembler can make moves of it that need no alignment.
    include(CheckCXXCompilerFlag)
    set(_unaligned_moves -Wa,-muse-unaligned-vector-move)
    check_cxx_compiler_flag(${_unaligned_moves} SPECFAST_HAS_UNALIGNED_MOVES)
    if(NOT SPECFAST_HAS_UNALIGNED_MOVES)
      message(FATAL_ERROR "specfast needs binutils >= 2.38 with GCC on Windows: its assembler does not "
                          "take ${_unaligned_moves}")
    endif()
    add_compile_options(${_unaligned_moves})
  endif()
endif()

# A wheel brings no C++ library of Microsoft's, and Python does not have it.
if(DEFINED SKBUILD)
  set(CMAKE_MSVC_RUNTIME_LIBRARY "MultiThreaded$<$<CONFIG:Debug>:Debug>")
endif()
