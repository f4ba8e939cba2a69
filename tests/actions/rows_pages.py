"""Rows for what works on pages, files, other jobs and programs."""

from __future__ import annotations

import os
from collections.abc import Callable

from dicomprinter.actions.base import OnError
from dicomprinter.actions.pages.print_image import Pages
from dicomprinter.actions.pages.print_text import Alignment
from dicomprinter.actions.pages.rectangle import Rectangle
from dicomprinter.actions.run.action import Output
from dicomprinter.config.placeholders import Template
from dicomprinter.dicom.tags import Tag
from tests.actions.row import Row, elements

PLACE = "<X>10</X><Y>20.5</Y><Width>30</Width><Height>40</Height>"
RECTANGLE = Rectangle(10, 20.5, 30, 40)


def text(source: str) -> Template:
    return Template.parse(source)


def action(kind: str, least: str = "") -> Callable[..., str]:
    """Writes an action with its least content: `written(inner, attributes)`."""
    return lambda inner, attributes="": f'<{kind} name="A" {attributes}>{least}{inner}</{kind}>'


trim = action("Trim")
rotate = action("Rotate")
resize = action("Resize", "<Width>1024</Width><Height>768</Height>")
added = action("AddInstance", "<ImagePath>a.png</ImagePath>")
blank = action("AddInstance", "<Width>10</Width><Height>20</Height>")
written = action("PrintText", f"<Text>To #{{PatientName}}</Text>{PLACE}")
overlaid = action("PrintImage", f"<ImagePath>l.png</ImagePath>{PLACE}")
turned = action("AutoRotateText")
merged = action("MergeJob")
saved = action("Save", "<Directory>d/#{Year}</Directory>")
run = action("Run", "<Command>c</Command>")
notify = action("Notify", "<Message>m</Message>")


def mailed(inner: str) -> str:
    return notify(f"<To>a@b.c</To><From>d@e.f</From><SmtpHost>smtp</SmtpHost>{inner}", 'type="email"')


def posted(inner: str) -> str:
    return notify(f"<Url>https://h/x</Url>{inner}", 'type="Webhook"')


