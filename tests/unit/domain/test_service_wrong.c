/*
 * A catalogue file that is wrong in one way is refused with the place of that fault, and with no other: a good file,
 * and a table of changes to its text. What is wrong already in the JSON is refused by the decoder, the rest by the
 * check.
 */
#include "fixture.h"

#include "proto/json.h"

#define HAN_10 "一二三四五六七八九十"
#define HAN_20 HAN_10 HAN_10
#define TEXT_MOST (64 * 1024)
#define FAULTS_SEEN 8

static const char good[] =
        "{ \"id\": \"home-care\", \"module\": \"MODULE_LIFE\", \"owner\": \"TIER_TOWN\",\n"
        "\"name\": { \"zh\": \"居家照护\", \"en\": \"Care at home\" },\n"
        "\"easy_name\": { \"zh\": \"在家请人照顾\", \"en\": \"Help at home\" }, "
        "\"only_self\": { \"zh\": \"只给本人。\", \"en\": \"For you alone.\" },\n"
        "\"easy\": { \"zh\": \"有人上门照顾您。\", \"en\": \"Someone comes to look after you.\" },\n"
        "\"fields\": [\n"
        "{ \"id\": \"name\", \"type\": \"FIELD_TYPE_PERSON\", \"is_required\": true,\n"
        "  \"label\": { \"zh\": \"您叫什么名字？\", \"en\": \"What is your name?\" },\n"
        "  \"meaning\": \"FIELD_MEANING_APPLICANT_NAME\" },\n"
        "{ \"id\": \"often\", \"type\": \"FIELD_TYPE_CHOICE\", \"is_required\": true,\n"
        "  \"label\": { \"zh\": \"一周要来几次？\", \"en\": \"How often a week?\" },\n"
        "  \"hint\": { \"zh\": \"说不准也没关系。\", \"en\": \"You need not be sure.\" },\n"
        "  \"choices\": [ { \"id\": \"once\", \"name\": { \"zh\": \"一次\", \"en\": \"Once\" } },\n"
        "    { \"id\": \"daily\", \"name\": { \"zh\": \"每天\", \"en\": \"Every day\" } },\n"
        "    { \"id\": \"unknown\", \"name\": { \"zh\": \"不清楚\", \"en\": \"I don't know\" } } ] },\n"
        "{ \"id\": \"weeks\", \"type\": \"FIELD_TYPE_NUMBER\", \"least\": \"1\", \"most\": \"52\",\n"
        "  \"label\": { \"zh\": \"大约要几个星期？\", \"en\": \"For about how many weeks?\" },\n"
        "  \"easy\": { \"zh\": \"一共几周？\", \"en\": \"How long?\" } },\n"
        "{ \"id\": \"help\", \"type\": \"FIELD_TYPE_SEVERAL\", \"least\": \"0\", \"most\": \"2\",\n"
        "  \"label\": { \"zh\": \"要帮什么？\", \"en\": \"What help?\" },\n"
        "  \"choices\": [ { \"id\": \"wash\", \"name\": { \"zh\": \"洗澡\", \"en\": \"Washing\" } },\n"
        "    { \"id\": \"cook\", \"name\": { \"zh\": \"做饭\", \"en\": \"Cooking\" } } ] } ],\n"
        "\"conditions\": [ { \"zh\": \"住在本区的人。\", \"en\": \"People of this district.\" } ],\n"
        "\"steps\": [ { \"text\": { \"zh\": \"街镇看申请。\", \"en\": \"The town reads it.\" }, \"working_days\": 3,\n"
        "  \"fields\": [ { \"id\": \"visit-day\", \"type\": \"FIELD_TYPE_DATE\", \"is_required\": true,\n"
        "    \"label\": { \"zh\": \"哪天上门？\", \"en\": \"Visited on which day?\" } },\n"
        "  { \"id\": \"carer\", \"type\": \"FIELD_TYPE_TEXT\", \"most\": \"30\", \"is_told\": true,\n"
        "    \"label\": { \"zh\": \"谁来照顾？\", \"en\": \"Who comes?\" } } ] } ],\n"
        "\"evidence\": [ { \"zh\": \"残疾人证\", \"en\": \"Disability certificate\" } ],\n"
        "\"proofs\": [ { \"evidence\": 1, \"before_step\": 1, \"fields\": [ \"weeks\" ],\n"
        "  \"facts\": [ \"RECORD_FACT_CERTIFICATE\" ], \"is_paper\": true } ],\n"
        "\"needs_second\": [ \"OUTCOME_REFUSED\" ],\n"
        "\"objection\": { \"days\": 60, \"basis\": [\n"
        "  { \"text\": { \"zh\": \"可以提异议。\", \"en\": \"You may object.\" }, \"is_sample\": true } ] },\n"
        "\"privacy\": { \"who_asks\": { \"zh\": \"街镇在问。\", \"en\": \"The town asks.\" },\n"
        "  \"purpose\": { \"zh\": \"为了安排照护。\", \"en\": \"To arrange the care.\" },\n"
        "  \"who_sees\": { \"zh\": \"经办的人能看。\", \"en\": \"Those in charge see it.\" },\n"
        "  \"keep_months\": 36, \"keep_from\": \"KEEP_FROM_CLOSED\" },\n"
        "\"sharing\": [ { \"id\": \"nurse\", \"with_whom\": { \"zh\": \"护理的人\", \"en\": \"The carer\" },\n"
        "  \"purpose\": { \"zh\": \"为了上门。\", \"en\": \"To visit you.\" } } ],\n"
        "\"basis\": [ { \"text\": { \"zh\": \"国家给予护理补贴。\", \"en\": \"The state grants care subsidies.\" },\n"
        "  \"source\": \"残疾人保障法第四十八条\", \"date\": \"2018-10-26\" } ],\n"
        "\"facts\": [ { \"text\": { \"zh\": \"示例电话 000-12345678。\", \"en\": \"A sample: 000-12345678.\" },\n"
        "    \"is_sample\": true },\n"
        "  { \"text\": { \"zh\": \"2018-2020 年有 1,200 人。\", \"en\": \"1,200 people, 12.5 % more.\" },\n"
        "    \"source\": \"年度报告\", \"date\": \"2020-12-31\" } ] }\n";

