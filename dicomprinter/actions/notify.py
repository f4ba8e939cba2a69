"""Notify: tell a person something about the job."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.actions.messages import Channel, Desktop, Email, Notice, Webhook
from dicomprinter.actions.run.action import INPUT
from dicomprinter.config.kinds import (
    BOOLEAN,
    HOST,
    MILLISECONDS,
    NAME,
    NONEMPTY_TEMPLATE,
    PORT,
    TEXT,
    Kind,
    choice,
)
from dicomprinter.config.placeholders import Template
from dicomprinter.config.spec import UNSET, Attribute, Child, Spec, optional
from dicomprinter.config.tree import Element

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.tags import Tag
    from dicomprinter.job.job import Job

_NUMBERED = re.compile(r"%(\d{1,2})")
_TYPES: Final = ("Desktop", "Email", "Webhook")
# What goes with each type, and what it cannot do without.
_CHILDREN: Final = {
    "Email": ("To", "From", "Subject", "SmtpHost", "SmtpPort", "Tls", "User", "Password"),
    "Webhook": ("Url", "Token"),
}
_NEEDED: Final = {"Email": ("To", "From", "SmtpHost"), "Webhook": ("Url",)}
_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_IGNORED = "a Notify starts no program; use a Run"


def _url(text: str) -> str:
    parts = urlsplit(text)
    _ = parts.port  # raises for what is none
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or not text.isascii() or " " in text:
        raise ValueError(f'"{parts.scheme or text}" begins no address of the web: https://host/path')
    if parts.username is not None:
        raise ValueError("an address of the web holds no user and no password here; give a <Token>")
    return text


def _secret(text: str) -> str:
    # SMTP's logins and the headers of HTTP take nothing else, and no message says what stands there.
    if not text.isascii() or not text.isprintable():
        raise ValueError("what stands there is not printable ASCII, and nothing else can be sent; choose another one")
    return text


def _sender(text: str) -> str:
    if "#{" in text:
        raise ValueError("placeholders do not work in the sender's address; write the address, or ${VARIABLE}")
    return str(NAME.parse(text))


_SENDER = Kind("an address", _sender)
_URL = Kind("an address of the web, http or https", _url)
_SECRET = Kind("printable ASCII", _secret)
_OUTPUT = Spec(
    "Output",
    attributes=(
        Attribute("tag", TEXT, doc="the tag that a Run would set"),
        Attribute("type", TEXT, doc="what a Run would take"),
    ),
    doc="of a Run",
)


def _dialect(element: Element, report: Report) -> None:
    _mandatory(element, report)
    kind = element.attribute("type")
    if kind is not None and kind != UNSET and kind.strip().lower() not in {one.lower() for one in _TYPES}:
        report.warn(
            element.position,
            f"the {element.label('type')} has no effect",
            f"a Notify starts no program; its types are {', '.join(_TYPES)}",
        )
        element.pop("type")
    if element.find("Message") is not None:
        return
    text = f"{element.attribute('name') or 'Notify'}: #{{Job.Name}}"
    report.warn(element.position, "<Notify> has no <Message>", f"today it is <Message>{text}</Message>")
    element.children = [child for child in element.children if child.name.lower() != "input"]
    element.children.append(Element("Message", element.position, text=text))


def _mandatory(element: Element, report: Report) -> None:
    """`mandatory` of older files: whether a failure holds the job."""
    mandatory = element.pop("mandatory")
    if mandatory is None:
        return
    try:
        policy_name = "Hold" if BOOLEAN.parse(mandatory.strip()) else "Ignore"
    except ValueError as error:
        report.error(element.position, f"{element.label('mandatory')}: {error}")
        return
    if element.attribute("onError") is None:
        element.attributes["onError"] = policy_name
        element.labels["onerror"] = element.label("mandatory")
    else:
        report.warn(element.position, f"the {element.label('mandatory')} has no effect", "onError already says it")


def _check_numbers(node: Node, report: Report) -> None:
    wanted = {int(number) for number in _NUMBERED.findall(node.content("Message").source)}
    given = node.count("Input")
    if wanted != set(range(1, given + 1)):
        asked = ", ".join(f"%{number}" for number in sorted(wanted)) or "none"
        report.error(
            next(node.all("Message")).position,
            f"<Message> asks for {asked}, <Notify> gives {given} <Input>",
            "number them from %1, one for each <Input>",
        )


def _check_children(node: Node, report: Report) -> None:
    for kind, names in _CHILDREN.items():
        for child in (child for name in names for child in node.all(name) if node["type"] != kind):
            report.warn(child.position, f"<{child.name}> has no effect", f'it goes with type="{kind}"')
    missing = [f"<{name}>" for name in _NEEDED.get(node["type"], ()) if node.child(name) is None]
    if missing:
        report.error(node.position, f'<Notify type="{node["type"]}"> needs {", ".join(missing)}')


def _check_webhook(node: Node, report: Report) -> None:
    """What goes through a network in clear text is worth a word."""
    url = node.child("Url")
    parts = urlsplit(url.value) if url is not None else None
    if url is not None and parts is not None and parts.scheme.lower() == "http" and parts.hostname not in _LOOPBACK:
        report.warn(url.position, "<Url> begins with http: whoever is between can read the message", "use https")


def _check_mail(node: Node, report: Report) -> None:
    host = node.child("SmtpHost")
    is_open = node["type"] == "Email" and node.content("Tls", "starttls") == "none"
    if is_open and host is not None and host.value not in _LOOPBACK:
        report.warn(host.position, "with <Tls> none whoever is between can read the mail", "use starttls or tls")


@dataclass(frozen=True)
class Mail:
    """How a Notify of type Email goes out; as `actions.messages.Email`, before it is filled in."""

    host: str
    port: int
    tls: str
    to: Template
    sender: str
    subject: Template
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Notify(Action):
    """Tells a person `message`, its `%1` and so on filled from `inputs`.

    Args:
        timeout: milliseconds that it stays on the desktop.
        mail: of type Email.
        webhook: of type Webhook.
    """

    spec = Spec(
        "Notify",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute("type", choice(*_TYPES), default="Desktop", doc="how, beside the event stream"),
            Attribute("resolveHostNameAutomatically", TEXT, ignored=_IGNORED),
        ),
        children=(
            Child(Spec("Message", text=NONEMPTY_TEMPLATE, doc="the text; %1 is the first Input"), least=1),
            Child(INPUT, most=None),
            optional("Timeout", MILLISECONDS, "ms that the message stays; 3000"),
            optional("To", NONEMPTY_TEMPLATE, "Email: addresses, separated by commas"),
            optional("From", _SENDER, "Email: the sender's address"),
            optional("Subject", NONEMPTY_TEMPLATE, "Email: one line; the action's name when unsaid"),
            optional("SmtpHost", HOST, "Email: the mail server"),
            optional("SmtpPort", PORT, "Email: its port; 587, 465 or 25 by Tls"),
            optional("Tls", choice(*_PORTS), "Email: how it is encrypted; starttls"),
            optional("User", _SECRET, "Email: who logs in; nobody when unsaid"),
            optional("Password", _SECRET, "Email: of the user; best ${A_VARIABLE}"),
            optional("Url", _URL, "Webhook: where the message is posted, as JSON"),
            optional("Token", _SECRET, "Webhook: a bearer token; best ${A_VARIABLE}"),
            optional("Command", TEXT, ignored=_IGNORED),
            optional("Arguments", TEXT, ignored=_IGNORED),
            Child(_OUTPUT, most=None, ignored=_IGNORED),
            optional("LauncherPortNumber", TEXT, ignored=_IGNORED),
        ),
        dialect=_dialect,
        checks=(_check_numbers, _check_children, _check_webhook, _check_mail),
        doc="tell a person something",
    )

    message: Template
    inputs: tuple[Tag, ...]
    timeout: int
    mail: Mail | None = None
    webhook: Webhook | None = None

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            message=node.content("Message"),
            inputs=tuple(child["tag"] for child in node.all("Input")),
            timeout=node.content("Timeout", 3000),
            mail=_mail(node) if node["type"] == "Email" else None,
            webhook=_webhook(node) if node["type"] == "Webhook" else None,
        )

    def perform(self, job: Job, tools: Tools) -> None:
        """Put the message into the event stream and send it.

        Raises:
            PermanentError: it was refused, or an address is none.
            TransientError: nobody has taken it now.
        """
        # A second time on the same way is the same message; when the workflow has come back here, it is another one.
        way = f"{job.id}/{self.name}/{job.at}/{sum(job.retries.values())}"
        text = self._text(job)
        channel = self._channel(job)
        tools.secure(job)
        notice = Notice(str(uuid5(NAMESPACE_URL, way)), job.id, self.name, self.message.source, text, channel)
        job.note(f"{self.name}: {tools.messenger.deliver(notice)}", private=text)

    def _text(self, job: Job) -> str:
        """The message; what a value holds is never taken for a number or a placeholder."""
        values = [job.tag_text(tag) or "" for tag in self.inputs]
        pieces = []
        for number, part in enumerate(self.message.parts):
            if isinstance(part, str):
                pieces.append(_NUMBERED.sub(lambda found: values[int(found[1]) - 1], part))
            else:
                pieces.append(job.expand(Template(part.text, (part,)), f"{self.name}/Message/{number}"))
        # Half a character, which a damaged file may hold, goes nowhere.
        return "".join(pieces).encode("utf-8", "replace").decode()

    def _channel(self, job: Job) -> Channel:
        if self.webhook is not None:
            return self.webhook
        if self.mail is None:
            return Desktop(self.timeout / 1000)
        mail = self.mail
        to = job.expand(mail.to, f"{self.name}/To").split(",")
        subject = job.expand(mail.subject, f"{self.name}/Subject")
        return Email(mail.host, mail.port, mail.tls, tuple(to), mail.sender, subject, mail.user, mail.password)


def _webhook(node: Node) -> Webhook:
    url = node.content("Url")
    return Webhook(urlsplit(url).netloc, url, node.content("Token", ""))


def _mail(node: Node) -> Mail:
    tls = node.content("Tls", "starttls")
    return Mail(
        node.content("SmtpHost"),
        node.content("SmtpPort", _PORTS[tls]),
        tls,
        node.content("To"),
        node.content("From"),
        node.content("Subject", Template.parse(f"dicomprinter: {node['name']}")),
        node.content("User", ""),
        node.content("Password", ""),
    )
