// A table that stays one at 320 px: there each row becomes a card, and each cell says its column again.
// The roles are written out because browsers drop table semantics from cells that are laid out as blocks.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { language, t } from '../i18n';
import { Icon, type IconName } from '../icons';

type Key = string | number | bigint;

export interface Column<Row> {
	id: string;
	head: string;
	cell: (row: Row) => ComponentChildren; // null, false or '': there is nothing, which a card leaves out
	isNumber?: boolean;
	isHead?: boolean; // names the row
	sortBy?: (row: Row) => Key; // the head becomes a button
}

export interface TableProps<Row> {
	caption: string;
	isCaptionHidden?: boolean;
	columns: Column<Row>[];
	rows: Row[]; // in this order until somebody chooses another one
	keyOf: (row: Row) => string;
	last?: Row; // the sum, under a line
}

interface Order {
	column: string;
	isDown: boolean; // largest first
}

export function Table<Row>({ caption, isCaptionHidden, columns, rows, keyOf, last }: TableProps<Row>): JSX.Element {
	const [order, setOrder] = useState<Order | null>(null);
	const isSortable = columns.some((column) => column.sortBy);
	return (
		<table class={isSortable ? 'table sortable' : 'table'} role="table">
			<caption class={isCaptionHidden ? 'unseen' : undefined}>{caption}</caption>
			<thead role="rowgroup">
				<tr role="row">
					{columns.map((column) => (
						<Head key={column.id} column={column} order={order} onOrder={setOrder} />
					))}
				</tr>
			</thead>
			<tbody role="rowgroup">
				{sorted(rows, columns, order).map((row) => (
					<Cells key={keyOf(row)} row={row} columns={columns} />
				))}
			</tbody>
			{last && (
				<tfoot role="rowgroup">
					<Cells row={last} columns={columns} />
				</tfoot>
			)}
		</table>
	);
}

function compare(a: Key, b: Key): number {
	if (typeof a === 'string' && typeof b === 'string') return a.localeCompare(b, language(), { numeric: true });
	return a < b ? -1 : a > b ? 1 : 0;
}

function sorted<Row>(rows: Row[], columns: Column<Row>[], order: Order | null): Row[] {
	const key = columns.find(({ id }) => id === order?.column)?.sortBy;
	if (!order || !key) return rows;
	const sign = order.isDown ? -1 : 1;
	return [...rows].sort((a, b) => sign * compare(key(a), key(b)));
}

interface HeadProps<Row> {
	column: Column<Row>;
	order: Order | null;
	onOrder: (order: Order) => void;
}

function Head<Row>({ column, order, onOrder }: HeadProps<Row>) {
	const isHere = order?.column === column.id;
	const icon: IconName = !isHere ? 'sort' : order.isDown ? 'down' : 'up';
	return (
		<th
			role="columnheader"
			scope="col"
			class={column.isNumber ? 'number' : undefined}
			aria-sort={isHere ? (order.isDown ? 'descending' : 'ascending') : undefined}
		>
			{column.sortBy ? (
				<button
					type="button"
					class="sort"
					aria-label={t('common.table.sort', { column: column.head })}
					onClick={() => onOrder({ column: column.id, isDown: isHere && !order.isDown })}
				>
					<span>{column.head}</span>
					<Icon name={icon} />
				</button>
			) : (
				column.head
			)}
		</th>
	);
}

function Cells<Row>({ row, columns }: { row: Row; columns: Column<Row>[] }) {
	return (
		<tr role="row">
			{columns.map((column) => {
				const said = column.cell(row);
				const isNothing = said === null || said === undefined || said === false || said === '';
				const content = (
					<>
						<span class="cell-head" aria-hidden="true">
							{column.head}
						</span>
						<span class="cell">{isNothing ? t('common.table.nothing') : said}</span>
					</>
				);
				return column.isHead ? (
					<th key={column.id} role="rowheader" scope="row">
						{content}
					</th>
				) : (
					<td key={column.id} role="cell" class={isNothing ? 'nothing' : column.isNumber ? 'number' : undefined}>
						{content}
					</td>
				);
			})}
		</tr>
	);
}
