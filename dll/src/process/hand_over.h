#ifndef WINIPC_HAND_OVER_H
#define WINIPC_HAND_OVER_H

#include "core/win.h"

/* Closes a handle that was put into another process. */
void hand_over_take_back(HANDLE process, HANDLE remote);

#endif
