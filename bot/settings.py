"""Everything an operator can set, read once from the environment or a `.env` file."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.allowance import USUAL_QUIET, Quiet, parse_quiet
from domain.seal import LASTING
from web.proxies import Networks, networks


class Settings(BaseSettings):
    """One field, its default and its help line together. Names in the environment begin with `VUNGXANH_`."""

    model_config = SettingsConfigDict(
        env_prefix="VUNGXANH_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    organisation: str = Field("Cơ quan", min_length=1, description="Name of the organisation, as staff know it.")
    campaign: str = Field("covid19", description="Which campaign runs: the name of a shipped one, or a folder's path.")
    zone: str = Field("Asia/Ho_Chi_Minh", description="Time zone of all wall-clock hours.")
    database_url: str = Field(
        "sqlite:///var/vungxanh.db", description="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME."
    )
    secret_key_file: Path = Field(
        Path("var/secret.key"), description="Signs buttons and personal links; made at the first start, mode 600."
    )
    web_host: str = Field("127.0.0.1", description="Address on which the web server listens.")
    web_port: int = Field(8080, ge=1, le=65535, description="Port on which the web server listens.")
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses or networks of proxies that are believed when they say who their visitor is.",
    )
    public_url: str = Field(
        "", description="How the web server is reached from outside, such as https://khaibao.example.gov.vn."
    )
    telegram_token: SecretStr = Field(SecretStr(""), description="Token from BotFather; empty: no Telegram.")
    telegram_api_base: str = Field("https://api.telegram.org", description="Bot API server to use.")
    telegram_mode: Literal["polling", "webhook"] = Field("polling", description="How updates come in.")
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""), description="Secret that Telegram sends with each webhook call; needed in webhook mode."
    )
    messages_per_day: int = Field(
        8, ge=4, le=50, description="The most messages that the bot sends one person in a day of itself."
    )
    quiet_hours: str = Field(
        "20:00-06:00", description="When people are sent nothing but replies and incidents; 00:00-00:00: never."
    )
    invite_hours: int = Field(24, ge=1, le=24, description="How long an invitation can be used, in hours; at most 24.")
    backup_folder: Path = Field(Path("var/backups"), description="Where backups are kept; best on another disk.")
    backup_key_file: Path = Field(
        Path("var/backup.key"),
        description="Opens backups; made with the first one. Keep it elsewhere: only the .pub beside it stays.",
    )
    backup_minutes: int = Field(15, ge=0, le=1440, description="How often a backup is made while running; 0: never.")
    backup_days: int = Field(35, ge=1, le=365, description="How many days backups are kept.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines are written.")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError("not a time zone; expected a name such as Asia/Ho_Chi_Minh")
        return zone

    @field_validator("public_url", "telegram_api_base")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("not a web address; expected one that begins with https://")
        return url.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
        return url

    @field_validator("quiet_hours")
    @classmethod
    def _known_hours(cls, words: str) -> str:
        if parse_quiet(words) is None:
            raise ValueError("expected two times such as 20:00-06:00")
        return words

    @field_validator("trusted_proxies")
    @classmethod
    def _known_networks(cls, words: str) -> str:
        try:
            networks(words)
        except ValueError:
            raise ValueError("expected addresses or networks such as 127.0.0.1,10.0.0.0/8") from None
        return words

    @property
    def quiet(self) -> Quiet:
        return parse_quiet(self.quiet_hours) or USUAL_QUIET

    @property
    def proxies(self) -> Networks:
        return networks(self.trusted_proxies)

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def invite_lasts(self) -> timedelta:
        return timedelta(hours=self.invite_hours)

    @property
    def web_address(self) -> str:
        """Where links lead: the public URL, or this machine."""
        return self.public_url or f"http://127.0.0.1:{self.web_port}"


def secret_key(path: Path) -> bytes:
    """The signing key, made at the first use. Raises PermissionError if others can read the file."""
    if not path.exists():
        _make_key(path)
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{path} can be read by others; set its mode to 600")
    return path.read_bytes()


def _make_key(path: Path) -> None:
    """Whole or not at all; of several processes that start together the first one's counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def renew_buttons(path: Path, key: bytes) -> None:
    """Let no button work that was sent so far; links signed with `key` go on working."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key[:LASTING] + secrets.token_bytes(8))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
