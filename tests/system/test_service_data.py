#!/usr/bin/env python3
"""Is the data we deliver what it should be: shape, limits, easy words, and true or marked as a sample?"""
import collections
import functools
import json
import pathlib
import re
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lib"))
import report  # noqa: E402

SERVICES = sorted((TOP / "deploy/catalogue").glob("*.json"))
GIVEN_AT_PUBLICATION = {"revision", "published_by", "published_ms"}
LIMITED = {"TEXT", "LONG_TEXT", "NUMBER", "MONEY", "SEVERAL", "FILE"}  # what least and most mean something for


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a name twice among {names}"
    return dict(pairs)


def load(path):
    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=no_duplicates)


def schema(*more):
    """Messages and enums of the .proto files that a Service is made of, and of others."""
    text = "".join((TOP / "proto" / name).read_text(encoding="utf-8") for name in ("entry.proto", "catalogue.proto", *more))
    text = re.sub(r"//[^\n]*", "", text)
    messages = {name: {field: (kind, bool(repeated)) for repeated, kind, field in
                       re.findall(r"(repeated )?(\w+) (\w+) = \d+;", body)}
                for name, body in re.findall(r"message (\w+) \{(.*?)\}", text, re.DOTALL)}
    enums = {name: set(re.findall(r"(\w+) = \d+;", body)) for name, body in re.findall(r"enum (\w+) \{(.*?)\}", text, re.DOTALL)}
    return messages, enums


def misfits(value, kind, where, messages, enums):
    """Where the JSON is not of the shape that the one JSON mapping reads."""
    if kind in messages:
        if not isinstance(value, dict):
            yield f"{where}: expected an object"
            return
        for name, inner in value.items():
            if name not in messages[kind]:
                yield f"{where}.{name}: no such field"
                continue
            inner_kind, repeated = messages[kind][name]
            if repeated and not isinstance(inner, list):
                yield f"{where}.{name}: expected a list"
                continue
            for index, item in enumerate(inner if repeated else [inner]):
                yield from misfits(item, inner_kind, f"{where}.{name}[{index}]" if repeated else f"{where}.{name}", messages, enums)
    elif kind in enums:
        if value not in enums[kind]:
            yield f"{where}: {value} is not one of {kind}"
    elif kind == "int64":
        if not (isinstance(value, str) and re.fullmatch(r"-?\d+", value)):
            yield f"{where}: a 64-bit integer is a string of digits"
    elif not isinstance(value, {"string": str, "bool": bool, "uint32": int}[kind]) or (kind == "uint32" and isinstance(value, bool)):
        yield f"{where}: expected {kind}"


def words_of(value):
    if isinstance(value, dict) and set(value) == {"zh", "en"}:
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from words_of(inner)


def sentences(zh):
    return [part for part in re.split(r"[。？！]", zh) if part]


def length(zh):
    """Characters a reader counts: without punctuation."""
    return len(re.findall(r"\w", zh))


def for_each_service(check):
    @functools.wraps(check)
    def test(self):
        for path in SERVICES:
            with self.subTest(service=path.stem):
                check(self, path, load(path))
    return test


