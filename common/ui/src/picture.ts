// A picture on its way into a request: drawn anew, which drops everything but the picture itself (place, camera, owner),
// and made smaller until it fits. A PDF goes as it is, or not at all.
import { fileTypeOf } from './file';

const SIDES_PX = [1600, 1280, 1024, 800, 640]; // of the longer side: at the first, printed letters of a page can be read
const QUALITIES = [0.8, 0.6, 0.45];

export type Taken = { file: string; rule: '' } | { file: ''; rule: 'not-a-file' | 'file-too-big' };

/** As base64, at most `most` bytes; or the rule that it breaks. */
export async function fileFrom(chosen: Blob, most: number): Promise<Taken> {
	const head = new Uint8Array(await chosen.slice(0, 5).arrayBuffer());
	if (String.fromCharCode(...head) === '%PDF-') {
		if (chosen.size > most) return { file: '', rule: 'file-too-big' };
		return fitting(new Uint8Array(await chosen.arrayBuffer()), most);
	}
	return pictureFrom(chosen, most);
}

/** The same of what can only be a picture, or of what a camera shows at this moment. */
export async function pictureFrom(source: ImageBitmapSource, most: number): Promise<Taken> {
	let picture: ImageBitmap;
	try {
		picture = await createImageBitmap(source);
	} catch {
		return { file: '', rule: 'not-a-file' };
	}
	try {
		for (const side of SIDES_PX)
			for (const quality of QUALITIES) {
				const taken = fitting(await draw(picture, side, quality), most);
				if (taken.file) return taken;
			}
	} finally {
		picture.close();
	}
	return { file: '', rule: 'file-too-big' };
}

function fitting(bytes: Uint8Array, most: number): Taken {
	if (!fileTypeOf(bytes)) return { file: '', rule: 'not-a-file' };
	return bytes.length <= most ? { file: base64Of(bytes), rule: '' } : { file: '', rule: 'file-too-big' };
}

async function draw(picture: ImageBitmap, side_px: number, quality: number): Promise<Uint8Array> {
	const scale = Math.min(1, side_px / Math.max(picture.width, picture.height));
	const canvas = document.createElement('canvas');
	canvas.width = Math.max(1, Math.round(picture.width * scale));
	canvas.height = Math.max(1, Math.round(picture.height * scale));
	const pen = canvas.getContext('2d')!;
	pen.fillStyle = 'white'; // what was transparent
	pen.fillRect(0, 0, canvas.width, canvas.height);
	pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
	const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', quality));
	return new Uint8Array(await (blob ?? new Blob()).arrayBuffer());
}

function base64Of(bytes: Uint8Array): string {
	let text = '';
	for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
	return btoa(text);
}
