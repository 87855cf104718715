/*
 * A receipt printer at a parallel port or over USB (usblp): its state, one byte of status lines (IEEE 1284), and slips
 * in ESC/POS, as dots, so that no font of the printer decides whether Chinese can be read.
 *
 *   1B 40                                 ESC @: forget what was set before
 *   1D 76 30 00 48 00 80 00  9216 bytes   GS v 0: 72 bytes a row, 128 rows; as often as it takes, the last one shorter
 *   1D 56 42 00                           GS V 66: feed to the knife, cut
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/lp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "inside.h"

#define BAND_ROWS 128
#define STALL_MS 5000           /* it has taken nothing for so long: it does not answer */
#define SLIP_MOST_MS 15000      /* a page waits 20 s for an answer */
#define USBLP_RESET _IO('P', 7) /* drivers/usb/class/usblp.c names it IOCNR_SOFT_RESET, and no header does */

static enum printer_state state_of(int fd)
{
	int status = 0;
	if (ioctl(fd, LPGETSTATUS, &status))
		return PRINTER_NO_ANSWER;
	if (status & LP_POUTPA)
		return PRINTER_NO_PAPER;
	return (status & LP_PSELECD) && (status & LP_PERRORP) ? PRINTER_READY : PRINTER_NO_ANSWER;
}

static int printer_open(const char *path)
{
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

enum printer_state printer_read(const char *path)
{
	int fd = printer_open(path);
	if (fd < 0) /* usblp has one user at a time: somebody is printing */
		return errno == EBUSY ? PRINTER_READY : PRINTER_NO_ANSWER;
	enum printer_state state = state_of(fd);
	close(fd);
	return state;
}

/* True: it takes more, or has taken all of what was written: usblp drops what is under way when it is closed. */
static bool is_open_for_more(int fd, uint64_t end_us)
{
	uint64_t now_us = clock_monotonic_us();
	int left_ms = now_us < end_us ? (int)((end_us - now_us) / 1000) : 0;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int ready;
	do
		ready = poll(&p, 1, left_ms < STALL_MS ? left_ms : STALL_MS);
	while (ready < 0 && errno == EINTR);
	return ready == 1 && (p.revents & POLLOUT);
}

static bool bytes_send(int fd, struct bytes b, uint64_t end_us)
{
	while (b.size) {
		if (!is_open_for_more(fd, end_us))
			return false;
		ssize_t taken = write(fd, b.data, b.size);
		if (taken < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (taken > 0)
			b = BYTES((const uint8_t *)b.data + taken, b.size - (size_t)taken);
	}
	return true;
}

static bool slip_send(int fd, const struct slip *slip, uint64_t end_us)
{
	static const uint8_t begin[] = { 0x1B, '@' }, cut[] = { 0x1D, 'V', 66, 0 };
	bool is_taken = bytes_send(fd, BYTES_OF(begin), end_us);
	for (size_t row = 0; row < slip->height && is_taken; row += BAND_ROWS) {
		size_t rows = slip->height - row < BAND_ROWS ? slip->height - row : BAND_ROWS;
		const uint8_t head[] = { 0x1D, 'v', '0', 0, SLIP_ROW_BYTES, 0, (uint8_t)rows, 0 };
		is_taken = bytes_send(fd, BYTES_OF(head), end_us) &&
		           bytes_send(fd, BYTES(slip->dots + row * SLIP_ROW_BYTES, rows * SLIP_ROW_BYTES), end_us);
	}
	return is_taken && bytes_send(fd, BYTES_OF(cut), end_us) && is_open_for_more(fd, end_us);
}

enum printer_state printer_print(const char *path, const struct slip *slip)
{
	int fd = printer_open(path);
	if (fd < 0)
		return PRINTER_NO_ANSWER;
	enum printer_state state = state_of(fd);
	if (state == PRINTER_READY && !slip_send(fd, slip, clock_monotonic_us() + UINT64_C(1000) * SLIP_MOST_MS)) {
		state = state_of(fd) == PRINTER_NO_PAPER ? PRINTER_NO_PAPER : PRINTER_NO_ANSWER;
		/* What it holds of the slip must not come out for the next one. Not every driver knows how: not
		 * checked. */
		if (ioctl(fd, USBLP_RESET))
			ioctl(fd, LPRESET);
	}
	close(fd);
	return state;
}