PAGES = [
    *elements(
        "Trim",
        trim,
        "",
        ("Top", "50", "top", 50),
        ("Top", "AUTO", "top", "auto"),
        ("Bottom", "auto", "bottom", "auto"),
        ("Bottom", "1", "top", 0),
        ("Left", "25", "left", 25),
        ("Right", "0", "right", 0),
    ),
    *elements(
        "Rotate",
        rotate,
        "",
        ("Angle", "90", "angle", 90),
        ("Angle", "-90", "angle", 270),
        ("Angle", "-180", "angle", 180),
        ("Angle", "720", "angle", 0),
    ),
    Row("Resize/Width", resize(""), "width", 1024),
    Row("Resize/Height", resize(""), "height", 768),
    *elements(
        "Resize", resize, "", ("Aspect", "Ignore", "keep_aspect", False), ("Aspect", "keep", "keep_aspect", True)
    ),
    Row("AddInstance/ImagePath", added(""), "image_path", text("a.png")),
    Row("AddInstance/ImagePath", added("<Width>1</Width>"), "size", None, ("<Width> has no effect beside",)),
    Row("AddInstance/Width", blank(""), "size", (10, 20)),
    Row("AddInstance/Height", blank(""), "size.1", 20),
    Row("AddInstance/Height", blank(""), "canvas_colour", (0, 0, 0, 255)),
    *elements(
        "AddInstance",
        blank,
        "",
        ("CanvasColor", "80FF0102", "canvas_colour", (255, 1, 2, 128)),
        ("CanvasColor", "0xffFF0102", "canvas_colour", (255, 1, 2, 255)),
        ("InsertionIndex", "0", "index", 0),
        ("InsertionIndex", "-1", "index", -1),
    ),
    Row("PrintText/Text", written(""), "text", text("To #{PatientName}")),
    Row("PrintText/Text", written(""), "colour", (0, 0, 255, 255)),
    Row("PrintText/Text", written(""), "background.3", 0),
    Row("PrintText/Text", written(""), "font_height", 2.0),
    Row("PrintText/Text", written(""), "font_family", "Courier New"),
    Row("PrintText/Text", written(""), "alignment", Alignment("centre", "top")),
    Row("PrintText/X", written(""), "rectangle.x", 10.0),
    Row("PrintText/X", written("").replace(">10<", ">71<"), "rectangle.x", 71.0, ("beyond the page",)),
    Row("PrintText/Y", written(""), "rectangle.y", 20.5),
    Row("PrintText/Width", written(""), "rectangle.width", 30.0),
    Row("PrintText/Height", written(""), "rectangle.height", 40.0),
    *elements(
        "PrintText",
        written,
        "",
        ("Color", "FF0000", "colour", (255, 0, 0, 255)),
        ("BackgroundColor", "80FFFFFF", "background", (255, 255, 255, 128)),
        ("FontHeight", "3.5", "font_height", 3.5),
        ("FontFamily", "Arial", "font_family", "Arial"),
        ("Alignment", "right | bottom", "alignment", Alignment("right", "bottom")),
        ("Alignment", "Center", "alignment", Alignment("centre", "centre")),
        ("Alignment", "VCenter", "alignment", Alignment("left", "centre")),
    ),
    Row("no PrintImage@pages", overlaid(""), "pages", Pages(((1, 1),))),
    Row("PrintImage@pages", overlaid("", 'pages="All"'), "pages", Pages(((1, None),))),
    Row("PrintImage@pages", overlaid("", 'pages="1, 3-5,8-"'), "pages", Pages(((1, 1), (3, 5), (8, None)))),
    Row("PrintImage/ImagePath", overlaid(""), "image_path", text("l.png")),
    Row("PrintImage/X", overlaid(""), "rectangle", RECTANGLE),
    Row("PrintImage/Y", overlaid(""), "rectangle.y", 20.5),
    Row("PrintImage/Width", overlaid("").replace(">30<", ">90<"), "rectangle.width", 90.0),
    Row("PrintImage/Height", overlaid(""), "rectangle.height", 40.0),
    *elements(
        "PrintImage",
        overlaid,
        "",
        ("Aspect", "IGNORE", "aspect", "ignore"),
        ("Aspect<AspectRatioMode", "KeepAspectRatio", "aspect", "keep", "today it is <Aspect>"),
        ("Aspect<AspectRatioMode", "IgnoreAspectRatio", "aspect", "ignore", "older"),
        ("Aspect<AspectRatioMode", "KeepAspectRatioByExpanding", "aspect", "expand", "older"),
    ),
    *elements(
        "AutoRotateText",
        turned,
        "",
        ("MinAxisConfidence", "0.5", "min_axis_confidence", 0.5),
        ("MinDirectionConfidence", "1", "min_direction_confidence", 1.0),
        ("MinDirectionConfidence180", "1.0", "min_direction_confidence_180", 1.0),
        ("MinLinesFor180", "9", "min_lines_for_180", 9),
        ("MinScoreDelta", ".2", "min_score_delta", 0.2),
        ("MarginBandPercent", "49", "margin_band_percent", 49.0),
        ("MarginWeight", "0", "margin_weight", 0.0),
        ("MaxAnalysisSide", "800", "max_analysis_side", 800),
        ("FailOnUnsupported", "on", "fail_on_unsupported", True),
        ("UseHints", "0", "use_hints", False),
        ("TrustHintConfidence", "0.8", "trust_hint_confidence", 0.8),
        # The defaults, each seen beside another element.
        ("UseHints", "1", "min_axis_confidence", 0.30),
        ("UseHints", "1", "min_direction_confidence", 0.35),
        ("UseHints", "1", "min_direction_confidence_180", 0.60),
        ("UseHints", "1", "min_lines_for_180", 6),
        ("UseHints", "1", "min_score_delta", 0.15),
        ("UseHints", "1", "margin_band_percent", 8.0),
        ("UseHints", "1", "margin_weight", 0.25),
        ("UseHints", "1", "max_analysis_side", 1600),
        ("UseHints", "1", "fail_on_unsupported", False),
        ("UseHints", "1", "trust_hint_confidence", 0.90),
    ),
]

