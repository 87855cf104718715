"""Answers of people who do not exist, for every type of field, so that nobody takes a trial for a resident."""
import time

SAMPLE = "示例内容，并非真人。"
REGION = "990114"  # no region of GB/T 2260 begins with 99
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR42mNoaGBoaAAABgYCATGpHqEAAAAASUVORK5CYII="  # a grey square, PNG


def citizen_number(nth):
    """GB 11643, with the check character of ISO 7064, MOD 11-2."""
    digits = f"{REGION}19700101{nth % 1000:03}"
    rest = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(digits))
    return digits + "10X98765432"[rest % 11]


def _text(field, nth):
    least, most = int(field["least"]), int(field["most"])
    text = SAMPLE * (least // len(SAMPLE) + 1)
    return text[:max(least, min(len(SAMPLE), most or len(SAMPLE)))]


def _person(field, nth):
    name = f"示例人{nth % 1000000:06}"
    return name[:int(field["most"]) or len(name)]


def _money(field, nth):
    fen = max(0, int(field["least"]))
    return f"{fen // 100}.{fen % 100:02}"


def _choice(field, nth):
    return field["choices"][nth % len(field["choices"])]["id"]


_OF_TYPE = {
    "FIELD_TYPE_TEXT": _text,
    "FIELD_TYPE_LONG_TEXT": _text,
    "FIELD_TYPE_ADDRESS": _text,
    "FIELD_TYPE_PERSON": _person,
    "FIELD_TYPE_NUMBER": lambda field, nth: str(int(field["least"])),
    "FIELD_TYPE_MONEY": _money,
    "FIELD_TYPE_DATE": lambda field, nth: "2030-01-01",
    "FIELD_TYPE_CHOICE": _choice,
    "FIELD_TYPE_SEVERAL": _choice,
    "FIELD_TYPE_YES_NO": lambda field, nth: "yes",
    "FIELD_TYPE_CERTIFICATE": lambda field, nth: citizen_number(nth) + "44",
    "FIELD_TYPE_ID_NUMBER": lambda field, nth: citizen_number(nth),
    "FIELD_TYPE_PHONE": lambda field, nth: f"000{nth % 100000000:08}",
    "FIELD_TYPE_PLACE": lambda field, nth: REGION + "001001",
}


def answers(service, nth=0):
    """A FieldValue for every field of a service; `nth` tells one made-up person from the next."""
    values = []
    for field in service["fields"]:
        if field["type"] == "FIELD_TYPE_FILE":
            values.append({"field": field["id"], "files": [PICTURE]})
            continue
        make = _OF_TYPE[field["type"]]
        count = max(1, int(field["least"])) if field["type"] == "FIELD_TYPE_SEVERAL" else 1
        values.append({"field": field["id"], "values": [make(field, nth + i) for i in range(count)]})
    return values


def step_answers(case):
    """What staff fill in when the step ends that is under way in a case (a CaseView)."""
    step = case["row"]["step"]
    return answers(case["service"]["steps"][step - 1]) if 0 < step <= len(case["service"]["steps"]) else []


def consents(service):
    """To everything that a service asks leave for, as a person gives them who refuses nothing."""
    if not service.get("privacy"):
        return []
    kinds = ["PRIVACY"] + ["HEALTH"] * ("health_why" in service["privacy"])
    given = [{"kind": f"CONSENT_KIND_{kind}"} for kind in kinds]
    given += [{"kind": "CONSENT_KIND_SHARING", "sharing": sharing["id"]} for sharing in service["sharing"]]
    return [{**consent, "is_given": True, "time_ms": str(time.time_ns() // 1_000_000)} for consent in given]
