/*
 * Numbers, the first of these that fits:
 *
 *   2026-11-22   a day                     9:05         a time             2026年        a year, digit by digit
 *   1234 5678 9012, 021-5954 0000, 99011419700101001X, 007                 digit by digit
 *   ￥12.50, 12.5元                         money              35%          a share       3-5      from … to
 *   -3, 1,234.5                            a number
 */
#include <stdio.h>

#include "points.h"

#define LONG_DIGITS 7 /* from here on nobody wants to hear millions, but a code */

struct run { /* what has been read of a number, in code points from `at` */
	const uint32_t *at;
	size_t digits; /* of the first run */
};

static size_t digits_at(const uint32_t *at)
{
	size_t n = 0;
	while (point_is_digit(at[n]))
		n++;
	return n;
}

static unsigned value_of(const uint32_t *at, size_t digits)
{
	unsigned value = 0;
	for (size_t i = 0; i < digits && i < 9; i++)
		value = value * 10 + (at[i] - '0');
	return value;
}

/* ---- in words ---- */

static const char *const digit_names[] = { "零", "一", "二", "三", "四", "五", "六", "七", "八", "九" };
static const char *const unit_names[] = { "", "十", "百", "千" };
static const char *const section_names[] = { "", "万", "亿", "万亿" };
#define CARDINAL_DIGITS_MOST 16

/* 10000 and more: sections of four digits; a zero is said once where digits are missing. */
static void cardinal_chinese(struct spoken *s, const char *digits, size_t count)
{
	bool has_said = false, owes_zero = false, has_section = false;
	for (size_t i = 0; i < count; i++) {
		size_t place = count - 1 - i, unit = place % 4;
		if (digits[i] != '0') {
			if (owes_zero && has_said)
				say_text(s, digit_names[0]);
			owes_zero = false;
			if (digits[i] != '1' || unit != 1 || has_said)
				say_text(s, digit_names[digits[i] - '0']);
			say_text(s, unit_names[unit]);
			has_said = has_section = true;
		} else {
			owes_zero = true;
		}
		if (unit == 0) {
			if (has_section)
				say_text(s, section_names[place / 4]);
			has_section = false;
		}
	}
	if (!has_said)
		say_text(s, digit_names[0]);
}

static void digits_say(struct spoken *s, enum speech_language language, const uint32_t *at, size_t count, bool is_code)
{
	for (size_t i = 0; i < count; i++) {
		if (language == SPEECH_ENGLISH) {
			say_point(s, at[i]);
			say_text(s, " ");
		} else if (!point_is_digit(at[i])) {
			say_text(s, " ");
			say_point(s, at[i]);
			say_text(s, " ");
		} else {
			say_text(s, is_code && at[i] == '1' ? "幺" : digit_names[at[i] - '0']);
		}
	}
}

/* Groups of four, as people tell a code to each other; a telephone's eleven in 3, 4, 4. */
static void code_say(struct spoken *s, enum speech_language language, const uint32_t *at, size_t count)
{
	size_t group = count == 11 ? 3 : 4;
	for (size_t i = 0; i < count; i += group, group = 4) {
		if (i)
			say_text(s, language == SPEECH_ENGLISH ? ", " : "，");
		if (i + group > count || count - i - group == 1)
			group = count - i; /* nobody says one digit alone */
		digits_say(s, language, at + i, group, true);
	}
}

/* A whole part that may have commas, and a fraction; `used` code points in all. */
static size_t plain_say(struct spoken *s, enum speech_language language, const uint32_t *at, bool is_money)
{
	char digits[CARDINAL_DIGITS_MOST + 1];
	size_t count = 0, used = 0, fraction = 0;
	for (;;) {
		for (; point_is_digit(at[used]) && count < CARDINAL_DIGITS_MOST; used++)
			digits[count++] = (char)at[used];
		if (at[used] != ',' || digits_at(at + used + 1) != 3 || used > CARDINAL_DIGITS_MOST)
			break;
		used++;
	}
	if (at[used] == '.' && point_is_digit(at[used + 1]))
		fraction = digits_at(at + used + 1);
	digits[count] = '\0';
	if (language == SPEECH_ENGLISH) {
		say_text(s, digits);
		for (size_t i = 0; fraction && i <= fraction; i++)
			say_point(s, at[used + i]);
		if (is_money)
			say_text(s, " yuan");
		return used + (fraction ? fraction + 1 : 0);
	}
	cardinal_chinese(s, digits, count);
	const uint32_t *behind = at + used + 1;
	bool is_coins = is_money && fraction && fraction <= 2;
	if (fraction && !is_coins) {
		say_text(s, "点");
		digits_say(s, language, behind, fraction, false);
	}
	if (is_money)
		say_text(s, "元");
	if (is_coins) {
		unsigned tenths = behind[0] - '0', cents = fraction == 2 ? behind[1] - '0' : 0;
		if (tenths)
			say_text(s, digit_names[tenths]), say_text(s, "角");
		else if (cents)
			say_text(s, digit_names[0]);
		if (cents)
			say_text(s, digit_names[cents]), say_text(s, "分");
	}
	return used + (fraction ? fraction + 1 : 0);
}

static void small_say(struct spoken *s, unsigned value)
{
	char digits[16];
	int count = snprintf(digits, sizeof digits, "%u", value);
	cardinal_chinese(s, digits, (size_t)count);
}

/* ---- shapes ---- */

