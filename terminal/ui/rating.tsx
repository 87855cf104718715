// How it went, in one tap: what was said before, and the five words of it with their faces.
import type { JSX } from 'preact';
import { t } from 'ui/i18n';
import { Button, Notice, type IconName } from 'ui/parts';
import type { Rating, ReceiptView } from 'ui/types';

export type Rated = Exclude<Rating, 'RATING_NONE'>;

const FACES: [Rated, IconName][] = [
	['RATING_VERY_GOOD', 'face-very-good'],
	['RATING_GOOD', 'face-good'],
	['RATING_FAIR', 'face-fair'],
	['RATING_BAD', 'face-bad'],
	['RATING_VERY_BAD', 'face-very-bad'],
];

/** What stands of it, among the words of a record. */
export function RatingGiven({ receipt }: { receipt: ReceiptView }): JSX.Element | null {
	const { rating, is_rating_sent } = receipt;
	if (rating === 'RATING_NONE') return null;
	return (
		<Notice kind="success" title={t('kiosk.rate.given', { rating: t(`kiosk.rate.${rating}`) })}>
			{is_rating_sent && <p>{t('kiosk.rate.sent')}</p>}
		</Notice>
	);
}

export interface RateProps {
	receipt: ReceiptView;
	isBusy: boolean;
	onRate: (rating: Rated) => void;
}

export function Rate({ receipt, isBusy, onRate }: RateProps): JSX.Element | null {
	if (!receipt.can_rate) return null;
	return (
		<section class="rate">
			<h3>{t('kiosk.rate.title')}</h3>
			{receipt.rating !== 'RATING_NONE' && <p>{t('kiosk.rate.change')}</p>}
			<div class="tiles">
				{FACES.filter(([rating]) => rating !== receipt.rating).map(([rating, face]) => (
					<Button class="tile" key={rating} icon={face} isBusy={isBusy} onPress={() => onRate(rating)}>
						<strong>{t(`kiosk.rate.${rating}`)}</strong>
					</Button>
				))}
			</div>
		</section>
	);
}
