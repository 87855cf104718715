// Start: what can be done here, by module, and whether it can be done now.
import type { JSX } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Button, Notice } from 'ui/parts';
import type { Module, Service } from 'ui/types';
import { useAccess } from 'kiosk/access';
import { Acting, Frame, type ScreenProps } from 'kiosk/frame';
import { LanguageButton } from 'kiosk/modes';
import { MODULES } from 'kiosk/modules';
import { pagesOf } from 'kiosk/services';

export interface StartProps extends ScreenProps {
	services: Service[];
	onModule: (module: Module) => void;
	notices: number; // that the town tells this community
	onLookup: () => void;
	onNotices: () => void;
	onPoints?: () => void; // not known: no service point is
	onActing: () => void; // begins to act for another person, or ends it
}

export function Start({ services, notices, onModule, onLookup, onNotices, onPoints, onActing, ...common }: StartProps): JSX.Element {
	const { state } = common;
	const modules = MODULES.filter(({ id }) => services.some((service) => service.module === id));
	const { isEasy } = useAccess();
	const isActing = useContext(Acting) !== null;
	const [page, show] = useState(0);
	const pages = isEasy ? pagesOf(modules) : [modules]; // who wants few words chooses among few
	const now = Math.min(page, pages.length - 1);
	return (
		<Frame {...common} name={`start-${now}`} sign="kiosk.start.title" onBack={now > 0 ? () => show(now - 1) : undefined}>
			<div class="shown">
				<h1 tabIndex={-1}>{t('kiosk.start.title')}</h1>
				<p class="lead">{t('kiosk.start.text')}</p>
				{!state && <Notice kind="info" title={t('kiosk.start.wait')} />}
			</div>
			<div class="touched">
				<div class="tiles">
					{pages[now]!.map(({ id, key, about, icon }) => (
						<Button class="tile" key={id} icon={icon} onPress={() => onModule(id)}>
							<strong>{t(key)}</strong>
							<span class="about">{t(about)}</span>
						</Button>
					))}
					{pages.length > 1 && (
						<Button class="tile" icon="refresh" onPress={() => show((now + 1) % pages.length)}>
							<strong>{t('kiosk.services.more')}</strong>
						</Button>
					)}
				</div>
				<div class="beside">
					<Button icon="search" onPress={onLookup}>
						{t('kiosk.start.lookup')}
					</Button>
					<Button icon="person" onPress={onActing}>
						{t(isActing ? 'kiosk.start.self' : 'kiosk.start.acting')}
					</Button>
					{notices > 0 && (
						<Button icon="info" onPress={onNotices}>
							{t('kiosk.told.open', { count: notices })}
						</Button>
					)}
					{onPoints && (
						<Button icon="pin" onPress={onPoints}>
							{t('kiosk.points.title')}
						</Button>
					)}
					<LanguageButton />
				</div>
			</div>
		</Frame>
	);
}