class EachService(unittest.TestCase):
    @for_each_service
    def test_has_the_shape_of_the_message(self, path, service):
        messages, enums = schema()
        self.assertEqual([], list(misfits(service, "Service", path.stem, messages, enums)))
        self.assertFalse(GIVEN_AT_PUBLICATION & set(service))
        self.assertEqual(path.stem, service["id"])
        self.assertRegex(service["id"], r"^[a-z0-9]+(-[a-z0-9]+)*$")

    @for_each_service
    def test_asks_who_it_is_once_and_never_forces_a_number(self, path, service):
        kinds = {"NAME": {"FIELD_TYPE_PERSON"}, "PHONE": {"FIELD_TYPE_PHONE"},
                 "NUMBER": {"FIELD_TYPE_CERTIFICATE", "FIELD_TYPE_ID_NUMBER"}}
        meant = {}
        for field in service["fields"]:
            if "meaning" in field:
                meaning = field["meaning"].removeprefix("FIELD_MEANING_APPLICANT_")
                self.assertNotIn(meaning, meant)
                self.assertIn(field["type"], kinds[meaning])
                self.assertEqual(meaning.lower(), field["id"])
                meant[meaning] = field
        self.assertLessEqual({"NAME", "PHONE"}, set(meant))
        for field in service["fields"]:
            if field["type"] in kinds["PHONE"] | kinds["NUMBER"]:
                self.assertFalse(field.get("is_required", False), field["id"])

    @for_each_service
    def test_is_not_kept_longer_than_people_are_told(self, path, service):
        hold, told = service.get("hold"), service["privacy"]
        if hold:
            self.assertEqual(hold["keep_from"], told["keep_from"])
            self.assertLessEqual(hold["keep_months"], told["keep_months"])

    @for_each_service
    def test_has_fields_with_honest_limits(self, path, service):
        ids = [field["id"] for field in service["fields"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertTrue(5 <= len(ids) <= 9)
        for field in service["fields"]:
            kind = field["type"].removeprefix("FIELD_TYPE_")
            choices = [choice["id"] for choice in field.get("choices", [])]
            self.assertEqual(kind in LIMITED, "most" in field, field["id"])
            self.assertEqual(kind in ("CHOICE", "SEVERAL"), bool(choices), field["id"])
            self.assertTrue(len(choices) <= 6 and len(choices) == len(set(choices)), field["id"])
            if kind in LIMITED:
                self.assertLess(int(field["least"]), int(field["most"]))
            if kind == "SEVERAL":
                self.assertLessEqual(int(field["most"]), len(choices))
                self.assertEqual(field.get("is_required", False), int(field["least"]) > 0, field["id"])

    @for_each_service
    def test_always_lets_a_person_not_know(self, path, service):
        for field in service["fields"]:
            if field.get("is_required") and field["type"] in ("FIELD_TYPE_CHOICE", "FIELD_TYPE_SEVERAL"):
                self.assertIn("unknown", [choice["id"] for choice in field["choices"]], field["id"])
            if field["type"] in ("FIELD_TYPE_NUMBER", "FIELD_TYPE_MONEY", "FIELD_TYPE_DATE"):
                self.assertFalse(field.get("is_required", False), field["id"])

    @for_each_service
    def test_is_easy_to_read(self, path, service):
        for words in words_of([service["name"]] + [field["label"] for field in service["fields"]]):
            self.assertLessEqual(length(words["zh"]), 15, words["zh"])
        for words in [service["easy_name"]] + [field["easy"] for field in service["fields"] if "easy" in field]:
            self.assertLessEqual(length(words["zh"]), 15, words["zh"])
            self.assertEqual(1, len(sentences(words["zh"])), words["zh"])
        easy = [service["easy"]] + [step["text"] for step in service["steps"]] + service["evidence"]
        easy += service["conditions"]
        for words in easy + [field["hint"] for field in service["fields"] if "hint" in field]:
            self.assertLessEqual(len(sentences(words["zh"])), 2, words["zh"])
            for sentence in sentences(words["zh"]):
                self.assertLessEqual(length(sentence), 20, sentence)
        self.assertEqual(1, len(sentences(service["easy"]["zh"])))
        for field in service["fields"]:
            for words in field["label"], field.get("easy", field["label"]):
                self.assertEqual(1, words["zh"].count("？"), words["zh"])

    @for_each_service
    def test_speaks_both_languages_everywhere(self, path, service):
        for words in words_of(service):
            self.assertRegex(words["zh"], r"[\u4e00-\u9fff]")
            self.assertRegex(words["en"], r"[A-Za-z]")
            self.assertNotRegex(words["en"], r"[\u4e00-\u9fff]")

    @for_each_service
    def test_is_true_or_marked(self, path, service):
        self.assertTrue(service["basis"])
        for basis in service["basis"] + service["facts"]:
            has_source = bool(basis.get("source")) and re.fullmatch(r"\d{4}-\d\d-\d\d", basis.get("date", ""))
            self.assertNotEqual(bool(has_source), basis.get("is_sample", False), basis["text"]["en"])

    @for_each_service
    def test_says_that_its_working_days_are_a_sample(self, path, service):
        samples = [fact["text"] for fact in service["facts"] if fact.get("is_sample")]
        for step in service["steps"]:
            days = step.get("working_days")
            if days:
                self.assertTrue(any(re.search(rf"(?<!\d){days}天", words["zh"]) and re.search(rf"\b{days}\b", words["en"]) for words in samples),
                                f"{days} working days: {step['text']['en']}")

            self.assertEqual(bool(days), step.get("is_sample", False), f"{step['text']['en']}: pages say so where they show a date")

    @for_each_service
    def test_says_that_its_conditions_and_papers_are_a_sample(self, path, service):
        self.assertTrue(service["conditions"] and service["evidence"])
        samples = [fact["text"] for fact in service["facts"] if fact.get("is_sample")]
        self.assertTrue(any("谁可以办" in words["zh"] and "Who can have it" in words["en"] for words in samples))

    @for_each_service
    def test_has_a_law_or_a_document_as_its_basis(self, path, service):
        self.assertTrue(any(not basis.get("is_sample", False) for basis in service["basis"]))

    @for_each_service
    def test_names_no_telephone(self, path, service):
        self.assertNotRegex(path.read_text(encoding="utf-8"), r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|12345|12348|12385)(?!\d)")


class TheCatalogue(unittest.TestCase):
    def test_covers_the_eight_modules_the_types_and_both_owners(self):
        services = [load(path) for path in SERVICES]
        self.assertGreaterEqual(len(services), 28)
        _, enums = schema()
        modules = collections.Counter(service["module"] for service in services)
        self.assertEqual(enums["Module"] - {"MODULE_NONE"}, set(modules))
        self.assertGreaterEqual(min(modules.values()), 3, modules)
        used = {field["type"] for service in services for field in service["fields"]}
        self.assertEqual(enums["FieldType"] - {"FIELD_TYPE_NONE"}, used)
        self.assertEqual({"TIER_TOWN", "TIER_DISTRICT"}, {service["owner"] for service in services})

    def test_gives_each_service_a_name_of_its_own(self):
        for language in ("zh", "en"):
            names = collections.Counter(load(path)["name"][language] for path in SERVICES)
            self.assertEqual([], [name for name, count in names.items() if count > 1])


class ThePlaces(unittest.TestCase):
    def setUp(self):
        self.places = load(TOP / "deploy/places.json")

    def test_are_the_district_12_towns_and_282_communities(self):
        towns = self.places["towns"]
        self.assertEqual("310114", self.places["district"]["code"])
        self.assertEqual(12, len({town["code"] for town in towns}))
        self.assertEqual(282, len({place["code"] for town in towns for place in town["communities"]}))
        for town in towns:
            self.assertRegex(town["code"], r"^310114\d{3}$")
            self.assertEqual([f"{town['code']}{number:03}" for number in range(1, len(town["communities"]) + 1)],
                             [place["code"] for place in town["communities"]])

    def test_have_service_points_in_each_town(self):
        messages, enums = schema("place.proto")
        communities = {place["code"]: place for town in self.places["towns"] for place in town["communities"]}
        self.assertTrue(all("at" in place for place in communities.values()))
        self.assertEqual({town["code"] for town in self.places["towns"]}, {point["place"][:9] for point in self.places["points"]})
        for point in self.places["points"]:
            with self.subTest(point=point["name"]["zh"]):
                self.assertEqual([], list(misfits(point, "ServicePoint", "point", messages, enums)))
                self.assertIn(point["place"], communities)
                self.assertTrue(point["is_sample"], "nobody has checked one yet")
                at, home = point["at"], communities[point["place"]]["at"]
                for axis in ("north_e5", "east_e5"):
                    self.assertLess(abs(at[axis] - home[axis]), 1000, "it lies in its community, within a kilometre")
                for words in words_of(point):
                    self.assertRegex(words["zh"], r"[\u4e00-\u9fff]")
                    self.assertNotRegex(words["en"], r"[\u4e00-\u9fff]")

    def test_say_what_is_assumed(self):
        self.assertIn("假定", self.places["note"]["zh"])
        self.assertIn("assumed", self.places["note"]["en"])


class Things(unittest.TestCase):
    def test_benefits_and_devices_have_names(self):
        things = load(TOP / "deploy/things.json")
        for name in ("benefits", "devices"):
            ids = [thing["id"] for thing in things[name]]
            self.assertEqual(len(ids), len(set(ids)), "each once")
            for thing in things[name]:
                self.assertRegex(thing["id"], "^[a-z0-9][a-z0-9_-]{0,31}$")  # as the daemon wants ids (service_id_is_good)
                self.assertRegex(thing["name"]["zh"], "^[\u4e00-\u9fff]+$")
                self.assertRegex(thing["name"]["en"], "^[A-Z][A-Za-z ]+$")
        made_up = (TOP / "deploy/lib/residents.py").read_text(encoding="utf-8")
        for thing in ("white-cane", "hearing-aid", "wheelchair", "nursing-subsidy"):
            self.assertIn(thing, made_up)
            self.assertIn(thing, {one["id"] for name in ("benefits", "devices") for one in things[name]})


class WorkingDays(unittest.TestCase):
    def test_each_year_is_of_the_notice_that_it_names(self):
        years = sorted((TOP / "deploy/calendar").glob("*.json"))
        self.assertTrue(years)
        for path in years:
            with self.subTest(year=path.stem):
                year = load(path)
                self.assertEqual(path.stem, year["year"])
                self.assertRegex(year["basis"]["source"], f"国务院办公厅关于{path.stem}年部分节假日安排的通知（国办发明电〔{int(path.stem) - 1}〕\\d+号）")
                self.assertRegex(year["basis"]["date"], f"^{int(path.stem) - 1}-1[01]-\\d\\d$")
                names = "".join(off["name"]["zh"] for off in year["off"])
                for name in ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"):
                    self.assertIn(name, names)


if __name__ == "__main__":
    report.main()
