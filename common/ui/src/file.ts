// What a file is, by its bytes alone, as common/domain/file.c sees it.

export type FileType = 'image/jpeg' | 'image/png' | 'image/webp' | 'application/pdf';

export function bytesOf(base64: string): Uint8Array {
	return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** The type, or null for anything else: cut off, or a picture that tells of its camera or its place (EXIF, XMP). */
export function fileTypeOf(file: Uint8Array): FileType | null {
	if (startsWith(file, '\xff\xd8\xff')) return isJpeg(file) ? 'image/jpeg' : null;
	if (startsWith(file, '\x89PNG\r\n\x1a\n')) return isPng(file) ? 'image/png' : null;
	if (startsWith(file, 'RIFF')) return isWebp(file) ? 'image/webp' : null;
	if (startsWith(file, '%PDF-')) return textOf(file.subarray(-1024)).includes('%%EOF') ? 'application/pdf' : null;
	return null;
}

function textOf(bytes: Uint8Array): string {
	return String.fromCharCode(...bytes);
}

function startsWith(file: Uint8Array, magic: string): boolean {
	return textOf(file.subarray(0, magic.length)) === magic;
}

function viewOf(file: Uint8Array): DataView {
	return new DataView(file.buffer, file.byteOffset, file.byteLength);
}

function isJpeg(file: Uint8Array): boolean {
	const view = viewOf(file);
	if (textOf(file.subarray(-2)) !== '\xff\xd9') return false;
	for (let at = 2; at + 4 <= file.length && file[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
		const marker = file[at + 1];
		if (marker === 0xda) return true;
		if (view.getUint16(at + 2) < 2 || marker === 0xe1 || marker === 0xed) return false;
	}
	return false;
}

function isPng(file: Uint8Array): boolean {
	const view = viewOf(file);
	for (let at = 8; at + 12 <= file.length; ) {
		const type = textOf(file.subarray(at + 4, at + 8));
		const end = at + 12 + view.getUint32(at);
		if (end > file.length || (at === 8) !== (type === 'IHDR')) return false;
		if (['eXIf', 'tEXt', 'zTXt', 'iTXt'].includes(type)) return false;
		if (type === 'IEND') return end === file.length && end - at === 12;
		at = end;
	}
	return false;
}

function isWebp(file: Uint8Array): boolean {
	const view = viewOf(file);
	if (file.length < 20 || textOf(file.subarray(8, 12)) !== 'WEBP') return false;
	if (view.getUint32(4, true) !== file.length - 8) return false;
	let at = 12;
	let hasPicture = false;
	while (at + 8 <= file.length) {
		const type = textOf(file.subarray(at, at + 4));
		const size = view.getUint32(at + 4, true);
		if (type === 'EXIF' || type === 'XMP ' || size > file.length - at - 8) return false;
		hasPicture ||= type.startsWith('VP8');
		at += 8 + size + (size & 1);
	}
	return hasPicture && at >= file.length;
}
