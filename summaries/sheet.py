"""The invitations of a unit on paper: a slip for each person, with a QR code to scan and a code to type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import segno
import typst

import texts
from domain.chat import Language

_LAYOUT = Path(__file__).with_name("sheet.typ")
_OTHER: dict[Language, Language] = {"vi": "en", "en": "vi"}
_IN_BOTH = ("hand_out", "how", "how_typed")
_LABELS = ("heading", "staff_code", "telegram", "web", "page")


@dataclass(frozen=True, slots=True)
class SheetInvite:
    """One person's slip. `code_shown` is the typed code in groups, as `domain.codes.shown` gives it."""

    name: str
    staff_code: str
    code_shown: str
    telegram_link: str | None
    web_link: str | None


@dataclass(frozen=True, slots=True)
class UnitSheet:
    """The slips of one unit, on pages of their own. `expires_at` as both languages read it: `07:30 24/11/2026`."""

    unit_name: str
    unit_code: str
    people: Sequence[SheetInvite]
    organisation: str
    expires_at: str
    language: Language


def invite_sheets(sheets: Sequence[UnitSheet]) -> bytes:
    """A PDF in A4 with the units in the order given; units without people are left out.

    Computes 10 ms and takes 250 KB of memory for each person, so call it in a worker, and rather once for each unit.
    Raises ValueError if there is nobody to invite.
    """
    filled = [sheet for sheet in sheets if sheet.people]
    if not filled:
        raise ValueError("nobody to invite")
    # As data, never as source: what stands in a name cannot become markup.
    content = msgspec.json.encode([_unit(sheet) for sheet in filled]).decode()
    pdf = typst.compile(
        _LAYOUT,
        format="pdf",
        # The fonts inside the package know Vietnamese, and look the same on every machine.
        ignore_system_fonts=True,
        sys_inputs={"units": content},
        pdf_tags=False,
    )
    if not isinstance(pdf, bytes):
        raise TypeError("a PDF is one file")
    return pdf


def scanned_link(invite: SheetInvite) -> str | None:
    """What the QR code opens: Telegram where the person can be there, else the web page."""
    return invite.telegram_link or invite.web_link


def _unit(sheet: UnitSheet) -> dict[str, object]:
    first, second = sheet.language, _OTHER[sheet.language]
    return {
        "organisation": sheet.organisation,
        "name": sheet.unit_name,
        "code": sheet.unit_code,
        "language": first,
        "count": texts.plural(first, "sheet.people", len(sheet.people)),
        "valid": [texts.text(one, "sheet.valid_until", until=sheet.expires_at) for one in (first, second)],
        **{key: texts.text(first, f"sheet.{key}") for key in _LABELS},
        **{key: [texts.text(one, f"sheet.{key}") for one in (first, second)] for key in _IN_BOTH},
        "people": [_slip(invite) for invite in sheet.people],
    }


def _slip(invite: SheetInvite) -> dict[str, str | None]:
    link = scanned_link(invite)
    return {
        "name": invite.name,
        "staff_code": invite.staff_code,
        "typed": invite.code_shown,
        "telegram": invite.telegram_link,
        "web": invite.web_link,
        "qr": None if link is None else qr_svg(link),
    }


def qr_svg(link: str) -> str:
    """The code as a small vector picture without a margin; the page leaves the white around it."""
    # M: a slip is folded and photographed askew, but seldom torn. Any mask scans alike; trying all eight, as the
    # standard advises, takes six times as long, and 2 is the usual winner for links like ours.
    return segno.make_qr(link, error="m", mask=2, boost_error=False).svg_inline(border=0, omitsize=True)
