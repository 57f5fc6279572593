"""Every word the bot says, Vietnamese first: one gettext catalogue per subject and language.

A key is `subject.msgid`: `declaration.closed` is msgid `closed` in `vi/declaration.po` and `en/declaration.po`.
"""

from __future__ import annotations

import io
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

HERE = Path(__file__).parent


@cache
def catalogue(language: str, subject: str) -> GNUTranslations:
    """The texts of one subject. Raises FileNotFoundError for a subject nobody wrote."""
    compiled = io.BytesIO()
    with (HERE / language / f"{subject}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def text(language: str, key: str, /, **values: object) -> str:
    """The text of `key` with its `{placeholders}` filled. Raises KeyError for a key nobody wrote."""
    subject, _, msgid = key.partition(".")
    found = catalogue(language, subject).gettext(msgid)
    if found == msgid:
        raise KeyError(key)
    return found.format(**values)


def plural(language: str, key: str, n: int, /, **values: object) -> str:
    """The form of `key` for `n` things; `{n}` is filled in. Vietnamese has one form, English two."""
    subject, _, msgid = key.partition(".")
    found = catalogue(language, subject).ngettext(msgid, msgid, n)
    if found == msgid:
        raise KeyError(key)
    return found.format(n=n, **values)