static size_t day_say(struct spoken *s, enum speech_language language, struct run r)
{
	static const char *const months[] = { "January", "February", "March",     "April",   "May",      "June",
		                              "July",    "August",   "September", "October", "November", "December" };
	const uint32_t *at = r.at;
	uint32_t sign = at[r.digits];
	if (r.digits != 4 || (sign != '-' && sign != '/' && sign != '.'))
		return 0;
	size_t month = digits_at(at + 5), day = month && at[5 + month] == sign ? digits_at(at + 6 + month) : 0;
	unsigned m = value_of(at + 5, month), d = value_of(at + 6 + month, day);
	if (month > 2 || !day || day > 2 || m < 1 || m > 12 || d < 1 || d > 31)
		return 0;
	if (language == SPEECH_ENGLISH) {
		char text[48];
		snprintf(text, sizeof text, "%u %s %u", d, months[m - 1], value_of(at, 4));
		say_text(s, text);
	} else {
		digits_say(s, language, at, 4, false);
		say_text(s, "年");
		small_say(s, m);
		say_text(s, "月");
		small_say(s, d);
		say_text(s, "日");
	}
	return 6 + month + day;
}

static size_t time_say(struct spoken *s, enum speech_language language, struct run r)
{
	const uint32_t *at = r.at;
	size_t used = r.digits + 3;
	if (r.digits > 2 || (at[r.digits] != ':' && at[r.digits] != 0xff1a) || digits_at(at + r.digits + 1) != 2)
		return 0;
	unsigned hour = value_of(at, r.digits), minute = value_of(at + r.digits + 1, 2);
	if (hour > 24 || minute > 59)
		return 0;
	if (at[used] == ':' && digits_at(at + used + 1) == 2)
		used += 3; /* seconds tell nobody anything */
	if (language == SPEECH_ENGLISH) {
		char text[24];
		snprintf(text, sizeof text, minute ? "%u:%02u" : "%u o'clock", hour, minute);
		say_text(s, text);
		return used;
	}
	small_say(s, hour);
	say_text(s, minute ? "点" : "点整");
	if (minute && minute < 10)
		say_text(s, digit_names[0]);
	if (minute)
		small_say(s, minute), say_text(s, "分");
	return used;
}

/* Groups with one space or hyphen between them: a telephone number, a receipt's code. */
static size_t groups_say(struct spoken *s, enum speech_language language, struct run r)
{
	size_t used = r.digits, all = r.digits, groups = 1;
	for (; used < SPEECH_POINTS_MOST && (r.at[used] == ' ' || r.at[used] == '-'); groups++) {
		size_t next = digits_at(r.at + used + 1);
		if (!next)
			break;
		used += 1 + next;
		all += next;
	}
	if (groups < 2 || all < LONG_DIGITS || r.at[used] == 0x5e74 /* 年 */)
		return 0;
	for (size_t i = 0; i < used;) {
		size_t count = digits_at(r.at + i);
		if (i)
			say_text(s, language == SPEECH_ENGLISH ? ", " : "，");
		if (count > 4)
			code_say(s, language, r.at + i, count);
		else
			digits_say(s, language, r.at + i, count, true);
		i += count + 1;
	}
	return used;
}

static size_t code_at(struct spoken *s, enum speech_language language, struct run r)
{
	size_t used = r.digits;
	bool is_money = r.at[used] == 0x5143 /* 元 */ || r.at[used] == '.' || r.at[used] == '%' || r.at[used] == ',';
	if ((r.digits < LONG_DIGITS || is_money) && !(r.digits > 1 && r.at[0] == '0' && r.at[used] != '.'))
		return 0;
	if (r.at[used] == 'X' || r.at[used] == 'x')
		used++; /* the check character of an identity card */
	code_say(s, language, r.at, used);
	return used;
}

static size_t range_sign(uint32_t p)
{
	return p == '-' || p == '~' || p == 0xff5e || p == 0x2013 || p == 0x2014 ? 1 : 0;
}

/* A number with what belongs to it behind: a per cent sign, 元, "to" another number. */
static size_t amount_say(struct spoken *s, enum speech_language language, const struct points *p, size_t i,
                         bool is_money)
{
	struct buffer number = { 0 };
	struct spoken aside = { &number, s->most_bytes, OK };
	const uint32_t *at = p->at + i;
	size_t used = plain_say(&aside, language, at, false);
	is_money |= at[used] == 0x5143;
	bool is_share = at[used] == '%';
	if (is_share && language == SPEECH_CHINESE)
		say_text(s, "百分之");
	if (is_money)
		plain_say(s, language, at, true);
	else
		say_bytes(s, buffer_bytes(&number));
	buffer_release(&number);
	if (!s->result)
		s->result = aside.result;
	if (is_share && language == SPEECH_ENGLISH)
		say_text(s, " per cent");
	used += is_share || at[used] == 0x5143;
	if (range_sign(at[used]) && point_is_digit(at[used + 1])) {
		say_text(s, language == SPEECH_ENGLISH ? " to " : "到");
		used++;
	}
	return used;
}

size_t number_say(struct spoken *s, enum speech_language language, const struct points *p, size_t i)
{
	const uint32_t *at = p->at + i;
	if (at[0] == 0xa5 && point_is_digit(at[1])) /* ¥ */
		return 1 + amount_say(s, language, p, i + 1, true);
	if (at[0] == '-' && point_is_digit(at[1]) && (!i || at[-1] == ' ' || at[-1] >= 0x80)) {
		say_text(s, language == SPEECH_ENGLISH ? "minus " : "负");
		return 1;
	}
	if (!point_is_digit(at[0]))
		return 0;
	struct run r = { at, digits_at(at) };
	size_t used = day_say(s, language, r);
	if (!used)
		used = time_say(s, language, r);
	if (!used && r.digits == 4 && at[4] == 0x5e74 && language == SPEECH_CHINESE)
		digits_say(s, language, at, used = 4, false);
	if (!used)
		used = groups_say(s, language, r);
	if (!used)
		used = code_at(s, language, r);
	return used ? used : amount_say(s, language, p, i, false);
}
