"""Every word the bot says, Vietnamese first: one gettext catalogue per subject and language.

A key is `subject.msgid`: `declaration.closed` is msgid `closed` in `vi/declaration.po` and `en/declaration.po`.
"""

from __future__ import annotations

import datetime as dt
import io
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

HERE = Path(__file__).parent


class _Unwritten(NullTranslations):
    """Where a key that no catalogue has ends up."""

    def gettext(self, message: str) -> str:
        raise KeyError(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        raise KeyError(singular)


@cache
def catalogue(language: str, subject: str) -> GNUTranslations:
    """The texts of one subject. Raises FileNotFoundError for a subject nobody wrote."""
    compiled = io.BytesIO()
    with (HERE / language / f"{subject}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    translations.add_fallback(_Unwritten())
    return translations


def text(language: str, key: str, /, **values: object) -> str:
    """The text of `key` with its `{placeholders}` filled. Raises KeyError for a key nobody wrote."""
    subject, _, msgid = key.partition(".")
    return catalogue(language, subject).gettext(msgid).format(**values)


def plural(language: str, key: str, n: int, /, **values: object) -> str:
    """The form of `key` for `n` things; `{n}` is filled in. Vietnamese has one form, English two."""
    subject, _, msgid = key.partition(".")
    return catalogue(language, subject).ngettext(msgid, msgid, n).format(n=n, **values)


@lru_cache(maxsize=1000)
def day(language: str, date: dt.date) -> str:
    """A date as people say it: `Thứ Hai, 23/11/2026` or `Monday, 23/11/2026`."""
    return format_date(date, "EEEE, dd/MM/yyyy", locale=language)


def clock(at: dt.datetime, zone: dt.tzinfo) -> str:
    """An instant as the wall clock of the zone shows it, `07:05`."""
    return f"{at.astimezone(zone):%H:%M}"
