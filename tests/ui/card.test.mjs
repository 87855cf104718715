// A card of the district at the kiosk: put on the reader, its PIN keyed in, seen at the town; taken away, it counts no more;
// a terminal without a reader asks for none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, PATIENCE_MS } from './lib.mjs';
import { Resident, startDistrict } from './people.mjs';

const SERVICE = 'legal-advice';
const PIN = '4711';

let browser, district, number;
before(async () => {
	browser = await launch();
	district = await startDistrict();
	({ number } = await district.tell({ do: 'card', node: district.terminals[0].name, pin: PIN }));
});
after(async () => {
	await browser?.close();
	await district?.end();
});

const put = (isThere) => district.tell({ do: 'card-put', is_there: isThere });

class Holder extends Resident {
	/** From the start to the screen that asks for the card. */
	async begin() {
		this.service = await this.openService(SERVICE);
		await this.press('kiosk.service.start');
		await this.press('kiosk.consent.agree');
	}

	async keys(digits) {
		for (const digit of digits) {
			await this.steady();
			await this.page.locator('.keypad').getByRole('button', { name: digit, exact: true }).click();
		}
	}

	/** The questions, as far as the check of all answers. */
	async answerAll() {
		await this.sayNoChild(this.service);
		for (const field of this.service.fields) {
			await this.agreeBefore(this.service, field);
			const choice = field.choices?.find(({ id }) => id === 'unknown') ?? field.choices?.[0];
			const some = { FIELD_TYPE_CHOICE: choice?.id, FIELD_TYPE_PERSON: '张示例', FIELD_TYPE_PHONE: '000 5954 0000', FIELD_TYPE_YES_NO: 'no', FIELD_TYPE_PLACE: 'here' };
			await this.answer(field, field.is_required ? (some[field.type] ?? '示例') : null);
		}
		await this.agreeToSharing(this.service);
		await this.seesText('kiosk.check.title');
	}
}

for (const [language, size, screen] of [['zh-CN', 4, 'kiosk21'], ['en', 1, 'kiosk32']])
	test(`a card proves itself, ${language}, size ${size}`, async () => {
		await put(false);
		const holder = await Holder.arrive(browser, district.terminals[0].url, { language, size, screen });
		const look = (name) => holder.look(`card-${language}-${name}`);
		await holder.begin();
		await holder.seesText('kiosk.card.title');
		await look('1-put');
		await put(true);
		await holder.seesText('kiosk.card.pin');
		await look('2-pin');
		await holder.keys('12');
		await holder.press('kiosk.form.next');
		await holder.seesText('kiosk.card.short');
		await holder.keys('34');
		await holder.press('kiosk.form.next');
		await holder.seesText('kiosk.card.wrong', { count: 2 });
		await look('3-wrong');
		await holder.keys(PIN);
		assert.equal(await holder.page.locator('#pin').getAttribute('type'), 'password');
		await holder.press('kiosk.form.next');
		await holder.seesText('kiosk.card.proved');
		await look('4-proved');
		await holder.press('kiosk.form.next');
		await holder.answerAll();
		await holder.seesText('kiosk.card.row.yes');
		await look('5-check');

		// Taken away and put back: it has to prove itself again.
		await put(false);
		await holder.seesText('kiosk.card.title');
		await put(true);
		await holder.seesText('kiosk.card.pin');
		await holder.keys(PIN);
		await holder.press('kiosk.form.next');
		await holder.seesText('kiosk.card.proved');
		await holder.press('kiosk.form.next');
		await holder.seesText('kiosk.card.row.yes');
		await holder.press('kiosk.check.submit');
		await holder.page.locator('.code').first().waitFor({ timeout: PATIENCE_MS });
		const { identity } = await district.tell({ do: 'identity', node: district.town.name });
		assert.deepEqual([identity.source, identity.card], ['IDENTITY_SOURCE_CARD', number]);
		holder.assertNoFaults();
		await holder.close();
	});

test('without a card the way goes on, by keys alone, and the town sees that nobody confirmed it', async () => {
	await put(false);
	const holder = await Holder.arrive(browser, district.terminals[0].url);
	await holder.begin();
	await holder.seesText('kiosk.card.title');
	await holder.steady();
	await holder.button('kiosk.card.without').focus();
	await holder.page.keyboard.press('Enter');
	await holder.answerAll();
	await holder.seesText('kiosk.card.row.no');
	await holder.press('kiosk.check.submit');
	await holder.page.locator('.code').first().waitFor({ timeout: PATIENCE_MS });
	const { identity } = await district.tell({ do: 'identity', node: district.town.name });
	assert.equal(identity, null);
	await holder.close();
});

test('a terminal without a reader asks for no card', async () => {
	const other = await Holder.arrive(browser, district.terminals[1].url);
	await other.begin();
	await other.answerAll();
	assert.equal(await other.page.getByText(other.t('kiosk.card.row.no')).count(), 0);
	await other.close();
});
