/* Hooks around the system calls of the core, for the test build winipc_counted.dll:
 * each is counted, and can be told to fail.
 *
 * dll/src/core/win.h includes this file at its end when WINIPC_TEST_HOOKS is defined. A
 * function-like macro of the same name stands before each function; a macro is not
 * expanded inside itself, so the function is what it calls. A call through a function
 * pointer goes past the hook. */
#ifndef WINIPC_TEST_HOOKS_H
#define WINIPC_TEST_HOOKS_H

/* Whatever declares a hooked function comes before the macros. */
#include <windows.h>

#include <bcrypt.h>
#include <realtimeapiset.h>
#include <sddl.h>
#include <winternl.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* name, whether it enters the kernel (under Wine: the server), whether it may be told
 * to fail: what cannot fail on a handle that is valid is only counted. */
#define HOOKS_TABLE(X)                                          \
  X(ReadFile, 1, 1)                                             \
  X(WriteFile, 1, 1)                                            \
  X(TransactNamedPipe, 1, 1)                                    \
  X(ConnectNamedPipe, 1, 1)                                     \
  X(DisconnectNamedPipe, 1, 1)                                  \
  X(PeekNamedPipe, 1, 1)                                        \
  X(FlushFileBuffers, 1, 1)                                     \
  X(CancelIoEx, 1, 1)                                           \
  X(CancelSynchronousIo, 1, 1)                                  \
  X(GetOverlappedResult, 0, 0)                                  \
  X(WaitForSingleObject, 1, 0)                                  \
  X(WaitForMultipleObjects, 1, 1)                               \
  X(WaitForMultipleObjectsEx, 1, 1)                             \
  X(RegisterWaitForSingleObject, 1, 1)                          \
  X(UnregisterWaitEx, 1, 0)                                     \
  X(SleepEx, 1, 0)                                              \
  X(QueueUserAPC, 1, 0)                                         \
  X(SetEvent, 1, 0)                                             \
  X(ResetEvent, 1, 0)                                           \
  X(CloseHandle, 1, 0)                                          \
  X(CreateEventW, 1, 1)                                         \
  X(CreateEventExW, 1, 1)                                       \
  X(CreateMutexExW, 1, 1)                                       \
  X(ReleaseMutex, 1, 1)                                         \
  X(CreateSemaphoreExW, 1, 1)                                   \
  X(ReleaseSemaphore, 1, 1)                                     \
  X(CreateThread, 1, 1)                                         \
  X(DuplicateHandle, 1, 1)                                      \
  X(CreateNamedPipeW, 1, 1)                                     \
  X(CreateFileW, 1, 1)                                          \
  X(SetNamedPipeHandleState, 1, 1)                              \
  X(GetNamedPipeInfo, 1, 1)                                     \
  X(GetNamedPipeHandleStateW, 1, 1)                             \
  X(GetNamedPipeServerProcessId, 1, 1)                          \
  X(GetNamedPipeClientProcessId, 1, 1)                          \
  X(GetNamedPipeServerSessionId, 1, 1)                          \
  X(GetNamedPipeClientSessionId, 1, 1)                          \
  X(GetFileType, 1, 0)                                          \
  X(GetHandleInformation, 1, 1)                                 \
  X(SetHandleInformation, 1, 1)                                 \
  X(NtQueryInformationFile, 1, 1)                               \
  X(NtQueryObject, 1, 1)                                        \
  X(OpenProcess, 1, 1)                                          \
  X(OpenProcessToken, 1, 1)                                     \
  X(GetTokenInformation, 1, 1)                                  \
  X(GetKernelObjectSecurity, 1, 1)                              \
  X(CreateProcessW, 1, 1)                                       \
  X(TerminateProcess, 1, 1)                                     \
  X(GetExitCodeProcess, 1, 1)                                   \
  X(GetProcessTimes, 1, 1)                                      \
  X(QueryFullProcessImageNameW, 1, 0)                           \
  X(SwitchToThread, 1, 0)                                       \
  X(ResumeThread, 1, 1)                                         \
  X(CreateJobObjectW, 1, 1)                                     \
  X(SetInformationJobObject, 1, 1)                              \
  X(AssignProcessToJobObject, 1, 1)                             \
  X(TerminateJobObject, 1, 1)                                   \
  X(CreateFileMappingW, 1, 1)                                   \
  X(CreateFileMappingNumaW, 1, 1)                               \
  X(OpenFileMappingW, 1, 1)                                     \
  X(MapViewOfFile, 1, 1)                                        \
  X(UnmapViewOfFile, 1, 0)                                      \
  X(FlushViewOfFile, 1, 1)                                      \
  X(GetFileSizeEx, 1, 1)                                        \
  X(VirtualQuery, 1, 0)                                         \
  X(BCryptGenRandom, 0, 1)                                      \
  X(WideCharToMultiByte, 0, 0)                                  \
  X(MultiByteToWideChar, 0, 0)                                  \
  X(UpdateProcThreadAttribute, 0, 1)                            \
  X(ConvertSidToStringSidA, 0, 1)                               \
  X(ConvertStringSecurityDescriptorToSecurityDescriptorW, 0, 1) \
  X(ConvertSecurityDescriptorToStringSecurityDescriptorW, 0, 1) \
  X(GetModuleHandleExW, 0, 1)                                   \
  X(FlsSetValue, 0, 1)                                          \
  X(HeapAlloc, 0, 1)                                            \
  X(malloc, 0, 1)                                               \
  X(calloc, 0, 1)                                               \
  X(realloc, 0, 1)