#define CHOICES(zh, en)                                                                                             \
	"\"FIELD_TYPE_CHOICE\", \"is_required\": true, \"choices\": [ { \"id\": \"can\", \"name\": { \"zh\": \"" zh \
	"\", "                                                                                                      \
	"\"en\": \"" en "\" } }, { \"id\": \"cannot\", \"name\": { \"zh\": \"不能\", \"en\": \"No\" } } ]"

/* `part` stands in `good` once and becomes `change`; then there is one fault, and this is how it begins. */
static const struct {
	const char *part, *change, *fault;
} wrong[] = {
	/* deciding */
	{ "\"evidence\": 1,", "\"evidence\": 2,", "proofs[0].evidence: which sentence of evidence, from 1 to 1" },
	{ "\"evidence\": 1, ", "", "proofs[0].evidence: which sentence of evidence" },
	{ "\"before_step\": 1", "\"before_step\": 2", "proofs[0].before_step: a step from 1 to 1" },
	{ "[ \"weeks\" ]", "[ \"months\" ]", "proofs[0].fields[0]: no field has the id 'months'" },
	{ "\"RECORD_FACT_CERTIFICATE\"", "\"RECORD_FACT_NONE\"", "proofs[0].facts[0]: not a fact of a record" },
	{ "\"RECORD_FACT_CERTIFICATE\"", "\"RECORD_FACT_SHOE\"", "proofs[0].facts[0]: \"RECORD_FACT_SHOE\" is not" },
	{ "\"is_paper\": true } ]", "\"is_paper\": true }, { \"evidence\": 1, \"is_paper\": true } ]",
	  "proofs[1].evidence: 1 is there twice" },
	{ "\"fields\": [ \"weeks\" ],\n  \"facts\": [ \"RECORD_FACT_CERTIFICATE\" ], \"is_paper\": true",
	  "\"fields\": []", "proofs[0]: fields, facts or is_paper" },
	{ "[ \"OUTCOME_REFUSED\" ]", "[ \"OUTCOME_NONE\" ]", "needs_second[0]: granted, partly granted or refused" },
	{ "[ \"OUTCOME_REFUSED\" ]", "[ \"OUTCOME_REFUSED\", \"OUTCOME_REFUSED\" ]", "needs_second[1]: there twice" },
	{ "\"days\": 60", "\"days\": 366", "objection.days: from 1 to 365" },
	{ "\"days\": 60,", "", "objection.days: from 1 to 365" },
	{ "\"You may object.\"", "\"\"", "objection.basis[0].text.en: an English text is missing" },
	{ "\"The town reads it.\" }, \"working_days\": 3", "\"The town reads it.\" }, \"is_sample\": true",
	  "steps[0].is_sample: it is about working_days" },
	/* forms of steps, for which who fills them in knows the answers */
	{ "\"id\": \"visit-day\"", "\"id\": \"Visit Day\"", "steps[0].fields[0].id: lower case" },
	{ "\"id\": \"visit-day\"", "\"id\": \"carer\"", "steps[0].fields[1].id: 'carer' is there twice" },
	{ "\"id\": \"visit-day\"", "\"id\": \"weeks\"",
	  "steps[0].fields[0].id: 'weeks' is the id of another question" },
	{ "\"id\": \"visit-day\", ", "\"id\": \"visit-day\", \"meaning\": \"FIELD_MEANING_APPLICANT_NUMBER\", ",
	  "steps[0].fields[0].meaning: only what the applicant is asked" },
	{ "\"id\": \"visit-day\", ", "\"id\": \"visit-day\", \"is_birth_date\": true, ",
	  "steps[0].fields[0].is_birth_date: only what the applicant is asked" },
	{ "\"id\": \"carer\", ", "\"id\": \"carer\", \"is_health\": true, ",
	  "steps[0].fields[1].is_health: nobody agreed" },
	{ "\"FIELD_TYPE_DATE\"", "\"FIELD_TYPE_CERTIFICATE\"", "steps[0].fields[0].is_health: nobody agreed" },
	{ "\"FIELD_TYPE_DATE\"", "\"FIELD_TYPE_NONE\"", "steps[0].fields[0].type: not a type" },
	{ "\"FIELD_TYPE_DATE\", \"is_required\": true", "\"FIELD_TYPE_FILE\", \"most\": \"2000\", \"is_told\": true",
	  "steps[0].fields[0].is_told: a file is too big" },
	{ "\"FIELD_TYPE_DATE\", \"is_required\": true", "\"FIELD_TYPE_FILE\", \"most\": \"262145\"",
	  "steps[0].fields[0].most: a file has a limit" },
	{ "\"FIELD_TYPE_TEXT\", \"most\": \"30\"", "\"FIELD_TYPE_TEXT\", \"most\": \"127\"",
	  "steps[0].fields: what is told has at most 512 bytes, this up to 513" },
	{ "\"FIELD_TYPE_TEXT\", \"most\": \"30\"", "\"FIELD_TYPE_TEXT\", \"most\": \"2000\"",
	  "steps[0].fields: what is told has at most 512 bytes" },
	{ "\"FIELD_TYPE_TEXT\", \"most\": \"30\"", "\"FIELD_TYPE_DATE\", \"most\": \"30\"",
	  "steps[0].fields[1].most: this type has no limits" },
	{ "\"en\": \"Who comes?\"", "\"en\": \"Visited on which day?\"",
	  "steps[0].fields[1].label: the same question as fields[0]" },
	{ "谁来照顾？", "谁来照顾？请打 000-12345678。", "steps[0].fields[1].label.zh: a number that can be called" },
	{ "\"FIELD_TYPE_TEXT\", \"most\": \"30\"", CHOICES("yes", "Yes"),
	  "steps[0].fields[1].choices[0].name.zh: no Chinese character" },
	{ "\"FIELD_TYPE_TEXT\", \"most\": \"30\"", CHOICES("能", ""),
	  "steps[0].fields[1].choices[0].name.en: an English text is missing" },
	{ "\"id\": \"weeks\", ", "\"id\": \"weeks\", \"is_told\": true, ",
	  "fields[2].is_told: only what staff fill in" },
	/* the JSON, which the decoder refuses */
	{ "\"owner\": \"TIER_TOWN\",", "\"owner\": \"TIER_TOWN\"", "Service: line 2, column" },
	{ "\"owner\": \"TIER_TOWN\"", "\"owner\": \"TIER_TOWN\", \"colour\": \"red\"",
	  "colour: Service has no such field" },
	{ "\"meaning\": \"FIELD_MEANING_APPLICANT_NAME\"", "\"meanings\": \"FIELD_MEANING_APPLICANT_NAME\"",
	  "fields[0].meanings: Field has no such field" },
	{ "\"is_sample\": true },\n", "\"is_sample\": true, \"zh\": \"x\" },\n",
	  "facts[0].zh: Basis has no such field" },
	{ "\"module\": \"MODULE_LIFE\"", "\"module\": \"MODULE_SPACE\"",
	  "module: \"MODULE_SPACE\" is not a name of Module" },
	{ "\"module\": \"MODULE_LIFE\"", "\"module\": 1", "module: expected a name" },
	{ "\"FIELD_TYPE_CHOICE\"", "\"FIELD_TYPE_SMELL\"", "fields[1].type: \"FIELD_TYPE_SMELL\" is not a name" },
	{ "\"TIER_TOWN\"", "\"TIER_MOON\"", "owner: \"TIER_MOON\" is not a name of Tier" },
	{ "\"most\": \"52\"", "\"most\": \"9223372036854775808\"", "fields[2].most: " },
	{ "\"most\": \"52\"", "\"most\": \"52 weeks\"", "fields[2].most: \"52 weeks\" is not a whole number" },
	{ "\"most\": \"52\"", "\"most\": 52.5", "fields[2].most: expected a whole number" },
	{ "\"most\": \"52\"", "\"most\": 99999999999999999999", "Service: line 15, column" },
	{ "\"working_days\": 3", "\"working_days\": 4294967296", "steps[0].working_days: 4294967296 is out of range" },
	{ "\"working_days\": 3", "\"working_days\": -3", "steps[0].working_days: -3 is out of range" },
	{ "\"working_days\": 3", "\"working_days\": \"3\"", "steps[0].working_days: expected a whole number" },
	{ "\"is_sample\": true },\n", "\"is_sample\": \"true\" },\n", "facts[0].is_sample: expected true or false" },
	{ "\"id\": \"often\", ", "\"id\": \"often\", \"id\": \"often\", ", "Service: line 9, column" },
	{ "\"id\": \"home-care\"", "\"id\": \"home-care\", \"id\": \"again\"", "Service: line 1, column" },
	{ "\"zh\": \"一次\"", "\"zh\": \"\377\"", "Service: line 12, column" },
	{ "\"zh\": \"每天\"", "\"zh\": \"\355\240\200\"", "Service: line 13, column" },
	{ "\"zh\": \"每天\"", "\"zh\": \"每\\u0000天\"", "fields[1].choices[1].name.zh: a NUL character" },
	{ "\"zh\": \"洗澡\"", "\"zh\": 1", "fields[3].choices[0].name.zh: expected a text, found a number" },
	{ "\"zh\": \"做饭\"", "\"zh\": null", "fields[3].choices[1].name.zh: expected a text, found null" },
	{ "[ { \"zh\": \"残疾人证\", \"en\": \"Disability certificate\" } ]", "{ \"zh\": \"残疾人证\" }",
	  "evidence: expected a list, found an object" },
	{ "[ { \"zh\": \"残疾人证\", \"en\": \"Disability certificate\" } ]", "[ \"card\" ]",
	  "evidence[0]: expected an object, found a text" },
	{ "[ { \"zh\": \"残疾人证\", \"en\": \"Disability certificate\" } ]", "[ null ]",
	  "evidence[0]: expected an object, found null" },
	{ "\"hint\": { ", "\"hint\": [[[[[[[[[[[[]]]]]]]]]]]], \"hint2\": { ",
	  "Service: more than 10 objects and lists" },
	{ "\"keep_months\": 36", "\"keep_months\": 4294967297", "privacy.keep_months: 4294967297 is out of range" },
	/* its shape */
	{ "\"id\": \"home-care\"", "\"id\": \"Home Care\"", "id: lower case" },
	{ "\"id\": \"often\"", "\"id\": \"name\"", "fields[1].id: 'name' is there twice" },
	{ "\"id\": \"daily\"", "\"id\": \"once\"", "fields[1].choices[1].id: 'once' is there twice" },
	{ "\"id\": \"unknown\"", "\"id\": \"dont-know\"", "fields[1].choices: who must choose" },
	{ "\"zh\": \"居家照护\", ", "", "name.zh: a Chinese text is missing" },
	{ ", \"en\": \"Once\"", "", "fields[1].choices[0].name.en: an English text is missing" },
	{ "\"text\": { \"zh\": \"国家给予护理补贴。\", \"en\": \"The state grants care subsidies.\" }",
	  "\"text\": { \"zh\": \"国家给予护理补贴。\" }", "basis[0].text.en: an English text is missing" },
	{ "\"date\": \"2018-10-26\"", "\"date\": \"2018-02-29\"", "basis[0].date: a source has a date" },
	{ "\"date\": \"2020-12-31\"", "\"date\": \"2020-12\"", "facts[1].date: a source has a date" },
	/* its parts: can everybody get through? */
	{ "\"conditions\": [ { \"zh\": \"住在本区的人。\", \"en\": \"People of this district.\" } ],\n", "",
	  "conditions: 1 to 8" },
	{ "\"FIELD_TYPE_NUMBER\", ", "\"FIELD_TYPE_NUMBER\", \"is_required\": true, ",
	  "fields[2].is_required: who does not know it" },
	{ "\"FIELD_TYPE_NUMBER\", \"least\": \"1\", \"most\": \"52\"", "\"FIELD_TYPE_DATE\", \"is_required\": true",
	  "fields[2].is_required: who does not know it" },
	{ "\"FIELD_TYPE_NUMBER\", \"least\": \"1\", \"most\": \"52\"", "\"FIELD_TYPE_PHONE\", \"is_required\": true",
	  "fields[2].is_required: who does not know it" },
	{ "\"FIELD_TYPE_NUMBER\"", "\"FIELD_TYPE_DATE\"", "fields[2].least: this type has no limits" },
	{ "\"FIELD_TYPE_NUMBER\", \"least\": \"1\", ", "\"FIELD_TYPE_YES_NO\", ",
	  "fields[2].most: this type has no limits" },
	{ "\"FIELD_TYPE_CHOICE\", ", "\"FIELD_TYPE_CHOICE\", \"most\": \"1\", ",
	  "fields[1].most: this type has no limits" },
	{ "\"FIELD_TYPE_NUMBER\", \"least\": \"1\"", "\"FIELD_TYPE_MONEY\", \"least\": \"-1\"",
	  "fields[2].least: an amount is never below 0" },
	{ "\"most\": \"52\"", "\"most\": \"1000000000000000\"", "fields[2].most: a number has at most 15 digits" },
	{ "\"least\": \"1\"", "\"least\": \"-1000000000000000\"", "fields[2].least: a number has at most 15 digits" },
	{ "\"FIELD_TYPE_CHOICE\"", "\"FIELD_TYPE_SEVERAL\"", "fields[1].least: 1, because an answer is required" },
	{ "\"id\": \"cook\"", "\"id\": \"wash\"", "fields[3].choices[1].id: 'wash' is there twice" },
	{ "\"id\": \"weeks\", ", "\"id\": \"weeks\", \"meaning\": \"FIELD_MEANING_APPLICANT_PHONE\", ",
	  "fields[2].meaning: does not go with the field's type" },
	{ "\"id\": \"help\", ", "\"id\": \"help\", \"meaning\": \"FIELD_MEANING_APPLICANT_NUMBER\", ",
	  "fields[3].meaning: does not go with the field's type" },
	{ "\"id\": \"weeks\", ", "\"id\": \"weeks\", \"meaning\": 9, ",
	  "fields[2].meaning: not a meaning that this version knows" },
	{ "\"zh\": \"要帮什么？\"", "\"zh\": \"一周要来几次？\"", "fields[3].label: the same question as fields[1]" },
	{ "\"zh\": \"每天\"", "\"zh\": \"一次\"", "fields[1].choices[1].name: the same as choices[0]" },
	{ "\"en\": \"Cooking\"", "\"en\": \"Washing\"", "fields[3].choices[1].name: the same as choices[0]" },
	{ "\"working_days\": 3", "\"working_days\": 251", "steps[0].working_days: at most 250" },
	{ "    \"is_sample\": true", "\"is_sample\": true, \"source\": \"年度报告\"",
	  "facts[0].is_sample: what has a source" },
	{ "\"date\": \"2018-10-26\"", "\"date\": \"2018-10-26\", \"is_sample\": true",
	  "basis[0].is_sample: what has a source" },
	/* its words: characters */
	{ "有人上门照顾您。", "有人上门\\n照顾您。", "easy.zh: a control character (U+000A)" },
	{ "有人上门照顾您。", "有人上门\\u0085照顾您。", "easy.zh: a control character (U+0085)" },
	{ "有人上门照顾您。", "有人上门\\u200b照顾您。", "easy.zh: a character that cannot be displayed (U+200B)" },
	{ "有人上门照顾您。", "有人上门\\u202e照顾您。", "easy.zh: a character that cannot be displayed (U+202E)" },
	{ "有人上门照顾您。", "有人上门\\ufffd照顾您。", "easy.zh: a character that cannot be displayed (U+FFFD)" },
	{ "有人上门照顾您。", "有人上门\\ue000照顾您。", "easy.zh: a character that cannot be displayed (U+E000)" },
	{ "有人上门照顾您。", "有人上门\\ud83d\\ude00照顾您。",
	  "easy.zh: a character that cannot be displayed (U+1F600)" },
	{ "有人上门照顾您。", "有人上门　照顾您。", "easy.zh: a character that cannot be displayed (U+3000)" },
	{ "大约要几个星期？", "大约要３个星期？", "fields[2].label.zh: U+FF13 is full-width" },
	{ "残疾人证\"", "残疾人证Ａ\"", "evidence[0].zh: U+FF21 is full-width" },
	{ "\"en\": \"Disability certificate\"", "\"en\": \"Disability 证\"",
	  "evidence[0].en: a Chinese character in an English text (U+8BC1)" },
	{ "People of this district.", "People of this district。",
	  "conditions[0].en: a Chinese character in an English text (U+3002)" },
	{ "\"zh\": \"洗澡\"", "\"zh\": \"Wash\"", "fields[3].choices[0].name.zh: no Chinese character in it" },
	{ "\"en\": \"Once\"", "\"en\": \"1\"", "fields[1].choices[0].name.en: no English word in it" },
	{ "\"zh\": \"居家照护\"", "\"zh\": \" 居家照护\"", "name.zh: a space at the beginning" },
	{ "\"en\": \"Care at home\"", "\"en\": \"Care at home \"", "name.en: a space at the beginning or at the end" },
	{ "\"en\": \"Care at home\"", "\"en\": \"Care  at home\"", "name.en: two spaces in a row" },
	{ "残疾人保障法第四十八条", "残疾人保障法第四十八条\\t", "basis[0].source: a control character (U+0009)" },
	{ "残疾人保障法第四十八条",
	  "法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法"
	  "法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法法",
	  "basis[0].source: longer than 100 characters" },
	/* its words: sentences */
	{ "\"zh\": \"居家照护\"", "\"zh\": \"居家照护（居居居居居居居居居居居居）\"",
	  "name.zh: a sentence of 16 characters; at most 15" },
	{ "\"zh\": \"居家照护\"", "\"zh\": \"居家。照护\"", "name.zh: 2 sentences; at most 1" },
	{ "\"en\": \"Care at home\"", "\"en\": \"care care care care care care care care care\"",
	  "name.en: a sentence of 9 words; at most 8" },
	{ "在家请人照顾", "在家请人照顾家家家家家家家家家家", "easy_name.zh: a sentence of 16 characters; at most 15" },
	{ "Help at home", "Help. At home", "easy_name.en: 2 sentences; at most 1" },
	{ "Help at home", "", "easy_name.en: an English text is missing" },
	{ "For you alone.", "", "only_self.en: an English text is missing" },
	{ "只给本人。", "只给本人。来不了？问我。", "only_self.zh: 3 sentences; at most 2" },
	{ "一共几周？", "一共几周？几天？", "fields[2].easy.zh: 2 sentences; at most 1" },
	{ "How long?", "How long long long long long long long long?",
	  "fields[2].easy.en: a sentence of 9 words; at most 8" },
	{ "一共几周？", "", "fields[2].easy.zh: a Chinese text is missing" },
	{ "街镇看申请。", "街街街街街街街街街街街街街街街街街街街街街。",
	  "steps[0].text.zh: a sentence of 21 characters; at most 20" },
	{ "街镇看申请。", "街镇。看。申请。", "steps[0].text.zh: 3 sentences; at most 2" },
	{ "You need not be sure.",
	  "sure sure sure sure sure sure sure sure sure sure sure sure sure sure sure sure sure.",
	  "fields[1].hint.en: a sentence of 17 words; at most 16" },
	{ "You need not be sure.", "You need not. Be sure! Or not?", "fields[1].hint.en: 3 sentences; at most 2" },
	{ "住在本区的人。", "住住住住住住住住住住住住住住住住住住住住住",
	  "conditions[0].zh: a sentence of 21 characters" },
	{ "为了安排照护。", "为了。安排。照护。好。", "privacy.purpose.zh: 4 sentences; at most 3" },
	{ "To visit you.",
	  "visit visit visit visit visit visit visit visit visit visit visit visit visit visit visit visit visit visit "
	  "visit visit visit visit visit visit visit",
	  "sharing[0].purpose.en: a sentence of 25 words; at most 16" },
	{ "国家给予护理补贴。",
	  "国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国国"
	  "国国国国国国国",
	  "basis[0].text.zh: a sentence of 61 characters; at most 60" },
	/* its words: numbers */
	{ "示例电话 000-12345678。", "示例电话 021-12345678。", "facts[0].text.zh: a made-up number begins with 000" },
	{ "A sample: 000-12345678.", "A sample: 139 1234 5678.", "facts[0].text.en: a made-up number begins with 000" },
	{ "说不准也没关系。", "请打 000-12345678。", "fields[1].hint.zh: a number that can be called stands in facts" },
	{ "You need not be sure.", "Call 5954 0000.",
	  "fields[1].hint.en: a number that can be called stands in facts" },
	{ "街镇看申请。", "2021-13-31 前看。", "steps[0].text.zh: a number that can be called" },
};

