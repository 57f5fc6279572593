"""`vungxanh backup` and `vungxanh restore`: a proved, sealed copy of everything, and back from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.backups import backup_key, go_on_with, how_to_restore, secret_half
from bot.commands.desk import ACTOR, Desk, Mistake, desk_of
from bot.commands.printed import say, show_json, show_table
from bot.settings import renew_buttons, secret_key
from domain.seal import LASTING
from handlers.turn import KEEPS_DAYS
from scheduler.backups import DAMAGED
from storage import backup, backup_folder, gone, restoring, schema
from storage.age import NotReadable
from storage.backup import Backup, Unpacked
from storage.database import Database
from storage.gone import Gone
from storage.occupied import Occupied, occupied
from storage.restoring import Mended
from storage.snapshot import Damaged

app = typer.Typer()

FAILED = 1


@app.command("backup")
def backup_(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="Folder to write to, instead of VUNGXANH_BACKUP_FOLDER.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List the backups there are, and make none.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Look through the whole database, and make no backup.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Make a backup now, beside the running bot: consistent, sealed, and proved by restoring and counting it.

    It can be read only with the secret half of VUNGXANH_BACKUP_KEY_FILE, which is made at the first use and belongs
    on another machine or on paper. Ends with status 3 if the database itself is damaged.
    """
    desk = desk_of(context)
    folder = to or desk.settings.backup_folder
    if show:
        _list(desk, folder, as_json=as_json)
        return
    if check:
        asyncio.run(_check(desk, folder))
        return
    made = asyncio.run(_make(desk, folder))
    if as_json:
        show_json(_as_json(desk, made.file, made.manifest.total))
        return
    say(f"{made.file}: {made.manifest.total} rows restored and counted, {_megabytes(made.size)}.")
    if backup_key(desk.settings.backup_key_file).is_here:
        key = desk.settings.backup_key_file
        say(f"Copy {key} to another place and delete it here: who has it can read every backup, and without it nobody.")


async def _make(desk: Desk, folder: Path) -> Backup:
    settings = desk.settings
    async with _readable(desk, folder) as database:
        with backup_folder.alone(folder):
            made = await backup.make(
                database,
                folder,
                settings.secret_key_file.parent,
                backup_key(settings.backup_key_file).public,
                secret_key(settings.secret_key_file),
                desk.now,
            )
            async with database.reading() as session:
                ended = await gone.listed(session, secret_key(settings.secret_key_file)[:LASTING], desk.now)
            gone.write(folder, ended)
            backup_folder.prune(folder, desk.now, desk.zone, settings.backup_days)
    return made


async def _check(desk: Desk, folder: Path) -> None:
    async with _readable(desk, folder) as database:
        await backup.check(database, desk.settings.secret_key_file.parent)


@asynccontextmanager
async def _readable(desk: Desk, folder: Path) -> AsyncIterator[Database]:
    """The store, also beside a running bot; what goes wrong with it as a mistake of one line."""
    database = Database(desk.settings.database_url)
    try:
        if database.file is not None and not database.file.exists():
            raise Mistake(f"there is no store in {database.file}", FAILED)
        yield database
    except backup_folder.Busy:
        raise Mistake(f"another backup is being written to {folder}", FAILED) from None
    except Damaged as damage:
        raise Mistake(f"the database is damaged ({damage}); {how_to_restore(folder)}", DAMAGED) from None
    except schema.OfAnotherVersion as problem:
        raise Mistake(str(problem), FAILED) from None
    except NotReadable as problem:
        raise Mistake(f"the backup could not be proved: {problem}", FAILED) from None
    finally:
        await database.close()


def _list(desk: Desk, folder: Path, *, as_json: bool) -> None:
    found = backup_folder.backups(folder)
    if as_json:
        show_json([_as_json(desk, file, None) for file in found])
        return
    if not found:
        say(f"No backups in {folder}.")
        return
    rows = [(f"{_local(desk, file):%a %d/%m/%Y %H:%M}", _megabytes(file.stat().st_size), str(file)) for file in found]
    show_table(("taken", "size", "file"), rows)


def _as_json(desk: Desk, file: Path, rows: int | None) -> dict[str, Any]:
    counted = {} if rows is None else {"rows": rows}
    return {"file": str(file), "taken_at": _local(desk, file), "bytes": file.stat().st_size} | counted


def _local(desk: Desk, file: Path) -> datetime:
    at = backup_folder.taken_at(file)
    assert at is not None
    return at.astimezone(desk.zone)


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.1f} MB"


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup; 'vungxanh backup --list' shows them.")],
    key: Annotated[Path | None, typer.Option(help="File with the backup key; VUNGXANH_BACKUP_KEY_FILE else.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the data that is there.")] = False,
) -> None:
    """Restore a backup into an empty place, or with --replace instead of what is there; stop the bot before.

    Whoever has left or withdrawn since, posts and group chats that have ended since stay so. Letters that were on
    their way then are not sent again, but for the questions of rounds that go on and incidents nobody acknowledged.
    Buttons under earlier messages stop working, links and invitations do not.
    """
    if not file.is_file():
        raise Mistake(f"there is no file {file}", FAILED)
    asyncio.run(_restore(desk_of(context), file, key, replace=replace))


