/* winipc: every way two Windows processes talk, behind one stable C ABI.
 *
 * This header is the manual. It needs no <windows.h>, compiles as C89, C11 and
 * C++, and is the same for programs that link winipc.lib and for programs that
 * LoadLibrary("winipc.dll") and GetProcAddress what they need.
 *
 * Conventions that hold for every function
 *
 *  1. A function returns a winipc_status: 0 is fine, a positive value is fine
 *     with news (WINIPC_ABANDONED, ...), a negative value is an error. Results
 *     leave through the pointers at the end of the argument list; on an error
 *     they are set to NULL or 0 unless the function says otherwise.
 *  2. After an error, winipc_last_error() tells this thread the Win32 code, the
 *     call that failed and a one-line text.
 *  3. Handles (winipc_connection *, winipc_mutex *, ...) are ids in the clothes
 *     of a pointer. They cannot be dereferenced. A handle that was closed, or
 *     was never given out, or is of another kind, is WINIPC_E_INVALID_HANDLE;
 *     it never crashes.
 *  4. Any function may be called from any thread. Where an object allows only
 *     so many threads at once, its function says so; one too many is told
 *     WINIPC_E_BUSY.
 *  5. The ..._close functions accept NULL, wake threads that are blocked in the
 *     object (they return WINIPC_E_CLOSED), and return when the kernel writes
 *     into none of the caller's memory any more. No other function accepts a
 *     handle after its close.
 *  6. Times are milliseconds: WINIPC_NO_WAIT (0) tries once, WINIPC_FOREVER
 *     waits without end. A call whose time ran out returns WINIPC_E_TIMEOUT and
 *     has lost no data: what came too late is there for the next call.
 *  7. Strings are UTF-8 and end in NUL. Sizes are bytes.
 *  8. An options structure begins with its own size and is filled with the
 *     defaults by its ..._options_init function; NULL stands for the defaults.
 *     A flag or a value that this version does not know is
 *     WINIPC_E_INVALID_ARGUMENT. Members are only ever appended.
 *  9. What the library allocates for the caller is released by winipc_free().
 */
#ifndef WINIPC_H
#define WINIPC_H

#include <stddef.h>
#include <stdint.h>

#if defined(_MSC_VER) || defined(__MINGW32__)
#define WINIPC_CALL __cdecl
#else
#define WINIPC_CALL
#endif

/* The names leave the DLL through def/winipc.def, so the build of the DLL itself
 * needs no attribute; a program that links the import library gains a little by
 * dllimport. */
#if defined(_WIN32) && !defined(WINIPC_BUILD)
#define WINIPC_IMPORT __declspec(dllimport)
#else
#define WINIPC_IMPORT
#endif