/* Changes that are right: the limits themselves, and what only looks like a telephone number. */
static const struct {
	const char *part, *change;
} right[] = {
	{ "\"zh\": \"居家照护\"", "\"zh\": \"" HAN_10 "一二三四五\"" },
	{ "街镇看申请。", HAN_20 "。" HAN_20 "！" },
	{ "有人上门照顾您。", "有 3 个人、12.5 元，“上门”照顾您（示例）！" },
	{ "Care at home", "Care at home isn't 12.5 % e.g.5" },
	{ "示例电话 000-12345678。", "2018-2020 年，2021-12-31 前。" },
	{ "2018-2020 年有 1,200 人。", "电话 021-12345678。" }, /* it has a source */
	{ "\"zh\": \"洗澡\"", "\"zh\": \"洗𠮷\"" },
	{ "\"working_days\": 3", "\"working_days\": 250" },
	{ "\"FIELD_TYPE_TEXT\", \"most\": \"30\"", CHOICES("能", "Yes") }, /* staff know it */
	{ "\"FIELD_TYPE_TEXT\", \"most\": \"30\"", "\"FIELD_TYPE_TEXT\", \"most\": \"126\"" },
	{ "\"least\": \"1\", \"most\": \"52\"", "\"least\": \"-999999999999999\", \"most\": \"999999999999999\"" },
};

