// SPDX-License-Identifier: Apache-2.0
#include "api/command_form.h"

#include <algorithm>

#include "base/assert.h"

namespace mysos {
namespace {

template <class C>
Result<command::Any> read(const json::object& body) {
  C out{};
  JsonReader io(body);
  fields(io, out);
  MYSOS_TRY_VOID(io.take());
  if constexpr (requires { out.check(); }) MYSOS_TRY_VOID(out.check());
  return command::Any(std::move(out));
}

template <class... C>
std::vector<CommandForm> forms_of(const std::variant<C...>*) {
  std::vector<CommandForm> out;
  const auto add = [&]<class One>(One*) {
    if constexpr (requires { One::kWords; }) out.push_back({One::kWords, body_fields<One>(), read<One>});
  };
  (add(static_cast<C*>(nullptr)), ...);
  return out;
}

}  // namespace

const FieldWords& CommandForm::words_of(const BodyField& field) const {
  const auto found = std::ranges::find(words.fields, field.name, &FieldWords::field);
  MYSOS_ASSERT(found != words.fields.end(), "a command with a verb has words for each of its fields");
  return *found;
}

const std::vector<CommandForm>& command_forms() {
  static const std::vector<CommandForm> kForms = forms_of(static_cast<const command::Any*>(nullptr));
  return kForms;
}

const CommandForm& command_form(std::string_view operation) {
  const auto found =
      std::ranges::find(command_forms(), operation, [](const CommandForm& form) { return form.words.operation; });
  MYSOS_ASSERT(found != command_forms().end(), "the operation is one of model/command.h");
  return *found;
}

}  // namespace mysos