#ifdef __cplusplus
#define WINIPC_API extern "C" WINIPC_IMPORT
extern "C" {
#else
#define WINIPC_API extern WINIPC_IMPORT
#endif

/* ------------------------------------------------------------------------ */
/* Version                                                                  */

#define WINIPC_VERSION_MAJOR 0
#define WINIPC_VERSION_MINOR 1
#define WINIPC_VERSION_PATCH 0

/* The version of the DLL that is loaded: major << 16 | minor << 8 | patch. Within
 * one major version the ABI only grows. */
WINIPC_API uint32_t WINIPC_CALL winipc_version(void);

/* The same as text, "0.1.0". Static storage. */
WINIPC_API const char *WINIPC_CALL winipc_version_text(void);

/* 1 when this build on this system has the named feature, else 0. Known names:
 * "pipe", "pipe.remote", "pipe.list", "pipe.enforced-security",
 * "pipe.first-instance", "process", "process.pseudo-console", "memory",
 * "mutex", "event", "semaphore", "channel". An unknown name or NULL is 0. */
WINIPC_API int32_t WINIPC_CALL winipc_has(const char *feature);

/* ------------------------------------------------------------------------ */
/* Status                                                                   */

typedef int32_t winipc_status;

/* Every status: name, value, text. A value never changes and is never reused. */
#define WINIPC_STATUS_TABLE(X)                                                \
  X(OK, 0, "success")                                                         \
  X(ABANDONED, 1, "locked, but its last owner ended without unlocking it")    \
  X(READY, 2, "something is ready at once")                                   \
  X(MORE, 3, "a part of the message; more of it follows")                     \
  X(LOST, 4, "done, but messages were lost")                                  \
  X(E_INVALID_ARGUMENT, -1, "an argument is out of its range")                \
  X(E_INVALID_HANDLE, -2, "the handle is closed, foreign or of another kind") \
  X(E_OUT_OF_MEMORY, -3, "memory or another system resource ran out")         \
  X(E_UNSUPPORTED, -4, "the object or this system cannot do that")            \
  X(E_TIMEOUT, -5, "the time ran out")                                        \
  X(E_CANCELLED, -6, "cancelled")                                             \
  X(E_CLOSED, -7, "closed by another thread of this program")                 \
  X(E_DISCONNECTED, -8, "the peer has ended the connection")                  \
  X(E_MESSAGE_TOO_LARGE, -9, "the message is larger than is allowed here")    \
  X(E_BUFFER_TOO_SMALL, -10, "the buffer is too small")                       \
  X(E_INCOMPLETE, -11, "only a part was sent; the connection is broken")      \
  X(E_TRUNCATED, -12, "the peer ended in the middle of a message")            \
  X(E_FRAMING, -13, "the connection cannot carry this framing")               \
  X(E_WOULD_BLOCK, -14, "a non-blocking pipe could take or give nothing")     \
  X(E_NOT_FOUND, -15, "there is nothing of that name")                        \
  X(E_EXISTS, -16, "the name is already in use")                              \
  X(E_ACCESS_DENIED, -17, "access is denied")                                 \
  X(E_PRIVILEGE, -18, "a privilege is missing")                               \
  X(E_BUSY, -19, "in use")                                                    \
  X(E_WRONG_PEER, -20, "the peer is not who it has to be")                    \
  X(E_CORRUPT, -21, "the data does not have its agreed form")                 \
  X(E_DEADLOCK, -22, "the call would wait for itself")                        \
  X(E_NOT_OWNER, -23, "the calling thread does not own it")                   \
  X(E_EMPTY_FILE, -24, "a file of zero length cannot be mapped")              \
  X(E_TOO_LARGE, -25, "the size is larger than the object or the system")     \
  X(E_INVALID_TEXT, -26, "the text is not valid UTF-8")                       \
  X(E_LIMIT, -27, "a limit of the object is reached")                         \
  X(E_SYSTEM, -28, "the system reported an error; see its Win32 code")        \
  X(E_VERSION, -29, "the peer speaks no version that we speak")               \
  X(E_OVERRUN, -30, "the data was overwritten while it was read")

#define WINIPC_STATUS_ENUMERATOR(name, value, text) WINIPC_##name = value,
enum { WINIPC_STATUS_TABLE(WINIPC_STATUS_ENUMERATOR) WINIPC_E_LAST = -31 };

#define WINIPC_NO_WAIT 0u
#define WINIPC_FOREVER 0xFFFFFFFFu

typedef struct winipc_error {
  uint32_t size;        /* in: sizeof(winipc_error) */
  winipc_status status; /* of the last failing call of this thread, else 0 */
  uint32_t win32;       /* GetLastError() at the point of failure, or 0 */
  uint32_t reserved;
  char call[48];  /* the system call that failed, or "" */
  char text[256]; /* one line for a person, in English */
} winipc_error;

/* What the last call of this thread that failed has to say. A successful call
 * leaves it alone. Returns WINIPC_OK. */
WINIPC_API winipc_status WINIPC_CALL winipc_last_error(winipc_error *error);

/* "WINIPC_E_TIMEOUT" and the like; "WINIPC_E_UNKNOWN" for a value that is not in
 * the table. Static storage. */
WINIPC_API const char *WINIPC_CALL winipc_status_name(winipc_status status);

/* The text of the table above. Static storage. */
WINIPC_API const char *WINIPC_CALL winipc_status_text(winipc_status status);

/* Receives every error at the point where it arises, on the thread where it
 * arises. It must not call winipc. */
typedef void(WINIPC_CALL *winipc_log_callback)(const winipc_error *error, void *user);

/* Sets the log callback of the process; NULL ends logging. A call that is under
 * way on another thread may still reach the old callback. */
WINIPC_API winipc_status WINIPC_CALL winipc_log_set(winipc_log_callback log,
                                                    void *user);

/* Releases memory that a winipc function allocated for the caller. NULL is fine. */
WINIPC_API void WINIPC_CALL winipc_free(void *memory);

/* ------------------------------------------------------------------------ */
/* Objects                                                                  */

typedef struct winipc_connection winipc_connection;
typedef struct winipc_listener winipc_listener;
typedef struct winipc_cancel_token winipc_cancel_token;
typedef struct winipc_process winipc_process;
typedef struct winipc_memory winipc_memory;
typedef struct winipc_mutex winipc_mutex;
typedef struct winipc_event winipc_event;
typedef struct winipc_semaphore winipc_semaphore;

/* The Win32 HANDLE behind an object of any kind, lent: it stays the object's, and
 * is valid until the object is closed. A connection over two handles (standard
 * streams) lends the one it reads from. A cancel token lends its event. */
WINIPC_API winipc_status WINIPC_CALL winipc_native_handle(const void *object,
                                                          void **handle);

/* Ends the calls that are blocked in the object at this moment, on whatever
 * thread: they return WINIPC_E_CANCELLED. A call that starts later is not
 * touched; use a cancel token to catch that one too. */
WINIPC_API winipc_status WINIPC_CALL winipc_cancel(const void *object);

/* Waits for any (all = 0) or all (all = 1) of 1 to 61 objects: processes, mutexes,
 * events, semaphores, mixed as you like, each at most once. `index` gets the
 * position of the object that ended the wait (0 for all). WINIPC_ABANDONED when
 * that object, or one of all, is a mutex whose owner ended without unlocking. */
WINIPC_API winipc_status WINIPC_CALL winipc_wait(const void *const *objects,
                                                 uint32_t count, int32_t all,
                                                 uint32_t timeout_ms, uint32_t *index);

/* ------------------------------------------------------------------------ */
/* Cancel tokens                                                            */
/*
 * A token ends blocking calls from outside, whatever object they are blocked in.
 * It is sticky: once fired it ends every call of the threads that use it, even
 * one that had not begun to wait, until it is reset. A call that does not have
 * to wait succeeds all the same.
 */

WINIPC_API winipc_status WINIPC_CALL winipc_cancel_create(winipc_cancel_token **token);

/* A token that counts as fired while a Win32 manual-reset event of yours is
 * signalled. The event is duplicated; close your handle when you like. */
WINIPC_API winipc_status WINIPC_CALL
winipc_cancel_from_event(void *event, winipc_cancel_token **token);

/* Makes the calling thread's blocking calls heed the token from now on; NULL ends
 * that, and another token takes its place. */
WINIPC_API winipc_status WINIPC_CALL winipc_cancel_use(winipc_cancel_token *token);

/* The same for a second token, heeded beside the first: a language's runtime keeps it
 * for its own interrupts (Ctrl-C). */
WINIPC_API winipc_status WINIPC_CALL winipc_cancel_use_also(winipc_cancel_token *token);

WINIPC_API winipc_status WINIPC_CALL winipc_cancel_fire(winipc_cancel_token *token);
WINIPC_API winipc_status WINIPC_CALL winipc_cancel_reset(winipc_cancel_token *token);

/* Threads that still use the token go on as if they used none. */
WINIPC_API winipc_status WINIPC_CALL winipc_cancel_close(winipc_cancel_token *token);

/* ------------------------------------------------------------------------ */
/* Security and names, common to all kernel objects                         */

/* Who may open what we create. CURRENT_USER: the user of this process at its own
 * integrity level or above, nobody else. Code that runs as the same user is inside
 * the trust boundary. An SDDL string in an options structure overrides it. */
#define WINIPC_SECURITY_CURRENT_USER 0u

/* Where a name lives. LOCAL: this logon session. GLOBAL: the whole machine, which
 * takes SeCreateGlobalPrivilege for shared memory (else WINIPC_E_PRIVILEGE). A name
 * that begins with "Local\" or "Global\" says so itself. */
#define WINIPC_SCOPE_LOCAL 0u
#define WINIPC_SCOPE_GLOBAL 1u

/* How a named object comes to be. */
#define WINIPC_CREATE_OR_OPEN 0u
#define WINIPC_CREATE 1u /* WINIPC_E_EXISTS when the name is taken */
#define WINIPC_OPEN 2u   /* WINIPC_E_NOT_FOUND when it is not */

/* ------------------------------------------------------------------------ */
/* Connections                                                              */
/*
 * Five verbs work alike over every transport; the address picks it:
 *
 *   pipe:NAME          a named pipe of this machine, \\.\pipe\NAME
 *   pipe://HOST/NAME   one of another machine (connect only)
 *   channel:NAME       shared memory: messages between two processes of this machine
 *   stdio:             this process's own standard input and output (connect only)
 *
 * "\\.\pipe\NAME" and "\\HOST\pipe\NAME" are accepted as they stand.
 *
 * One thread may send and another receive at the same time.
 */

/* What makes a message of the bytes on the wire. */
#define WINIPC_FRAMING_AUTO 0u    /* MESSAGE on a message pipe, else NONE */
#define WINIPC_FRAMING_MESSAGE 1u /* the pipe's own messages */
#define WINIPC_FRAMING_U32 2u     /* a little-endian uint32 length goes before */
#define WINIPC_FRAMING_LINE 3u    /* '\n' ends each message, and is not part of it */
#define WINIPC_FRAMING_NONE 4u    /* a stream: bytes may be merged or split */

#define WINIPC_DEFAULT_MAX_MESSAGE 67108864u /* 64 MiB */

typedef struct winipc_connection_options {
  uint32_t size;
  uint32_t framing;
  uint64_t max_message; /* bytes of one message, 1 to 2^32 - 1 */
} winipc_connection_options;

WINIPC_API winipc_status WINIPC_CALL
winipc_connection_options_init(winipc_connection_options *options);

/* Starts to serve at the address. The name is ours from now on, whether or not a
 * thread is in winipc_accept. WINIPC_E_EXISTS when it is somebody else's. */
WINIPC_API winipc_status WINIPC_CALL
winipc_listen(const char *address, const winipc_connection_options *options,
              winipc_listener **listener);

/* Waits for the next client. A client that has already gone again is still given
 * out: what it sent can be received. One thread at a time. */
WINIPC_API winipc_status WINIPC_CALL winipc_accept(winipc_listener *listener,
                                                   uint32_t timeout_ms,
                                                   winipc_connection **connection);

/* Ends serving. Connections that were accepted live on. */
WINIPC_API winipc_status WINIPC_CALL winipc_listener_close(winipc_listener *listener);

/* Connects, and tries again until the time is up while the server does not exist
 * yet (in the end WINIPC_E_NOT_FOUND) or has no free instance (WINIPC_E_BUSY). */
WINIPC_API winipc_status WINIPC_CALL
winipc_connect(const char *address, const winipc_connection_options *options,
               uint32_t timeout_ms, winipc_connection **connection);

/* Sends one message, whole. With the framings MESSAGE a send that fails has sent
 * nothing. With the others a send that ends after its first byte may have left
 * returns WINIPC_E_INCOMPLETE and breaks the connection, so that the peer sees
 * WINIPC_E_TRUNCATED and never a shortened message; NONE has no messages and
 * breaks nothing but the promise that all of `data` went. NO_WAIT never leaves
 * that trace where the system tells how much room there is (Wine does not, nor does
 * Windows to a server's end that only writes): it sends only what there is room for
 * at once, and what a receive of the peer waits for may count as taken. With LINE, data
 * that holds a '\n' is WINIPC_E_INVALID_ARGUMENT. A message larger than max_message is
 * not sent (WINIPC_E_MESSAGE_TOO_LARGE). One thread at a time. */
WINIPC_API winipc_status WINIPC_CALL winipc_send(winipc_connection *connection,
                                                 const void *data, size_t size,
                                                 uint32_t timeout_ms);

typedef struct winipc_part {
  const void *data;
  size_t size;
} winipc_part;

/* As winipc_send, of one message gathered from 0 to 1024 parts. */
WINIPC_API winipc_status WINIPC_CALL winipc_send_parts(winipc_connection *connection,
                                                       const winipc_part *parts,
                                                       uint32_t count,
                                                       uint32_t timeout_ms);

/* Receives one message whole; with NONE, the bytes that are there, one at least.
 * `size` gets its size. A message of zero bytes is a message. When the buffer is
 * too small: WINIPC_E_MESSAGE_TOO_LARGE, `size` gets what is needed, and the
 * message stays for the next call (WINIPC_E_TRUNCATED, and it is gone, when its sender
 * gave up and took it back in the midst of this). A frame or line larger than
 * max_message breaks the connection. The peer's end is WINIPC_E_DISCONNECTED, after
 * everything that it had sent. A call that ends early keeps what it has; the next one
 * goes on there. One thread at a time. */
WINIPC_API winipc_status WINIPC_CALL winipc_receive(winipc_connection *connection,
                                                    void *buffer, size_t capacity,
                                                    size_t *size, uint32_t timeout_ms);

/* As winipc_receive, but fills the buffer with as much of the message as fits and
 * returns WINIPC_MORE while there is more; the next call goes on there. */
WINIPC_API winipc_status WINIPC_CALL winipc_receive_part(winipc_connection *connection,
                                                         void *buffer, size_t capacity,
                                                         size_t *size,
                                                         uint32_t timeout_ms);

/* As winipc_receive, into memory of the library's: release it by winipc_free().
 * It is followed by a NUL byte that `size` does not count. */
WINIPC_API winipc_status WINIPC_CALL winipc_receive_alloc(winipc_connection *connection,
                                                          void **data, size_t *size,
                                                          uint32_t timeout_ms);

/* Sends several messages: on a channel they become visible together and cost one
 * wake-up. `sent` gets how many went, in any case, and may be NULL. */
WINIPC_API winipc_status WINIPC_CALL winipc_send_many(winipc_connection *connection,
                                                      const winipc_part *messages,
                                                      uint32_t count,
                                                      uint32_t timeout_ms,
                                                      uint32_t *sent);

/* Waits for a message, and receives as many as there are, up to `most` and to what the
 * buffer holds: messages[i] tells where in `buffer` each lies, aligned to 8 bytes.
 * `count` gets how many. When the first one does not fit: WINIPC_E_MESSAGE_TOO_LARGE,
 * messages[0].size is what is needed, and it stays for the next call. */
WINIPC_API winipc_status WINIPC_CALL winipc_receive_many(winipc_connection *connection,
                                                         void *buffer, size_t capacity,
                                                         winipc_part *messages,
                                                         uint32_t most, uint32_t *count,
                                                         uint32_t timeout_ms);

/* Gives a HANDLE to wait for in a loop of your own, once for each call, and receive
 * then, or arm again. WINIPC_READY: do not wait, something is there already. Do not
 * wait for it while a receive of another thread waits. Channels only so far (else
 * WINIPC_E_UNSUPPORTED). The handle is lent. */
WINIPC_API winipc_status WINIPC_CALL
winipc_connection_arm(winipc_connection *connection, void **handle);

/* Sends a request and receives its reply, on a message pipe in one system call
 * (TransactNamedPipe). There must be no unread message (WINIPC_E_BUSY). When the
 * time runs out the request may have gone, and its reply may come to a later
 * receive. A reply too large for the buffer is kept, as in winipc_receive. */
WINIPC_API winipc_status WINIPC_CALL winipc_transact(winipc_connection *connection,
                                                     const void *request,
                                                     size_t request_size, void *reply,
                                                     size_t capacity, size_t *size,
                                                     uint32_t timeout_ms);

typedef struct winipc_peek_info {
  uint32_t size;
  uint32_t waiting;   /* 1 when a message, or its first part, is there */
  uint64_t copied;    /* bytes put into the buffer */
  uint64_t message;   /* bytes of the next message as far as is known */
  uint64_t available; /* bytes that can be read without waiting */
} winipc_peek_info;

/* Looks at what waits, without waiting and without taking it. `buffer` may be NULL
 * when `capacity` is 0. Counts as a receive for the one-thread rule. A message of
 * zero bytes is seen as waiting only where the system tells it from none. */
WINIPC_API winipc_status WINIPC_CALL winipc_peek(winipc_connection *connection,
                                                 void *buffer, size_t capacity,
                                                 winipc_peek_info *info);

/* Waits until the peer has read all that was sent. */
WINIPC_API winipc_status WINIPC_CALL winipc_drain(winipc_connection *connection,
                                                  uint32_t timeout_ms);

/* Makes a connection of a pipe or stream HANDLE of yours, which then belongs to the
 * connection. Opened without FILE_FLAG_OVERLAPPED it works too, at the price of a
 * thread for each direction, and Windows lets reads and writes of such a handle
 * wait for each other. On an error the handle stays yours. */
WINIPC_API winipc_status WINIPC_CALL
winipc_connection_from_handle(void *handle, const winipc_connection_options *options,
                              winipc_connection **connection);

/* Gives the HANDLE away and closes the connection around it. WINIPC_E_BUSY while
 * received bytes wait in the connection's own buffer. */
WINIPC_API winipc_status WINIPC_CALL
winipc_connection_detach(winipc_connection *connection, void **handle);

/* Ends the connection at once: calls that are blocked in it, and all later ones, are
 * WINIPC_E_DISCONNECTED. A pipe's server end also drops what the peer has not read
 * (DisconnectNamedPipe) and the peer is told; of a client's end the peer learns at
 * its close, which both still want. */
WINIPC_API winipc_status WINIPC_CALL
winipc_connection_abort(winipc_connection *connection);

/* Closes gracefully: the peer can still read all that was sent. */
WINIPC_API winipc_status WINIPC_CALL
winipc_connection_close(winipc_connection *connection);

typedef struct winipc_peer {
  uint32_t size;
  uint32_t pid;
  uint32_t session; /* the logon session, as in ProcessIdToSessionId */
  uint32_t reserved;
  char user[192]; /* the user's SID, "S-1-5-21-...", or "" where we may not ask */
} winipc_peer;

/* Who is at the other end of a pipe of this machine, or of a channel with one peer. The
 * kernel names the process that opened the other end; by the time you ask it may have
 * handed the end on. */
WINIPC_API winipc_status WINIPC_CALL
winipc_connection_peer(winipc_connection *connection, winipc_peer *peer);

typedef struct winipc_connection_info {
  uint32_t size;
  uint32_t framing; /* in force, never AUTO */
  uint64_t max_message;
  uint32_t server;     /* 1: this is the end that was accepted */
  uint32_t overlapped; /* 0: adopted without FILE_FLAG_OVERLAPPED */
} winipc_connection_info;

WINIPC_API winipc_status WINIPC_CALL
winipc_connection_get_info(winipc_connection *connection, winipc_connection_info *info);

/* ------------------------------------------------------------------------ */
/* Named pipes                                                              */

#define WINIPC_PIPE_DUPLEX 0u
#define WINIPC_PIPE_INBOUND 1u  /* client to server only */
#define WINIPC_PIPE_OUTBOUND 2u /* server to client only */

#define WINIPC_PIPE_MESSAGE 0u
#define WINIPC_PIPE_BYTE 1u

#define WINIPC_PIPE_READ_AUTO 0u /* as the type of the pipe */
#define WINIPC_PIPE_READ_MESSAGE 1u
#define WINIPC_PIPE_READ_BYTE 2u

#define WINIPC_PIPE_UNLIMITED_INSTANCES 255u

/* The server's end: each parameter of CreateNamedPipe. Default in brackets. */
typedef struct winipc_pipe_options {
  uint32_t size;
  uint32_t framing;            /* [AUTO] */
  uint64_t max_message;        /* [WINIPC_DEFAULT_MAX_MESSAGE] */
  uint32_t direction;          /* [DUPLEX] */
  uint32_t type;               /* [MESSAGE] */
  uint32_t read_mode;          /* [AUTO] */
  uint32_t nowait;             /* [0] PIPE_NOWAIT: verbs never wait */
  uint32_t accept_remote;      /* [0] 1: clients of other machines too */
  uint32_t max_instances;      /* [UNLIMITED] 1 to 255: clients at once */
  uint32_t out_buffer;         /* [65536] bytes the system keeps for the client */
  uint32_t in_buffer;          /* [65536] bytes it keeps for the server */
  uint32_t default_timeout_ms; /* [0: the system's 50] of WaitNamedPipe */
  uint32_t first_instance;     /* [1] the name must be free; 0: join its servers */
  uint32_t inheritable;        /* [0] child processes inherit the handles */
  uint32_t write_through;      /* [0] FILE_FLAG_WRITE_THROUGH */
  uint32_t extra_access; /* [0] WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY */
  uint32_t security;     /* [CURRENT_USER] */
  const char *sddl;      /* [NULL] overrides `security` */
} winipc_pipe_options;

WINIPC_API winipc_status WINIPC_CALL
winipc_pipe_options_init(winipc_pipe_options *options);

/* winipc_listen with all of a pipe's parameters. The system is told one instance
 * more than `max_instances`, because the successor of the last one is created
 * before it goes; winipc itself keeps to your number. */
WINIPC_API winipc_status WINIPC_CALL
winipc_pipe_listen(const char *address, const winipc_pipe_options *options,
                   winipc_listener **listener);

#define WINIPC_PIPE_ANONYMOUS 0u      /* the server learns nothing about us */
#define WINIPC_PIPE_IDENTIFICATION 1u /* it may see who we are */
#define WINIPC_PIPE_IMPERSONATION 2u  /* it may act as us on its machine */
#define WINIPC_PIPE_DELEGATION 3u     /* it may act as us on other machines */

typedef struct winipc_pipe_client_options {
  uint32_t size;
  uint32_t framing;        /* [AUTO] */
  uint64_t max_message;    /* [WINIPC_DEFAULT_MAX_MESSAGE] */
  uint32_t direction;      /* [DUPLEX] INBOUND: we only write, OUTBOUND: only read */
  uint32_t read_mode;      /* [AUTO] */
  uint32_t nowait;         /* [0] PIPE_NOWAIT */
  uint32_t impersonation;  /* [IDENTIFICATION] */
  uint32_t inheritable;    /* [0] */
  uint32_t must_exist;     /* [0] 1: do not wait for a server that is not there */
  uint32_t write_through;  /* [0] */
  uint32_t reserved;       /* 0 */
  const char *server_user; /* [NULL] "self" or a SID: the server must run as this
                              user, else WINIPC_E_WRONG_PEER before a byte goes */
} winipc_pipe_client_options;

WINIPC_API winipc_status WINIPC_CALL
winipc_pipe_client_options_init(winipc_pipe_client_options *options);

/* winipc_connect with all of a pipe client's parameters. */
WINIPC_API winipc_status WINIPC_CALL
winipc_pipe_connect(const char *address, const winipc_pipe_client_options *options,
                    uint32_t timeout_ms, winipc_connection **connection);

typedef struct winipc_pipe_info {
  uint32_t size;
  uint32_t type;          /* WINIPC_PIPE_MESSAGE or _BYTE */
  uint32_t read_mode;     /* WINIPC_PIPE_READ_MESSAGE or _BYTE */
  uint32_t nowait;        /* 1: PIPE_NOWAIT */
  uint32_t max_instances; /* as the system was told */
  uint32_t instances;     /* that exist now */
  uint32_t out_buffer;    /* 0 where the system does not tell */
  uint32_t in_buffer;
} winipc_pipe_info;

WINIPC_API winipc_status WINIPC_CALL winipc_pipe_get_info(winipc_connection *connection,
                                                          winipc_pipe_info *info);

/* The security descriptor of a connection's pipe as SDDL with owner and DACL, and
 * with the mandatory label where the system keeps one. winipc_free() it. */
WINIPC_API winipc_status WINIPC_CALL winipc_pipe_get_sddl(winipc_connection *connection,
                                                          char **sddl);

/* The names of all pipes of this machine, without "\\.\pipe\", each followed by a
 * NUL. winipc_free() them. WINIPC_E_UNSUPPORTED under Wine. */
WINIPC_API winipc_status WINIPC_CALL winipc_pipe_list(char **names, uint32_t *count);

/* 1 when a pipe of that address exists. It looks at the list and does not disturb
 * the server. WINIPC_E_UNSUPPORTED under Wine. */
WINIPC_API winipc_status WINIPC_CALL winipc_pipe_exists(const char *address,
                                                        int32_t *exists);

/* An anonymous pipe: our end as a connection, and the other end as an inheritable
 * HANDLE opened without FILE_FLAG_OVERLAPPED, as C runtimes expect it. INBOUND: the
 * other end writes, OUTBOUND: it reads. Of the options, direction, type, read_mode,
 * framing, max_message and the buffers count, and the type's default is BYTE. The
 * caller closes the HANDLE once a child has it, or the end is never seen. */
WINIPC_API winipc_status WINIPC_CALL
winipc_pipe_pair(const winipc_pipe_options *options, winipc_connection **connection,
                 void **other_end);

/* ------------------------------------------------------------------------ */
/* Channels                                                                 */
/*
 * Messages through shared memory: no system call while both sides are busy, none but
 * a sleep while they are not. A channel is a connection (framing MESSAGE), so that all
 * that is said above holds; what follows is what only a channel can do.
 *
 * The parties meet over a named pipe, which stays open: its break tells at once that a
 * peer has gone, however it went. What it had sent before can still be received. The
 * end that was there first (PAIR, by winipc_channel_open), that listens, publishes or
 * is the funnel makes all shared memory and events, and puts handles of them into the
 * other's process, with no more rights than that one needs: so it must be allowed to
 * open that process (else WINIPC_E_ACCESS_DENIED), and the other checks who it is
 * before it believes a word (`server_user`). Nothing of a channel outlives its
 * processes.
 *
 * Each party writes only to memory of its own, which the others can only read, and
 * checks whatever it reads in theirs: a peer that breaks the rules is told apart
 * (WINIPC_E_CORRUPT, where it is the only one) and cut off. But bytes that are read in
 * place (winipc_channel_peek) may change while you read them, if their writer is
 * hostile.
 */

/* What this end is. */
#define WINIPC_CHANNEL_PAIR 0u       /* one to one, both send and receive */
#define WINIPC_CHANNEL_PUBLISHER 1u  /* one to many: each subscriber gets everything */
#define WINIPC_CHANNEL_SUBSCRIBER 2u /* receives only */
#define WINIPC_CHANNEL_FUNNEL 3u     /* many to one: receives only, from every lane */
#define WINIPC_CHANNEL_LANE 4u       /* sends only, to a funnel */

/* What becomes of a message that finds no room in the ring. Each message that is lost
 * is counted, and told to the reader with the next one (WINIPC_LOST); so is a long one
 * whose sender gave up in the midst of it. A reservation that finds no room is
 * WINIPC_E_WOULD_BLOCK under FAIL and under DROP_NEWEST, there counted as a loss.
 * winipc_drain is WINIPC_E_UNSUPPORTED under OVERWRITE_OLDEST. */
#define WINIPC_FULL_AUTO 0u        /* OVERWRITE_OLDEST for a publisher, else BLOCK */
#define WINIPC_FULL_BLOCK 1u       /* the send waits, until its timeout */
#define WINIPC_FULL_FAIL 2u        /* the send is WINIPC_E_WOULD_BLOCK at once */
#define WINIPC_FULL_DROP_NEWEST 3u /* it is lost: the send is WINIPC_LOST */
#define WINIPC_FULL_OVERWRITE_OLDEST 4u /* the oldest are lost; publishers only */

/* Optional fields of 8 bytes in each message. */
#define WINIPC_FIELD_SEQUENCE 1u /* its number, from 0 */
#define WINIPC_FIELD_TIME 2u     /* when it was sent: 100 ns since 1601, UTC */
#define WINIPC_FIELD_TAG 4u      /* as winipc_channel_set_tag set it */

#define WINIPC_ANY_NODE 0xFFFFFFFFu
#define WINIPC_SPIN_AUTO 0xFFFFFFFFu

typedef struct winipc_channel_options {
  uint32_t size;
  uint32_t role;        /* [PAIR] */
  uint64_t max_message; /* [WINIPC_DEFAULT_MAX_MESSAGE] */
  uint64_t capacity;    /* [1 MiB] bytes of the ring that this end writes, rounded up to
                           a power of two, 4 KiB to 16 GiB; a message of up to a quarter
                           of it (less 8 bytes, and 8 for each field) lies there in one
                           piece */
  uint64_t capacity_limit; /* [64 MiB, or `capacity` if that is more] what a peer may
                              ask for the ring that it writes */
  uint32_t full;           /* [AUTO] of the ring that this end writes */
  uint32_t fields;         /* [0] of the messages that this end sends */
  uint32_t spin_us;     /* [AUTO] microseconds to look out for the peer before sleeping,
                           at most; less while that has turned out to be in vain. 0:
                           never, and never where there is one processor only */
  uint32_t from_oldest; /* [0] subscriber: 1: begin with the oldest message that is
                           still there; only an overwriting publisher keeps any */
  uint32_t max_peers;   /* [64] 1 to 1024: subscribers or lanes at once */
  uint32_t scope;       /* [LOCAL] who shares the name: this logon session, or the
                           whole machine; takes no privilege */
  uint32_t large_pages; /* [0] takes SeLockMemoryPrivilege (else WINIPC_E_PRIVILEGE) */
  uint32_t prefault;    /* [0] 1: touch the memory now, not at its first use */
  uint32_t numa_node;   /* [ANY_NODE] the memory's preferred node */
  uint32_t security;    /* [CURRENT_USER] who may join */
  const char *sddl;     /* [NULL] overrides `security` */
  const char *server_user; /* [NULL: "self"] joining: the user that the other end must
                              run as, "self", a SID, or "any"; else
                              WINIPC_E_WRONG_PEER */
} winipc_channel_options;

WINIPC_API winipc_status WINIPC_CALL
winipc_channel_options_init(winipc_channel_options *options);

/* Opens a channel as what `role` says.
 *
 * PAIR: whoever comes first waits for the other; a third one is kept waiting until one
 * of the two has closed (in the end WINIPC_E_BUSY). PUBLISHER, FUNNEL: returns at once;
 * WINIPC_E_EXISTS when there is one of that name. SUBSCRIBER, LANE: waits for it to
 * come (in the end WINIPC_E_NOT_FOUND, or WINIPC_E_BUSY when it has all the peers it
 * takes).
 *
 * To send to no subscriber is no error, and a funnel without lanes waits for one. For a
 * subscriber the publisher's end is WINIPC_E_DISCONNECTED, as the funnel's is for a
 * lane. A lane that ends is drained first, and its place is free once the funnel has
 * received all of that. WINIPC_NO_WAIT waits for nobody to come, but up to a second for
 * the answer of who is there. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_open(const char *address, const winipc_channel_options *options,
                    uint32_t timeout_ms, winipc_connection **connection);

/* winipc_connect with all of a channel's parameters: joins as PAIR, SUBSCRIBER or LANE
 * who is there, and waits for nobody as the first. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_connect(const char *address, const winipc_channel_options *options,
                       uint32_t timeout_ms, winipc_connection **connection);

/* winipc_listen with all of a channel's parameters: a server that winipc_accept gives a
 * PAIR for each client that connects. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_listen(const char *address, const winipc_channel_options *options,
                      winipc_listener **listener);

/* A channel without a name: a listener for one client, who comes by `other_end`, an
 * inheritable HANDLE. Let a child inherit it or put a duplicate into any process, close
 * yours, and winipc_accept(). */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_create(const winipc_channel_options *options, winipc_listener **listener,
                      void **other_end);

/* Connects by such a handle, which then belongs to the connection; on an error it stays
 * yours. Who gave it to you is trusted: `server_user` does not count here. The one who
 * made it takes your word for the process that you are. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_from_handle(void *handle, const winipc_channel_options *options,
                           uint32_t timeout_ms, winipc_connection **connection);

/* Room in the ring itself for a message of up to `size` bytes, at most a quarter of the
 * ring (else WINIPC_E_MESSAGE_TOO_LARGE), to be built in place and then sent by
 * winipc_channel_commit, with the bytes that it came to. Counts as a send until then
 * for the one-thread rule: there is one reservation at a time, and a send meanwhile is
 * WINIPC_E_BUSY. It ends with the connection: do not touch it after the close. */
WINIPC_API winipc_status WINIPC_CALL winipc_channel_reserve(
    winipc_connection *connection, size_t size, uint32_t timeout_ms, void **data);
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_commit(winipc_connection *connection, size_t size);

/* Gives the room back. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_abandon(winipc_connection *connection);

/* The next message where it lies, read-only, until winipc_channel_release. (One that
 * was too large for a quarter of the ring is put together in memory of the library's
 * first.) Waits as winipc_receive does; a second peek gives the same message. The
 * release of a message that an overwriting publisher has overwritten meanwhile is
 * WINIPC_E_OVERRUN: forget what you read. Ends with the connection. */
WINIPC_API winipc_status WINIPC_CALL winipc_channel_peek(winipc_connection *connection,
                                                         uint32_t timeout_ms,
                                                         const void **data,
                                                         size_t *size);
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_release(winipc_connection *connection);

/* The tag of the messages that are sent from now on, where `fields` has TAG. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_set_tag(winipc_connection *connection, uint64_t tag);

typedef struct winipc_message_info {
  uint32_t size;
  uint32_t sender;   /* pid of who sent it */
  uint64_t lost;     /* messages that were lost before it, since the one before */
  uint64_t sequence; /* 0 where the sender sends no such field */
  uint64_t time;
  uint64_t tag;
} winipc_message_info;

