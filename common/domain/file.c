/*
 * What a file is, by its bytes alone. Names and types that a sender gives are not believed and not kept. The structure
 * is walked to its end, so that what is cut off is told at once; what the pieces hold is for the program that shows it.
 */
#include <string.h>

#include "inside.h"

static bool starts_with(struct bytes file, const void *magic, size_t size)
{
	return file.size >= size && memcmp(file.data, magic, size) == 0;
}

static uint32_t little_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Marker segments up to the start of the scan; APP1 (EXIF, XMP) and APP13 (IPTC) tell of the camera and the place. */
static bool jpeg_is_good(struct bytes file)
{
	size_t at = 2;
	if (file.size < 4 || memcmp(file.data + file.size - 2, "\xff\xd9", 2) != 0)
		return false;
	while (at + 4 <= file.size && file.data[at] == 0xff) {
		uint8_t marker = file.data[at + 1];
		size_t length = (size_t)file.data[at + 2] << 8 | file.data[at + 3];
		if (marker == 0xda)
			return true;
		if (length < 2 || marker == 0xe1 || marker == 0xed)
			return false;
		at += 2 + length;
	}
	return false;
}

/* A second file behind the end or within it, or metadata before it, is not part of a picture. */
static bool png_is_good(struct bytes file)
{
	static const char *const refused[] = { "eXIf", "tEXt", "zTXt", "iTXt" };
	struct reader r = reader_over(BYTES(file.data + 8, file.size - 8));
	for (bool is_first = true;; is_first = false) {
		uint32_t length = read_u32(&r);
		struct bytes type = read_bytes(&r, 4);
		read_bytes(&r, (size_t)length + 4); /* the data and its CRC */
		if (r.failed || is_first != (memcmp(type.data, "IHDR", 4) == 0))
			return false;
		for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
			if (memcmp(type.data, refused[i], 4) == 0)
				return false;
		if (memcmp(type.data, "IEND", 4) == 0)
			return length == 0 && r.at == r.size;
	}
}

static bool webp_is_good(struct bytes file)
{
	size_t at = 12;
	bool has_picture = false;
	if (file.size < 20 || memcmp(file.data + 8, "WEBP", 4) != 0 || little_u32(file.data + 4) != file.size - 8)
		return false;
	while (at + 8 <= file.size) {
		const uint8_t *type = file.data + at;
		uint64_t size = little_u32(file.data + at + 4);
		if (memcmp(type, "EXIF", 4) == 0 || memcmp(type, "XMP ", 4) == 0)
			return false;
		has_picture |= memcmp(type, "VP8", 3) == 0;
		if (size > file.size - at - 8)
			return false;
		at += 8 + size + (size & 1);
	}
	return has_picture && at >= file.size;
}

/* The end mark stands within the last 1,024 bytes (Adobe PDF Reference 1.7, implementation note 18). */
static bool pdf_is_good(struct bytes file)
{
	size_t tail = file.size < 1024 ? file.size : 1024;
	return memmem(file.data + file.size - tail, tail, "%%EOF", 5) != NULL;
}

const char *file_type_of(struct bytes file)
{
	if (starts_with(file, "\xff\xd8\xff", 3))
		return jpeg_is_good(file) ? "image/jpeg" : NULL;
	if (starts_with(file, "\x89PNG\r\n\x1a\n", 8))
		return png_is_good(file) ? "image/png" : NULL;
	if (starts_with(file, "RIFF", 4))
		return webp_is_good(file) ? "image/webp" : NULL;
	if (starts_with(file, "%PDF-", 5))
		return pdf_is_good(file) ? "application/pdf" : NULL;
	return NULL;
}
