#include "process/command_line.h"

#include "core/status.h"
#include "core/text.h"

static const char command_line__blanks[] = " \t\n\v\f\r";

static winipc_status command_line__put(buffer *line, char c, size_t times) {
  char *room = buffer_room(line, times);
  if (!room) return WINIPC_E_OUT_OF_MEMORY;
  memset(room, c, times);
  buffer_grow(line, times);
  return WINIPC_OK;
}

/* Backslashes count only where a quote follows: there they are doubled, and one more
 * keeps the quote from ending the argument. */
static winipc_status command_line__append_quoted(buffer *line, const char *argument) {
  winipc_status status = command_line__put(line, '"', 1);
  for (const char *c = argument; !status; c++) {
    size_t slashes = strspn(c, "\\");
    c += slashes;
    bool quote = *c == '"';
    status = command_line__put(line, '\\', quote || !*c ? 2 * slashes : slashes);
    if (!status && quote) status = command_line__put(line, '\\', 1);
    if (!status) status = command_line__put(line, *c ? *c : '"', 1);
    if (!*c) break;
  }
  return status;
}

winipc_status command_line_append(buffer *line, const char *argument, bool quoted) {
  if (quoted || !*argument || strpbrk(argument, command_line__blanks) ||
      strchr(argument, '"'))
    return command_line__append_quoted(line, argument);
  return buffer_append(line, argument, strlen(argument));
}

/* The program's name ends at the next quote, or else at a blank; a backslash has no
 * meaning in it. */
static winipc_status command_line__append_program(buffer *line, const char *program) {
  bool quoted = !*program || strpbrk(program, command_line__blanks);
  if (strchr(program, '"'))
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "the program's name \"%.100s\" has a quote in it", program);
  winipc_status status = quoted ? command_line__put(line, '"', 1) : WINIPC_OK;
  if (!status) status = buffer_append(line, program, strlen(program));
  if (!status && quoted) status = command_line__put(line, '"', 1);
  return status;
}

winipc_status command_line_check(const char *const *arguments, uint32_t count) {
  if (!arguments || !count)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "arguments is NULL, or there are none");
  for (uint32_t i = 0; i < count; i++)
    if (!arguments[i])
      return status_fail(WINIPC_E_INVALID_ARGUMENT, "arguments[%u] is NULL", i);
  return WINIPC_OK;
}

winipc_status command_line_of(const char *const *arguments, uint32_t count,
                              char **line) {
  buffer b = {0};
  winipc_status status = command_line_check(arguments, count);
  if (!status) status = command_line__append_program(&b, arguments[0]);
  for (uint32_t i = 1; !status && i < count; i++) {
    status = command_line__put(&b, ' ', 1);
    if (!status) status = command_line_append(&b, arguments[i], false);
  }
  if (!status) status = command_line__put(&b, 0, 1);
  if (status) return buffer_free(&b), status;
  *line = b.memory;
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_command_line(const char *const *arguments,
                                              uint32_t count, char **line) {
  char *made;
  wchar_t *wide;
  if (!line) return status_fail(WINIPC_E_INVALID_ARGUMENT, "line is NULL");
  *line = NULL;
  winipc_status status = command_line_of(arguments, count, &made);
  if (status) return status;
  status = text_to_wide(made, "an argument", &wide); /* only to see that it is UTF-8 */
  free(wide);
  if (status)
    free(made);
  else
    *line = made;
  return status;
}
