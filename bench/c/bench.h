/* What the benchmark programs share: time, order statistics, processes, options, and
 * the line of JSON in which a program reports one cell of a table.
 *
 * A benchmark compares two contestants, A and B. They work in turns in the same
 * processes, A B B A, in blocks of some ten milliseconds, so that whatever else the
 * machine does hits both alike; two neighbouring blocks make a pair, and the ratio of
 * the pair is the figure that counts. */
#ifndef WINIPC_BENCH_H
#define WINIPC_BENCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

enum { BENCH_MOST_PAIRS = 4096, PATIENCE = 20000 };

static inline void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, " (Win32 %lu)\n", GetLastError());
  ExitProcess(1);
}

static inline double now_us(void) {
  static LARGE_INTEGER frequency;
  LARGE_INTEGER now;
  if (!frequency.QuadPart) QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&now);
  return (double)now.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
  return count % 2 ? values[count / 2]
                   : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Starts this program once more, with "serve NAME" and our own arguments behind it. */
static inline HANDLE start_server(const char *name, int count, char **arguments) {
  char path[MAX_PATH], line[4 * MAX_PATH];
  STARTUPINFOA startup = {.cb = sizeof startup};
  PROCESS_INFORMATION process;
  GetModuleFileNameA(NULL, path, sizeof path);
  int length = snprintf(line, sizeof line, "\"%s\" serve %s", path, name);
  for (int i = 1; i < count; i++)
    length +=
        snprintf(line + length, sizeof line - (size_t)length, " \"%s\"", arguments[i]);
  if (!CreateProcessA(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
    die("CreateProcess");
  CloseHandle(process.hThread);
  return process.hProcess;
}

/* ---- cells ---- */

/* The figures of one cell: microseconds an operation took, in each block. */
typedef struct cell {
  const char *kind, *way;
  uint32_t bytes;
  int pairs;
  double a[BENCH_MOST_PAIRS], b[BENCH_MOST_PAIRS];
} cell;

static inline void print_values(const char *name, const double *values, int count) {
  printf(", \"%s\": [", name);
  for (int i = 0; i < count; i++) printf("%s%.4g", i ? ", " : "", values[i]);
  printf("]");
}

static inline void print_json(const cell *c) {
  printf("{\"kind\": \"%s\", \"way\": \"%s\", \"bytes\": %u", c->kind, c->way,
         c->bytes);
  print_values("a", c->a, c->pairs);
  print_values("b", c->b, c->pairs);
  printf("}\n");
}

static inline double ratio_of(const cell *c) {
  double *ratios = malloc(sizeof *ratios * (size_t)c->pairs);
  for (int i = 0; i < c->pairs; i++) ratios[i] = c->b[i] / c->a[i];
  double ratio = median(ratios, c->pairs);
  free(ratios);
  return ratio;
}

/* For a person who runs the program alone; sorts the blocks. */
static inline void print_summary(cell *c) {
  int low = c->pairs / 10, high = c->pairs - 1 - low;
  double ratio = ratio_of(c), a = median(c->a, c->pairs), b = median(c->b, c->pairs);
  printf("%-12s %-10s %8u B  A %10.4g us (%.4g-%.4g)  B %10.4g us (%.4g-%.4g)  "
         "B/A %.3f  %d pairs\n",
         c->kind, c->way, c->bytes, a, c->a[low], c->a[high], b, c->b[low], c->b[high],
         ratio, c->pairs);
}

/* ---- options ---- */

typedef struct settings {
  const char *contestants[2]; /* "bare", or the path of a winipc.dll */
  const char *only;           /* a part of the cell's name, or NULL */
  double seconds;             /* for each cell */
  bool json;
} settings;

static inline settings read_settings(int count, char **arguments) {
  settings s = {{"bare", "winipc.dll"}, NULL, 4, false};
  for (int i = 0; i < count; i++) {
    const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
    if (!strcmp(name, "--json")) {
      s.json = true;
      continue;
    }
    if (!strcmp(name, "--a"))
      s.contestants[0] = value;
    else if (!strcmp(name, "--b"))
      s.contestants[1] = value;
    else if (!strcmp(name, "--only"))
      s.only = value;
    else if (!strcmp(name, "--seconds"))
      s.seconds = atof(value);
    else
      die("usage: [--a bare|DLL] [--b bare|DLL] [--only TEXT] [--seconds S] [--json]");
    i++;
  }
  return s;
}

static inline bool is_wanted(const settings *s, const cell *c) {
  char name[128];
  snprintf(name, sizeof name, "%s %s %u", c->kind, c->way, c->bytes);
  return !s->only || strstr(name, s->only);
}

#endif