#define HOOKS_ENUMERATOR(name, kernel, fails) HOOK_##name,
enum { HOOKS_TABLE(HOOKS_ENUMERATOR) HOOKS_COUNT };

/* Counts the call. True when it is the one that has to fail; the last error is set. */
bool hooks_fail(int hook);

/* Account of what has to be given back: memory, views. Both return what they got. */
void *hooks_made(void *made);
void *hooks_gone(void *gone);
BOOL hooks_made_if(BOOL made);
void *hooks_realloc(void *old, size_t size);

#ifndef WINIPC_TEST_HOOKS_IMPLEMENTATION

#define HOOK(name, failed, ...) (hooks_fail(HOOK_##name) ? (failed) : name(__VA_ARGS__))

#define ReadFile(...) HOOK(ReadFile, FALSE, __VA_ARGS__)
#define WriteFile(...) HOOK(WriteFile, FALSE, __VA_ARGS__)
#define TransactNamedPipe(...) HOOK(TransactNamedPipe, FALSE, __VA_ARGS__)
#define ConnectNamedPipe(...) HOOK(ConnectNamedPipe, FALSE, __VA_ARGS__)
#define DisconnectNamedPipe(...) HOOK(DisconnectNamedPipe, FALSE, __VA_ARGS__)
#define PeekNamedPipe(...) HOOK(PeekNamedPipe, FALSE, __VA_ARGS__)
#define FlushFileBuffers(...) HOOK(FlushFileBuffers, FALSE, __VA_ARGS__)
#define CancelIoEx(...) HOOK(CancelIoEx, FALSE, __VA_ARGS__)
#define CancelSynchronousIo(...) HOOK(CancelSynchronousIo, FALSE, __VA_ARGS__)
#define GetOverlappedResult(...) HOOK(GetOverlappedResult, FALSE, __VA_ARGS__)
#define WaitForSingleObject(...) HOOK(WaitForSingleObject, WAIT_FAILED, __VA_ARGS__)
#define WaitForMultipleObjects(...) \
  HOOK(WaitForMultipleObjects, WAIT_FAILED, __VA_ARGS__)
#define WaitForMultipleObjectsEx(...) \
  HOOK(WaitForMultipleObjectsEx, WAIT_FAILED, __VA_ARGS__)
#define RegisterWaitForSingleObject(...) \
  HOOK(RegisterWaitForSingleObject, FALSE, __VA_ARGS__)
