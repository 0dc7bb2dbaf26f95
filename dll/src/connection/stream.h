/* Handles that were opened without FILE_FLAG_OVERLAPPED: standard streams, files,
 * consoles, and pipes as C runtimes want them. A worker thread for each direction does
 * the blocking, so that the verbs keep their timeouts and can be cancelled. */
#ifndef WINIPC_STREAM_H
#define WINIPC_STREAM_H

#include "connection/connection.h"
#include "core/win.h"

winipc_status stream_connect_stdio(const char *address,
                                   const winipc_connection_options *options,
                                   uint32_t timeout_ms, winipc_connection **connection);

#endif
