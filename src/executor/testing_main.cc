// SPDX-License-Identifier: Apache-2.0
// A stand-alone executor for the tests of this folder: SPEC DATA TEMPLATES ROOT...
#include <cstdio>

#include "executor/executor.h"

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: executor_test_main SPEC DATA TEMPLATES ROOT...\n", stderr);
    return 2;
  }
  mysos::ExecutorOptions options{
      .standalone = true, .spec_file = argv[1], .data_dir = argv[2], .template_dir = argv[3]};
  options.mysql_roots.assign(argv + 4, argv + argc);
  return mysos::run_executor(options);
}
