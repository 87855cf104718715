// Every part in every state, for whoever makes pages and for tests/ui/parts.test.mjs. No daemon serves this page:
//   common/ui/build --parts     then open the file that it names.
// ?look=kiosk|desk &mm=4.034 &theme=paper|white|black|low-glare &size=1..4 &lang=en begin it otherwise.
import { render, type ComponentChildren, type JSX } from 'preact';
import { useState } from 'preact/hooks';
import { dateText, language, setLanguage, timeText, useLanguage, words } from 'ui/i18n';
import { Keypad } from 'ui/keypad';
import {
	announce,
	Announcer,
	Button,
	Chip,
	Choice,
	Choices,
	DemoBanner,
	Dialog,
	Empty,
	Failed,
	Field,
	Icon,
	ICONS,
	Line,
	Loading,
	LongLine,
	More,
	Notice,
	OutOfDate,
	Progress,
	SampleMark,
	Select,
	showDisplay,
	SkipLink,
	Steps,
	Switch,
	Tab,
	Table,
	THEMES,
	toast,
	Toasts,
	type NoticeKind,
	type Theme,
} from 'ui/parts';
import './page.css';

const KINDS: readonly NoticeKind[] = ['info', 'success', 'warning', 'danger'];
const MOMENT_MS = Date.UTC(2026, 10, 21, 17, 30); // in Shanghai it is the 22nd by then
const w = (zh: string, en: string): string => words({ zh, en });

