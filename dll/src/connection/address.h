/* Addresses: what comes before the colon picks the transport. */
#ifndef WINIPC_ADDRESS_H
#define WINIPC_ADDRESS_H

#include "connection/connection.h"
#include "connection/listener.h"
#include "core/win.h"

/* The full path of a pipe's address: \\.\pipe\NAME or \\HOST\pipe\NAME. free() it.
 * `what` the address is for goes into the error. */
winipc_status address_pipe_path(const char *address, wchar_t **path);

/* Whether that path is on this machine. */
bool address_path_is_local(const wchar_t *path);

#endif