/* About the message that was received or peeked last. Counts as a receive for the
 * one-thread rule. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_received(winipc_connection *connection, winipc_message_info *info);

/* One party of a channel. */
typedef struct winipc_channel_member {
  uint32_t size;
  uint32_t role;
  uint32_t pid;
  uint32_t waiting; /* 1: asleep, 0: not */
  uint64_t since;   /* when it joined: 100 ns since 1601, UTC */
  uint64_t
      capacity; /* of the ring that it writes; 0: none. What follows is from then */
  uint64_t messages; /* that it has sent */
  uint64_t bytes;    /* that these took in the ring, their headers included */
  uint64_t dropped;  /* messages that found no room */
  uint64_t unread;   /* bytes that wait for it */
  uint64_t lost;     /* messages that it has missed */
  uint64_t sleeps;   /* how often it slept */
  uint64_t wakes;    /* how often it woke others */
  char image[512]; /* path of its program, "" where we may not ask; may be cut short */
} winipc_channel_member;

/* Who is on the channel of that name and how it goes, without disturbing it: for any
 * process that may join. `members` has room for `capacity` of them (members[0].size
 * tells how large each is); `count` gets how many there are, of which the first is the
 * one that all others met. A listener tells of all its pairs, of none while it has
 * none. WINIPC_E_BUFFER_TOO_SMALL when there are more, and `members` has the first
 * ones. */
