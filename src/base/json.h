// SPDX-License-Identifier: Apache-2.0
#pragma once
// JSON for our own types. A type names its fields once, for writing and reading:
//
//     template <class Io> void fields(Io& io, Person& p) { io("name", p.name); io("age", p.age); }
//
// found by ADL. Enums give `constexpr auto enum_names(E)` (an array of {value, text}). Reading: an unknown key is ignored
// (old readers, new writers), a missing one leaves the default unless io.required is used, a wrong type is an Error whose
// `field` is the path ("members[2].mem"). An optional without a value is left out, but for io.required, which writes null and
// wants to read it: so that "none" and "lost" are not the same. Units are in the key: a Duration is written in microseconds
// under "..._us".
#include <array>
#include <boost/json.hpp>
#include <concepts>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strong_id.h"
#include "base/time.h"
#include "base/units.h"

namespace mysos {
namespace json = boost::json;

inline constexpr std::size_t kMaxJsonDepth = 64;

// Parses one document; Errc::kInvalid with the position otherwise. Its memory is `storage`'s.
Result<json::value> parse_json(std::string_view text, json::storage_ptr storage = {});

template <class E>
struct EnumName {
  E value;
  std::string_view text;
};

template <class E>
  requires std::is_enum_v<E>
constexpr std::string_view enum_text(E value) {
  for (const auto& n : enum_names(E{})) {
    if (n.value == value) return n.text;
  }
  return "?";
}
template <class E>
  requires std::is_enum_v<E>
std::optional<E> enum_value(std::string_view text) {
  for (const auto& n : enum_names(E{})) {
    if (n.text == text) return n.value;
  }
  return std::nullopt;
}

class JsonWriter;
class JsonReader;
template <class T>
json::value to_json(const T& value);

// Where in a document a value is; its text is made only for errors.
struct JsonPath {
  const JsonPath* parent = nullptr;
  std::string_view key;
  std::optional<std::size_t> index = std::nullopt;  // in a list

  [[nodiscard]] std::string text() const;
};
template <class T>
Status read_json(const json::value& in, T& out, const JsonPath& path);
template <class T>
Result<T> from_json(const json::value& in) {
  T out{};
  MYSOS_TRY_VOID(read_json(in, out, JsonPath{}));
  return out;
}

template <class T>
Result<T> from_json_text(std::string_view text) {
  std::array<unsigned char, 8192> room;  // a longer document goes on on the heap
  json::monotonic_resource memory(room.data(), room.size());
  MYSOS_TRY(const json::value v, parse_json(text, &memory));
  return from_json<T>(v);
}
template <class T>
void write_json(const T& value, std::string& out);
template <class T>
std::string to_json_text(const T& value) {
  std::string out;
  write_json(value, out);
  return out;
}

namespace json_detail {
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsSet : std::false_type {};
template <class T>
struct IsSet<std::set<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V>
struct IsMap<std::map<K, V>> : std::true_type {};
template <class T>
struct IsStrongId : std::false_type {};
template <class T>
struct IsStrongId<StrongId<T>> : std::true_type {};
// A type with its own text form: `std::string to_text(const T&)` and `Result<T> from_text(std::string_view, T*)`.
template <class T>
concept HasText = requires(const T& t, T* p) {
  { to_text(t) } -> std::convertible_to<std::string>;
  { from_text(std::string_view{}, p) } -> std::same_as<Result<T>>;
};
// What is written as a string.
template <class T>
concept IsText = std::is_enum_v<T> || std::is_convertible_v<const T&, std::string_view> || IsStrongId<T>::value || HasText<T>;
template <IsText T>
decltype(auto) text_of(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return enum_text(value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string_view(value);
  } else if constexpr (IsStrongId<T>::value) {
    return std::string_view(value.value);
  } else {
    return to_text(value);
  }
}
void write_quoted(std::string_view text, std::string& out);
inline std::unexpected<Error> wrong(const JsonPath& at, std::string_view wanted) {
  const std::string path = at.text();
  return fail(Errc::kInvalid, (path.empty() ? "the document" : path) + " must be " + std::string(wanted), path);
}
template <class K>
std::string key_text(const K& k) {
  if constexpr (std::is_same_v<K, std::string>) {
    return k;
  } else if constexpr (std::is_integral_v<K>) {
    return std::to_string(k);
  } else {
    return k.value;
  }
}
template <class K>
K key_from(std::string_view text) {
  if constexpr (std::is_integral_v<K>) {
    return static_cast<K>(std::stoull(std::string(text)));
  } else {
    return K(std::string(text));
  }
}
}  // namespace json_detail

// An object that is being written, field by field.
class JsonWriter {
 public:
  explicit JsonWriter(json::object& out) : out_(out) {}
  static constexpr bool reading = false;
  template <class T>
  void operator()(std::string_view key, T& value) {
    using V = std::remove_const_t<T>;
    if constexpr (json_detail::IsOptional<V>::value) {
      if (value) out_[key] = to_json(*value);
    } else {
      out_[key] = to_json(value);
    }
  }
  template <class T>
  void required(std::string_view key, T& value) {
    out_[key] = to_json(value);
  }