JOBS = [
    *elements(
        "MergeJob",
        merged,
        "",
        ("Timeout", "5000", "timeout", 5000),
        ("PollInterval", "50", "timeout", 2000, "<PollInterval> has no effect"),
        ("TimeThreshold", "1", "time_threshold", 1),
        ("MatchHost", "0", "match_host", False),
        ("MatchUser", "false", "match_user", False),
        ("MaxJobs", "2", "max_jobs", 2),
        ("MergePdf", "no", "merge_pdf", False),
        ("MergeText", "off", "merge_text", False),
        ("PdfMergeCommand", "qpdf", "merge_pdf", True, "<PdfMergeCommand> has no effect"),
        ("PdfMergeArguments", "--x", "merge_text", True, "<PdfMergeArguments> has no effect"),
        ("PdfMergeTimeout", "1", "timeout", 2000, "<PdfMergeTimeout> has no effect"),
        ("MergePdf", "1", "time_threshold", 2000),
        ("MergePdf", "1", "match_host", True),
        ("MergePdf", "1", "match_user", True),
        ("MergePdf", "1", "max_jobs", 10),
    ),
    Row("Save@dicomdir", saved("", 'dicomdir="Always"'), "always_dicomdir", True),
    Row("Save@dicomdir", saved("", 'dicomdir="auto"'), "always_dicomdir", False),
    Row("Save/Directory", saved(""), "directory", text("d/#{Year}")),
    Row("Save/Directory", saved(""), "filename", text("DP")),
    Row("Save/Directory", saved(""), "raw", False),
    Row(
        "Save/Directory",
        saved("").replace("d/#{Year}", "C:\\archive"),
        "directory",
        text("C:\\archive"),
        () if os.name == "nt" else ("is a folder of Windows",),
    ),
    *elements(
        "Save",
        saved,
        "",
        ("Filename", "IMG", "filename", text("IMG")),
        ("Filename", "#{PatientID}.dcm", "filename", text("#{PatientID}.dcm"), "cannot be listed in a DICOMDIR"),
        ("Format", "DXI", "raw", True),
        ("Format", "dicom", "raw", False),
    ),
]

