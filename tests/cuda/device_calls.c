/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A program in C that computes a batch on a device and on the CPU, and then makes every mistake
 * that a status must tell. Its argument is the library for GPUs; it prints what is wrong.
 */
#include <math.h>
#include <specfast/specfast.h>
#include <stdio.h>
#include <string.h>

enum { kClips = 2, kSamples = 1000, kFrameLength = 200, kHop = 50, kBins = 129 };
enum { kFrames = 1 + (kSamples - kFrameLength) / kHop, kResults = kClips * kFrames * kBins };
static float x[kClips * kSamples], wanted[kResults], result[kResults];

static int num_wrong = 0;

static void expect(int is_so, const char* what) {
  if (is_so) return;
  printf("%s: %s\n", what, specfast_last_error());
  ++num_wrong;
}

/* A call must have ended with this status, and with a message that says this. */
static void expect_refusal(specfast_status status, specfast_status wanted, const char* message) {
  expect(status == wanted && specfast_last_status() == wanted, message);
  expect(strstr(specfast_last_error(), message) != NULL, message);
}

static void expect_invalid(specfast_status status, const char* message) {
  expect_refusal(status, SPECFAST_E_INVALID_ARGUMENT, message);
}

static void try_before_loading(const specfast_config* config, const specfast_batch* batch) {
  const specfast_status unavailable = SPECFAST_E_UNAVAILABLE_DEVICE;
  specfast_device_plan* plan = (specfast_device_plan*)config;
  void* memory = (void*)config;
  expect_refusal(specfast_device_plan_create(config, 0, 0, &plan), unavailable, "no backend is");
  expect_refusal(specfast_device_allocate(0, 8, &memory), unavailable, "no backend is loaded");
  expect(plan == NULL && memory == NULL, "what is not made is NULL");
  expect_refusal(specfast_load_backend("/nothing/there.so"), unavailable, "/nothing/there.so");
  expect_invalid(specfast_execute_on_stream(NULL, batch, SPECFAST_FLOAT32, NULL), "plan must not");
}

static void try_plans(const specfast_config* config) {
  specfast_device_plan* plan = NULL;
  specfast_config other = *config;
  expect_invalid(specfast_device_plan_create(NULL, 0, 0, &plan), "config must not be NULL");
  expect_invalid(specfast_device_plan_create(config, 0, 0, NULL), "plan must not be NULL");
  expect_invalid(specfast_device_plan_create(config, 0, -1, &plan), "workspace_bytes=-1");
  expect_refusal(specfast_device_plan_create(config, 1, 0, &plan), SPECFAST_E_UNAVAILABLE_DEVICE,
                 "device=1");
  other.struct_size = 8;
  expect_invalid(specfast_device_plan_create(&other, 0, 0, &plan), "config.struct_size must be");
  other = *config;
  other.drop_frames = 1;
  expect_invalid(specfast_device_plan_create(&other, 0, 0, &plan), "drop_frames=1");
  expect(plan == NULL, "a plan that is not made is NULL");
  specfast_device_plan_destroy(NULL);
}

static void try_memory(void) {
  char byte = 0;
  void* memory = &byte;
  specfast_device_info info;
  expect_invalid(specfast_device_allocate(0, 8, NULL), "memory must not be NULL");
  expect_invalid(specfast_device_allocate(0, -8, &memory), "num_bytes=-8");
  expect(memory == NULL, "memory that is not there is NULL");
  expect_invalid(specfast_copy_to_device(0, NULL, &byte, 1, NULL), "to must not be NULL");
  expect_invalid(specfast_copy_to_device(0, &byte, NULL, 1, NULL), "from must not be NULL");
  expect_invalid(specfast_copy_to_host(0, &byte, &byte, -1, NULL), "num_bytes=-1");
  specfast_device_free(0, NULL);
  expect_invalid(specfast_get_device_info(0, NULL), "info must not be NULL");
  info.struct_size = 1;
  expect_invalid(specfast_get_device_info(0, &info), "info.struct_size must be");
}

/* Calls `plan` with one field of a good batch changed. */
#define EXPECT_INVALID_BATCH(field, value, message)                                              \
  do {                                                                                           \
    specfast_batch changed = *batch;                                                             \
    changed.field = (value);                                                                     \
    expect_invalid(specfast_execute_on_stream(plan, &changed, SPECFAST_FLOAT32, NULL), message); \
  } while (0)

