"""Which character set a forwarded object is written in (PS3.3 C.12.1.1.2)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from dicomprinter.dicom.character_sets import is_known, narrowest
from dicomprinter.dicom.forwarded.context import Context, character_set_terms
from dicomprinter.dicom.forwarded.opening import Source
from dicomprinter.dicom.forwarded.plan import Plan
from dicomprinter.dicom.forwarded.rewriting import needed
from dicomprinter.dicom.forwarded.values import conforms
from dicomprinter.errors import PermanentError


def new_terms(source: Source, context: Context, plan: Plan, system: str, wished: str | None) -> tuple[str, ...] | None:
    """The terms of Specific Character Set to write all texts in, None when they stay as they are.

    Args:
        source: the object.
        context: its own.
        plan: what is written in.
        system: the text for Modifying System.
        wished: a value of Specific Character Set; None keeps the object's own where that holds what is new, else takes
            the narrowest that holds everything.

    Raises:
        PermanentError: a text that the set cannot hold, or that cannot be told for certain; names the tag.
    """
    texts = _new_texts(plan, system)
    # A value that is replaced and is none of its character set is kept as bytes: nothing has to hold it.
    staying = [
        element
        for element in source.elements
        if element.tag not in plan.new or conforms(source.reader, element, context)
    ]
    if wished is not None:
        narrowest(texts, wished)
        terms = character_set_terms(wished.encode())
        if terms == context.terms:
            return None
        needed(source.reader, staying, context, wished)
        return terms
    if _holds(texts, "\\".join(context.terms)):
        return None
    widest = max(narrowest(texts), needed(source.reader, staying, context, None))
    return character_set_terms(widest.encode())


def _new_texts(plan: Plan, system: str) -> Dataset:
    texts = Dataset()
    texts.update({element.tag: element for element in plan.new})
    if plan.request is not None:
        texts.RequestAttributesSequence = [plan.request]
    if plan.coerced or plan.corrected:
        texts.ModifyingSystem = system
    return texts


def _holds(texts: Dataset, own: str) -> bool:
    if not is_known(own):
        return narrowest(texts) == ""
    try:
        narrowest(texts, own)
    except PermanentError:
        return False
    return True
