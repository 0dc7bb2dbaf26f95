#include "process/batch_file.h"

#include "core/buffer.h"
#include "core/status.h"
#include "core/text.h"
#include "process/command_line.h"

enum { BATCH_FILE__LONGEST_LINE = 8191 }; /* that cmd.exe reads whole */

/* ---- which program it is ---- */

static const wchar_t *batch_file__base(const wchar_t *path) {
  const wchar_t *base = path;
  for (const wchar_t *c = path; *c; c++)
    if (*c == L'\\' || *c == L'/') base = c + 1;
  return base;
}

/* The system forgets dots and blanks at the end of a name, and what follows a second
 * colon is a stream of the same file. */
static size_t batch_file__name_length(const wchar_t *base) {
  size_t length = wcslen(base);
  const wchar_t *colon = wcschr(base, L':');
  if (colon && colon == base + 1) colon = wcschr(colon + 1, L':'); /* a drive */
  if (colon) length = (size_t)(colon - base);
  while (length && (base[length - 1] == L'.' || base[length - 1] == L' ')) length--;
  return length;
}

static bool batch_file__is_one(const wchar_t *path) {
  const wchar_t *base = batch_file__base(path);
  size_t length = batch_file__name_length(base);
  return length >= 4 && (!_wcsnicmp(base + length - 4, L".bat", 4) ||
                         !_wcsnicmp(base + length - 4, L".cmd", 4));
}

static bool batch_file__is_spelt_plainly(const wchar_t *path) {
  const wchar_t *base = batch_file__base(path);
  return batch_file__name_length(base) == wcslen(base);
}

/* The path as found, or NULL when there is none. */
static wchar_t *batch_file__search(const wchar_t *name, const wchar_t *extension) {
  DWORD size = SearchPathW(NULL, name, extension, 0, NULL, NULL);
  wchar_t *path = size ? malloc((size + 1) * sizeof *path) : NULL;
  if (!path) return NULL;
  DWORD length = SearchPathW(NULL, name, extension, size + 1, path, NULL);
  if (length && length <= size) return path;
  free(path);
  return NULL;
}

/* With the extension of a program first, as CreateProcess does. */
static wchar_t *batch_file__search_all(const wchar_t *name) {
  static const wchar_t *const extensions[] = {L".exe", L".bat", L".cmd"};
  wchar_t *path = NULL;
  for (size_t i = 0; !path && i < sizeof extensions / sizeof *extensions; i++)
    path = batch_file__search(name, extensions[i]);
  return path;
}

static wchar_t *batch_file__full_path(const wchar_t *name) {
  DWORD size = GetFullPathNameW(name, 0, NULL, NULL);
  wchar_t *path = size ? malloc(size * sizeof *path) : NULL;
  if (path && GetFullPathNameW(name, size, path, NULL) < size) return path;
  free(path);
  return NULL;
}

static winipc_status batch_file__resolve(const wchar_t *name, bool searched,
                                         wchar_t **path) {
  bool certain = batch_file__is_one(name);
  if (certain && !batch_file__is_spelt_plainly(name))
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "the name of the batch file \"%s\" ends in dots, blanks or "
                       "a stream",
                       TEXT_SHOW(name));
  *path = searched ? batch_file__search_all(name) : batch_file__full_path(name);
  if (!*path && certain)
    return status_fail(WINIPC_E_NOT_FOUND, "the program \"%s\" was not found",
                       TEXT_SHOW(name));
  if (*path && !certain && !batch_file__is_one(*path)) {
    free(*path);
    *path = NULL;
  }
  return WINIPC_OK;
}

winipc_status batch_file_find(const char *program, bool searched, wchar_t **path) {
  wchar_t *name;
  *path = NULL;
  winipc_status status = text_to_wide(program, "the program's name", &name);
  if (status) return status;
  status = batch_file__resolve(name, searched, path);
  free(name);
  return status;
}

/* ---- what it is told ---- */

/* Within quotes cmd.exe leaves every character alone but these. A percent sign begins
 * a variable, so does an exclamation mark where the batch file wants it to, a quote
 * ends the quotes, and a line's end ends the command. */
static winipc_status batch_file__check(const char *text, const char *what) {
  for (const char *c = text; *c; c++)
    if ((unsigned char)*c < ' ' || strchr("\"%!", *c))
      return status_fail(WINIPC_E_INVALID_ARGUMENT,
                         "cmd.exe would reinterpret the %s of %s: it cannot be passed "
                         "to a batch file",
                         (unsigned char)*c < ' ' ? "control character"
                         : *c == '"'             ? "quote"
                         : *c == '%'             ? "percent sign"
                                                 : "exclamation mark",
                         what);
  return WINIPC_OK;
}

/* The outermost quotes are what /s takes away again. No commands of the registry's
 * (/d), no exclamation marks (/v:off). */
static winipc_status batch_file__begin(buffer *line, const wchar_t *path,
                                       const wchar_t *cmd) {
  char *script = NULL, *program = NULL;
  winipc_status status = text_from_wide(path, &script);
  if (!status) status = text_from_wide(cmd, &program);
  if (!status) status = batch_file__check(script, "its path");
  const char *pieces[] = {"\"", program, "\" /d /e:on /v:off /s /c \"\"", script, "\""};
  for (size_t i = 0; !status && i < sizeof pieces / sizeof *pieces; i++)
    status = buffer_append(line, pieces[i], strlen(pieces[i]));
  free(script);
  free(program);
  return status;
}

static winipc_status batch_file__append(buffer *line, const char *argument,
                                        uint32_t number) {
  char what[32];
  snprintf(what, sizeof what, "argument %u", number);
  winipc_status status = batch_file__check(argument, what);
  if (!status) status = buffer_append(line, " ", 1);
  return status ? status : command_line_append(line, argument, true);
}

static winipc_status batch_file__line(const wchar_t *path, const wchar_t *cmd,
                                      const char *const *arguments, uint32_t count,
                                      char **line) {
  buffer b = {0};
  winipc_status status = batch_file__begin(&b, path, cmd);
  for (uint32_t i = 1; !status && i < count; i++)
    status = batch_file__append(&b, arguments[i], i);
  if (!status) status = buffer_append(&b, "\"", 2); /* and the NUL */
  if (!status && buffer_size(&b) > BATCH_FILE__LONGEST_LINE)
    status = status_fail(WINIPC_E_TOO_LARGE,
                         "cmd.exe reads no command line of more than %d characters",
                         BATCH_FILE__LONGEST_LINE);
  if (status) return buffer_free(&b), status;
  *line = b.memory;
  return WINIPC_OK;
}

winipc_status batch_file_command(const wchar_t *path, const char *const *arguments,
                                 uint32_t count, wchar_t **application, char **line) {
  wchar_t system[MAX_PATH];
  if (!GetSystemDirectoryW(system, MAX_PATH))
    return status_from_last("GetSystemDirectory");
  winipc_status status = text_join(system, L"\\cmd.exe", application);
  if (status) return status;
  status = batch_file__line(path, *application, arguments, count, line);
  if (status) {
    free(*application);
    *application = NULL;
  }
  return status;
}
