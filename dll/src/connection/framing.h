/* How messages are told apart on what a transport carries. */
#ifndef WINIPC_FRAMING_H
#define WINIPC_FRAMING_H

#include "connection/connection.h"

/* The size of the parts together; fails when they may not go as one message. */
winipc_status framing_total(const connection *c, const winipc_part *parts,
                            uint32_t count, size_t *total);

/* Sends one message in the connection's framing. */
winipc_status framing_send(connection *c, const winipc_part *parts, uint32_t count,
                           const deadline *end);

/* Waits until a message, or with MESSAGE its head, is at hand and receives it.
 * `part`: give out what fits (WINIPC_MORE) instead of WINIPC_E_MESSAGE_TOO_LARGE. */
winipc_status framing_receive(connection *c, void *data, size_t capacity, size_t *size,
                              bool part, const deadline *end);

/* Receives into new memory. */
winipc_status framing_receive_alloc(connection *c, void **data, size_t *size,
                                    const deadline *end);

/* MESSAGE: `size` bytes at `data` are the head of a message whose rest the transport
 * still holds. Keeps both, unless they are more than max_message: then the rest stays
 * there. Fails with WINIPC_E_MESSAGE_TOO_LARGE; `needed` gets the whole size. */
winipc_status framing_keep_head(connection *c, const void *data, size_t size,
                                size_t *needed);

#endif
