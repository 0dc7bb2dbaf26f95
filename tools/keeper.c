/* Keeps a Wine prefix alive: the first program in it, so that Wine's services and its
 * desktop are started by this one and inherit no stream that somebody reads. Ends with
 * its input, and never with 0: that is how a program ends whose Wine server is gone. */
#include <stdio.h>
#include <windows.h>

int main(void) {
  GetDesktopWindow(); /* starts the desktop, which else the first user of user32 would
                         do */
  puts("ready");
  fflush(stdout);
  while (getchar() != EOF) continue;
  return 1;
}
