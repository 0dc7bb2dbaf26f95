/* winipc_process_start: the options, what CreateProcess needs of them, and the call. */
#include "core/security.h"
#include "core/status.h"
#include "core/structure.h"
#include "core/text.h"
#include "process/attribute_list.h"
#include "process/batch_file.h"
#include "process/command_line.h"
#include "process/environment_block.h"
#include "process/inheritance.h"
#include "process/process.h"
#include "process/process_streams.h"
#include "process/pseudo_console.h"

#ifndef ERROR_ELEVATION_REQUIRED
#define ERROR_ELEVATION_REQUIRED 740
#endif

enum {
  LAUNCH__LONGEST_LINE = 32767, /* of CreateProcess, with the NUL */
  LAUNCH__STARTUP_FLAGS = STARTF_USESHOWWINDOW | STARTF_USESIZE | STARTF_USEPOSITION |
      STARTF_USECOUNTCHARS | STARTF_USEFILLATTRIBUTE | STARTF_RUNFULLSCREEN |
      STARTF_FORCEONFEEDBACK | STARTF_FORCEOFFFEEDBACK | STARTF_USESTDHANDLES |
      0xB800 /* title is a link or an id, no pinning, untrusted */
};

/* Everything on the way from the options to the process. */
typedef struct launch {
  winipc_process_options o;
  wchar_t *application, *line, *directory, *environment, *title, *desktop;
  SECURITY_ATTRIBUTES process_security, thread_security;
  process_streams streams;
  inheritance inherited;
  attribute_list attributes;
  STARTUPINFOEXW startup;
  process *p;
} launch;

winipc_status WINIPC_CALL winipc_process_options_init(winipc_process_options *options) {
  if (!options) return status_fail(WINIPC_E_INVALID_ARGUMENT, "options is NULL");
  *options = (winipc_process_options){.size = sizeof *options};
  return WINIPC_OK;
}

/* ---- checks ---- */

static winipc_status launch__check_console(const winipc_process_options *o) {
  const winipc_stream *s = o->streams;
  if (!o->pseudo_console || (s[WINIPC_STDIN].kind == WINIPC_STREAM_PIPE &&
                             s[WINIPC_STDOUT].kind == WINIPC_STREAM_PIPE &&
                             s[WINIPC_STDERR].kind == WINIPC_STREAM_INHERIT))
    return WINIPC_OK;
  return status_fail(WINIPC_E_INVALID_ARGUMENT,
                     "with pseudo_console, standard input and output must be PIPE and "
                     "standard error INHERIT");
}

static winipc_status launch__check_flags(const winipc_process_options *o) {
  const struct {
    uint32_t value;
    const char *name;
  } switches[] = {{o->kill_with_parent, "kill_with_parent"},
                  {o->process_inheritable, "process_inheritable"},
                  {o->thread_inheritable, "thread_inheritable"}};
  for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
    if (switches[i].value > 1)
      return status_fail(WINIPC_E_INVALID_ARGUMENT, "%s is %u, not 0 or 1",
                         switches[i].name, switches[i].value);
  if (o->startup_flags & ~(uint32_t)LAUNCH__STARTUP_FLAGS)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "startup_flags 0x%x has one that is not known or not possible",
                       o->startup_flags);
  if ((o->creation_flags & CREATE_NEW_CONSOLE) &&
      (o->creation_flags & DETACHED_PROCESS))
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "creation_flags: a process with a new console is not detached");
  return launch__check_console(o);
}

static winipc_status launch__check(const winipc_process_options *o) {
  if (!o->arguments && !o->command_line && !o->application)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "the options name no program");
  if (o->arguments && o->command_line)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "give `arguments` or `command_line`, not both");
  if (!o->environment && o->environment_count)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "environment is NULL");
  winipc_status status = o->arguments || o->argument_count
                             ? command_line_check(o->arguments, o->argument_count)
                             : WINIPC_OK;
  return status ? status : launch__check_flags(o);
}