WINIPC_API winipc_status WINIPC_CALL winipc_channel_inspect(
    const char *address, const winipc_channel_options *options, uint32_t timeout_ms,
    winipc_channel_member *members, uint32_t capacity, uint32_t *count);

/* This end, as the others see it. */
WINIPC_API winipc_status WINIPC_CALL
winipc_channel_get_info(winipc_connection *connection, winipc_channel_member *member);

/* ------------------------------------------------------------------------ */
/* Processes                                                                */

/* Where a standard stream of a child comes from or goes to. */
#define WINIPC_STREAM_INHERIT 0u /* this process's own stream */
#define WINIPC_STREAM_NULL 1u    /* nothing */
#define WINIPC_STREAM_PIPE 2u    /* a connection: winipc_process_take_stream */
#define WINIPC_STREAM_FILE 3u    /* `path`; outputs create or truncate it */
#define WINIPC_STREAM_APPEND 4u  /* outputs only: the end of `path` */
#define WINIPC_STREAM_HANDLE 5u  /* `handle`, lent for the call */
#define WINIPC_STREAM_MERGE 6u   /* standard error only: into standard output */

#define WINIPC_STDIN 0u
#define WINIPC_STDOUT 1u
#define WINIPC_STDERR 2u

typedef struct winipc_stream {
  uint32_t kind;    /* WINIPC_STREAM_... */
  uint32_t framing; /* PIPE: framing of the connection; [NONE] for AUTO */
  const char *path;
  void *handle;
} winipc_stream;