PROGRAMS = [
    Row("Run@type", run("", 'type="interactive"'), "interactive", True),
    Row("Run@type", run("", 'type="Console"'), "interactive", False),
    Row(
        "Run@resolveHostNameAutomatically",
        run("", 'resolveHostNameAutomatically="1"'),
        "timeout",
        3000,
        ("resolveHostNameAutomatically",),
    ),
    Row("Run/Command", run(""), "command", text("c")),
    Row(
        "Run/Input",
        run('<Input tag="PatientID"/><Input tag="0008,0050"/>'),
        "inputs",
        (Tag(0x00100020), Tag(0x00080050)),
    ),
    Row("Input@tag", run('<Input tag="(10,20)"/>'), "inputs.0", Tag(0x00100020)),
    Row("Run/Output", run('<Output tag="PatientID"/><Output tag="PatientName"/>'), "outputs.1.tag", Tag(0x00100010)),
    Row("Output@tag", run('<Output tag="PatientID"/>'), "outputs", (Output(Tag(0x00100020), unique=False),)),
    Row("Output@type", run('<Output tag="PatientID" type="unique"/>'), "outputs.0.unique", True),
    Row("Output@type", run('<Output tag="PatientID" type="Global"/>'), "outputs.0.unique", False),
    *elements(
        "Run",
        run,
        "",
        (
            "Arguments",
            "--mode|Needs review||#{PatientID}",
            "arguments",
            tuple(map(text, ("--mode", "Needs review", "", "#{PatientID}"))),
        ),
        ("Arguments", "", "arguments", ()),
        ("Arguments", "--only", "arguments", (text("--only"),)),
        (
            "Arguments",
            "C:\\x \"two words\" #{Date, 1} ''",
            "arguments",
            tuple(map(text, ("C:\\x", "two words", "#{Date, 1}", ""))),
            "today it is C:\\x|two words|#{Date, 1}|",
        ),
        (
            "Arguments",
            "-in #{InputFile} -o=#{OutputFile}",
            "arguments.2",
            text("-o=#{OutputFile}"),
            "split at its blanks",
        ),
        ("Timeout", "30000", "timeout", 30000),
        ("Environment", "JAVA_HOME | ODBCINI", "environment", ("JAVA_HOME", "ODBCINI")),
        ("LauncherPortNumber", "9", "timeout", 3000, "<LauncherPortNumber> has no effect"),
    ),
    Row("Notify/Message", notify(""), "message", text("m")),
    Row("Notify@type", notify("", 'type="desktop"'), "mail", None),
    Row("Notify@type", mailed(""), "mail.tls", "starttls"),
    Row("Notify@type", mailed(""), "mail.port", 587),
    Row("no Notify/Subject", mailed(""), "mail.subject", text("dicomprinter: A")),
    *elements(
        "Notify",
        mailed,
        "mail.",
        ("Subject", "To #{Job.User}", "subject", text("To #{Job.User}")),
        ("SmtpPort", "2525", "port", 2525),
        ("Tls", "TLS", "tls", "tls"),
        ("Tls", "tls", "port", 465),
        ("Tls", "none", "port", 25, "whoever is between can read the mail"),
        ("User", "u", "user", "u"),
        ("Password", "p", "password", "p"),
    ),
    *(
        Row(f"Notify/{name}", mailed(""), f"mail.{field}", value)
        for name, field, value in (
            ("To", "to", text("a@b.c")),
            ("From", "sender", "d@e.f"),
            ("SmtpHost", "host", "smtp"),
        )
    ),
    Row("Notify/Url", posted(""), "webhook.url", "https://h/x"),
    Row(
        "Notify/Url",
        posted("").replace("https", "http"),
        "webhook.token",
        "",
        ("whoever is between can read the message",),
    ),
    *elements("Notify", posted, "webhook.", ("Token", "t", "token", "t")),
    Row("Notify/To", notify("<To>a@b.c</To>"), "mail", None, ("<To> has no effect",)),
    Row("Notify/Message", '<Notify name="A"/>', "message", text("A: #{Job.Name}"), ("<Message>A: #{Job.Name}<",)),
    Row("Notify/Message", '<Notify name="A"><Input tag="PatientID"/></Notify>', "inputs", (), ("has no <Message>",)),
    Row(
        "Notify/Input",
        '<Notify name="A"><Message>%1 and %2, %1</Message><Input tag="PatientID"/><Input tag="PatientName"/></Notify>',
        "inputs",
        (Tag(0x00100020), Tag(0x00100010)),
    ),
    Row("no Notify@type", notify("", 'type="x"'), "timeout", 3000, ('"type" of <Notify> has no effect',)),
    Row("Notify@onError", notify("", 'mandatory="true"'), "on_error", OnError.HOLD, ('onError="Hold"',)),
    Row("Notify@onError", notify("", 'mandatory="0"'), "on_error", OnError.IGNORE, ('onError="Ignore"',)),
    Row(
        "Notify@onError",
        notify("", 'mandatory="0" onError="Suspend"'),
        "on_error",
        OnError.SUSPEND,
        ('"mandatory" of <Notify> has no effect', 'onError="Suspend"'),
    ),
    Row(
        "Notify@resolveHostNameAutomatically",
        notify("", 'resolveHostNameAutomatically="1"'),
        "timeout",
        3000,
        ("resolveHostNameAutomatically",),
    ),
    Row(
        "Notify/Output", notify('<Output tag="PatientID" type="x"/>'), "message", text("m"), ("<Output> has no effect",)
    ),
    Row("Output@tag", notify('<Output tag="PatientID"/>'), "message", text("m"), ("<Output> has no effect",)),
    Row("Output@type", notify('<Output type="x"/>'), "message", text("m"), ("<Output> has no effect",)),
    *elements(
        "Notify",
        notify,
        "",
        ("Timeout", "30000", "timeout", 30000),
        ("Command", "x", "timeout", 3000, "<Command> has no effect"),
        ("Arguments", "x", "timeout", 3000, "<Arguments> has no effect"),
        ("LauncherPortNumber", "1", "timeout", 3000, "<LauncherPortNumber> has no effect"),
    ),
]

ROWS = [*PAGES, *JOBS, *PROGRAMS]
