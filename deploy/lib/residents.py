#!/usr/bin/env python3
"""Residents who do not exist, for demo, tests and benches: the same seed gives the same people.

    deploy/lib/residents.py --town 310114106 > residents.jsonl      # for `lmctl persons import`
    deploy/lib/residents.py --all --count 21000

Everything is made up: numbers are of region 990114, which is nobody's, phones begin with 000, given names are drawn
from a few characters. How many of which kind follows the estimate of the China Disabled Persons' Federation of the end
of 2010 (中国残疾人联合会《2010年末全国残疾人总数及各类、不同残疾等级人数》, published 2012): 85.02 million people, of them sight
12.63, hearing 20.54, speech 1.30, body 24.72, mind 5.68, psyche 6.29, several 13.86 million. Levels follow the same
estimate's one figure, 25.18 million severe (levels 1 and 2). Assumed, for want of a source: that a district of 21,000
certificates spreads evenly over its communities, ages (older people are more), who lives together, who works, what is paid.
"""
import argparse
import json
import pathlib
import random
import sys

CATEGORIES = {"1": 1263, "2": 2054, "3": 130, "4": 2472, "5": 568, "6": 629, "7": 1386}  # 视力 听力 言语 肢体 智力 精神 多重
SEVERE = 2518 / 8502
COUNT = 21000  # residents with a certificate (assumed)
REGION = "990114"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗单曾解仇区查"
GIVEN = "示例甲乙丙丁戊己庚辛"
NEEDS = {"1": ["SPEECH", "BRAILLE"], "2": ["SIGN_LANGUAGE", "TEXT_ONLY"], "3": ["TEXT_ONLY"], "4": ["WHEELCHAIR", "HOME_VISIT"],
         "5": ["EASY_LANGUAGE", "COMPANION"], "6": ["COMPANION"], "7": ["LARGE_TEXT", "COMPANION"]}
DEVICES = {"1": "white-cane", "2": "hearing-aid", "4": "wheelchair"}
RELATIONS = ("本人", "配偶", "子女", "父母")
YEAR = 2026


def checked(head):
    """GB 11643, with the check character of ISO 7064, MOD 11-2."""
    return head + "10X98765432"[sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(head)) % 11]


def weighted(draw, weights):
    return draw.choices(list(weights), list(weights.values()))[0]


def birth_of(draw):
    age = weighted(draw, {range(3, 18): 5, range(18, 45): 20, range(45, 60): 25, range(60, 95): 50})
    return f"{YEAR - draw.choice(age):04}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"


def facts_of(draw, nth, community):
    category = weighted(draw, CATEGORIES)
    level = draw.choice("12") if draw.random() < SEVERE else draw.choice("34")
    birth, is_male = birth_of(draw), draw.random() < 0.51
    order = draw.randrange(0, 500) * 2 + is_male  # odd: a man
    number = checked(REGION + birth.replace("-", "") + f"{order % 1000:03}")
    age = YEAR - int(birth[:4])
    phone = f"000{nth:08}"
    facts = {"name": draw.choice(SURNAMES) + "".join(draw.choice(GIVEN) for _ in range(2)),
             "sex": "SEX_MALE" if is_male else "SEX_FEMALE", "birth": birth, "id_number": number,
             "certificate": number + category + level, "community": community,
             "address": f"示例路{draw.randint(1, 400)}弄{draw.randint(1, 60)}号", "contacts": [{"phone": phone}],
             "access": [f"ACCESS_NEED_{need}" for need in NEEDS[category] if draw.random() < 0.7],
             "household": f"示例户{nth // 3:06}", "household_relation": draw.choice(RELATIONS),
             "income": weighted(draw, {"INCOME_BAND_ALLOWANCE": 15, "INCOME_BAND_MARGIN": 10, "INCOME_BAND_OTHER": 75}),
             "employment": "EMPLOYMENT_RETIRED" if age >= 60 else "EMPLOYMENT_LEARNING" if age < 18 else
                           weighted(draw, {"EMPLOYMENT_EMPLOYED": 35, "EMPLOYMENT_SEEKING": 15, "EMPLOYMENT_UNABLE": 50}),
             "consents": [{"topic": "TOPIC_RECORD", "is_given": True, "day": "2026-01-05"},
                          {"topic": "TOPIC_CALLS", "is_given": draw.random() < 0.8, "day": "2026-01-05"}]}
    if category in "567" or age < 18:
        facts["representatives"] = [{"name": facts["name"][0] + "示家人", "phone": f"0009{nth:07}", "relation": "父母" if age < 50 else "子女",
                                     "scope": "SCOPE_ALL", "from": "2026-01-05"}]
    if level in "12":
        facts["benefits"] = [{"benefit": "nursing-subsidy", "from": "2026-01-01"}]
    if category in DEVICES and draw.random() < 0.5:
        facts["devices"] = [DEVICES[category]]
    return facts


def residents(towns, count=COUNT, seed=1):
    """{town: list of ImportedPerson}: `count` of them over all `towns` ({town: its communities})."""
    draw, seen, made = random.Random(seed), set(), {town: [] for town in towns}
    communities = [(town, community) for town in sorted(towns) for community in sorted(towns[town])]
    nth = 0
    while nth < count:
        town, community = communities[nth % len(communities)]
        facts = facts_of(draw, nth, community)
        if facts["id_number"] in seen:
            continue
        seen.add(facts["id_number"])
        made[town].append({"ref": f"demo-{seed}-{nth:06}", "facts": facts})
        nth += 1
    return made


def places(path=pathlib.Path(__file__).resolve().parents[1] / "places.json"):
    """{town: its communities} of the file of places."""
    file = json.loads(pathlib.Path(path).read_text())
    return {town["code"]: [community["code"] for community in town["communities"]] for town in file["towns"]}


def lines(persons):
    return "".join(json.dumps(person, ensure_ascii=False) + "\n" for person in persons)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--town", help="only this town's share")
    parser.add_argument("--all", action="store_true", help="all towns', one after another")
    parser.add_argument("--count", type=int, default=COUNT, help="over all towns (else 21,000)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    towns = places()
    if given.town not in towns and not given.all:
        parser.error(f"--town: one of {' '.join(towns)}; or --all")
    made = residents(towns, given.count, given.seed)
    for town in towns if given.all else [given.town]:
        sys.stdout.write(lines(made[town]))


if __name__ == "__main__":
    main()
