/*
 * The state of a receipt printer at a parallel port or over USB (usblp): one byte of status lines, IEEE 1284.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/lp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "inside.h"

enum printer_state printer_read(const char *path)
{
	int status = 0, fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) /* usblp has one user at a time: somebody is printing */
		return errno == EBUSY ? PRINTER_READY : PRINTER_NO_ANSWER;
	bool has_answered = ioctl(fd, LPGETSTATUS, &status) == 0;
	close(fd);
	if (!has_answered)
		return PRINTER_NO_ANSWER;
	if (status & LP_POUTPA)
		return PRINTER_NO_PAPER;
	return (status & LP_PSELECD) && (status & LP_PERRORP) ? PRINTER_READY : PRINTER_NO_ANSWER;
}
