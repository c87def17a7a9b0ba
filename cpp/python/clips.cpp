// SPDX-License-Identifier: BSD-3-Clause
// Calls for clips of different lengths.
#include <pybind11/stl.h>

#include <algorithm>
#include <string>

#include "python/gil.h"
#include "python/plan.h"

namespace specfast_python {
namespace {

// Where clips lie: all of one dtype and one stride.
struct Clips {
  std::vector<const void*> starts;
  std::vector<std::int64_t> lengths;
  std::int32_t dtype = SPECFAST_FLOAT32;
  std::int64_t stride = 1, longest = 0;

  explicit Clips(const std::vector<py::array>& arrays) {
    for (const py::array& array : arrays) {
      if (array.ndim() != 1) {
        throw py::value_error("clips must have 1 axis, received a clip of shape " +
                              describe(shape_of(array)));
      }
      starts.push_back(array.data());
      lengths.push_back(array.shape(0));
      longest = std::max<std::int64_t>(longest, array.shape(0));
    }
    if (arrays.empty()) return;
    dtype = input_dtype(arrays[0]);
    bool is_known = false;
    for (const py::array& array : arrays) {
      const bool has_stride = array.shape(0) > 1;
      if (has_stride && !is_known) stride = element_stride(array, 0);
      if (input_dtype(array) != dtype || (has_stride && element_stride(array, 0) != stride)) {
        throw py::value_error("clips must have one dtype and one stride, received one of dtype " +
                              std::string(py::str(array.dtype())) + " and stride " +
                              std::to_string(array.strides(0)) + " bytes beside one of dtype " +
                              std::string(py::str(arrays[0].dtype())) + " and stride " +
                              std::to_string(arrays[0].strides(0)) + " bytes");
      }
      is_known = is_known || has_stride;
    }
  }
};

void check_count(const Clips& clips, const Shape& leading, std::int64_t num_channels) {
  std::int64_t wanted = num_channels;
  for (const std::int64_t axis : leading) wanted = checked_product(wanted, axis);
  if (std::int64_t(clips.starts.size()) == wanted) return;
  throw py::value_error("clips must be as many as the axes of leading and num_channels say, " +
                        std::to_string(wanted) + ", received " +
                        std::to_string(clips.starts.size()));
}

}  // namespace

py::array Plan::call_clips(const std::vector<py::array>& arrays, const Shape& leading,
                           std::int64_t num_frames, const py::object& out, std::int32_t num_threads,
                           double scale, std::int64_t num_channels) const {
  const Clips clips(arrays);
  check_count(clips, leading, num_channels);
  const OutputAxes axes = output_axes_of_signal(layout_, num_channels, num_frames, num_bins());
  Shape shape = leading;
  shape.insert(shape.end(), axes.shape.begin(), axes.shape.end());
  check_output_size(shape, element_bytes(dtype_));
  py::array result = output_array(out, shape, dtype_, arrays.empty() ? py::array() : arrays[0]);
  if (result.size() == 0) return result;

  specfast_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.in_dtype = clips.dtype;
  batch.in_scale = scale;
  batch.num_batches = std::int64_t(arrays.size()) / num_channels;
  batch.num_channels = num_channels;
  batch.num_samples = clips.longest;
  batch.in_sample_stride = clips.stride;
  batch.num_frames = num_frames;
  batch.lengths = clips.lengths.data();
  batch.starts = clips.starts.data();
  batch.output = result.mutable_data();
  batch.out_batch_stride = axes.strides.batch;
  batch.out_channel_stride = axes.strides.channel;
  batch.out_frame_stride = axes.strides.frame;
  batch.out_row_stride = axes.strides.row;
  if (num_threads == 0) num_threads = specfast::num_threads();
  WorkspacePool::Lease lease(workspaces_, plan_, num_threads);
  call_engine(work(double(arrays.size()) * double(num_frames)),
              [&] { plan_.execute(lease.workspace(), batch); });
  return result;
}

}  // namespace specfast_python
