// SPDX-License-Identifier: Apache-2.0
#pragma once
// The commands of model/command.h that say their words, as API and command line take them: words, fields of the body, and how a
// body becomes the command. There is no list of them besides the variant. Pure.
#include <vector>

#include "api/body.h"
#include "model/command.h"

namespace mysos {

struct CommandForm {
  CommandWords words;
  std::vector<BodyField> body;
  Result<command::Any> (*read)(const json::object& body);

  [[nodiscard]] bool named() const { return words.path.contains("{name}"); }
  // What {name} stands for is a cluster.
  [[nodiscard]] bool of_cluster() const { return words.path.starts_with("/v1/clusters/{name}/"); }
  // The words of a field; asserted: each has some, where there is a verb.
  [[nodiscard]] const FieldWords& words_of(const BodyField& field) const;
};

// In the order of the variant.
const std::vector<CommandForm>& command_forms();
// Asserted: there is one. By operationId.
const CommandForm& command_form(std::string_view operation);

}  // namespace mysos
