// Start: what can be done here, by module, and whether it can be done now.
import type { JSX } from 'preact';
import { t } from 'ui/i18n';
import { Button, Notice } from 'ui/parts';
import type { Module, Service } from 'ui/types';
import { Frame, type ScreenProps } from 'kiosk/frame';
import { MODULES } from 'kiosk/modules';

export interface StartProps extends ScreenProps {
	services: Service[];
	onModule: (module: Module) => void;
	onLookup: () => void;
}

export function Start({ services, onModule, onLookup, ...common }: StartProps): JSX.Element {
	const { state } = common;
	const modules = MODULES.filter(({ id }) => services.some((service) => service.module === id));
	return (
		<Frame {...common} name="start">
			<div class="shown">
				<h1 tabIndex={-1}>{t('kiosk.start.title')}</h1>
				<p class="lead">{t('kiosk.start.text')}</p>
				{!state && <Notice kind="info" title={t('kiosk.start.wait')} />}
			</div>
			<div class="touched">
				<div class="tiles">
					{modules.map(({ id, key, about, icon }) => (
						<Button class="tile" key={id} icon={icon} onPress={() => onModule(id)}>
							<strong>{t(key)}</strong>
							<span class="about">{t(about)}</span>
						</Button>
					))}
				</div>
				<Button class="wide" icon="search" onPress={onLookup}>
					{t('kiosk.start.lookup')}
				</Button>
			</div>
		</Frame>
	);
}
