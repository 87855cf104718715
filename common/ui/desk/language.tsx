// The language of the staff pages, remembered by this browser.
import { language, setLanguage, type Language } from '../src/i18n';
import { Button } from '../src/parts';
import { keep, kept } from './kept';

const OTHER: Record<Language, { language: Language; name: string }> = {
	'zh-CN': { language: 'en', name: 'English' },
	en: { language: 'zh-CN', name: '中文' },
};

export function startLanguage(): void {
	setLanguage(kept('language') === 'en' ? 'en' : 'zh-CN');
}

export function LanguageSwitch() {
	const other = OTHER[language()];
	return (
		<Button
			icon="language"
			lang={other.language}
			onPress={() => {
				setLanguage(other.language);
				keep('language', other.language);
			}}
		>
			{other.name}
		</Button>
	);
}