/* Every parameter of CreateProcess. Give `arguments` (quoted safely, the first one
 * is the program) or `command_line` (raw), not both. */
typedef struct winipc_process_options {
  uint32_t size;
  uint32_t argument_count;
  const char *const *arguments;
  const char *command_line;
  const char *application;        /* [NULL: searched from the command line] */
  const char *directory;          /* [NULL: this process's] */
  const char *const *environment; /* [NULL: this process's] "NAME=value" strings */
  uint32_t environment_count;
  uint32_t creation_flags;  /* [0] CREATE_NO_WINDOW, CREATE_NEW_PROCESS_GROUP, ... */
  winipc_stream streams[3]; /* [INHERIT] */
  void *const *inherited;   /* HANDLEs that the child inherits, and no others */
  uint32_t inherited_count;
  uint32_t kill_with_parent; /* [0] 1: the tree dies when the process object closes */
  uint32_t startup_flags;    /* [0] STARTF_... beyond what is set for you */
  uint32_t show_window;      /* with STARTF_USESHOWWINDOW */
  uint32_t window_x, window_y, window_width, window_height;
  uint32_t console_columns, console_rows, console_fill;
  uint32_t pseudo_console; /* [0] columns << 16 | rows: run in a pseudo-console */
  const char *title;
  const char *desktop;
  const char *process_sddl; /* [NULL: the system's default] */
  const char *thread_sddl;
  uint32_t process_inheritable; /* [0] the HANDLE of the new process */
  uint32_t thread_inheritable;
  void *parent; /* [NULL] HANDLE: PROC_THREAD_ATTRIBUTE_PARENT_PROCESS; `inherited`
                   are handles of that process then */
} winipc_process_options;

