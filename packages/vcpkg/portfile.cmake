# SPDX-License-Identifier: BSD-3-Clause
# An overlay port in an unpacked source release: vcpkg install specfast --overlay-ports=packages/vcpkg
# The registry's port has vcpkg_from_github here, with the hash of a release.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS FEATURES openmp SPECFAST_OPENMP)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS ${FEATURE_OPTIONS})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/specfast)
vcpkg_fixup_pkgconfig()

# The build makes both kinds of library; its CMake package takes the one that is there.
foreach(lib lib debug/lib)
  set(lib "${CURRENT_PACKAGES_DIR}/${lib}")
  if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
    file(GLOB others "${lib}/libspecfast*.so*" "${lib}/libspecfast*.dylib")
  else()
    set(others "${lib}/libspecfast.a")
  endif()
  file(REMOVE ${others})
endforeach()
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  set(others shared)
else()
  set(others static)
endif()
file(GLOB others "${CURRENT_PACKAGES_DIR}/share/specfast/specfast-${others}*.cmake")
file(REMOVE ${others})
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")

vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE" "${SOURCE_PATH}/THIRD_PARTY_NOTICES.md")
