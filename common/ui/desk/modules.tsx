// A QR code, drawn from its modules: dark on white in every theme, with the quiet zone that readers need.
import { t } from '../src/i18n';

const QUIET = 4;

export function Modules({ modules }: { modules: string }) {
	const rows = modules.split('\n');
	const size = rows.length + 2 * QUIET;
	const path = rows
		.flatMap((row, y) => [...row].map((module, x) => (module === '1' ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : '')))
		.join('');
	return (
		<svg class="desk-modules" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t('desk.login.modules')}>
			<path class="desk-modules-ground" d={`M0 0h${size}v${size}h-${size}z`} />
			<path class="desk-modules-dark" d={path} />
		</svg>
	);
}
