"""What is known of a job at a place of the workflow, without a job: the answers that conditions have had on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dicomprinter.actions.query.action import Query
from dicomprinter.actions.query.declaration import Model
from dicomprinter.actions.store.action import Store
from dicomprinter.workflow.conditions import YES_OR_NO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomprinter.actions.base import Action
    from dicomprinter.workflow.conditions import Condition

# A condition's label; for texts also the value and whether capital and small letters differ.
Question = tuple[str, ...]

_FOUND: Question = ("QUERY_FOUND",)
_PARTIAL: Question = ("QUERY_PARTIAL",)
_LAST_STORE: Question = ("STORE_SUCCEEDED",)
_EXACT = ("CLIENT_HOST_NAME", "PRINTED_FILE_NAME")
# Stands for every value that is not asked for from here on; no file can hold it.
_OTHER = "\0"
# Expressions that every text matches.
_ALWAYS = ("", ".*", "^", "$", "^.*", ".*$")


def question(condition: Condition) -> Question:
    """What a condition asks; those that ask the same have the same answer."""
    if condition.field in YES_OR_NO:
        return (condition.label,)
    return (condition.label, condition.value, str(condition.case_sensitive))


def value_of(asked: Question) -> Question:
    """The field and the value that a question names, in whatever letters."""
    return (asked[0], *(part.casefold() for part in asked[1:2]))


def is_foreign(action: Action) -> bool:
    """Whether it is a site's own kind of action, which may do anything."""
    return not type(action).__module__.startswith("dicomprinter.")


def may_change(action: Action) -> frozenset[str]:
    """The fields of conditions that may be answered otherwise when the action is performed again later."""
    if isinstance(action, Query):
        return frozenset({"QUERY_FOUND", "QUERY_PARTIAL", "TAG_VALUE"})
    if isinstance(action, Store):
        return frozenset({"STORE_SUCCEEDED"})
    if is_foreign(action):
        return frozenset({*YES_OR_NO, "TAG_VALUE"})
    return frozenset({"TAG_VALUE"} if action.spec.name in ("Run", "MergeJob") else ())


@dataclass(frozen=True)
class Knowledge:
    """What is known at a node.

    Args:
        answers: questions with their answer; None is that either may be.
        ambiguous: the Query that may have left several patients to choose from, until that is asked.
        vague: whether a flag that is not among the answers may be either; otherwise it is unset, as a job comes in.
    """

    answers: frozenset[tuple[Question, bool | None]] = frozenset()
    ambiguous: str = ""
    vague: bool = False

    def answer(self, condition: Condition) -> bool | None:
        """Whether a condition holds, or None when either may be."""
        answers = dict(self.answers)
        asked = question(condition)
        if condition.field in YES_OR_NO:
            flag = answers.get(asked, None if self.vague else False)
            return None if flag is None else flag is (condition.value == "true")
        if asked in answers:
            return answers[asked]
        if condition.field in _EXACT:
            equal = [known[1] for known, yes in answers.items() if yes and known[0] == condition.label]
            return False if any(_differ(value, condition.value) for value in equal) else None
        return True if condition.field == "TAG_VALUE" and condition.value in _ALWAYS else None

    def learn(self, condition: Condition, holds: bool) -> Knowledge:
        """What is known when a condition was asked and held, or did not."""
        yes = holds is (condition.value == "true") if condition.field in YES_OR_NO else holds
        if condition.field in _EXACT and yes:
            # Whatever it is not follows from what it is.
            return _with(self.only(lambda asked: asked[0] != condition.label), {question(condition): True})
        news: dict[Question, bool | None] = {question(condition): yes}
        if condition.field == "QUERY_FOUND" and not yes:
            news[_PARTIAL] = False
        if condition.field == "QUERY_PARTIAL" and yes:
            news[_FOUND] = True
        is_clear = condition.field == "QUERY_PARTIAL" or (condition.field == "QUERY_FOUND" and not yes)
        return replace(_with(self, news), ambiguous="" if is_clear else self.ambiguous)

    def after(self, action: Action) -> Knowledge:
        """What is known when an action has succeeded."""
        if isinstance(action, Store):
            return _with(self, {(f"STORE_SUCCEEDED({action.name})",): True, _LAST_STORE: True})
        if is_foreign(action):
            return replace(self.only(lambda asked: asked[0] in _EXACT), vague=True)
        rest = self.only(lambda asked: not asked[0].startswith("TAG_VALUE"))
        return _after_query(rest, action) if isinstance(action, Query) else rest

    def after_failure(self, action: Action) -> Knowledge:
        """What is known when an action has failed and the job goes on all the same."""
        if isinstance(action, Store):
            return _with(self, {(f"STORE_SUCCEEDED({action.name})",): False, _LAST_STORE: False})
        if isinstance(action, Query):
            return replace(_with(self, {_FOUND: False, _PARTIAL: False}), ambiguous="")
        return self.after(action) if is_foreign(action) else self

    def from_here(self, is_asked: Callable[[Question], bool]) -> Knowledge:
        """Without the answers to what is not asked any more: they only tell states apart that go the same ways."""
        kept: set[tuple[Question, bool | None]] = set()
        for asked, yes in self.answers:
            is_value = yes and asked[0] in _EXACT
            if is_asked(value_of(asked) if is_value else asked):
                kept.add((asked, yes))
            elif is_value and is_asked(asked[:1]):
                kept.add(((asked[0], _OTHER), True))
        return replace(self, answers=frozenset(kept))

    def only(self, keep: Callable[[Question], bool]) -> Knowledge:
        """Without the answers to other questions."""
        return replace(self, answers=frozenset((asked, yes) for asked, yes in self.answers if keep(asked)))


def _with(known: Knowledge, news: Mapping[Question, bool | None]) -> Knowledge:
    return replace(known, answers=frozenset({**dict(known.answers), **news}.items()))


def _after_query(known: Knowledge, query: Query) -> Knowledge:
    """Only a Query that asks a peer, and chooses none of several answers, can leave several."""
    if query.wishes.model is not Model.MANUAL and query.wishes.select is None:
        return replace(_with(known, {_FOUND: None, _PARTIAL: None}), ambiguous=query.name)
    partial = None if query.wishes.model is Model.MANUAL else False
    return replace(_with(known, {_FOUND: None, _PARTIAL: partial}), ambiguous="")


def _differ(one: str, other: str) -> bool:
    return one.casefold() != other.casefold()
