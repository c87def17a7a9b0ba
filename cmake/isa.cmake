# SPDX-License-Identifier: BSD-3-Clause
#
# One object library per instruction set (ISA), each from one file with its own machine flags, and the
# list of objects that tools/audit_isa.py examines.

# specfast_set_kernel_options(<target> [flags...])
#   The flags of kernel code, wherever it is compiled.
function(specfast_set_kernel_options target)
  # These flags stand after CMAKE_CXX_FLAGS_<CONFIG> on the command line, so they win: unoptimised
  # vector code is uselessly slow and keeps inline functions of the standard library alive.
  # No -ffast-math: each result must be the same in every lane, tail and thread.
  specfast_add_flags(${target} PRIVATE
    ${SPECFAST_KERNEL_OPTIMIZATION} -ffp-contract=off -fno-math-errno -fno-trapping-math -fno-lto
    -Wno-psabi ${ARGN})
  # GCC's own AVX-512 header makes undefined vectors by `__m512 y = y` (GCC bug 105593) and then warns
  # about them, in our inlined code, up to and including GCC 12.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
endfunction()

# specfast_add_isa(<name> [flags...])
#   Compiles cpp/kernels/isa/<name>.cpp into the object library specfast_kernels_<name>, puts the
#   objects into specfast_engine, and tells the engine SPECFAST_HAVE_<NAME>=1.
function(specfast_add_isa name)
  set(target specfast_kernels_${name})
  set(source "${PROJECT_SOURCE_DIR}/cpp/kernels/isa/${name}.cpp")
  add_library(${target} OBJECT "${source}")
  if(SPECFAST_SANITIZE MATCHES "undefined")
    # These checks of each access take longer to compile than all else.  AddressSanitizer finds null
    # pointers, and the processor the vectors that are not aligned.  Options of a file stand last.
    set_source_files_properties("${source}" PROPERTIES
      COMPILE_OPTIONS "-fno-sanitize=null,alignment,object-size,vptr")
  endif()
  if(SPECFAST_SANITIZE MATCHES "fuzzer")
    # Kernels have few branches to be guided by; that they stay within memory is what is looked at.
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS
      "-fno-sanitize=undefined;-fno-sanitize=fuzzer-no-link;-mllvm;-asan-instrumentation-with-call-threshold=0")
  endif()
  target_link_libraries(${target} PRIVATE specfast_options pocketfft)
  specfast_set_kernel_options(${target} ${ARGN})
  set_property(GLOBAL PROPERTY SPECFAST_ISA_FLAGS_${name} ${ARGN})
  target_sources(specfast_engine PRIVATE $<TARGET_OBJECTS:${target}>)
  string(TOUPPER ${name} upper)
  target_compile_definitions(specfast_engine PRIVATE SPECFAST_HAVE_${upper}=1)
  set_property(GLOBAL APPEND PROPERTY SPECFAST_ISAS ${name})
endfunction()

# specfast_write_audit_list(<target>...)
#   Writes isa_objects.txt into the build folder: the objects of every ISA, and those of the targets
#   named, which must run on any machine.  Read by tools/audit_isa.py; also adds the test isa_audit.
function(specfast_write_audit_list)
  set(list "${PROJECT_BINARY_DIR}/isa_objects.txt")
  get_property(isas GLOBAL PROPERTY SPECFAST_ISAS)
  set(lines "")
  foreach(isa IN LISTS isas)
    set(prefix "isa ${isa} ")
    string(APPEND lines
      "${prefix}$<JOIN:$<TARGET_OBJECTS:specfast_kernels_${isa}>,\n${prefix}>\n")
  endforeach()
  foreach(target IN LISTS ARGN)
    string(APPEND lines "plain $<JOIN:$<TARGET_OBJECTS:${target}>,\nplain >\n")
  endforeach()
  file(GENERATE OUTPUT "${list}" CONTENT "${lines}")

  find_package(Python 3.10 COMPONENTS Interpreter QUIET)
  # A sanitizer puts symbols of its own into every object: there is nothing to learn from those.
  if(Python_Interpreter_FOUND AND NOT SPECFAST_SANITIZE)
    add_test(NAME isa_audit
             COMMAND "${Python_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/tools/audit_isa.py"
                     --nm "${CMAKE_NM}" --objdump "${CMAKE_OBJDUMP}" "${list}")
  endif()
endfunction()