/* ---- the program and what it is told ---- */

/* Without `arguments` and `command_line` the application is its own first argument. */
static winipc_status launch__line_of_arguments(launch *l, char **line) {
  const winipc_process_options *o = &l->o;
  const char *const *arguments = o->arguments ? o->arguments : &o->application;
  uint32_t count = o->arguments ? o->argument_count : 1;
  wchar_t *batch;
  winipc_status status = batch_file_find(o->application ? o->application : arguments[0],
                                         !o->application, &batch);
  if (status) return status;
  if (batch) {
    free(l->application);
    l->application = NULL;
    status = batch_file_command(batch, arguments, count, &l->application, line);
  } else {
    status = command_line_of(arguments, count, line);
  }
  free(batch);
  return status;
}

static winipc_status launch__prepare_line(launch *l) {
  char *made = NULL;
  const char *line = l->o.command_line;
  if (!line) {
    winipc_status status = launch__line_of_arguments(l, &made);
    if (status) return status;
    line = made;
  }
  winipc_status status = text_to_wide(line, "the command line", &l->line);
  free(made);
  if (!status && wcslen(l->line) >= LAUNCH__LONGEST_LINE)
    return status_fail(WINIPC_E_TOO_LARGE,
                       "the command line is longer than 32766 characters");
  return status;
}

static winipc_status launch__text(const char *text, const char *what, wchar_t **wide) {
  return text ? text_to_wide(text, what, wide) : WINIPC_OK;
}

static winipc_status launch__prepare_texts(launch *l) {
  const winipc_process_options *o = &l->o;
  winipc_status status = launch__text(o->application, "application", &l->application);
  if (!status) status = launch__prepare_line(l);
  if (!status) status = launch__text(o->directory, "directory", &l->directory);
  if (!status) status = launch__text(o->title, "title", &l->title);
  if (!status) status = launch__text(o->desktop, "desktop", &l->desktop);
  if (!status && o->environment)
    status =
        environment_block_of(o->environment, o->environment_count, &l->environment);
  return status;
}

static winipc_status launch__security(SECURITY_ATTRIBUTES *attributes, const char *sddl,
                                      uint32_t inheritable) {
  if (sddl)
    return security_init(attributes, WINIPC_SECURITY_CURRENT_USER, sddl,
                         inheritable != 0);
  *attributes = (SECURITY_ATTRIBUTES){sizeof *attributes, NULL, inheritable != 0};
  return WINIPC_OK;
}

/* ---- what it inherits ---- */

/* A new console brings streams of its own, unless the caller wants others. */
static bool launch__leaves_streams(const winipc_process_options *o) {
  bool inherit = true;
  for (int i = 0; i < PROCESS_STREAMS; i++)
    inherit &= o->streams[i].kind == WINIPC_STREAM_INHERIT;
  return inherit && (o->creation_flags & CREATE_NEW_CONSOLE);
}

static winipc_status launch__prepare_console(launch *l) {
  STARTUPINFOW *s = &l->startup.StartupInfo;
  s->dwFlags |= STARTF_USESTDHANDLES; /* else our own, if redirected, would be taken */
  s->hStdInput = s->hStdOutput = s->hStdError = INVALID_HANDLE_VALUE;
  return pseudo_console_make(l->o.pseudo_console, l->streams.theirs[WINIPC_STDIN],
                             l->streams.theirs[WINIPC_STDOUT], &l->p->console);
}

static winipc_status launch__prepare_streams(launch *l) {
  STARTUPINFOW *s = &l->startup.StartupInfo;
  HANDLE *const places[] = {&s->hStdInput, &s->hStdOutput, &s->hStdError};
  winipc_status status = process_streams_open(&l->streams, l->o.streams);
  if (status || launch__leaves_streams(&l->o)) return status;
  if (l->o.pseudo_console) return launch__prepare_console(l);
  s->dwFlags |= STARTF_USESTDHANDLES;
  for (int i = 0; !status && i < PROCESS_STREAMS; i++)
    status = inheritance_add_stream(&l->inherited, l->streams.theirs[i], places[i]);
  return status;
}

