/* Named shared memory with a mutex and events: prints what memory_writer writes, as it
 * comes.
 *
 *   memory_reader [NAME]      winipc-memory-sample
 *
 * Run memory_writer beside it, before or after, or samples/python/memory_writer.py. */
#include "memory_board.h"

/* Prints what is new on the board; whether there may be more. */
static int show_news(board *board, uint32_t *shown) {
  static char text[ROOM];
  lock_board();
  uint32_t size = board->used - *shown;
  int finished = board->finished != 0;
  if (size <= ROOM - *shown) memcpy(text, board->text + *shown, size);
  unlock_board(); /* before the slow part, so that the writer can go on */
  if (size > ROOM - *shown) {
    fprintf(stderr, "the board is in disorder\n"); /* never trust what others write */
    exit(1);
  }
  *shown += size;
  fwrite(text, 1, size, stdout);
  return !finished;
}

int main(int count, char **arguments) {
  board *board = open_board(count > 1 ? arguments[1] : "winipc-memory-sample");
  uint32_t shown = 0;
  while (show_news(board, &shown)) check("wait", ipc.event_wait(written, PATIENCE));
  check("set", ipc.event_set(taken));
  printf("read %u bytes\n", shown);
  close_board();
  return 0;
}