WINIPC_API winipc_status WINIPC_CALL
winipc_process_options_init(winipc_process_options *options);

/* Starts a program inside a job of its own, so that winipc_process_kill_tree reaches
 * what it starts in turn. A program that `arguments` name without an extension is
 * looked for as .exe, .bat and .cmd. Arguments that cmd.exe would reinterpret are
 * quoted for it when the program is a .bat or .cmd, or refused with
 * WINIPC_E_INVALID_ARGUMENT (those with a quote, %, ! or a control character). */
WINIPC_API winipc_status WINIPC_CALL
winipc_process_start(const winipc_process_options *options, winipc_process **process);

/* Opens a running process, to wait for it, end it, or hand it handles. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_open(uint32_t pid,
                                                         winipc_process **process);

/* The parent's end of a stream that is a PIPE. It is yours from then on. A second
 * call for the same stream is WINIPC_E_NOT_FOUND. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_take_stream(
    winipc_process *process, uint32_t stream, winipc_connection **connection);

typedef struct winipc_output {
  uint32_t size;
  uint32_t reserved;
  void *out; /* standard output and its size: winipc_free() it */
  size_t out_size;
  void *error; /* standard error */
  size_t error_size;
} winipc_output;

/* Feeds `input` to the child, closes its standard input, and drains both outputs at
 * once until they end. Streams that are no PIPE, or were taken, are left alone.
 * When an output passes `limit` bytes (0: no limit) the call ends with
 * WINIPC_E_MESSAGE_TOO_LARGE; then, and when the time runs out or the call is
 * cancelled, `output` has what came so far and the next call goes on: it takes no new
 * input, and gives out what comes after. A child that reads no more of the input is no
 * error. A NUL that the size does not count follows each output; a stream that is left
 * alone is NULL. One thread at a time. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_communicate(
    winipc_process *process, const void *input, size_t input_size, uint64_t limit,
    winipc_output *output, uint32_t timeout_ms);

WINIPC_API winipc_status WINIPC_CALL winipc_process_wait(winipc_process *process,
                                                         uint32_t timeout_ms,
                                                         uint32_t *exit_code);
WINIPC_API winipc_status WINIPC_CALL winipc_process_pid(winipc_process *process,
                                                        uint32_t *pid);

/* Ctrl-Break, to a child that was started with CREATE_NEW_PROCESS_GROUP and shares
 * our console. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_interrupt(winipc_process *process);

/* Lets a process run that was started with CREATE_SUSPENDED in `creation_flags`. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_resume(winipc_process *process);

WINIPC_API winipc_status WINIPC_CALL winipc_process_terminate(winipc_process *process,
                                                              uint32_t exit_code);

/* Ends the process and everything that it has started. Only for a process that
 * winipc_process_start made. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_kill_tree(winipc_process *process,
                                                              uint32_t exit_code);

/* Closes our handles; the program runs on unless `kill_with_parent` was set. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_close(winipc_process *process);

/* The command line that CommandLineToArgvW and the C runtimes read back as these
 * arguments. winipc_free() it. */