async def _restore(desk: Desk, file: Path, key: Path | None, *, replace: bool) -> None:
    secret = _secret(key or desk.settings.backup_key_file)
    database = Database(desk.settings.database_url)
    try:
        async with occupied(database, alone=True):
            with backup.scratch(desk.settings.secret_key_file.parent) as room:
                unpacked = backup.unpack(file, secret, room)
                backup.require_whole(unpacked)
                await _require_room(database, replace=replace)
                key_of_links = _lasting_key(desk, unpacked)
                mended = await _mend(desk, database, unpacked, file.parent, key_of_links)
                aside = await _place(desk, database, unpacked, key_of_links)
                go_on_with(desk.settings.backup_key_file, secret)
    except Occupied:
        raise Mistake("a bot is running on this database; stop it first", FAILED) from None
    except (NotReadable, Damaged, schema.OfAnotherVersion) as problem:
        raise Mistake(f"{file} cannot be restored: {problem}; nothing was changed", FAILED) from None
    finally:
        await database.close()
    _tell(desk, unpacked, mended, aside)


def _secret(file: Path) -> str:
    try:
        return secret_half(file)
    except FileNotFoundError:
        raise Mistake(f"there is no key in {file}; name the file with the backup key by --key", FAILED) from None
    except ValueError:
        raise Mistake(f"{file} holds no backup key, or it was mistyped", FAILED) from None


async def _require_room(database: Database, *, replace: bool) -> None:
    if not replace and not await restoring.is_empty(database):
        raise Mistake("there is data already; --replace restores in its place", FAILED)


async def _mend(desk: Desk, database: Database, unpacked: Unpacked, folder: Path, key: bytes) -> Mended:
    """Bring what was unpacked to the present, with every list of what has ended that can be had."""
    keys = {key, unpacked.secret_key[:LASTING]}
    lists = [one for one in (_beside(folder), _beside(desk.settings.backup_folder)) if one]
    lists += await _present(database, key, desk.now)
    known = [(one, each) for one in lists for each in keys if one.made_with(each)]
    if len(known) < len(lists):
        say("A list of who has left or withdrawn was made with another secret.key, so it could not be read.")
    kept = timedelta(days=KEEPS_DAYS)
    return await restoring.mend(unpacked, known, (desk.today - kept, desk.now - kept), desk.now, ACTOR)


def _beside(folder: Path) -> Gone | None:
    try:
        return gone.read(folder)
    except ValueError:
        raise Mistake(f"{folder / gone.FILE} cannot be read; move it away to restore without it", FAILED) from None


async def _present(database: Database, key: bytes, now: datetime) -> list[Gone]:
    """What has ended by the store that is replaced, if it can still say so."""
    try:
        if await restoring.is_empty(database):
            return []
        async with database.reading() as session:
            return [await gone.listed(session, key, now)]
    except Exception:  # noqa: BLE001 - it may be damaged in any way, which is why it is replaced
        say("The data that is there cannot be read; who left or withdrew after the last backup is not known.")
        return []


def _lasting_key(desk: Desk, unpacked: Unpacked) -> bytes:
    """What signs links from now on: the key that is here, else the one in the backup."""
    file = desk.settings.secret_key_file
    return (secret_key(file) if file.exists() else unpacked.secret_key)[:LASTING]


async def _place(desk: Desk, database: Database, unpacked: Unpacked, key: bytes) -> Path | None:
    """Let the bot work with it. Numbers count up from the backup again, so old buttons must not mean new things."""
    renew_buttons(desk.settings.secret_key_file, key)
    if not database.is_sqlite and not await restoring.is_empty(database):
        saved = await _make(desk, desk.settings.backup_folder)
        say(f"What is replaced is kept in {saved.file}.")
    return await restoring.place(database, unpacked, desk.now)


def _tell(desk: Desk, unpacked: Unpacked, mended: Mended, aside: Path | None) -> None:
    manifest, replayed = unpacked.manifest, mended.replayed
    say(f"Restored as of {manifest.taken_at.astimezone(desk.zone):%H:%M on %d/%m/%Y}: {manifest.total} rows counted.")
    say(
        f"Ended once more: {replayed.left} people who left, {replayed.withdrew} who withdrew, {replayed.posts} posts,"
        f" {replayed.groups} group chats."
    )
    say(f"Letters on their way then: {mended.held} not sent again, {mended.again} sent once more.")
    if not unpacked.secret_key.startswith(_lasting_key(desk, unpacked)):
        say(f"{desk.settings.secret_key_file} is another key than the backup's: links made with that do not work.")
    if aside:
        say(f"The file that was there is now {aside}; delete it when you no longer need it.")
    say("Next: 'vungxanh doctor', then start the bot.")
