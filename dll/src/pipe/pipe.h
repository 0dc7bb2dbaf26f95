/* Named pipes: the transport, and who makes connections of it. */
#ifndef WINIPC_PIPE_H
#define WINIPC_PIPE_H

#include "connection/connection.h"
#include "core/win.h"

/* Over an overlapped handle. */
extern const transport pipe_transport;

winipc_status pipe_connect_address(const char *address,
                                   const winipc_connection_options *options,
                                   uint32_t timeout_ms, winipc_connection **connection);
winipc_status pipe_listen_address(const char *address,
                                  const winipc_connection_options *options,
                                  winipc_listener **listener);

/* The read mode that goes with a framing when the caller left it open: what carries
 * no messages of the pipe's is read as bytes, so that writes may be split. */
DWORD pipe_read_mode(uint32_t asked, uint32_t framing, bool message_type);

/* What a server's options mean to CreateNamedPipe: the read mode, that with the type,
 * and the direction. */
DWORD pipe_server_read_mode(const winipc_pipe_options *o);
DWORD pipe_server_mode(const winipc_pipe_options *o);
DWORD pipe_server_access(uint32_t direction);

typedef struct pipe_facts {
  bool server;   /* this is the end that was accepted */
  bool messages; /* it is read in message mode */
  bool nowait;   /* it is in PIPE_NOWAIT */
} pipe_facts;

/* What the system tells of a pipe handle. A server's end that only writes may not ask:
 * it has to know. */
winipc_status pipe_ask(HANDLE handle, pipe_facts *facts);

/* Makes a connection of an overlapped pipe handle. On failure the handle stays the
 * caller's. */
winipc_status pipe_connection_new(HANDLE handle,
                                  const winipc_connection_options *options,
                                  pipe_facts facts, connection **c);

/* Where the pipe stands: PeekNamedPipe for any pipe handle. */
winipc_status pipe_peek_handle(HANDLE handle, void *data, size_t capacity,
                               transport_view *view);

/* Whether a write of so many bytes goes through at once. */
bool pipe_handle_has_room(HANDLE handle, size_t size);

/* Waits until the peer has read everything. */
winipc_status pipe_flush_handle(HANDLE handle, waiters *list, const deadline *end);

/* The server's end of a name, and its account of each instance that it gave out. */
typedef struct pipe_instance pipe_server;
winipc_status pipe_server_new(const char *address, const winipc_pipe_options *options,
                              pipe_server **server);

/* Waits in `list` for a client. One thread at a time. The handle ends by
 * pipe_instance_close. */
winipc_status pipe_server_accept(pipe_server *s, waiters *list, const deadline *end,
                                 HANDLE *pipe);

/* Ends serving; the instances that were given out live on. */
void pipe_server_close(pipe_server *s);

/* To be called around the end of an instance. */
void pipe_instance_close(struct pipe_instance *instance, HANDLE handle);
void pipe_instance_forget(struct pipe_instance *instance);

/* The client's end, opened, with its server checked and its mode set. */
winipc_status pipe_client_open(const char *address,
                               const winipc_pipe_client_options *options,
                               const deadline *end, HANDLE *file, pipe_facts *facts);

/* Who is at the other end, as the kernel tells. */
winipc_status pipe_peer(HANDLE handle, bool server, winipc_peer *peer);

#endif