#define UnregisterWaitEx(...) HOOK(UnregisterWaitEx, FALSE, __VA_ARGS__)
#define SleepEx(...) HOOK(SleepEx, 0, __VA_ARGS__)
#define QueueUserAPC(...) HOOK(QueueUserAPC, 0, __VA_ARGS__)
#define SetEvent(...) HOOK(SetEvent, FALSE, __VA_ARGS__)
#define ResetEvent(...) HOOK(ResetEvent, FALSE, __VA_ARGS__)
#define CloseHandle(...) HOOK(CloseHandle, FALSE, __VA_ARGS__)
#define CreateEventW(...) HOOK(CreateEventW, NULL, __VA_ARGS__)
#define CreateEventExW(...) HOOK(CreateEventExW, NULL, __VA_ARGS__)
#define CreateMutexExW(...) HOOK(CreateMutexExW, NULL, __VA_ARGS__)
#define ReleaseMutex(...) HOOK(ReleaseMutex, FALSE, __VA_ARGS__)
#define CreateSemaphoreExW(...) HOOK(CreateSemaphoreExW, NULL, __VA_ARGS__)
#define ReleaseSemaphore(...) HOOK(ReleaseSemaphore, FALSE, __VA_ARGS__)
#define CreateThread(...) HOOK(CreateThread, NULL, __VA_ARGS__)
#define DuplicateHandle(...) HOOK(DuplicateHandle, FALSE, __VA_ARGS__)
#define CreateNamedPipeW(...) HOOK(CreateNamedPipeW, INVALID_HANDLE_VALUE, __VA_ARGS__)
#define CreateFileW(...) HOOK(CreateFileW, INVALID_HANDLE_VALUE, __VA_ARGS__)
#define SetNamedPipeHandleState(...) HOOK(SetNamedPipeHandleState, FALSE, __VA_ARGS__)
#define GetNamedPipeInfo(...) HOOK(GetNamedPipeInfo, FALSE, __VA_ARGS__)
#define GetNamedPipeHandleStateW(...) HOOK(GetNamedPipeHandleStateW, FALSE, __VA_ARGS__)
#define GetNamedPipeServerProcessId(...) \
  HOOK(GetNamedPipeServerProcessId, FALSE, __VA_ARGS__)
#define GetNamedPipeClientProcessId(...) \
  HOOK(GetNamedPipeClientProcessId, FALSE, __VA_ARGS__)
#define GetNamedPipeServerSessionId(...) \
  HOOK(GetNamedPipeServerSessionId, FALSE, __VA_ARGS__)
#define GetNamedPipeClientSessionId(...) \
  HOOK(GetNamedPipeClientSessionId, FALSE, __VA_ARGS__)
#define GetFileType(...) HOOK(GetFileType, FILE_TYPE_UNKNOWN, __VA_ARGS__)
#define GetHandleInformation(...) HOOK(GetHandleInformation, FALSE, __VA_ARGS__)
#define SetHandleInformation(...) HOOK(SetHandleInformation, FALSE, __VA_ARGS__)
#define NtQueryInformationFile(...) HOOK(NtQueryInformationFile, HOOKS_NT, __VA_ARGS__)
#define NtQueryObject(...) HOOK(NtQueryObject, HOOKS_NT, __VA_ARGS__)
#define OpenProcess(...) HOOK(OpenProcess, NULL, __VA_ARGS__)
#define OpenProcessToken(...) HOOK(OpenProcessToken, FALSE, __VA_ARGS__)
#define GetTokenInformation(...) HOOK(GetTokenInformation, FALSE, __VA_ARGS__)
#define GetKernelObjectSecurity(...) HOOK(GetKernelObjectSecurity, FALSE, __VA_ARGS__)
#define CreateProcessW(...) HOOK(CreateProcessW, FALSE, __VA_ARGS__)
#define TerminateProcess(...) HOOK(TerminateProcess, FALSE, __VA_ARGS__)
#define GetExitCodeProcess(...) HOOK(GetExitCodeProcess, FALSE, __VA_ARGS__)
#define GetProcessTimes(...) HOOK(GetProcessTimes, FALSE, __VA_ARGS__)
#define QueryFullProcessImageNameW(...) \
  HOOK(QueryFullProcessImageNameW, FALSE, __VA_ARGS__)
