// What the daemon accepts as an answer, checked here first so that a person hears of a slip at once. The names of the
// rules are those of FieldFault (proto/api.proto); the daemon checks again and has the last word.
import { bytesOf, fileTypeOf } from './file';
import type { Field, FieldFault } from './types';

const PERSON_MOST = 50; // characters, where a service sets no limit
const ADDRESS_MOST = 120;
const PHONE_MOST = 24;
const VALUE_BYTES_MOST = 8192;
const CHECK_CHARACTERS = '10X98765432';
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** Citizen id number, GB 11643-1999: a real date and the ISO 7064 MOD 11-2 check character. The region is not checked. */
export function isIdNumber(text: string): boolean {
	if (!/^\d{17}[\dX]$/.test(text)) return false;
	if (!isDay(text.slice(6, 10), text.slice(10, 12), text.slice(12, 14), 1800, 2199)) return false;
	const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(text[i]), 0);
	return text[17] === CHECK_CHARACTERS[sum % 11];
}

/** Certificate number: a citizen id, category 1–7, grade 1–4, and B with one or two digits for a reissue. */
export function isCertificateNumber(text: string): boolean {
	return /^\d{17}[\dX][1-7][1-4](B\d{1,2})?$/.test(text) && isIdNumber(text.slice(0, 18));
}

export function isDate(text: string): boolean {
	const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
	return parts !== null && isDay(parts[1]!, parts[2]!, parts[3]!, 1900, 2200);
}

function isDay(year: string, month: string, day: string, first: number, last: number): boolean {
	const [y, m, d] = [Number(year), Number(month), Number(day)];
	if (y < first || y > last || m < 1 || m > 12 || d < 1) return false;
	return d <= new Date(Date.UTC(y, m, 0)).getUTCDate();
}

/** Numbers of any country and with extensions: 7 to 15 digits, with hyphens, spaces and plus signs between. */
export function isPhone(text: string): boolean {
	const digits = text.replace(/[ +-]/g, '');
	return text.length <= PHONE_MOST && /^\d{7,15}$/.test(digits);
}

/** A community of the statistics code list: 12 digits. */
export function isPlace(text: string): boolean {
	return /^\d{12}$/.test(text);
}

/** Receipt codes: 12 digits, the last one the check digit of ISO/IEC 7064, MOD 11,10. */
export function isReceiptCode(code: string): boolean {
	if (!/^\d{12}$/.test(code)) return false;
	let product = 10;
	for (const digit of code.slice(0, 11)) {
		const sum = (product + Number(digit)) % 10 || 10;
		product = (sum * 2) % 11;
	}
	return (product + Number(code[11])) % 10 === 1;
}

/** The answer as the daemon stores it: trimmed, digits without spaces, X and B in capitals. Empty answers vanish. */
export function canonical(field: Field, values: readonly string[]): string[] {
	return values.map((value) => canonicalText(field, value.normalize('NFC').trim())).filter((value) => value !== '');
}

function canonicalText(field: Field, value: string): string {
	switch (field.type) {
		case 'FIELD_TYPE_CERTIFICATE':
		case 'FIELD_TYPE_ID_NUMBER':
		case 'FIELD_TYPE_PLACE':
			return value.replace(/[\s-]/g, '').toUpperCase();
		case 'FIELD_TYPE_PHONE':
			return value.replace(/[\s()]/g, '');
		case 'FIELD_TYPE_NUMBER':
		case 'FIELD_TYPE_MONEY':
			return value.replace(/[\s,，]/g, '').replace(/^(-?)0+(?=\d)/, '$1');
		case 'FIELD_TYPE_DATE':
			return canonicalDate(value);
		default:
			return value;
	}
}

