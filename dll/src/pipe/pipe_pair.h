#ifndef WINIPC_PIPE_PAIR_H
#define WINIPC_PIPE_PAIR_H

#include "connection/connection.h"
#include "core/win.h"

/* The options of winipc_pipe_listen, but a byte pipe. */
winipc_status pipe_pair_options_init(winipc_pipe_options *options);

/* Our end as a connection without an id, and the other as an inheritable HANDLE. */
winipc_status pipe_pair_open(const winipc_pipe_options *options, connection **c,
                             HANDLE *other_end);

#endif
