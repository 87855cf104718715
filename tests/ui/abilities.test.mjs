// Journeys from the start to the answer by people who have only what is said of them: somebody who acts for another, who sits
// in a wheelchair, who cannot hear, who wants easy words. Who cannot see: keypad.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const CARER = { name: '示例女儿', relation: '女儿', phone: '00012345678', scope: 'CARER_SCOPE_ONCE' };
const NAME = '示例老人';

let browser, district;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

const arrive = (options) => Resident.arrive(browser, district.terminals[0].url, options);

/** The banner of every screen, as it stands there. */
const bannerOf = (resident) => resident.page.locator('.acting').innerText();

test('somebody acts for another: said on every screen, both names on the receipt, and the person can say no', async () => {
	const one = await arrive();
	await one.look('acting-0-start');
	await one.press('kiosk.start.acting');
	await one.look('acting-1-what-it-means');
	await one.press('kiosk.acting.begin');
	one.isActing = true;
	assert.equal(await bannerOf(one), one.t('kiosk.acting.banner'));
	await one.look('acting-2-start');
	await one.openService('my-data'); // for oneself alone: it says why, and there is no way on
	assert.equal(await one.button('kiosk.service.start').count(), 0);
	await one.look('acting-3-only-self');
	await one.press('kiosk.home');

	const banners = [];
	const answer = one.answer.bind(one);
	one.answer = async (...args) => {
		banners.push(await bannerOf(one));
		return answer(...args);
	};
	const service = await one.openService('device-repair');
	await one.press('kiosk.service.start');
	await one.press('kiosk.consent.agree');
	await one.sayWhoActs(CARER);
	await one.look('acting-4-question');
	for (const field of service.fields) {
		await one.agreeBefore(service, field);
		await one.answer(field, field.meaning === 'FIELD_MEANING_APPLICANT_NAME' ? NAME : field.is_required ? easiest(field) : null);
	}
	await one.agreeToSharing(service);
	await one.seesText('kiosk.check.title');
	const both = one.t('kiosk.acting.both', { name: NAME, by_name: CARER.name });
	assert.equal(await bannerOf(one), both);
	assert.deepEqual([...new Set(banners)], [one.t('kiosk.acting.banner'), both]);
	await one.look('acting-5-check');
	const { request_id, code } = await one.handIn();
	assert.equal(await bannerOf(one), both);
	await one.seesText('kiosk.receipt.both', { name: NAME, by_name: CARER.name });
	await one.seesText('kiosk.receipt.give');
	await one.look('acting-6-receipt');
	await one.waitForMarks(3);
	await one.press('kiosk.receipt.done');
	assert.equal(await one.page.locator('.acting').count(), 0, 'who comes next acts for nobody');

	const clerk = await Clerk.arrive(browser, district.town.url);
	await clerk.logIn(district.town);
	await clerk.page.locator(`a[data-request="${request_id}"]`).waitFor();
	await clerk.seesText('desk.flag.carer-open');
	await clerk.openCase(request_id);
	await clerk.sees([CARER.name, CARER.relation, CARER.phone].join(' · '));
	await clerk.seesText('desk.carer.AUTHORITY_NOT_CONFIRMED');
	await clerk.look('acting-7-case');
	await clerk.page.keyboard.press('a');
	await clerk.confirm();

	// The person, with the code: reads both names, and did not want it.
	await one.lookUp(code);
	await one.waitForNews(one.t('kiosk.status.accepted'));
	await one.seesText('kiosk.receipt.both', { name: NAME, by_name: CARER.name });
	await one.press('kiosk.records.withdraw');
	await one.look('acting-8-withdraw');
	await one.press('kiosk.withdraw.unwanted');
	await one.waitForNews(one.t('kiosk.status.withdrawn'));
	await clerk.seesText('desk.carer.AUTHORITY_UNWANTED');
	await clerk.seesText('desk.ask.unwanted');
	await clerk.visit('cases/closed');
	await clerk.seesText('desk.flag.unwanted');
	await clerk.look('acting-9-closed');
	one.assertNoFaults();
	clerk.assertNoFaults();
	await Promise.all([one.close(), clerk.close()]);
});

/** What can be answered without knowing anything. */
function easiest(field) {
	switch (field.type) {
		case 'FIELD_TYPE_CHOICE':
			return field.choices.find(({ id }) => id === 'unknown')?.id ?? field.choices[0].id;
		case 'FIELD_TYPE_YES_NO':
			return 'unknown';
		case 'FIELD_TYPE_PLACE':
			return 'here';
		case 'FIELD_TYPE_SEVERAL':
			return field.choices[0].id;
		default:
			return '示例：说不清楚';
	}
}
