// SPDX-License-Identifier: Apache-2.0
#pragma once
// The commands of model/command.h with words, for API and command line: their words, the fields of the body, and the conversion
// of a body to the command. The variant is the only list of commands. Pure.
#include <vector>

#include "api/body.h"
#include "model/command.h"

namespace mysos {

struct CommandForm {
  CommandWords words;
  std::vector<BodyField> body;
  Result<command::Any> (*read)(const json::object& body);

  [[nodiscard]] bool named() const { return words.path.contains("{name}"); }
  // {name} is a cluster.
  [[nodiscard]] bool of_cluster() const { return words.path.starts_with("/v1/clusters/{name}/"); }
  // The words of a field. Each field has words if there is a verb (asserted).
  [[nodiscard]] const FieldWords& words_of(const BodyField& field) const;
};

// In the order of the variant.
const std::vector<CommandForm>& command_forms();
// By operationId, which must exist (asserted).
const CommandForm& command_form(std::string_view operation);

}  // namespace mysos
