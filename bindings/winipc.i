// The raw Python module: every function of winipc.h under its own name without the prefix.
//
// A function takes what goes in, raises for an error and returns what comes out: nothing, one value, or a
// tuple of them. Handles of either kind are plain ints; times are seconds, None for ever. The Pythonic layer
// in python/winipc is written on top of this and is what programs use.
%module(package="winipc") native

%begin %{
#define PY_SSIZE_T_CLEAN
%}
%{
#include <winipc.h>

#include "errors.h"
#include "waiting.h"
#include "values.h"
#include "fields.h"
#include "verbs.h"
#include "view.h"
#include "memory.h"
#include "process.h"
#include "log.h"
%}

%include <stdint.i>
%include "status.i"
%include "handles.i"
%include "values.i"
%include "fields.i"
%include "waiting.i"
%include "verbs.i"
%include "memory.i"
%include "process.i"
%include "log.i"

// What Python does not have yet
%ignore winipc_channel_options;
%ignore winipc_channel_member;
%ignore winipc_channel_options_init;
%ignore winipc_channel_open;
%ignore winipc_channel_listen;
%ignore winipc_channel_create;
%ignore winipc_channel_from_handle;
%ignore winipc_channel_reserve;
%ignore winipc_channel_commit;
%ignore winipc_channel_abandon;
%ignore winipc_channel_peek;
%ignore winipc_channel_release;
%ignore winipc_channel_set_tag;
%ignore winipc_channel_received;
%ignore winipc_channel_inspect;
%ignore winipc_channel_get_info;
%ignore winipc_message_info;
%ignore winipc_send_many;
%ignore winipc_receive_many;
%ignore winipc_connection_arm;

%rename("%(regex:/^(?:winipc_|WINIPC_)(.*)/\\1/)s") "";
%include "winipc.h"
