// The eight modules of the catalogue, in the order in which they are shown.
import type { TextKey } from 'ui/i18n';
import type { IconName } from 'ui/parts';
import type { Module } from 'ui/types';

export const MODULES: readonly { id: Module; key: TextKey; about: TextKey; icon: IconName }[] = [
	{ id: 'MODULE_POLICY', key: 'kiosk.module.policy', about: 'kiosk.module.policy.about', icon: 'policy' },
	{ id: 'MODULE_DEVICES', key: 'kiosk.module.devices', about: 'kiosk.module.devices.about', icon: 'devices' },
	{ id: 'MODULE_LIFE', key: 'kiosk.module.life', about: 'kiosk.module.life.about', icon: 'life' },
	{
		id: 'MODULE_REHABILITATION',
		key: 'kiosk.module.rehabilitation',
		about: 'kiosk.module.rehabilitation.about',
		icon: 'rehabilitation',
	},
	{ id: 'MODULE_JOBS', key: 'kiosk.module.jobs', about: 'kiosk.module.jobs.about', icon: 'jobs' },
	{ id: 'MODULE_RIGHTS', key: 'kiosk.module.rights', about: 'kiosk.module.rights.about', icon: 'rights' },
	{ id: 'MODULE_ADVICE', key: 'kiosk.module.advice', about: 'kiosk.module.advice.about', icon: 'advice' },
	{ id: 'MODULE_CULTURE', key: 'kiosk.module.culture', about: 'kiosk.module.culture.about', icon: 'culture' },
];