/* The good text with one part changed. */
static size_t text_change(char *out, const char *part, const char *change)
{
	const char *at = strstr(good, part);
	if (!at || strstr(at + 1, part))
		fail_msg("\"%s\" does not stand in the good text once", part);
	int size = snprintf(out, TEXT_MOST, "%.*s%s%s", (int)(at - good), good, change, at + strlen(part));
	assert_in_range(size, 1, TEXT_MOST - 1);
	return (size_t)size;
}

/* How many faults the text has; the first ones are in `faults`. */
static size_t text_check(struct arena *arena, struct bytes text, struct service_fault faults[FAULTS_SEEN])
{
	struct error e = { 0 };
	Lm__Service *service;
	if (!JSON_DECODE(lm__service, text, arena, &service, &e))
		return service_readable_check(service, faults, FAULTS_SEEN);
	snprintf(faults[0].text, sizeof faults[0].text, "%.*s", (int)sizeof faults[0].text - 1, e.text);
	return 1;
}

static void test_each_fault_is_found_where_it_is(void **state)
{
	(void)state;
	struct service_fault faults[FAULTS_SEEN];
	char *text = malloc(TEXT_MOST);
	struct arena arena;
	assert_non_null(text);
	arena_init(&arena, 0);
	assert_true(sizeof wrong / sizeof *wrong >= 40);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		size_t size = text_change(text, wrong[i].part, wrong[i].change);
		size_t count = text_check(&arena, BYTES(text, size), faults);
		if (count != 1 || strncmp(faults[0].text, wrong[i].fault, strlen(wrong[i].fault)) != 0)
			fail_msg("%s: %zu faults, \"%s\"; expected \"%s\"", wrong[i].change, count,
			         count ? faults[0].text : "", wrong[i].fault);
		arena_reset(&arena);
	}
	arena_release(&arena);
	free(text);
}

