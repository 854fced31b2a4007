// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which connections a server keeps when there are more than it has room for. A new connection always gets a place, unless all
// places belong to trusted callers. Otherwise many idle connections could lock all other clients out.
//
// A connection is *trusted* once its caller has shown a valid token, and *busy* while a handler works for it. To make room the
// table closes, in this order: the untrusted connection that waits longest; the newest untrusted busy connection; the trusted
// connection that waits longest. The untrusted connections of one peer may hold at most a quarter of the places; beyond that,
// the table closes connections of that peer. The bytes of incomplete requests are bounded too. Pure; belongs to one thread.
#include <cstdint>
#include <functional>
#include <list>
#include <string>

namespace mysos {

class HttpConnectionTable {
  struct Entry {
    std::string peer;
    std::function<void()> close;
    std::size_t held = 0;
    bool trusted = false;
    bool busy = false;
    bool closed = false;
  };
  using Entries = std::list<Entry>;

 public:
  HttpConnectionTable(std::size_t max_connections, std::size_t max_held)
      : max_(max_connections), max_held_(max_held) {}

  // The place of one connection, for as long as it lives.
  class Place {
   public:
    // `peer`: address without port. `close` is called at most once, by a later change of the table.
    Place(HttpConnectionTable& table, std::string peer, std::function<void()> close);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] bool admitted() const { return admitted_; }
    void trust() { entry_->trusted = true; }
    void begin_request();
    void end_request();
    void hold(std::size_t bytes);  // so much of the next request is in memory

   private:
    HttpConnectionTable& table_;
    Entries::iterator entry_;
    bool admitted_ = false;
  };

  // To free a descriptor: closes an untrusted connection that waits. False: there is none.
  bool close_one();
  [[nodiscard]] std::size_t size() const { return open_.size(); }
  [[nodiscard]] std::uint64_t closed() const { return closed_count_; }

 private:
  bool make_room(Entries::iterator newcomer);
  void keep_share(Entries::iterator newcomer);
  template <class Fits>
  bool close_waiting(Fits fits);
  template <class Fits>
  bool close_busy(Fits fits);
  void close(Entries::iterator entry);

  std::size_t max_;
  std::size_t max_held_;
  std::size_t held_ = 0;
  std::uint64_t closed_count_ = 0;
  Entries open_;    // the front was served longest ago
  Entries closed_;  // closed by us, not ended yet
};

}  // namespace mysos
