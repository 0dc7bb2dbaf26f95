#include "core/security.h"

#include <sddl.h>

#include "core/status.h"
#include "core/text.h"

static winipc_status security__token_of(HANDLE process, HANDLE *token) {
  return OpenProcessToken(process, TOKEN_QUERY, token)
             ? WINIPC_OK
             : status_from_last("OpenProcessToken");
}

static winipc_status security__sid_text(PSID sid, char text[SECURITY_SID_TEXT]) {
  char *made;
  if (!ConvertSidToStringSidA(sid, &made))
    return status_from_last("ConvertSidToStringSid");
  snprintf(text, SECURITY_SID_TEXT, "%s", made);
  LocalFree(made);
  return WINIPC_OK;
}

/* The SID that a piece of token information begins with: both TOKEN_USER and
 * TOKEN_MANDATORY_LABEL are a SID_AND_ATTRIBUTES. */
static winipc_status security__token_sid(HANDLE token, TOKEN_INFORMATION_CLASS what,
                                         char text[SECURITY_SID_TEXT]) {
  union {
    SID_AND_ATTRIBUTES sid;
    char room[sizeof(SID_AND_ATTRIBUTES) + SECURITY_MAX_SID_SIZE];
  } information;
  DWORD size;
  if (!GetTokenInformation(token, what, &information, sizeof information, &size))
    return status_from_last("GetTokenInformation");
  return security__sid_text(information.sid.Sid, text);
}

static winipc_status security__process_sid(HANDLE process, TOKEN_INFORMATION_CLASS what,
                                           char text[SECURITY_SID_TEXT]) {
  HANDLE token;
  winipc_status status = security__token_of(process, &token);
  if (status) return status;
  status = security__token_sid(token, what, text);
  CloseHandle(token);
  return status;
}

winipc_status security_current_user(char sid[SECURITY_SID_TEXT]) {
  return security__process_sid(GetCurrentProcess(), TokenUser, sid);
}

winipc_status security_user_of(DWORD pid, char sid[SECURITY_SID_TEXT]) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  if (!process) return status_from_last("OpenProcess");
  winipc_status status = security__process_sid(process, TokenUser, sid);
  CloseHandle(process);
  return status;
}

/* The user alone, set as the owner explicitly (the owner of what an elevated process
 * creates would be Administrators), and nobody below this process's own level. */
static winipc_status security__current_user_sddl(char *sddl, size_t size) {
  char user[SECURITY_SID_TEXT], level[SECURITY_SID_TEXT];
  winipc_status status = security_current_user(user);
  if (!status)
    status = security__process_sid(GetCurrentProcess(), TokenIntegrityLevel, level);
  if (!status)
    snprintf(sddl, size, "O:%sD:P(A;;GA;;;%s)S:(ML;;NRNW;;;%s)", user, user, level);
  return status;
}

static winipc_status security__from_sddl(SECURITY_ATTRIBUTES *attributes,
                                         const char *sddl) {
  wchar_t *wide;
  winipc_status status = text_to_wide(sddl, "the SDDL string", &wide);
  if (status) return status;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
          wide, SDDL_REVISION_1, &attributes->lpSecurityDescriptor, NULL))
    status = status_fail_win32(WINIPC_E_INVALID_ARGUMENT, GetLastError(),
                               "ConvertStringSecurityDescriptorToSecurityDescriptor",
                               "\"%.160s\" is no valid SDDL", sddl);
  free(wide);
  return status;
}

winipc_status security_init(SECURITY_ATTRIBUTES *attributes, uint32_t preset,
                            const char *sddl, bool inheritable) {
  char made[3 * SECURITY_SID_TEXT + 64];
  *attributes = (SECURITY_ATTRIBUTES){sizeof *attributes, NULL, inheritable};
  if (sddl) return security__from_sddl(attributes, sddl);
  if (preset != WINIPC_SECURITY_CURRENT_USER)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "security preset %u is not known",
                       preset);
  winipc_status status = security__current_user_sddl(made, sizeof made);
  return status ? status : security__from_sddl(attributes, made);
}

void security_free(SECURITY_ATTRIBUTES *attributes) {
  LocalFree(attributes->lpSecurityDescriptor);
  attributes->lpSecurityDescriptor = NULL;
}

static winipc_status security__to_sddl(PSECURITY_DESCRIPTOR descriptor,
                                       SECURITY_INFORMATION what, char **sddl) {
  wchar_t *wide;
  if (!ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1,
                                                            what, &wide, NULL))
    return status_from_last("ConvertSecurityDescriptorToStringSecurityDescriptor");
  winipc_status status = text_from_wide(wide, sddl);
  LocalFree(wide);
  return status;
}

winipc_status security_describe(HANDLE object, char **sddl) {
  const SECURITY_INFORMATION what = OWNER_SECURITY_INFORMATION |
                                    DACL_SECURITY_INFORMATION |
                                    LABEL_SECURITY_INFORMATION;
  DWORD size = 0;
  GetKernelObjectSecurity(object, what, NULL, 0, &size);
  if (!size) return status_from_last("GetKernelObjectSecurity");
  PSECURITY_DESCRIPTOR descriptor = malloc(size);
  if (!descriptor) return status_no_memory();
  winipc_status status = GetKernelObjectSecurity(object, what, descriptor, size, &size)
                             ? security__to_sddl(descriptor, what, sddl)
                             : status_from_last("GetKernelObjectSecurity");
  free(descriptor);
  return status;
}