static void test_what_is_right_has_no_fault(void **state)
{
	(void)state;
	struct service_fault faults[FAULTS_SEEN];
	char *text = malloc(TEXT_MOST);
	struct arena arena;
	assert_non_null(text);
	arena_init(&arena, 0);
	if (text_check(&arena, BYTES(good, sizeof good - 1), faults))
		fail_msg("the good file: %s", faults[0].text);
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		size_t size = text_change(text, right[i].part, right[i].change);
		if (text_check(&arena, BYTES(text, size), faults))
			fail_msg("%s: %s", right[i].change, faults[0].text);
		arena_reset(&arena);
	}
	arena_release(&arena);
	free(text);
}

/* A list `times` as long; only the limit of the list is at fault. */
static void list_is_bounded(const char *part, const char *element, size_t times, const char *fault)
{
	struct service_fault faults[FAULTS_SEEN];
	char *text = malloc(TEXT_MOST), *list = malloc(TEXT_MOST);
	struct arena arena;
	assert_non_null(text);
	assert_non_null(list);
	arena_init(&arena, 0);
	size_t used = 0;
	for (size_t i = 0; i < times; i++)
		used += (size_t)snprintf(list + used, TEXT_MOST - used, "%s, ", element);
	used += (size_t)snprintf(list + used, TEXT_MOST - used, "%s", part);
	assert_true(used < TEXT_MOST);
	size_t size = text_change(text, part, list);
	size_t count = text_check(&arena, BYTES(text, size), faults);
	if (count != 1 || strncmp(faults[0].text, fault, strlen(fault)) != 0)
		fail_msg("%zu faults, \"%s\"; expected \"%s\"", count, count ? faults[0].text : "", fault);
	arena_release(&arena);
	free(text);
	free(list);
}