#define SwitchToThread() HOOK(SwitchToThread, FALSE)
#define ResumeThread(...) HOOK(ResumeThread, (DWORD) - 1, __VA_ARGS__)
#define CreateJobObjectW(...) HOOK(CreateJobObjectW, NULL, __VA_ARGS__)
#define SetInformationJobObject(...) HOOK(SetInformationJobObject, FALSE, __VA_ARGS__)
#define AssignProcessToJobObject(...) HOOK(AssignProcessToJobObject, FALSE, __VA_ARGS__)
#define TerminateJobObject(...) HOOK(TerminateJobObject, FALSE, __VA_ARGS__)
#define CreateFileMappingW(...) HOOK(CreateFileMappingW, NULL, __VA_ARGS__)
#define CreateFileMappingNumaW(...) HOOK(CreateFileMappingNumaW, NULL, __VA_ARGS__)
#define OpenFileMappingW(...) HOOK(OpenFileMappingW, NULL, __VA_ARGS__)
#define MapViewOfFile(...) hooks_made(HOOK(MapViewOfFile, NULL, __VA_ARGS__))
#define UnmapViewOfFile(p) HOOK(UnmapViewOfFile, FALSE, hooks_gone((void *)(p)))
#define FlushViewOfFile(...) HOOK(FlushViewOfFile, FALSE, __VA_ARGS__)
#define GetFileSizeEx(...) HOOK(GetFileSizeEx, FALSE, __VA_ARGS__)
#define VirtualQuery(...) HOOK(VirtualQuery, 0, __VA_ARGS__)
#define BCryptGenRandom(...) HOOK(BCryptGenRandom, HOOKS_NT, __VA_ARGS__)
#define WideCharToMultiByte(...) HOOK(WideCharToMultiByte, 0, __VA_ARGS__)
#define MultiByteToWideChar(...) HOOK(MultiByteToWideChar, 0, __VA_ARGS__)
#define UpdateProcThreadAttribute(...) \
  HOOK(UpdateProcThreadAttribute, FALSE, __VA_ARGS__)
#define ConvertSidToStringSidA(...) \
  hooks_made_if(HOOK(ConvertSidToStringSidA, FALSE, __VA_ARGS__))
#define ConvertStringSecurityDescriptorToSecurityDescriptorW(...) \
  hooks_made_if(                                                  \
      HOOK(ConvertStringSecurityDescriptorToSecurityDescriptorW, FALSE, __VA_ARGS__))
#define ConvertSecurityDescriptorToStringSecurityDescriptorW(...) \
  hooks_made_if(                                                  \
      HOOK(ConvertSecurityDescriptorToStringSecurityDescriptorW, FALSE, __VA_ARGS__))
#define LocalFree(p) LocalFree(hooks_gone(p))
#define GetModuleHandleExW(...) HOOK(GetModuleHandleExW, FALSE, __VA_ARGS__)
#define FlsSetValue(...) HOOK(FlsSetValue, FALSE, __VA_ARGS__)
#define HeapAlloc(...) hooks_made(HOOK(HeapAlloc, NULL, __VA_ARGS__))
#define HeapFree(heap, flags, p) HeapFree(heap, flags, hooks_gone(p))
#define malloc(...) hooks_made(HOOK(malloc, NULL, __VA_ARGS__))
#define calloc(...) hooks_made(HOOK(calloc, NULL, __VA_ARGS__))
#define realloc(...) hooks_realloc(__VA_ARGS__)
#define free(p) free(hooks_gone(p))

#define HOOKS_NT ((NTSTATUS)0xC000009A) /* STATUS_INSUFFICIENT_RESOURCES */

#endif
#endif
