// The language of the staff pages, remembered by this browser.
import { language, setLanguage, type Language } from '../src/i18n';
import { Button } from '../src/parts';

const STORED_AS = 'lm.desk.language';
const OTHER: Record<Language, { language: Language; name: string }> = {
	'zh-CN': { language: 'en', name: 'English' },
	en: { language: 'zh-CN', name: '中文' },
};

export function startLanguage(): void {
	let stored: string | null = null;
	try {
		stored = localStorage.getItem(STORED_AS);
	} catch {
		// Storage may be forbidden: then the choice holds until the page is left.
	}
	setLanguage(stored === 'en' ? 'en' : 'zh-CN');
}

export function LanguageSwitch() {
	const other = OTHER[language()];
	return (
		<Button
			icon="language"
			lang={other.language}
			onPress={() => {
				setLanguage(other.language);
				try {
					localStorage.setItem(STORED_AS, other.language);
				} catch {
					// as above
				}
			}}
		>
			{other.name}
		</Button>
	);
}
