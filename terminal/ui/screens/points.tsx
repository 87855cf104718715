// Service points, the nearest first: how far, when, and what is there for people who need it. From a file: no link is needed.
import type { JSX } from 'preact';
import { t, words, type TextKey } from 'ui/i18n';
import { Button, Icon, SampleMark, type IconName } from 'ui/parts';
import type { PlaceFeature, PointView } from 'ui/types';
import { useAccess } from 'kiosk/access';
import { BackAndHome } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';

const POINTS_A_PAGE = 3;
const POINTS_A_PAGE_EASY = 1;
const CLOSE_BY_M = 100; // what distances are rounded to: a place stands for a whole building

const FEATURES: Record<PlaceFeature, [IconName, TextKey]> = {
	PLACE_FEATURE_RAMP: ['ramp', 'kiosk.points.ramp'],
	PLACE_FEATURE_LIFT: ['lift', 'kiosk.points.lift'],
	PLACE_FEATURE_TOILET: ['toilet', 'kiosk.points.toilet'],
	PLACE_FEATURE_SIGN: ['hand', 'kiosk.points.sign'],
	PLACE_FEATURE_HEARING_LOOP: ['ear', 'kiosk.points.loop'],
};

function distanceText({ has_distance, distance_m }: PointView): string {
	if (!has_distance) return t('kiosk.points.somewhere');
	const hundreds = Math.round(distance_m / CLOSE_BY_M);
	if (hundreds < 1) return t('kiosk.points.close-by');
	if (hundreds < 10) return t('kiosk.points.metres', { count: hundreds * CLOSE_BY_M });
	return t('kiosk.points.kilometres', { count: (hundreds / 10).toFixed(1) });
}

export function Point({ view }: { view: PointView }): JSX.Element {
	const { point } = view;
	return (
		<div class="point">
			<p>
				<strong>{words(point.name)}</strong> <span class="far">{distanceText(view)}</span>{' '}
				<SampleMark isSample={point.is_sample} />
			</p>
			<p>{words(point.address)}</p>
			<p>
				{words(point.hours)} <span class="phone">{point.phone}</span>
			</p>
			{point.features.length === 0 ? (
				<p>{t('kiosk.points.not-known')}</p>
			) : (
				<ul class="features">
					{point.features.map((feature) => (
						<li key={feature}>
							<Icon name={FEATURES[feature][0]} />
							{t(FEATURES[feature][1])}
						</li>
					))}
				</ul>
			)}
		</div>
	);
}

export interface PointsProps extends ScreenProps {
	points: PointView[];
	page: number;
	onPage: (page: number) => void;
}

export function Points({ points, page, onPage, ...common }: PointsProps): JSX.Element {
	const { isEasy } = useAccess();
	const size = isEasy ? POINTS_A_PAGE_EASY : POINTS_A_PAGE;
	const total = Math.max(1, Math.ceil(points.length / size));
	const now = Math.min(page, total - 1); // another wording has other pages
	const back = () => (now > 0 ? onPage(now - 1) : common.onHome());
	return (
		<Frame
			{...common}
			name={`points-${now}`}
			onBack={back}
			onNext={now < total - 1 ? () => onPage(now + 1) : undefined}
			actions={
				<BackAndHome onBack={back} onHome={now > 0 ? common.onHome : undefined}>
					{now < total - 1 && (
						<Button kind="primary" icon="next">
							{t('kiosk.points.farther')}
						</Button>
					)}
				</BackAndHome>
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{t('kiosk.points.title')}</h1>
				{total > 1 && <p class="progress">{t('kiosk.services.page', { number: now + 1, total })}</p>}
				<p class="lead">{t('kiosk.points.text')}</p>
				{points.slice(now * size, (now + 1) * size).map((view) => (
					<Point key={`${view.point.place} ${view.point.name.zh}`} view={view} />
				))}
			</div>
		</Frame>
	);
}