 private:
  json::object& out_;
};

// The same, as text at once.
class JsonTextWriter {
 public:
  explicit JsonTextWriter(std::string& out) : out_(out) {}
  static constexpr bool reading = false;
  template <class T>
  void operator()(std::string_view key, T& value) {
    using V = std::remove_const_t<T>;
    if constexpr (json_detail::IsOptional<V>::value) {
      if (value) field(key, *value);
    } else {
      field(key, value);
    }
  }
  template <class T>
  void required(std::string_view key, T& value) {
    field(key, value);
  }
  template <class T>
  void field(std::string_view key, const T& value) {
    if (std::exchange(some_, true)) out_ += ',';
    json_detail::write_quoted(key, out_);
    out_ += ':';
    write_json(value, out_);
  }

 private:
  std::string& out_;
  bool some_ = false;
};

// An object that is being read; the first error is kept.
class JsonReader {
 public:
  explicit JsonReader(const json::object& in, const JsonPath& path = {}) : in_(in), path_(path) {}
  static constexpr bool reading = true;
  template <class T>
  void operator()(std::string_view key, T& value) {
    if (!status_) return;
    const auto* found = in_.if_contains(key);
    if (found == nullptr || found->is_null()) return;
    status_ = read_json(*found, value, JsonPath{&path_, key});
  }
  template <class T>
  void required(std::string_view key, T& value) {
    if (!status_) return;
    const auto* found = in_.if_contains(key);
    const JsonPath at{&path_, key};
    status_ = found != nullptr ? read_json(*found, value, at)
                               : Status(fail(Errc::kInvalid, at.text() + " is missing", at.text()));
  }
  Status take() { return std::move(status_); }

