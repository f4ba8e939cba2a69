"""Print against a printer that refuses, reports, breaks off or falls silent; what is printed again and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pynetdicom.events import Event

from dicomprinter.engine.destination import Breaker
from dicomprinter.engine.destinations import Destinations
from dicomprinter.engine.guarded import Guarded
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.workflow.interpreter import Done, Held, Suspended
from tests.film_scp import GRAYSCALE, LUT, FilmScp, Seen, report
from tests.scp import closed_port
from tests.system.film_help import film, film_box, image, layout, mode, printing
from tests.system.help import House, perform, png, tiff

Running = Callable[[Any], Any]
BEGUN = ["N-GET printer", "N-CREATE session", "N-CREATE lut", "N-CREATE film"]


@pytest.fixture
def house(tmp_path: Path, decoder: Decoder) -> Iterator[House]:
    with House(tmp_path, decoder) as opened:
        yield opened


def why(outcome: object) -> str:
    assert isinstance(outcome, Held)
    return outcome.why


def aborting(what: str, number: int = 1) -> Callable[[Seen, Event], None]:
    """Abort at the Nth request of a kind, before its answer."""
    left = [number]

    def on(seen: Seen, event: Event) -> None:
        if seen.what == what:
            left[0] -= 1
            if left[0] == 0:
                event.assoc.abort()

    return on


@pytest.mark.parametrize(
    ("what", "status", "said"),
    [
        ("N-CREATE session", 0x0106, "0106 (invalid attribute value) to the N-CREATE of the film session"),
        ("N-CREATE film", 0x0106, "0106 (invalid attribute value) to the N-CREATE of film 1"),
        ("N-SET image", 0xC603, "C603 (image too large) to the N-SET of image 1 of film 1"),
        ("N-ACTION film", 0xB603, "B603 (empty page) to the N-ACTION of film 1 of 1; the film holds no image"),
        ("N-ACTION film", 0xB602, "B602 (empty page)"),
        ("N-GET printer", 0x0112, "0112 (no such SOP instance) to the N-GET of its status"),
        ("N-SET image", 0x4711, "4711 (unknown status 0x4711)"),
    ],
)
def test_a_refusal_fails_and_leaves_the_printer_in_order(
    house: House, running: Running, what: str, status: int, said: str
) -> None:
    """The session is deleted and the association released."""
    printer = running(FilmScp(statuses={what: [status]}))
    job = house.job(png())
    assert said in why(house.run(printing(house, printer.port), job))
    assert printer.ended() == (1, 0)
    assert ("N-DELETE session" in printer.whats) == (what not in {"N-GET printer", "N-CREATE session"})
    (last,) = [line for line in house.stories[job.id] if "onError Hold" in line["message"]]
    assert last["status"] == f"{status:04X}"


def test_what_was_asked_for_stands_beside_a_refusal(house: House, running: Running) -> None:
    """Codes alone: the texts may name the patient."""
    printer = running(FilmScp(statuses={"N-CREATE film": [0x0106]}))
    inner = film_box("<FilmSizeId>A4</FilmSizeId><ConfigurationInformation>#{PatientName}</ConfigurationInformation>")
    job = house.job(png(), PatientName="Muster^Erika")
    said = why(house.run(printing(house, printer.port, inner), job))
    assert "FilmSizeID=A4" in said
    assert "Muster" not in said


@pytest.mark.parametrize("status", [0x0107, 0x0116, 0xB600, 0xB604, 0xB605, 0xB609, 0xB60A])
@pytest.mark.parametrize("what", ["N-CREATE session", "N-SET image", "N-ACTION film"])
def test_a_warning_is_told_and_the_film_printed(house: House, running: Running, what: str, status: int) -> None:
    printer = running(FilmScp(statuses={what: [status]}))
    job = house.job(png())
    assert house.run(printing(house, printer.port), job) == Done()
    (line,) = [line for line in house.stories[job.id] if line["level"] == "WARN"]
    assert f"answered {status:04X}" in line["message"]
    assert printer.whats[-1] == "N-DELETE session"


@pytest.mark.parametrize(("what", "status"), [("N-SET image", 0xC605), ("N-ACTION film", 0xC601)])
def test_a_printer_that_is_full_is_tried_again(house: House, running: Running, what: str, status: int) -> None:
    printer = running(FilmScp(statuses={what: [status]}))
    job = house.job(png())
    program = printing(house, printer.port, on_error="Suspend")
    assert isinstance(house.run(program, job), Suspended)
    assert "permanent" not in house.messages(job)
    assert house.resume(program, job.id) == Done()
    assert printer.whats.count("N-ACTION film") == (2 if what == "N-ACTION film" else 1)
    assert "may be printed twice" not in house.messages(job)


def test_a_printer_that_reports_failure_gets_nothing(house: House, running: Running) -> None:
    printer = running(FilmScp(printer=("FAILURE", "FILM JAM")))
    job = house.job(png())
    outcome = house.run(printing(house, printer.port, on_error="Suspend"), job)
    assert isinstance(outcome, Suspended)
    assert "reports FAILURE: FILM JAM" in outcome.why
    assert printer.whats == ["N-GET printer"]
    assert printer.ended() == (1, 0)


def test_what_a_printer_warns_of_is_told(house: House, running: Running) -> None:
    printer = running(FilmScp(printer=("WARNING", "SUPPLY LOW")))
    job = house.job(png())
    assert house.run(printing(house, printer.port), job) == Done()
    assert "reports WARNING: SUPPLY LOW" in house.messages(job)


def test_a_printer_may_report_at_any_time(house: House, running: Running) -> None:
    """Each report is answered with 0000 on its context; the awaited answer comes behind it."""
    answers: list[int] = []

    def on(seen: Seen, event: Event) -> None:
        number = {"N-SET image": 2, "N-ACTION film": 3, "N-DELETE film": 1}.get(seen.what)
        if number is not None:
            answers.append(report(event, number, f"AT {seen.what[2:5]}"))

    printer = running(FilmScp(on=on))
    job = house.job(png())
    assert house.run(printing(house, printer.port), job) == Done()
    assert answers == [0, 0, 0]
    said = house.messages(job)
    assert "reports WARNING: AT SET" in said
    assert "reports FAILURE: AT ACT" in said
    assert "reports NORMAL: AT DEL" in said


def test_what_a_printer_says_beside_codes_is_nobodys_business(house: House, running: Running) -> None:
    """A text of its own could name a patient, or hold what a terminal obeys."""
    printer = running(FilmScp(printer=("WARNING", "Muster^Erika")))
    job = house.job(png())
    assert house.run(printing(house, printer.port), job) == Done()
    assert "reports WARNING: it does not say why" in house.messages(job)


def test_a_printer_without_our_service(house: House, running: Running) -> None:
    printer = running(FilmScp(classes=[LUT]))
    said = why(house.run(printing(house, printer.port), house.job(png())))
    assert "accepts no presentation context for Basic Grayscale Print" in said
    assert printer.whats == []


def test_a_presentation_lut_that_is_refused(house: House, running: Running) -> None:
    printer = running(FilmScp(statuses={"N-CREATE lut": [0x0106]}))
    job = house.job(png())
    inner = film_box("<Illumination>2000</Illumination>")
    assert house.run(printing(house, printer.port, inner), job) == Done()
    (box,) = printer.data("N-CREATE film")
    assert "ReferencedPresentationLUTSequence" not in box
    assert "Illumination" not in box
    assert "goes without a Presentation LUT" in house.messages(job)


def test_twelve_bits_fall_back_to_eight(house: House, running: Running) -> None:
    """Once for a job: the printer is asked once."""
    printer = running(FilmScp(statuses={"N-SET image": [0x0106]}))
    job = house.job(tiff(3))
    assert house.run(printing(house, printer.port, mode("Grayscale12") + layout("STANDARD\\2,1")), job) == Done()
    assert [image(box).BitsStored for box in printer.data("N-SET image")] == [12, 8, 8, 8]
    assert house.messages(job).count("falls back to 8 bits") == 1


def test_the_error_of_a_printer_that_refuses_eight_bits_too(house: House, running: Running) -> None:
    printer = running(FilmScp(statuses={"N-SET image": [0x0106, 0xC603]}))
    said = why(house.run(printing(house, printer.port, mode("Grayscale12")), house.job(png())))
    assert "C603" in said


@pytest.mark.parametrize("what", ["N-CREATE session", "N-CREATE film", "N-SET image", "N-ACTION film"])
def test_a_printer_that_breaks_off(house: House, running: Running, what: str) -> None:
    """What was printed is not printed again; what it was told to print, and did not confirm, is."""
    printer = running(FilmScp(on=aborting(what, 2 if what != "N-CREATE session" else 1)))
    job = house.job(tiff(3))
    program = printing(house, printer.port, on_error="Suspend")
    outcome = house.run(program, job)
    assert isinstance(outcome, Suspended)
    assert "aborted the association" in outcome.why
    before = len(printer.seen)
    assert house.resume(program, job.id) == Done()
    again = printer.whats[before:]
    confirmed = 0 if what == "N-CREATE session" else 1
    assert again.count("N-ACTION film") == 3 - confirmed
    said = house.messages(job)
    assert ("1 of 3 pages were printed before" in said) == bool(confirmed)
    assert ("may be printed twice" in said) == (what == "N-ACTION film")


def test_a_last_word_that_fails_prints_nothing_again(house: House, running: Running) -> None:
    """All films are confirmed: that the session could not be deleted is only told."""
    printer = running(FilmScp(on=aborting("N-DELETE session")))
    job = house.job(png())
    assert house.run(printing(house, printer.port), job) == Done()
    assert "the film session could not be deleted" in house.messages(job)


def test_a_printer_that_is_not_there(house: House) -> None:
    outcome = house.run(printing(house, closed_port(), on_error="Suspend"), house.job(png()))
    assert isinstance(outcome, Suspended)
    assert "refused the connection" in outcome.why


def test_a_page_that_cannot_be_opened(house: House, running: Running) -> None:
    """The films before it are printed, and the printer is left in order."""
    printer = running(FilmScp())
    job = house.job(png(1), png(2))
    path = job.path(job.payload.pages[1].file)
    path.write_bytes(path.read_bytes()[:60])
    outcome = house.run(printing(house, printer.port), job)
    assert isinstance(outcome, Held)
    assert printer.whats.count("N-ACTION film") == 1
    assert printer.whats[-1] == "N-DELETE session"
    assert printer.ended() == (1, 0)


def test_nothing_to_print(house: House, running: Running) -> None:
    job = house.job(png())
    job.payload = job.payload.__class__()
    assert "has nothing to print" in why(house.run(printing(house, closed_port()), job))


def test_an_update_changes_the_films_of_this_job_alone(house: House, running: Running) -> None:
    """What was printed before it is printed anew with its attributes; the next job knows nothing of it."""
    printer = running(FilmScp())
    update = f'<Update action="Film" type="Print">{film_box("<FilmSizeId>A4</FilmSizeId>")}</Update>'
    program = house.program(
        film(printer.port, film_box("<FilmSizeId>14INX17IN</FilmSizeId><Trim>YES</Trim>")),
        perform("Film") + update + perform("Film"),
    )
    for _ in range(2):
        assert house.run(program, house.job(png())) == Done()
    boxes = printer.data("N-CREATE film")
    assert [(box.FilmSizeID, box.Trim) for box in boxes] == [("14INX17IN", "YES"), ("A4", "YES")] * 2


def test_a_second_perform_prints_nothing_twice(house: House, running: Running) -> None:
    printer = running(FilmScp())
    program = house.program(film(printer.port), perform("Film", "Film"))
    assert house.run(program, house.job(png())) == Done()
    assert printer.whats.count("N-ACTION film") == 1


def test_another_printer_gets_everything(house: House, running: Running) -> None:
    first, second = running(FilmScp()), running(FilmScp(classes=[GRAYSCALE]))
    program = house.program(film(first.port) + film(second.port, name="Other"), perform("Film", "Other"))
    assert house.run(program, house.job(png())) == Done()
    assert first.whats.count("N-ACTION film") == second.whats.count("N-ACTION film") == 1


@pytest.mark.parametrize(
    "answers",
    [
        {"N-ACTION film": [0xC601] * 3},
        {"N-ACTION film": [0xC601] * 3, "N-DELETE session": [0x0112] * 3},
        {"N-ACTION film": [0xC601] * 3, "N-CREATE lut": [0x0106] * 3},
        {"N-ACTION film": [0xC601] * 3, "N-SET annotation": [0x0106] * 3},
        {"N-SET image": [0x0106, 0xC605] * 3},
    ],
    ids=["it alone", "keeps its session", "no Presentation LUT", "no annotations", "neither 12 bits nor 8"],
)
def test_a_printer_that_fails_again_and_again_opens_its_breaker(
    house: House, running: Running, answers: dict[str, list[int]]
) -> None:
    """How it answers the other requests does not close it: a film that is printed does."""
    printer = running(FilmScp(statuses=answers))
    inner = mode("Grayscale12") + film_box("<AnnotationDisplayFormatId>LABEL</AnnotationDisplayFormatId>")
    program = printing(house, printer.port, inner, on_error="Suspend")
    destinations = Destinations(house.clock)
    destinations.configure(program)
    key = f"PRINTER@127.0.0.1:{printer.port}"
    job = house.job(png())
    house.tools = replace(house.tools, network=Guarded(house.network, destinations, job.id))
    house.run(program, job)
    for wanted in (2, 3):
        assert isinstance(house.resume(program, job.id), Suspended)
        _, (told,) = destinations.to_json()
        assert told["failures"] == wanted
    assert destinations.breaker(key) is Breaker.OPEN
    before = len(printer.seen)
    outcome = house.resume(program, job.id)
    assert isinstance(outcome, Suspended)
    assert "is not called" in outcome.why
    assert len(printer.seen) == before


def test_a_refusal_that_ends_a_print_ends_the_row_of_failures(house: House, running: Running) -> None:
    """The printer lives; what it does with the next job nobody knows."""
    printer = running(FilmScp(statuses={"N-ACTION film": [0xC601] * 2, "N-CREATE film": [0, 0, 0x0106]}))
    program = printing(house, printer.port, on_error="Suspend")
    destinations = Destinations(house.clock)
    destinations.configure(program)
    job = house.job(png())
    house.tools = replace(house.tools, network=Guarded(house.network, destinations, job.id))
    house.run(program, job)
    house.resume(program, job.id)
    key = f"PRINTER@127.0.0.1:{printer.port}"
    assert not destinations.is_healthy(key)
    house.resume(program, job.id)
    assert destinations.is_healthy(key)
