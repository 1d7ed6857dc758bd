"""What was made of texts, from its JSON."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from pipelines.results import (
    Classified,
    ClassifiedText,
    Likelihood,
    ScoredText,
    Tagged,
    TaggedText,
    TaggedToken,
    Translated,
    TranslatedSentence,
    TranslatedToken,
)
from pipelines.stored_results.entry import Entry, about


def texts(entry: Entry) -> Classified | Tagged:
    tagged = any("tokens" in each for each in entry.content["texts"] or () if isinstance(each, Mapping))
    found = entry.some("texts", _tagged if tagged else _classified, "text")
    return (Tagged if tagged else Classified)(found, **about(entry))


def _classified(entry: Entry) -> ClassifiedText:
    top = entry.some("top", lambda each: (each.text("label"), each.number("score")), "class")
    shares = entry.each("attention", lambda each: (each.text("token"), each.number("share")))
    accepted, labels = entry.flag("accepted", True), entry.texts("labels")
    guessed = labels if accepted and labels != (top[0][0],) else ()
    several = entry.texts("several") or guessed
    return ClassifiedText(entry.text("text"), top, accepted, shares, several)


def _tagged(entry: Entry) -> TaggedText:
    return TaggedText(entry.text("text"), entry.each("tokens", _token))


def _token(entry: Entry) -> TaggedToken:
    said = entry.text("text"), entry.text("label"), entry.number("confidence")
    return TaggedToken(*said, entry.whole("start"), entry.whole("end"))


def translated(entry: Entry) -> Translated:
    return Translated(entry.each("translations", _translation), entry.whole("lines"), **about(entry))


def _translation(entry: Entry) -> TranslatedSentence:
    return TranslatedSentence(
        entry.text("source"),
        entry.text("text"),
        entry.number("confidence"),
        entry.whole("line"),
        entry.texts("source_tokens"),
        entry.each("tokens", _translated_token),
        entry.each("alternatives", lambda each: (each.text("text"), each.number("confidence"))),
    )


def _translated_token(entry: Entry) -> TranslatedToken:
    return TranslatedToken(entry.text("text"), entry.number("confidence"), entry.row("attention"))


def likelihood(entry: Entry) -> Likelihood:
    return Likelihood(entry.each("scored", _scored), **about(entry))


def _scored(entry: Entry) -> ScoredText:
    places = {
        name: entry.listed(name, entry.content.get(name, [])) for name in ("starts", "surprisals", "unknown")
    }
    for name in ("starts", "unknown"):
        for place, value in enumerate(places[name]):
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                entry.refuse(f"{name}[{place}]", value, "a whole number of 0 or more")
    nats = [entry.as_number(f"surprisals[{place}]", each) for place, each in enumerate(places["surprisals"])]
    if len(nats) != len(places["starts"]):
        raise entry.fault(f"{entry.place}.surprisals are not as many as starts")
    starts, unknown = array("I", places["starts"]), tuple(places["unknown"])
    return ScoredText(entry.text("text"), starts, array("f", nats), unknown, entry.text("unit"))
