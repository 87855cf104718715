// From a module to the beginning of a request: which service, what it is, who will see the answers.
import type { JSX } from 'preact';
import { useContext } from 'preact/hooks';
import { language, t, words } from 'ui/i18n';
import { Button, More, Notice, SampleMark } from 'ui/parts';
import { hasScanner } from 'ui/scanner';
import type { Basis, Module, Service, Words } from 'ui/types';
import { nameOf, useAccess } from './access';
import { BackAndHome } from './common';
import { hasCamera } from './display';
import { Acting, Frame, type ScreenProps } from './frame';
import { MODULES } from './modules';

const CHOICES_MOST = 6; // on one screen, "more" among them

/** Choices as they come onto screens; one screen, even if there are none. */
export function pagesOf<T>(choices: readonly T[]): (readonly T[])[] {
	if (choices.length <= CHOICES_MOST) return [choices];
	const pages = [];
	for (let at = 0; at < choices.length; at += CHOICES_MOST - 1)
		pages.push(choices.slice(at, at + CHOICES_MOST - 1));
	return pages;
}

/** The screen on which a service stands. */
export function pageOf(services: Service[], { id }: Service): number {
	return Math.max(
		0,
		pagesOf(services).findIndex((page) => page.some((service) => service.id === id)),
	);
}

export interface ServicesProps extends ScreenProps {
	module: Module;
	services: Service[];
	page: number;
	onPage: (page: number) => void;
	onService: (service: Service) => void;
}

export function Services({ module, services, page, onPage, onService, ...common }: ServicesProps): JSX.Element {
	const name = MODULES.find(({ id }) => id === module)?.key ?? 'kiosk.start.title';
	const pages = pagesOf(services);
	const now = Math.min(page, pages.length - 1); // a new revision of the catalogue may have fewer
	const left = pages.slice(now + 1).flat().length;
	const access = useAccess();
	const back = () => (now > 0 ? onPage(now - 1) : common.onHome());
	return (
		<Frame
			{...common}
			name={`services-${now}`}
			sign={name}
			onBack={back}
			actions={<BackAndHome onBack={back} onHome={now > 0 ? common.onHome : undefined} />}
		>
			<div class="shown">
				<h1 tabIndex={-1}>{t(name)}</h1>
				{pages.length > 1 && (
					<p class="progress">{t('kiosk.services.page', { number: now + 1, total: pages.length })}</p>
				)}
				<p class="lead">{t('kiosk.services.text')}</p>
			</div>
			<div class="touched">
				{pages[now]!.map((service) => (
					<Button class="tile wide" key={service.id} onPress={() => onService(service)}>
						<strong>{words(nameOf(service, access))}</strong>
						<span class="about">{words(service.easy)}</span>
					</Button>
				))}
				{left > 0 && (
					<Button class="tile wide" onPress={() => onPage(now + 1)}>
						<strong>{t('kiosk.services.more')}</strong>
						<span class="about">{t('kiosk.services.left', { count: left })}</span>
					</Button>
				)}
			</div>
		</Frame>
	);
}

export interface ServiceProps extends ScreenProps {
	service: Service;
	onBack: () => void;
	onNext: () => void;
}

export function ServiceScreen({ service, onBack, onNext, ...common }: ServiceProps): JSX.Element {
	const isForCounter = !hasCamera() && !hasScanner() && service.fields.some((field) => field.type === 'FIELD_TYPE_FILE' && field.is_required);
	const access = useAccess();
	const { isEasy } = access;
	const isOnlySelf = useContext(Acting) !== null && service.only_self !== undefined;
	const canStart = !isForCounter && !isOnlySelf && (common.state?.can_take_requests ?? false);
	const next = canStart && (
		<Button kind="primary" icon="next">
			{t('kiosk.service.start')}
		</Button>
	);
	return (
		<Frame
			{...common}
			name="service"
			sign={service.id}
			onBack={onBack}
			onNext={canStart ? onNext : undefined}
			actions={
				<BackAndHome onBack={onBack} onHome={common.onHome}>
					{next}
				</BackAndHome>
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{words(nameOf(service, access))}</h1>
				<p class="lead">{words(service.easy)}</p>
				{isForCounter && <Notice kind="info" title={t('kiosk.service.counter')} />}
				{isOnlySelf && <Notice kind="warning" title={words(service.only_self)} />}
				{!isEasy && <ServiceFacts service={service} />}
			</div>
			{isEasy && (
				<div class="touched">
					<More name={t('kiosk.easy.more')}>
						<div class="read">
							<ServiceFacts service={service} />
						</div>
					</More>
				</div>
			)}
		</Frame>
	);
}

function ServiceFacts({ service }: { service: Service }): JSX.Element {
	return (
		<>
			<Sentences title={t('kiosk.service.conditions')} sentences={service.conditions} />
			{service.steps.length > 0 && (
				<section>
					<h2>{t('kiosk.service.steps')}</h2>
					<ol class="steps">
						{service.steps.map((step, i) => (
							<li key={i}>
								{words(step.text)}{' '}
								{step.working_days > 0 && (
									<span class="days">{t('kiosk.service.days', { days: step.working_days })}</span>
								)}
							</li>
						))}
					</ol>
				</section>
			)}
			<Sentences title={t('kiosk.service.evidence')} sentences={service.evidence} />
			<Bases title={t('kiosk.service.basis')} bases={service.basis} />
			<Bases title={t('kiosk.service.facts')} bases={service.facts} />
		</>
	);
}

function Sentences({ title, sentences }: { title: string; sentences: Words[] }): JSX.Element | null {
	if (sentences.length === 0) return null;
	return (
		<section>
			<h2>{title}</h2>
			<ul>
				{sentences.map((sentence, i) => (
					<li key={i}>{words(sentence)}</li>
				))}
			</ul>
		</section>
	);
}

function Bases({ title, bases }: { title: string; bases: Basis[] }): JSX.Element | null {
	if (bases.length === 0) return null;
	return (
		<section>
			<h2>{title}</h2>
			<ul>
				{bases.map((basis, i) => (
					<li key={i}>
						{words(basis.text)} <SampleMark isSample={basis.is_sample} />
						{basis.source && (
							<span class="source">
								{t('kiosk.service.source')}{' '}
								<span lang={language() === 'en' ? 'zh-CN' : undefined}>{basis.source}</span> {basis.date}
							</span>
						)}
					</li>
				))}
			</ul>
		</section>
	);
}
