/* How a channel goes, from what lies in its shared memory: nobody is disturbed by it.
 * What others have written there is only told, never acted upon. */
#include "channel/channel.h"
#include "channel/meeting.h"
#include "core/status.h"
#include "core/structure.h"
#include "core/text.h"

void channel_find_image(DWORD pid, char *image, size_t size) {
  wchar_t path[MAX_PATH * 2];
  DWORD length = sizeof path / sizeof *path;
  char *text;
  *image = 0;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  if (!process) return;
  if (QueryFullProcessImageNameW(process, 0, path, &length) &&
      !text_from_wide(path, &text)) {
    snprintf(image, size, "%s", text);
    free(text);
  }
  CloseHandle(process);
}

/* What the writer of a ring tells of it. */
static void channel__describe_writer(const region *r, winipc_channel_member *out) {
  if (!region_has_ring(r)) return;
  const ring_header *h = region_ring(r);
  out->capacity = ring_load_relaxed(&h->capacity);
  out->messages = ring_load_relaxed(&h->messages);
  out->bytes = ring_load_relaxed(&h->written);
  out->dropped = ring_load_relaxed(&h->dropped);
  out->sleeps += ring_load_relaxed(&h->sleeps);
  out->wakes += ring_load_relaxed(&h->wakes);
  if (ring_load_relaxed(&h->waiting)) out->waiting = 1;
}

/* What the reader `control` tells of the ring in `r`. */
static void channel__describe_reader(const region *r, const region *control,
                                     winipc_channel_member *out) {
  if (!region_has_ring(r) || !control->base) return;
  const ring_control *c = region_control(control);
  if (ring_load(&c->state) != RING_ATTACHED) return;
  uint64_t cursor = ring_load(&c->cursor);
  uint64_t written = ring_load(&region_ring(r)->written);
  if (written > cursor) out->unread += written - cursor;
  out->lost += ring_load_relaxed(&c->lost);
  out->sleeps += ring_load_relaxed(&c->sleeps);
  out->wakes += ring_load_relaxed(&c->wakes);
  if (ring_load_relaxed(&c->waiting)) out->waiting = 1;
}

static void channel__describe_self(const channel *ch, winipc_channel_member *out) {
  out->role = ch->options.role;
  out->pid = GetCurrentProcessId();
  out->since = ch->since;
  channel_find_image(out->pid, out->image, sizeof out->image);
  if (ch->sends) channel__describe_writer(&ch->mine, out);
  for (uint32_t i = 0; i < ch->most && ch->receives; i++) {
    const channel_member *m = ch->members[i];
    if (m)
      channel__describe_reader(&m->theirs, m->mine.base ? &m->mine : &ch->mine, out);
  }
}

void channel_describe(const channel *ch, const channel_member *m,
                      winipc_channel_member *out) {
  *out = (winipc_channel_member){.size = sizeof *out};
  if (!m) {
    channel__describe_self(ch, out);
    return;
  }
  out->role = m->role;
  out->pid = m->peer.pid;
  out->since = m->since;
  memcpy(out->image, m->image, sizeof out->image);
  if (m->writes) channel__describe_writer(&m->theirs, out);
  if (m->reads) channel__describe_reader(&ch->mine, &m->theirs, out);
}

/* Not by connection_enter: a thread may be sending or receiving meanwhile. */
winipc_status WINIPC_CALL winipc_channel_get_info(winipc_connection *connection_id,
                                                  winipc_channel_member *member) {
  connection *c = handle_acquire(connection_id, &connection_class);
  if (!c) return WINIPC_E_INVALID_HANDLE;
  winipc_channel_member found;
  winipc_status status = WINIPC_OK;
  if (c->transport == &channel_transport) {
    channel *ch = c->state;
    AcquireSRWLockShared(&ch->lock);
    channel_describe(ch, NULL, &found);
    ReleaseSRWLockShared(&ch->lock);
    status = structure_write(member, &found, sizeof found);
  } else
    status = status_fail(WINIPC_E_UNSUPPORTED, "the connection is no channel");
  handle_release(connection_id);
  return status;
}

/* ---- from outside ---- */

static winipc_status channel__put(winipc_channel_member *members, uint32_t capacity,
                                  uint64_t i, winipc_channel_member *found) {
  if (i >= capacity) return WINIPC_OK;
  uint32_t stride = members->size;
  winipc_channel_member *at =
      (winipc_channel_member *)((char *)members + i * (uint64_t)stride);
  at->size = stride;
  found->image[sizeof found->image - 1] = 0;
  return structure_write(at, found, sizeof *found);
}

static winipc_status channel__receive_members(HANDLE pipe, uint64_t count,
                                              winipc_channel_member *members,
                                              uint32_t capacity, const deadline *end) {
  for (uint64_t i = 0; i < count; i++) {
    winipc_channel_member found;
    size_t got;
    winipc_status status = meeting_receive(pipe, &found, sizeof found, &got, NULL, end);
    if (!status && got != sizeof found)
      status = status_fail(WINIPC_E_VERSION, "the host describes members otherwise");
    if (!status) status = channel__put(members, capacity, i, &found);
    if (status) return status;
  }
  return meeting_say_ready(pipe, NULL, end);
}

static winipc_status channel__inspect(HANDLE pipe, winipc_channel_member *members,
                                      uint32_t capacity, uint32_t *count,
                                      const deadline *end) {
  meeting_welcome w;
  winipc_status status = meeting_say_hello(pipe, MEETING_INSPECT, 0, &w, NULL, end);
  if (status) return status;
  status = channel__receive_members(pipe, w.start, members, capacity, end);
  if (status) return status;
  *count = (uint32_t)w.start;
  if (w.start <= capacity) return WINIPC_OK;
  return status_fail(WINIPC_E_BUFFER_TOO_SMALL, "the channel has %u members", *count);
}

winipc_status WINIPC_CALL winipc_channel_inspect(const char *address,
                                                 const winipc_channel_options *options,
                                                 uint32_t timeout_ms,
                                                 winipc_channel_member *members,
                                                 uint32_t capacity, uint32_t *count) {
  HANDLE pipe;
  if (!count || (!members && capacity))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "members or count is NULL");
  *count = 0;
  if (capacity && members->size < sizeof(uint32_t))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "members[0].size is not set");
  deadline end = deadline_in(timeout_ms);
  winipc_status status = channel_knock(address, options, false, &end, &pipe);
  if (status) return status;
  status = channel__inspect(pipe, members, capacity, count, &end);
  CloseHandle(pipe);
  return status;
}