static void test_lists_are_bounded(void **state)
{
	(void)state;
	list_is_bounded("{ \"zh\": \"住在本区的人。\"", "{ \"zh\": \"人\", \"en\": \"man\" }", 8, "conditions: 1 to 8");
	list_is_bounded("{ \"zh\": \"残疾人证\"", "{ \"zh\": \"证\", \"en\": \"card\" }", 8, "evidence: at most 8");
	list_is_bounded("{ \"text\": { \"zh\": \"街镇看申请。\"", "{ \"text\": { \"zh\": \"看\", \"en\": \"look\" } }",
	                10, "steps: at most 10");
	list_is_bounded("{ \"id\": \"visit-day\"", "{ \"type\": \"FIELD_TYPE_DATE\" }", 9,
	                "steps[0].fields: at most 10");
	list_is_bounded("{ \"text\": { \"zh\": \"国家给予护理补贴。\"",
	                "{ \"text\": { \"zh\": \"法\", \"en\": \"law\" }, \"is_sample\": true }", 12,
	                "basis: at most 12");
	list_is_bounded("{ \"text\": { \"zh\": \"示例电话 000-12345678。\"",
	                "{ \"text\": { \"zh\": \"事\", \"en\": \"fact\" }, \"is_sample\": true }", 11,
	                "facts: at most 12");
}