static void launch__prepare_startup(launch *l) {
  const winipc_process_options *o = &l->o;
  l->startup.StartupInfo = (STARTUPINFOW){
      .cb = sizeof l->startup,
      .lpDesktop = l->desktop,
      .lpTitle = l->title,
      .dwX = o->window_x,
      .dwY = o->window_y,
      .dwXSize = o->window_width,
      .dwYSize = o->window_height,
      .dwXCountChars = o->console_columns,
      .dwYCountChars = o->console_rows,
      .dwFillAttribute = o->console_fill,
      .dwFlags = o->startup_flags & ~(DWORD)STARTF_USESTDHANDLES,
      .wShowWindow = (WORD)o->show_window,
  };
}

/* ---- the job ---- */

static winipc_status launch__make_job(launch *l) {
  l->p->job = CreateJobObjectW(NULL, NULL);
  if (!l->p->job) return status_from_last("CreateJobObject");
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  if (!l->o.kill_with_parent ||
      SetInformationJobObject(l->p->job, JobObjectExtendedLimitInformation, &limits,
                              sizeof limits))
    return WINIPC_OK;
  return status_from_last("SetInformationJobObject");
}

/* Where the system cannot do it at the creation: the process does not run before it
 * is in the job. */
static winipc_status launch__enter_job(const launch *l, HANDLE thread) {
  if (!l->attributes.job_left) return WINIPC_OK;
  if (!AssignProcessToJobObject(l->p->job, l->p->handle))
    return status_from_last("AssignProcessToJobObject");
  if (!(l->o.creation_flags & CREATE_SUSPENDED) && ResumeThread(thread) == (DWORD)-1)
    return status_from_last("ResumeThread");
  return WINIPC_OK;
}

/* ---- the call ---- */

static const char *launch__program(const launch *l) {
  if (l->o.application) return l->o.application;
  return l->o.arguments ? l->o.arguments[0] : l->o.command_line;
}

static bool launch__lacks_directory(const launch *l) {
  if (!l->directory) return false;
  DWORD attributes = GetFileAttributesW(l->directory);
  return attributes == INVALID_FILE_ATTRIBUTES ||
         !(attributes & FILE_ATTRIBUTE_DIRECTORY);
}

static winipc_status launch__failed(const launch *l, DWORD error) {
  static const struct {
    DWORD error;
    winipc_status status;
    const char *text;
  } known[] = {
      {ERROR_FILE_NOT_FOUND, WINIPC_E_NOT_FOUND, "was not found"},
      {ERROR_PATH_NOT_FOUND, WINIPC_E_NOT_FOUND, "was not found"},
      {ERROR_BAD_EXE_FORMAT, WINIPC_E_UNSUPPORTED, "is no program for this system"},
      {ERROR_EXE_MACHINE_TYPE_MISMATCH, WINIPC_E_UNSUPPORTED,
       "is no program for this machine"},
      {ERROR_ELEVATION_REQUIRED, WINIPC_E_PRIVILEGE, "has to be run elevated"},
  };
  if (launch__lacks_directory(l))
    return status_fail_win32(WINIPC_E_NOT_FOUND, error, "CreateProcess",
                             "the directory \"%.150s\" does not exist", l->o.directory);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].error == error)
      return status_fail_win32(known[i].status, error, "CreateProcess",
                               "the program \"%.150s\" %s", launch__program(l),
                               known[i].text);
  return status_fail_win32(status_of_win32(error), error, "CreateProcess",
                           "the program \"%.120s\" cannot be started (Win32 error %lu)",
                           launch__program(l), error);
}