static void try_batches(const specfast_device_plan* plan, const specfast_batch* batch) {
  const int64_t lengths[kClips] = {1, 2};
  expect_invalid(specfast_execute_on_stream(plan, NULL, SPECFAST_FLOAT32, NULL), "batch must not");
  expect_invalid(specfast_execute_on_stream(plan, batch, SPECFAST_FLOAT64, NULL), "out_dtype=1");
  EXPECT_INVALID_BATCH(struct_size, 0, "batch.struct_size must be");
  EXPECT_INVALID_BATCH(input, NULL, "input must not be NULL");
  EXPECT_INVALID_BATCH(output, NULL, "output must not be NULL");
  EXPECT_INVALID_BATCH(num_batches, -1, "num_batches=-1");
  EXPECT_INVALID_BATCH(num_channels, -2, "num_channels=-2");
  EXPECT_INVALID_BATCH(num_samples, -3, "num_samples=-3");
  EXPECT_INVALID_BATCH(in_dtype, 9, "in_dtype=9");
  EXPECT_INVALID_BATCH(in_scale, 1e-60, "in_scale=1e-60");
  EXPECT_INVALID_BATCH(num_frames, 3, "num_frames=3");
  EXPECT_INVALID_BATCH(lengths, lengths, "an array");
}

static specfast_batch make_batch(void* input, void* output) {
  specfast_batch batch = {0};
  batch.struct_size = sizeof(batch);
  batch.input = input;
  batch.in_dtype = SPECFAST_FLOAT32;
  batch.num_batches = kClips;
  batch.num_channels = 1;
  batch.num_samples = batch.in_batch_stride = kSamples;
  batch.in_sample_stride = 1;
  batch.output = output;
  batch.out_batch_stride = kFrames * kBins;
  batch.out_frame_stride = kBins;
  batch.out_row_stride = 1;
  return batch;
}

static void compute_on_cpu(const specfast_config* config, const specfast_batch* batch) {
  specfast_plan* plan = NULL;
  specfast_workspace* workspace = NULL;
  expect(!specfast_plan_create(config, &plan), "plan for the CPU");
  expect(specfast_plan_num_rows(plan) == kBins, "rows");
  expect(specfast_plan_num_frames(plan, kSamples) == kFrames, "frames");
  expect(!specfast_workspace_create(plan, 1, &workspace), "workspace");
  expect(!specfast_execute(plan, workspace, batch), "on the CPU");
  specfast_workspace_destroy(workspace);
  specfast_plan_destroy(plan);
}

/* All mistakes come between the computation and the copy of its result, which they must not touch.
 */
static void compute_on_device(const specfast_config* config) {
  specfast_device_plan* plan = NULL;
  void *input = NULL, *output = NULL;
  expect(!specfast_device_plan_create(config, 0, 0, &plan), "plan for the device");
  expect(!specfast_device_allocate(0, sizeof(x), &input), "memory for the samples");
  expect(!specfast_device_allocate(0, sizeof(result), &output), "memory for the result");
  expect(!specfast_copy_to_device(0, input, x, sizeof(x), NULL), "copy there");
  const specfast_batch batch = make_batch(input, output);
  expect(!specfast_execute_on_stream(plan, &batch, SPECFAST_FLOAT32, NULL), "on the device");
  try_plans(config);
  try_memory();
  try_batches(plan, &batch);
  expect(!specfast_copy_to_host(0, result, output, sizeof(result), NULL), "copy back");
  specfast_device_plan_destroy(plan);
  specfast_device_free(0, input);
  specfast_device_free(0, output);
}

static double relative_error(void) {
  double error = 0, norm = 0;
  for (int i = 0; i < kResults; ++i) {
    error += pow((double)result[i] - wanted[i], 2);
    norm += pow(wanted[i], 2);
  }
  return sqrt(error / norm);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (int i = 0; i < kClips * kSamples; ++i) x[i] = (float)sin(0.003 * (double)i * (double)i);
  specfast_config config;
  expect(!specfast_config_init(&config, sizeof(config), SPECFAST_MODE_PSD), "config");
  config.frame_length = kFrameLength;
  config.hop = kHop;
  config.fft_length = 256;
  const specfast_batch batch = make_batch(x, wanted);
  compute_on_cpu(&config, &batch);
  try_before_loading(&config, &batch);
  expect(!specfast_load_backend(argv[1]), "load");
  expect_refusal(specfast_load_backend("other.so"), SPECFAST_E_OUT_OF_ORDER, "path=other.so");
  if (num_wrong == 0) compute_on_device(&config);
  const double error = relative_error();
  if (!(error <= 1e-6)) printf("a relative error of %g\n", error);
  return num_wrong > 0 || !(error <= 1e-6);
}