/* Texts from the wire are checked before; a caller's own may not be. */
static void test_a_text_that_is_not_utf8(void **state)
{
	(void)state;
	struct service_parts parts;
	struct service_fault fault;
	Lm__Service *s = service_make_told(&parts, "home-care", 1, TOWN);
	assert_int_equal(service_readable_check(s, &fault, 1), 0);
	s->easy->zh = "有人\xff";
	assert_int_equal(service_readable_check(s, &fault, 1), 1);
	assert_string_equal(fault.text, "easy.zh: not UTF-8");
}

static void test_a_text_and_the_whole_have_an_end(void **state)
{
	(void)state;
	struct service_parts parts;
	struct service_fault faults[2];
	char *word = malloc(32 * 1024 + 1);
	assert_non_null(word);
	memset(word, 'a', 32 * 1024);
	word[32 * 1024] = '\0';
	Lm__Service *s = service_make_told(&parts, "home-care", 1, TOWN);
	s->easy->en = word + 32 * 1024 - 300;
	assert_int_equal(service_readable_check(s, faults, 2), 0);
	s->easy->en = word;
	assert_int_equal(service_readable_check(s, faults, 2), 2);
	assert_memory_equal(faults[0].text, "service: 3", 10);
	assert_string_equal(faults[1].text, "easy.en: longer than 300 characters");
	free(word);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fault_is_found_where_it_is),
		cmocka_unit_test(test_what_is_right_has_no_fault),
		cmocka_unit_test(test_lists_are_bounded),
		cmocka_unit_test(test_a_text_that_is_not_utf8),
		cmocka_unit_test(test_a_text_and_the_whole_have_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