static winipc_status launch__create(launch *l) {
  PROCESS_INFORMATION created;
  DWORD flags = l->o.creation_flags | EXTENDED_STARTUPINFO_PRESENT |
                CREATE_UNICODE_ENVIRONMENT |
                (l->attributes.job_left ? CREATE_SUSPENDED : 0);
  l->startup.lpAttributeList = l->attributes.list;
  if (!CreateProcessW(l->application, l->line, &l->process_security,
                      &l->thread_security, l->inherited.count != 0, flags,
                      l->environment, l->directory, &l->startup.StartupInfo, &created))
    return launch__failed(l, GetLastError());
  l->p->handle = created.hProcess;
  l->p->pid = created.dwProcessId;
  if (l->o.process_inheritable) /* Wine forgets it */
    SetHandleInformation(l->p->handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  l->p->leads_group = (flags & CREATE_NEW_PROCESS_GROUP) != 0;
  winipc_status status = launch__enter_job(l, created.hThread);
  if (!status && l->p->console)
    status = pseudo_console_watch(l->p->console, l->p->handle);
  if (l->o.thread_inheritable || (l->o.creation_flags & CREATE_SUSPENDED))
    l->p->thread = created.hThread;
  else
    CloseHandle(created.hThread);
  return status;
}

static winipc_status launch__prepare(launch *l) {
  const winipc_process_options *o = &l->o;
  winipc_status status = launch__check(o);
  if (!status) /* before a handle of ours takes the value of one that is closed */
    status =
        inheritance_init(&l->inherited, o->parent, o->inherited, o->inherited_count);
  if (!status) status = launch__prepare_texts(l);
  if (!status)
    status =
        launch__security(&l->process_security, o->process_sddl, o->process_inheritable);
  if (!status)
    status =
        launch__security(&l->thread_security, o->thread_sddl, o->thread_inheritable);
  if (!status) status = launch__make_job(l);
  if (status) return status;
  launch__prepare_startup(l);
  return launch__prepare_streams(l);
}

static winipc_status launch__run(launch *l) {
  winipc_status status = launch__prepare(l);
  if (status) return status;
  l->attributes = (attribute_list){
      .handles = l->inherited.list,
      .handle_count = l->inherited.count,
      .parent = l->o.parent,
      .job = l->p->job,
      .console = l->p->console ? pseudo_console_value(l->p->console) : NULL,
  };
  status = attribute_list_make(&l->attributes);
  return status ? status : launch__create(l);
}

static void launch__free(launch *l) {
  attribute_list_free(&l->attributes);
  inheritance_free(&l->inherited);
  process_streams_close(&l->streams);
  if (l->process_security.lpSecurityDescriptor) security_free(&l->process_security);
  if (l->thread_security.lpSecurityDescriptor) security_free(&l->thread_security);
  wchar_t *const texts[] = {l->application, l->line,  l->directory,
                            l->environment, l->title, l->desktop};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free(texts[i]);
}

/* What was started and cannot be given out must not run on unseen. */
static void launch__undo(launch *l) {
  if (l->p->handle) TerminateProcess(l->p->handle, 1);
  process_discard(l->p);
}

winipc_status WINIPC_CALL winipc_process_start(const winipc_process_options *options,
                                               winipc_process **id) {
  launch l = {0};
  if (!id) return status_fail(WINIPC_E_INVALID_ARGUMENT, "process is NULL");
  *id = NULL;
  winipc_process_options_init(&l.o);
  winipc_status status = structure_read(&l.o, sizeof l.o, options);
  if (status) return status;
  l.p = process_new();
  if (!l.p) return WINIPC_E_OUT_OF_MEMORY;
  status = launch__run(&l);
  if (!status) {
    process_streams_move(&l.streams, l.p);
    status = handle_open(&process_class, l.p, id);
  }
  if (status) launch__undo(&l);
  launch__free(&l);
  return status;
}
