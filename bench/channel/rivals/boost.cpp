// Boost.Interprocess: its message queue, and a ring of slots made of its mutex and its condition. The slots are
// this benchmark's own; with more writers than one, they take turns at the mutex.
#include <string>

// What Boost keeps its shared memory in, by default, it asks the event log for.
#define BOOST_INTERPROCESS_SHARED_DIR_FUNC
#include <boost/interprocess/detail/workaround.hpp>

#include "harness.h"

namespace boost::interprocess::ipcdetail {
inline void get_shared_dir(std::string &folder) {
  const char *given = getenv("WINIPC_BENCH_TEMP");
  folder = given ? given : "C:/Windows/Temp";
}
}  // namespace boost::interprocess::ipcdetail

#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/sync/interprocess_condition.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/windows_shared_memory.hpp>

#include <memory>
#include <new>
#include <vector>

namespace bip = boost::interprocess;

namespace {

std::size_t slot_count(const job *j) {
  return j->size > 65536 ? 8 : 256;
}

std::string direction(const job *j, bool to_server) {
  return std::string(j->name) + (to_server ? "-there" : "-back");
}

// Every error of Boost's is an exception; none may leave through the harness.
template <typename Work>
auto guarded(const char *what, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception &error) {
    broken("%s: %s", what, error.what());
  }
}

void *same_link(void *server, const job *) {
  return server;
}

// ---- the message queue ----

struct queues {
  std::unique_ptr<bip::message_queue> out, in;
  std::vector<char> message;
};

std::unique_ptr<bip::message_queue> open_queue(const job *j, bool to_server) {
  const std::string name = direction(j, to_server);
  if (!j->serves) return std::make_unique<bip::message_queue>(bip::open_only, name.c_str());
  bip::message_queue::remove(name.c_str());
  return std::make_unique<bip::message_queue>(bip::create_only, name.c_str(), slot_count(j), j->size);
}

void *open_queues(const job *j) {
  return guarded("message_queue", [j]() -> void * {
    auto made = std::make_unique<queues>();
    made->out = open_queue(j, !j->serves);
    made->in = open_queue(j, j->serves);
    made->message.resize(j->size);
    return made.release();
  });
}

void queue_send(void *link, const void *data, uint32_t size) {
  guarded("send", [=] { static_cast<queues *>(link)->out->send(data, size, 0); });
}

const void *queue_receive(void *link, uint32_t size) {
  auto *q = static_cast<queues *>(link);
  return guarded("receive", [=]() -> const void * {
    bip::message_queue::size_type got;
    unsigned priority;
    q->in->receive(q->message.data(), size, got, priority);
    if (got != size) broken("a short message");
    return q->message.data();
  });
}

// ---- mutex and condition ----

struct slots {
  bip::interprocess_mutex mutex;
  bip::interprocess_condition filled, emptied;
  uint64_t written = 0, read = 0;
  alignas(64) char bytes[1];
};

struct slot_ring {
  bip::mapped_region region;
  std::size_t count;

  slots *shared() const { return static_cast<slots *>(region.get_address()); }
  char *slot(uint64_t number, uint32_t size) const { return shared()->bytes + number % count * size; }
};

struct slot_rings {
  slot_ring out, in;
  std::vector<char> message;
};

slot_ring open_ring(const job *j, bool to_server) {
  const std::string name = direction(j, to_server);
  const std::size_t size = sizeof(slots) + slot_count(j) * j->size;
  bip::windows_shared_memory memory(bip::open_or_create, name.c_str(), bip::read_write, size);
  slot_ring made{bip::mapped_region(memory, bip::read_write), slot_count(j)};
  if (j->serves) new (made.region.get_address()) slots;
  return made;
}

void *open_rings(const job *j) {
  return guarded("windows_shared_memory", [j]() -> void * {
    return new slot_rings{open_ring(j, !j->serves), open_ring(j, j->serves), std::vector<char>(j->size)};
  });
}

void ring_send(void *link, const void *data, uint32_t size) {
  const slot_ring &ring = static_cast<slot_rings *>(link)->out;
  slots *s = ring.shared();
  guarded("send", [&] {
    bip::scoped_lock<bip::interprocess_mutex> lock(s->mutex);
    while (s->written - s->read == ring.count) s->emptied.wait(lock);
    memcpy(ring.slot(s->written++, size), data, size);
    s->filled.notify_one();
  });
}

const void *ring_receive(void *link, uint32_t size) {
  auto *both = static_cast<slot_rings *>(link);
  slots *s = both->in.shared();
  return guarded("receive", [=]() -> const void * {
    bip::scoped_lock<bip::interprocess_mutex> lock(s->mutex);
    while (s->written == s->read) s->filled.wait(lock);
    memcpy(both->message.data(), both->in.slot(s->read++, size), size);
    s->emptied.notify_one();
    return both->message.data();
  });
}

const peer peers[] = {
    {.name = "boost_queue",
     .shared = SHARED_FAN_IN,
     .serve = open_queues,
     .accept = same_link,
     .join = open_queues,
     .send = queue_send,
     .receive = queue_receive,
     .flush = nullptr,
     .run = nullptr,
     .help = nullptr},
    {.name = "boost_condition",
     .shared = SHARED_FAN_IN,
     .serve = open_rings,
     .accept = same_link,
     .join = open_rings,
     .send = ring_send,
     .receive = ring_receive,
     .flush = nullptr,
     .run = nullptr,
     .help = nullptr},
};

}  // namespace

int main(int words, char **arguments) {
  return harness_main(peers, sizeof peers / sizeof *peers, words, arguments);
}