WINIPC_API winipc_status WINIPC_CALL winipc_command_line(const char *const *arguments,
                                                         uint32_t count, char **line);

/* Puts a duplicate of one of our HANDLEs into another process and tells its value
 * there. `access` 0 keeps the access it has. */
WINIPC_API winipc_status WINIPC_CALL winipc_process_give_handle(winipc_process *process,
                                                                void *handle,
                                                                uint32_t access,
                                                                uint64_t *value);

/* Puts a duplicate of the HANDLE into the peer's process and tells it by a message.
 * The peer calls winipc_receive_handle. Message framings only (not LINE or NONE). */
WINIPC_API winipc_status WINIPC_CALL winipc_send_handle(winipc_connection *connection,
                                                        void *handle,
                                                        uint32_t timeout_ms);

/* Receives a HANDLE that the peer has put into this process; close it, or give it to
 * a ..._from_handle function. The peer is believed: only take handles from a process
 * that you would also let run code as you. Any other message is WINIPC_E_CORRUPT,
 * and is lost. */
WINIPC_API winipc_status WINIPC_CALL winipc_receive_handle(
    winipc_connection *connection, void **handle, uint32_t timeout_ms);

/* ------------------------------------------------------------------------ */
/* Shared memory                                                            */
/*
 * Byte 0 of the memory is your byte 0: plain CreateFileMapping programs share it.
 * Memory that winipc created in the page file, to be written, keeps its exact size in
 * a trailer behind the data, and memory of a file has the file's size; other memory is
 * rounded up to whole pages, and winipc_memory_info says so.
 */

#define WINIPC_MEMORY_READ_WRITE 0u
#define WINIPC_MEMORY_READ 1u
#define WINIPC_MEMORY_COPY_ON_WRITE 2u /* changes stay in this process */
#define WINIPC_MEMORY_EXECUTE_READ 3u
#define WINIPC_MEMORY_EXECUTE_READ_WRITE 4u
#define WINIPC_MEMORY_EXECUTE_COPY_ON_WRITE 5u

typedef struct winipc_memory_options {
  uint32_t size;
  uint32_t protection;  /* [READ_WRITE] of the section, and what its views may have */
  uint32_t scope;       /* [LOCAL] */
  uint32_t inheritable; /* [0] */
  const char *path;     /* [NULL: the page file] back the memory by this file */
  uint32_t large_pages; /* [0] takes SeLockMemoryPrivilege */
  uint32_t security;    /* [CURRENT_USER] */
  const char *sddl;     /* [NULL] */
} winipc_memory_options;

