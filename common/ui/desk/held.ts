// How many items are held up here, for the frame of every page.
import type { QuarantineView } from '../src/types';
import { useLoaded } from './session';

export const HELD_PATH = '/api/v1/quarantine';

export const isHeldNews = (name: string): boolean => name === 'quarantine';

export function useHeldUp(): number {
	const { data } = useLoaded<QuarantineView>(`${HELD_PATH}?limit=1`, isHeldNews);
	return Number(data?.open ?? 0);
}