 private:
  const json::object& in_;
  JsonPath path_;
  Status status_;
};

template <class T>
json::value to_json(const T& value) {
  using namespace json_detail;
  if constexpr (std::is_same_v<T, json::value> || std::is_same_v<T, json::object>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool> || std::is_arithmetic_v<T>) {
    return value;
  } else if constexpr (IsText<T>) {
    return json::string(text_of(value));
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return value.value;
  } else if constexpr (std::is_same_v<T, WallTime>) {
    return value.ms;
  } else if constexpr (std::is_same_v<T, Duration>) {
    return value.count();
  } else if constexpr (IsOptional<T>::value) {
    return value ? to_json(*value) : json::value(nullptr);
  } else if constexpr (IsVector<T>::value || IsSet<T>::value) {
    json::array a;
    for (const auto& e : value) a.push_back(to_json(e));
    return a;
  } else if constexpr (IsMap<T>::value) {
    json::object o;
    for (const auto& [k, v] : value) o[key_text(k)] = to_json(v);
    return o;
  } else {
    json::object o;
    JsonWriter io(o);
    fields(io, const_cast<T&>(value));  // a writer does not change it
    return o;
  }
}

// The text of to_json(value).
template <class T>
void write_json(const T& value, std::string& out) {
  using namespace json_detail;
  if constexpr (IsText<T>) {
    write_quoted(text_of(value), out);
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    out += std::to_string(value);
  } else if constexpr (IsOptional<T>::value) {
    value ? write_json(*value, out) : void(out += "null");
  } else if constexpr (IsVector<T>::value || IsSet<T>::value) {
    out += '[';
    for (bool some = false; const auto& e : value) {
      if (std::exchange(some, true)) out += ',';
      write_json(e, out);
    }
    out += ']';
  } else if constexpr (IsMap<T>::value) {
    out += '{';
    JsonTextWriter io(out);
    for (const auto& [k, v] : value) io.field(key_text(k), v);
    out += '}';
  } else if constexpr (requires(JsonTextWriter& io, T& v) { fields(io, v); }) {
    out += '{';
    JsonTextWriter io(out);
    fields(io, const_cast<T&>(value));  // a writer does not change it
    out += '}';
  } else {
    out += json::serialize(to_json(value));
  }
}

template <class T>
Status read_json(const json::value& in, T& out, const JsonPath& path) {
  using namespace json_detail;
  if constexpr (std::is_same_v<T, json::value>) {
    out = in;
  } else if constexpr (std::is_same_v<T, json::object>) {
    if (!in.is_object()) return wrong(path, "an object");
    out = in.get_object();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!in.is_bool()) return wrong(path, "true or false");
    out = in.get_bool();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!in.is_string()) return wrong(path, "a string");
    out = std::string(in.get_string());
  } else if constexpr (IsStrongId<T>::value) {
    if (!in.is_string()) return wrong(path, "a string");
    out.value = std::string(in.get_string());
  } else if constexpr (std::is_enum_v<T>) {
    if (!in.is_string()) return wrong(path, "a string");
    const auto value = enum_value<T>(std::string_view(in.get_string()));
    if (!value) {
      std::string all;
      for (const auto& n : enum_names(T{})) all += (all.empty() ? "" : ", ") + std::string(n.text);
      return wrong(path, "one of " + all);
    }
    out = *value;
  } else if constexpr (std::is_integral_v<T>) {
    boost::system::error_code ec;
    const T number = in.to_number<T>(ec);
    if (ec) return wrong(path, "a whole number in range");
    out = number;
  } else if constexpr (std::is_floating_point_v<T>) {
    boost::system::error_code ec;
    const T number = in.to_number<T>(ec);
    if (ec) return wrong(path, "a number");
    out = number;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return read_json(in, out.value, path);
  } else if constexpr (std::is_same_v<T, WallTime>) {
    return read_json(in, out.ms, path);
  } else if constexpr (std::is_same_v<T, Duration>) {
    Duration::rep count = 0;
    MYSOS_TRY_VOID(read_json(in, count, path));
    out = Duration(count);
  } else if constexpr (HasText<T>) {
    if (!in.is_string()) return wrong(path, "a string");
    auto parsed = from_text(std::string_view(in.get_string()), static_cast<T*>(nullptr));
    if (!parsed) return fail(Errc::kInvalid, path.text() + ": " + parsed.error().message, path.text());
    out = *std::move(parsed);
  } else if constexpr (IsOptional<T>::value) {
    if (in.is_null()) {
      out.reset();
    } else {
      typename T::value_type inner{};
      MYSOS_TRY_VOID(read_json(in, inner, path));
      out = std::move(inner);
    }
  } else if constexpr (IsVector<T>::value || IsSet<T>::value) {
    if (!in.is_array()) return wrong(path, "a list");
    out.clear();
    std::size_t i = 0;
    for (const auto& e : in.get_array()) {
      typename T::value_type inner{};
      MYSOS_TRY_VOID(read_json(e, inner, JsonPath{&path, {}, i++}));
      if constexpr (IsSet<T>::value) {
        out.insert(std::move(inner));
      } else {
        out.push_back(std::move(inner));
      }
    }
  } else if constexpr (IsMap<T>::value) {
    if (!in.is_object()) return wrong(path, "an object");
    out.clear();
    for (const auto& e : in.get_object()) {
      const std::string_view key(e.key());
      typename T::mapped_type inner{};
      MYSOS_TRY_VOID(read_json(e.value(), inner, JsonPath{&path, key}));
      out.emplace(key_from<typename T::key_type>(key), std::move(inner));
    }
  } else {
    if (!in.is_object()) return wrong(path, "an object");
    JsonReader io(in.get_object(), path);
    fields(io, out);
    return io.take();
  }
  return {};
}

}  // namespace mysos
