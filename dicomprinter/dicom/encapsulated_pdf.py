"""A PDF as an Encapsulated PDF (PS3.3 A.45.1); its bytes go in unchanged."""

from __future__ import annotations

from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, EncapsulatedPDFStorage, ExplicitVRLittleEndian

from dicomprinter.dicom.encapsulation import padded
from dicomprinter.dicom.objects import Identity, begin, day, finish, time
from dicomprinter.dicom.pieces import Piece, Stitched
from dicomprinter.dicom.text import clean

_ENCAPSULATED_DOCUMENT: Final = 0x00420011


def encapsulated_pdf(
    attributes: Dataset,
    pdf: Piece,
    identity: Identity,
    *,
    title: str,
    transfer_syntax: UID = ExplicitVRLittleEndian,
    character_set: str | None = None,
) -> tuple[Dataset, list[str]]:
    """A complete Encapsulated PDF.

    Args:
        attributes: the job's dataset, Unicode; may be empty; stays as it is. Its Modality, Conversion Type,
            Burned In Annotation and Document Title hold where it has them.
        pdf: the file's bytes, in memory or in a file that stays open until the object is written.
        identity: which instance this is.
        title: the document's title, for a job that gives none.
        transfer_syntax: Explicit or Implicit VR Little Endian.
        character_set: the wished one; None takes the narrowest.

    Returns:
        The object, with its file meta information, and the notes for the job's history.

    Raises:
        PermanentError: a value cannot be written; names the tag.
    """
    dataset, notes = begin(
        attributes,
        identity,
        sop_class=EncapsulatedPDFStorage,
        transfer_syntax=transfer_syntax,
        modality="DOC",
    )
    if not dataset.get("AcquisitionDateTime"):
        dataset.AcquisitionDateTime = day(identity.created) + time(identity.created)
    if not dataset.get("BurnedInAnnotation"):
        dataset.BurnedInAnnotation = "YES"
    if not dataset.get("DocumentTitle"):
        dataset.DocumentTitle, more = clean(0x00420010, "ST", title)
        notes += more
    if "ConceptNameCodeSequence" not in dataset:
        dataset.ConceptNameCodeSequence = Sequence()
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(pdf)
    dataset.add(DataElement(_ENCAPSULATED_DOCUMENT, "OB", Stitched(padded([pdf]))))
    finish(dataset, character_set)
    return dataset, notes