// While a date is being typed its three parts stand between hyphens: "2026-3-".
function canonicalDate(value: string): string {
	const [year = '', month = '', day = ''] = value.split('-').map((part) => part.trim());
	if (!year && !month && !day) return '';
	return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

/** The first rule that the answer (in canonical form) breaks, or null. `files` are base64. */
export function check(field: Field, values: readonly string[], files: readonly string[] = []): FieldFault | null {
	const hasText = values.some((value, i) => value !== '' || i > 0);
	if (hasText) return checkTexts(field, values) ?? (files.length > 0 ? checkFiles(field, files) : null);
	if (files.length > 0) return checkFiles(field, files);
	return field.is_required ? fault(field, 'required') : null;
}

function checkTexts(field: Field, values: readonly string[]): FieldFault | null {
	if (field.type === 'FIELD_TYPE_SEVERAL') return checkSeveral(field, values);
	if (values.length > 1) return fault(field, 'too-many', Number(field.least), 1);
	return checkOne(field, values[0]!);
}

function checkFiles(field: Field, files: readonly string[]): FieldFault | null {
	if (field.type !== 'FIELD_TYPE_FILE') return fault(field, 'unknown-field');
	if (files.length > 1) return fault(field, 'too-many', 0, 1);
	const bytes = bytesOf(files[0]!);
	if (bytes.length > Number(field.most)) return fault(field, 'file-too-big');
	return fileTypeOf(bytes) ? null : fault(field, 'not-a-file');
}

function checkSeveral(field: Field, values: readonly string[]): FieldFault | null {
	const most = Number(field.most) || field.choices.length;
	if (values.length > most) return fault(field, 'too-many', Number(field.least), most);
	if (values.length < Number(field.least)) return fault(field, 'too-few');
	const isTwice = new Set(values).size < values.length;
	const first = values.map((value) => checkOne(field, value)).find((found) => found !== null);
	return first ?? (isTwice ? fault(field, 'not-a-choice') : null);
}

function checkOne(field: Field, value: string): FieldFault | null {
	const when = (isGood: boolean, rule: string) => (isGood ? null : fault(field, rule));
	if (new TextEncoder().encode(value).length > VALUE_BYTES_MOST) return fault(field, 'too-long');
	switch (field.type) {
		case 'FIELD_TYPE_TEXT':
		case 'FIELD_TYPE_LONG_TEXT':
			return checkLength(field, value, Number(field.least), Number(field.most));
		case 'FIELD_TYPE_PERSON':
			return checkLength(field, value, 1, Number(field.most) || PERSON_MOST);
		case 'FIELD_TYPE_ADDRESS':
			return checkLength(field, value, 1, Number(field.most) || ADDRESS_MOST);
		case 'FIELD_TYPE_NUMBER':
			return /^-?\d{1,15}$/.test(value) ? checkRange(field, Number(value)) : fault(field, 'not-a-number');
		case 'FIELD_TYPE_MONEY':
			return /^\d{1,13}(\.\d{1,2})?$/.test(value) ? checkRange(field, fenOf(value)) : fault(field, 'not-money');
		case 'FIELD_TYPE_DATE':
			return when(isDate(value), 'not-a-date');
		case 'FIELD_TYPE_CHOICE':
		case 'FIELD_TYPE_SEVERAL':
			return when(
				field.choices.some((choice) => choice.id === value),
				'not-a-choice',
			);
		case 'FIELD_TYPE_YES_NO':
			return when(['yes', 'no', 'unknown'].includes(value), 'not-a-choice');
		case 'FIELD_TYPE_CERTIFICATE':
			return when(isCertificateNumber(value), 'not-a-certificate');
		case 'FIELD_TYPE_ID_NUMBER':
			return when(isIdNumber(value), 'not-an-id-number');
		case 'FIELD_TYPE_PHONE':
			return when(isPhone(value), 'not-a-phone');
		case 'FIELD_TYPE_PLACE':
			return when(isPlace(value), 'not-a-place');
		case 'FIELD_TYPE_FILE':
			return fault(field, 'not-a-file'); // its bytes are checked, it has no text
		default:
			return fault(field, 'unknown-field');
	}
}

function checkLength(field: Field, value: string, least: number, most: number): FieldFault | null {
	const characters = [...value].length;
	if (characters < least) return fault(field, 'too-short', least, most);
	return characters > most ? fault(field, 'too-long', least, most) : null;
}

function checkRange(field: Field, value: number): FieldFault | null {
	const [least, most] = [Number(field.least), Number(field.most)];
	if (least === 0 && most === 0) return null;
	if (value < least) return fault(field, 'too-small');
	return value > most ? fault(field, 'too-big') : null;
}

function fenOf(yuan: string): number {
	const [whole, part = ''] = yuan.split('.');
	return Number(whole) * 100 + Number(part.padEnd(2, '0'));
}

function fault(field: Field, rule: string, least = Number(field.least), most = Number(field.most)): FieldFault {
	return { field: field.id, rule, least: String(least), most: String(most) };
}
