// A table that stays one at 320 px: there each row becomes a card, and each cell says its column again.
// The roles are written out because browsers drop table semantics from cells that are laid out as blocks.
import type { ComponentChildren } from 'preact';

export interface Column<Row> {
	id: string;
	head: string;
	cell: (row: Row) => ComponentChildren;
	isNumber?: boolean;
	isHead?: boolean; // names the row
}

interface TableProps<Row> {
	caption: string;
	isCaptionHidden?: boolean;
	columns: Column<Row>[];
	rows: Row[];
	keyOf: (row: Row) => string;
	last?: Row; // the sum, under a line
}

export function Table<Row>({ caption, isCaptionHidden, columns, rows, keyOf, last }: TableProps<Row>) {
	return (
		<table class="desk-table" role="table">
			<caption class={isCaptionHidden ? 'unseen' : undefined}>{caption}</caption>
			<thead role="rowgroup">
				<tr role="row">
					{columns.map((column) => (
						<th
							key={column.id}
							role="columnheader"
							scope="col"
							class={column.isNumber ? 'desk-number' : undefined}
						>
							{column.head}
						</th>
					))}
				</tr>
			</thead>
			<tbody role="rowgroup">
				{rows.map((row) => (
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

function Cells<Row>({ row, columns }: { row: Row; columns: Column<Row>[] }) {
	return (
		<tr role="row">
			{columns.map((column) => {
				const content = (
					<>
						<span class="desk-cell-head" aria-hidden="true">
							{column.head}
						</span>
						<span class="desk-cell">{column.cell(row)}</span>
					</>
				);
				return column.isHead ? (
					<th key={column.id} role="rowheader" scope="row">
						{content}
					</th>
				) : (
					<td key={column.id} role="cell" class={column.isNumber ? 'desk-number' : undefined}>
						{content}
					</td>
				);
			})}
		</tr>
	);
}