WINIPC_API winipc_status WINIPC_CALL
winipc_memory_options_init(winipc_memory_options *options);

/* Creates shared memory of `bytes` bytes, all zero. `name` NULL: unnamed. With a
 * `path`, 0 bytes means the file's own size, and a larger size extends the file.
 * WINIPC_E_EXISTS when the name is taken. */
WINIPC_API winipc_status WINIPC_CALL
winipc_memory_create(const char *name, uint64_t bytes,
                     const winipc_memory_options *options, winipc_memory **memory);

/* Opens it. `protection` asks for exactly the access that is needed. */
WINIPC_API winipc_status WINIPC_CALL winipc_memory_open(
    const char *name, const winipc_memory_options *options, winipc_memory **memory);

typedef winipc_status(WINIPC_CALL *winipc_memory_initialise)(void *address,
                                                             uint64_t bytes,
                                                             void *user);

/* Creates or opens; `created` tells which, and may be NULL. What exists may have more
 * bytes; with fewer it is WINIPC_E_TOO_LARGE. `initialise`, when not NULL, runs exactly
 * once for the life of the memory, before any such call in any process returns; when
 * its process dies in it, or it fails, the next caller's runs. It gets the whole
 * memory. The wait for another's initialiser ends with `timeout_ms`. It takes a
 * protection that writes; and memory of a file, or that another program made, has no
 * place to note it, which is WINIPC_E_UNSUPPORTED. */
WINIPC_API winipc_status WINIPC_CALL winipc_memory_create_or_open(
    const char *name, uint64_t bytes, const winipc_memory_options *options,
    winipc_memory_initialise initialise, void *user, uint32_t timeout_ms,
    int32_t *created, winipc_memory **memory);

/* Adopts a section HANDLE (inherited, duplicated or received), which then belongs to
 * the object. On an error the handle stays yours. */
WINIPC_API winipc_status WINIPC_CALL winipc_memory_from_handle(
    void *handle, const winipc_memory_options *options, winipc_memory **memory);

typedef struct winipc_memory_info {
  uint32_t size;
  uint32_t exact; /* 1: `bytes` is what the creator asked for; 0: rounded up */
  uint64_t bytes;
  uint32_t creator; /* pid of the creator, 0 when unknown */
  uint32_t created; /* 1: by this object */
} winipc_memory_info;

WINIPC_API winipc_status WINIPC_CALL winipc_memory_get_info(winipc_memory *memory,
                                                            winipc_memory_info *info);

/* Maps `bytes` bytes at any `offset`; 0 bytes means up to the end. As many views as
 * you like. `protection` as above; a view of WINIPC_MEMORY_READ faults on a write. */
WINIPC_API winipc_status WINIPC_CALL winipc_memory_map(winipc_memory *memory,
                                                       uint64_t offset, uint64_t bytes,
                                                       uint32_t protection,
                                                       void **address);

/* Ends a view, by the address that winipc_memory_map gave. */
WINIPC_API winipc_status WINIPC_CALL winipc_memory_unmap(winipc_memory *memory,
                                                         void *address);

/* Writes a file-backed view's changes to the file (FlushViewOfFile). */
WINIPC_API winipc_status WINIPC_CALL winipc_memory_flush(winipc_memory *memory,
                                                         void *address, uint64_t bytes);

/* Ends all views and closes the handle. */
WINIPC_API winipc_status WINIPC_CALL winipc_memory_close(winipc_memory *memory);

/* ------------------------------------------------------------------------ */
/* Locks                                                                    */

typedef struct winipc_lock_options {
  uint32_t size;
  uint32_t mode;        /* [CREATE_OR_OPEN] */
  uint32_t scope;       /* [LOCAL] */
  uint32_t inheritable; /* [0] */
  uint32_t security;    /* [CURRENT_USER] */
  uint32_t reserved;    /* 0 */
  const char *sddl;     /* [NULL] */
} winipc_lock_options;

WINIPC_API winipc_status WINIPC_CALL
winipc_lock_options_init(winipc_lock_options *options);

/* A mutex belongs to a thread: the one that locked it unlocks it, and may lock it
 * again while it owns it. `name` NULL: unnamed. `created` may be NULL. */
WINIPC_API winipc_status WINIPC_CALL
winipc_mutex_open(const char *name, const winipc_lock_options *options,
                  int32_t *created, winipc_mutex **mutex);
WINIPC_API winipc_status WINIPC_CALL winipc_mutex_from_handle(void *handle,
                                                              winipc_mutex **mutex);

/* WINIPC_ABANDONED: locked, and the last owner ended without unlocking: look at what
 * the mutex protects before you use it. */
WINIPC_API winipc_status WINIPC_CALL winipc_mutex_lock(winipc_mutex *mutex,
                                                       uint32_t timeout_ms);
WINIPC_API winipc_status WINIPC_CALL winipc_mutex_unlock(winipc_mutex *mutex);
WINIPC_API winipc_status WINIPC_CALL winipc_mutex_close(winipc_mutex *mutex);

/* manual 0: a wait that succeeds resets the event; 1: it stays set until reset. */
WINIPC_API winipc_status WINIPC_CALL winipc_event_open(
    const char *name, int32_t manual, int32_t set, const winipc_lock_options *options,
    int32_t *created, winipc_event **event);
WINIPC_API winipc_status WINIPC_CALL winipc_event_from_handle(void *handle,
                                                              winipc_event **event);
WINIPC_API winipc_status WINIPC_CALL winipc_event_set(winipc_event *event);
WINIPC_API winipc_status WINIPC_CALL winipc_event_reset(winipc_event *event);
WINIPC_API winipc_status WINIPC_CALL winipc_event_wait(winipc_event *event,
                                                       uint32_t timeout_ms);
WINIPC_API winipc_status WINIPC_CALL winipc_event_close(winipc_event *event);

/* 0 <= count <= limit, 1 <= limit <= 2^31 - 1. */
WINIPC_API winipc_status WINIPC_CALL winipc_semaphore_open(
    const char *name, uint32_t count, uint32_t limit,
    const winipc_lock_options *options, int32_t *created, winipc_semaphore **semaphore);
WINIPC_API winipc_status WINIPC_CALL
winipc_semaphore_from_handle(void *handle, winipc_semaphore **semaphore);
WINIPC_API winipc_status WINIPC_CALL
winipc_semaphore_acquire(winipc_semaphore *semaphore, uint32_t timeout_ms);

/* WINIPC_E_LIMIT, and no change, when it would pass the limit. `previous` may be
 * NULL. */
WINIPC_API winipc_status WINIPC_CALL winipc_semaphore_release(
    winipc_semaphore *semaphore, uint32_t count, uint32_t *previous);
WINIPC_API winipc_status WINIPC_CALL
winipc_semaphore_close(winipc_semaphore *semaphore);

#ifdef __cplusplus
}
#endif
#endif
