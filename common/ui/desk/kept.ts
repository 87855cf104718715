// How somebody likes the staff pages, kept by this browser. Nothing personal, and nothing that must last.

export function kept(name: string): string | null {
	try {
		return localStorage.getItem(`lm.desk.${name}`);
	} catch {
		return null; // storage may be forbidden: then a choice holds until the page is left
	}
}

export function keep(name: string, value: string): void {
	try {
		localStorage.setItem(`lm.desk.${name}`, value);
	} catch {
		// as above
	}
}
