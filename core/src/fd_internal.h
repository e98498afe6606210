/* Descriptors of our own. */
#ifndef PAWL_FD_INTERNAL_H
#define PAWL_FD_INTERNAL_H

/* Takes fd (-1: nothing happens) and gives it, or a copy beyond 2 instead: a host that has closed its standard streams
 * must not read from or print into ours. The copy is close-on-exec. Returns -1 with errno, fd then being closed. */
int pawl_fd_beyond_standard(int fd);

#endif
