"""ConnectionParameters: where a Query, Store or Print connects to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dicomprinter.config.kinds import AE_TITLE, BOOLEAN, HOST, NAME, PORT, TEXT, TIMEOUT, integer
from dicomprinter.config.spec import Attribute, Child, Spec, optional, required
from dicomprinter.config.tree import Element
from dicomprinter.dicom.network.peer import Peer, Tls

if TYPE_CHECKING:
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node


def _check_key(node: Node, report: Report) -> None:
    if node["key"] is not None and node["cert"] is None:
        report.error(node.position, '<Tls> has the attribute "key" but no "cert"', "name the certificate too")


def _check_files(node: Node, report: Report) -> None:
    for name in ("ca", "cert", "key"):
        if node[name] is not None and not Path(node[name]).is_file():
            report.warn(
                node.position,
                f'<Tls>: there is no file "{node[name]}" for its {name} yet',
                "nothing is sent before it is there; a whole path is the same from every folder",
            )


def _check_verify(node: Node, report: Report) -> None:
    if not node["verify"]:
        report.warn(node.position, "<Tls> does not check who the peer is", 'take away verify="false" where you can')


TLS = Spec(
    "Tls",
    attributes=(
        Attribute("ca", NAME, doc="a PEM file with who may have signed the peer's certificate"),
        Attribute("cert", NAME, doc="a PEM file with our certificate"),
        Attribute("key", NAME, doc="a PEM file with our private key; may lie in cert"),
        Attribute("verify", BOOLEAN, default=True, doc="whether the peer's certificate and name are checked"),
    ),
    checks=(_check_key, _check_files, _check_verify),
    doc="speak TLS with the peer",
)

CONNECTION_PARAMETERS = Spec(
    "ConnectionParameters",
    children=(
        required("PeerAETitle", AE_TITLE, "the AE title of the peer", field_name="PeerAeTitle"),
        optional("MyAETitle", AE_TITLE, "our AE title; DICOM_PRINTER", field_name="MyAeTitle"),
        required("Host", HOST, "the peer's host name or address"),
        required("Port", PORT, "the peer's port"),
        optional("MaxPdu", integer(0, 2**32 - 1), "the longest PDU in bytes that we take; 16384, 0 is unlimited"),
        optional("AssociationTimeout", TIMEOUT, "seconds to connect and agree on an association; 30, -1 is none"),
        optional("DimseTimeout", TIMEOUT, "seconds for each answer; 60, -1 is none"),
        optional("BlockingMode", TEXT, "", ignored="connections here never block the others"),
        Child(TLS),
    ),
    doc="where the peer is and how to speak to it",
)

# The attributes of older files, on the action itself.
_LEGACY = {"calledAE": "PeerAETitle", "callingAE": "MyAETitle", "host": "Host", "port": "Port"}


def connection_dialect(element: Element, report: Report) -> None:
    """Move calledAE, callingAE, host and port of older files into a ConnectionParameters child."""
    found = {name: text for name in _LEGACY if (text := element.pop(name)) is not None}
    if not found:
        return
    parameters = element.find("ConnectionParameters")
    if parameters is None:
        said = f"<ConnectionParameters> of {element.said}"
        parameters = Element("ConnectionParameters", element.position, said=said)
        element.children.append(parameters)
    for name, text in found.items():
        today = _LEGACY[name]
        if parameters.find(today) is not None:
            report.warn(
                element.position,
                f"the {element.label(name)} has no effect",
                f"<ConnectionParameters> already holds <{today}>",
            )
            continue
        spelling = CONNECTION_PARAMETERS.child_names[today.lower()].spec.spelling(
            in_field_dialect=report.in_field_dialect
        )
        parameters.children.append(Element(today, element.position, text=text, said=element.label(name)))
        report.warn(
            element.position,
            f'{element.said} has the older attribute "{name}"',
            f"today it is <ConnectionParameters><{spelling}>{text}</{spelling}></ConnectionParameters>",
        )


def read_peer(node: Node) -> Peer:
    """The peer of a checked ConnectionParameters node."""
    tls = node.child("Tls")
    return Peer(
        ae_title=node.content("PeerAETitle"),
        host=node.content("Host"),
        port=node.content("Port"),
        calling_ae_title=node.content("MyAETitle", "DICOM_PRINTER"),
        max_pdu=node.content("MaxPdu", 16384),
        association_timeout=node.content("AssociationTimeout", 30.0),
        dimse_timeout=node.content("DimseTimeout", 60.0),
        tls=None if tls is None else Tls(_path(tls["ca"]), _path(tls["cert"]), _path(tls["key"]), tls["verify"]),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
