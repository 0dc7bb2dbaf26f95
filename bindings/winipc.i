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
#include "many.h"
#include "channel.h"
#include "loan.h"
#include "channel_types.h"
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
%include "channel.i"
%include "memory.i"
%include "process.i"
%include "log.i"

%rename("%(regex:/^(?:winipc_|WINIPC_)(.*)/\\1/)s") "";
%include "winipc.h"