function Part({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
	return (
		<section aria-label={name}>
			<h2>{name}</h2>
			{children}
		</section>
	);
}

function Buttons(): JSX.Element {
	const [isOn, setOn] = useState(true);
	const [isPressed, setPressed] = useState(true);
	const [pressed, count] = useState(0);
	const press = () => count(pressed + 1);
	return (
		<Part name={w('按钮', 'Buttons')}>
			<div class="actions">
				<Button kind="primary" icon="next" class="counts" onPress={press}>
					{w('下一步', 'Next')} {pressed}
				</Button>
				<Button icon="back" onPress={press}>
					{w('返回', 'Back')}
				</Button>
				<Button onPress={press}>{w('只有字', 'Words only')}</Button>
				<Button kind="link" onPress={press}>
					{w('去那一项', 'Go to it')}
				</Button>
				<Button kind="danger" icon="close" onPress={press}>
					{w('撤回', 'Withdraw')}
				</Button>
				<Button icon="search" isBusy class="busy" onPress={press}>
					{w('正在查找……', 'Looking…')}
				</Button>
				<Button icon="size" isPressed={isPressed} onPress={() => setPressed(!isPressed)}>
					{w('大字', 'Large')}
				</Button>
				<Button icon="edit" class="off" whyNot={w('先填写名称。', 'Fill in the name first.')} onPress={press}>
					{w('提交', 'Submit')}
				</Button>
			</div>
			<div class="actions">
				<Switch isOn={isOn} onSwitch={setOn}>
					{w('声音', 'Sound')}
				</Switch>
				<Switch isOn={!isOn} onSwitch={(on) => setOn(!on)}>
					{w('单键快捷键', 'Single-key shortcuts')}
				</Switch>
			</div>
			<nav class="actions" aria-label={w('页面', 'Pages')}>
				<Tab href="#open" isHere>
					{w('未办结', 'Open')}
				</Tab>
				<Tab href="#closed">{w('已办结', 'Closed')}</Tab>
			</nav>
			<More name={w('工作人员看', 'For staff')}>
				<p>{w('存储已用 12 %', 'Storage used: 12 %')}</p>
			</More>
		</Part>
	);
}

function Fields(): JSX.Element {
	const [typed, type] = useState('张示例');
	const [chosen, choose] = useState<string[]>(['a']);
	const [several, chooseSeveral] = useState<string[]>(['a', 'c']);
	const [isTicked, tick] = useState(true);
	const [digits, setDigits] = useState('1234');
	const options = [
		{ id: 'a', name: w('走路和移动', 'Walking and moving'), about: w('轮椅、拐杖', 'Wheelchairs, crutches') },
		{ id: 'b', name: w('听', 'Hearing') },
		{ id: 'c', name: w('看', 'Seeing') },
	];
	const hint = w('写证件上的名字。', 'As it stands on the certificate.');
	const error = w('这一项要填写。', 'An answer is needed here.');
	return (
		<Part name={w('填写', 'Fields')}>
			<Field id="f-line" label={w('姓名', 'Name')} hint={hint} isRequired>
				{(wiring) => <Line wiring={wiring} value={typed} onType={type} />}
			</Field>
			<Field id="f-wrong" label={w('电话', 'Phone')} hint={w('手机或座机。', 'Mobile or fixed line.')} error={error}>
				{(wiring) => <Line wiring={wiring} inputMode="tel" value="" onType={() => {}} />}
			</Field>
			<Field id="f-password" label={w('密码', 'Password')}>
				{(wiring) => <Line wiring={wiring} type="password" value="0000" onType={() => {}} />}
			</Field>
			<Field id="f-long" label={w('还有什么要说', 'Anything else')} hint={w('可以不填。', 'May stay empty.')}>
				{(wiring) => <LongLine wiring={wiring} value={typed} onType={type} />}
			</Field>
			<Field id="f-select" label={w('镇街', 'Town')}>
				{(wiring) => <Select wiring={wiring} value="b" options={options} onChoose={() => {}} />}
			</Field>
			<Choices id="f-one" legend={w('哪方面不方便？', 'What is difficult?')} {...{ options, chosen }} onChange={choose} />
			<Choices
				id="f-several"
				legend={w('可以多选', 'Choose any number')}
				error={error}
				options={options}
				chosen={several}
				areSeveral
				onChange={chooseSeveral}
			/>
			<Choice
				type="checkbox"
				name="f-tick"
				option={{ id: 'tick', name: w('我看过了', 'I have read it') }}
				isChosen={isTicked}
				onChange={tick}
			/>
			<Field id="f-digits" label={w('回执号', 'Receipt code')}>
				{(wiring) => <Line class="digits" wiring={wiring} inputMode="numeric" value={digits} onType={setDigits} />}
			</Field>
			<Keypad
				extras={['X', 'B']}
				onKey={(key) => setDigits(digits + key)}
				onErase={() => setDigits(digits.slice(0, -1))}
			/>
		</Part>
	);
}

function States(): JSX.Element {
	return (
		<Part name={w('状态', 'States')}>
			{KINDS.map((kind) => (
				<Notice key={kind} kind={kind} title={w('已保存', 'It is saved')}>
					<p>{w('它会自己送出去。', 'It is sent on by itself.')}</p>
				</Notice>
			))}
			<div class="chips">
				{KINDS.map((kind) => (
					<Chip key={kind} kind={kind}>
						{w('办理中', 'Being worked on')}
					</Chip>
				))}
				<SampleMark isSample />
			</div>
			<Steps
				steps={[
					{ name: w('已存在本机', 'Saved here'), isDone: true, about: timeText(MOMENT_MS) },
					{ name: w('已到镇街', 'At the town'), isDone: false },
				]}
			/>
			<Progress number={3} total={7}>
				{w('第 3 题，共 7 题', 'Question 3 of 7')}
			</Progress>
			<Loading />
			<Empty>{w('现在没有办件。', 'There is no request here now.')}</Empty>
			<Failed text={w('本机的服务没有回应。', 'The service does not answer.')} onRetry={() => announce('…')} />
			<OutOfDate since_ms={MOMENT_MS}>
				<p>{w('共收到 12 件。', '12 received.')}</p>
			</OutOfDate>
			<p>
				{timeText(MOMENT_MS)} · {dateText('2026-11-22')}
			</p>
		</Part>
	);
}

interface Row {
	id: string;
	town: string;
	count: number;
	state: NoticeKind;
}

function Tables(): JSX.Element {
	const rows: Row[] = [
		{ id: '1', town: w('示例镇', 'Sample Town'), count: 12, state: 'success' },
		{ id: '2', town: w('样本街道', 'Specimen Street'), count: 100, state: 'warning' },
		{ id: '3', town: w('演示镇', 'Demo Town'), count: 9, state: 'danger' },
	];
	return (
		<Part name={w('表格', 'Tables')}>
			<Table<Row>
				caption={w('各镇街', 'By town')}
				columns={[
					{ id: 'town', head: w('镇街', 'Town'), isHead: true, cell: (row) => row.town, sortBy: (row) => row.town },
					{
						id: 'count',
						head: w('收到', 'Received'),
						isNumber: true,
						cell: (row) => row.count,
						sortBy: (row) => row.count,
					},
					{
						id: 'state',
						head: w('状态', 'State'),
						cell: (row) => <Chip kind={row.state}>{w('连通', 'Up')}</Chip>,
					},
				]}
				rows={rows}
				keyOf={(row) => row.id}
				last={{ id: '', town: w('合计', 'Total'), count: 121, state: 'info' }}
			/>
			<Table<Row>
				caption={w('不排序的表', 'Without sorting')}
				columns={[
					{ id: 'town', head: w('镇街', 'Town'), isHead: true, cell: (row) => row.town },
					{ id: 'count', head: w('收到', 'Received'), isNumber: true, cell: (row) => row.count },
				]}
				rows={rows}
				keyOf={(row) => row.id}
			/>
		</Part>
	);
}

function Dialogs(): JSX.Element {
	const [shown, show] = useState<'plain' | 'alert' | null>(null);
	const close = () => show(null);
	return (
		<Part name={w('对话框和消息', 'Dialogs and messages')}>
			<div class="actions">
				<Button class="opens" onPress={() => show('plain')}>
					{w('打开对话框', 'Open a dialog')}
				</Button>
				<Button class="opens-alert" onPress={() => show('alert')}>
					{w('打开提醒', 'Open an alert')}
				</Button>
				{KINDS.map((kind) => (
					<Button
						key={kind}
						class={`toasts-${kind}`}
						icon={kind}
						onPress={() => toast(w(`消息：${kind}`, `Message: ${kind}`), kind)}
					>
						{w('留一条消息', 'Leave a message')}
					</Button>
				))}
			</div>
			{shown && (
				<Dialog
					title={w('不办了吗？', 'Stop here?')}
					isAlert={shown === 'alert'}
					onClose={close}
					actions={
						<>
							<Button kind="primary" onPress={close}>
								{w('接着办', 'Go on')}
							</Button>
							<Button kind="danger" class="announces" onPress={() => announce(w('还没有保存', 'Not saved'), true)}>
								{w('清除', 'Clear it')}
							</Button>
						</>
					}
				>
					<p>{w('填写的内容会清除，不会保存。', 'What you typed will be cleared and not saved.')}</p>
				</Dialog>
			)}
		</Part>
	);
}

function Icons(): JSX.Element {
	return (
		<Part name={w('图标', 'Icons')}>
			<div class="chips">
				{ICONS.map((name) => (
					<span key={name}>
						<Icon name={name} /> <span lang="en">{name}</span>
					</span>
				))}
			</div>
		</Part>
	);
}

function Controls(): JSX.Element {
	const root = document.documentElement;
	const [, again] = useState(0);
	const set = (name: 'look' | 'theme' | 'size', value: string) => {
		root.dataset[name] = value;
		again((n) => n + 1);
	};
	const group = (name: 'look' | 'theme' | 'size', values: readonly string[]) => (
		<div class="actions" role="group" aria-label={name}>
			{values.map((value) => (
				<Button key={value} lang="en" isPressed={root.dataset[name] === value} onPress={() => set(name, value)}>
					{value}
				</Button>
			))}
		</div>
	);
	return (
		<Part name={w('样子', 'Look')}>
			{group('look', ['kiosk', 'desk'])}
			{group('theme', THEMES)}
			{group('size', ['1', '2', '3', '4'])}
			<div class="actions">
				<Button icon="language" onPress={() => setLanguage(language() === 'en' ? 'zh-CN' : 'en')}>
					{w('换语言', 'Other language')}
				</Button>
			</div>
		</Part>
	);
}

function Sheet(): JSX.Element {
	useLanguage();
	return (
		<>
			<Announcer />
			<SkipLink />
			<header>
				<DemoBanner isDemo />
			</header>
			<Toasts />
			<main class="sheet">
				<h1 tabIndex={-1}>{w('页面零件', 'Parts of the pages')}</h1>
				<Controls />
				<Buttons />
				<Fields />
				<States />
				<Tables />
				<Dialogs />
				<Icons />
			</main>
		</>
	);
}

const query = new URLSearchParams(location.search);
document.documentElement.dataset.look = query.get('look') === 'desk' ? 'desk' : 'kiosk';
const mm = Number(query.get('mm'));
if (mm >= 1 && mm <= 20) document.documentElement.style.setProperty('--mm', `${mm}px`);
const theme = THEMES.find((known): known is Theme => known === query.get('theme')) ?? 'paper';
showDisplay({ theme, size: Number(query.get('size') ?? 2) - 1 });
setLanguage(query.get('lang') === 'en' ? 'en' : 'zh-CN');
render(<Sheet />, document.getElementById('app')!);
