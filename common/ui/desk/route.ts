// Pages by URL fragment: the daemon serves one file, every page can be linked to and the back button works.
import { useEffect, useState } from 'preact/hooks';

export interface Route {
	page: string; // "cases", "case", "links", "totals"
	part: string; // of cases: the view; of a case: its request id
	query: URLSearchParams;
}

export function routeOf(hash: string, first: string): Route {
	const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
	const [page = '', part = ''] = path.split('/');
	return { page: page || first, part, query: new URLSearchParams(query) };
}

export function hrefOf(page: string, part = '', query: Record<string, string> = {}): string {
	const given = Object.entries(query).filter(([, value]) => value !== '');
	const tail = given.length ? `?${new URLSearchParams(given)}` : '';
	return `#/${page}${part ? `/${part}` : ''}${tail}`;
}

export function useRoute(first: string): Route {
	const [hash, setHash] = useState(location.hash);
	useEffect(() => {
		const follow = () => setHash(location.hash);
		addEventListener('hashchange', follow);
		return () => removeEventListener('hashchange', follow);
	}, []);
	return routeOf(hash, first);
}
