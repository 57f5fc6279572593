"""The schema, one for SQLite and PostgreSQL. Instants are UTC and end in `_at`; a `day` is a local date."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage.database import Instant

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _id() -> sa.Column[Any]:
    return sa.Column("id", Id, primary_key=True)


def _to(target: str, name: str = "", **options: Any) -> sa.Column[Any]:
    """A reference to another table's row; required unless `nullable=True` is said."""
    options.setdefault("nullable", False)
    return sa.Column(name or f"{target}_id", Id, sa.ForeignKey(f"{target}.id"), **options)


def _at(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, Instant, nullable=nullable)


def _text(name: str, default: str | None = "") -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _number(name: str, default: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=str(default))


def _only(where: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


unit = sa.Table(
    "unit",
    metadata,
    _id(),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    _text("name", None),
    _to("unit", "parent_id", nullable=True),
    # Ids from the root down, "/1/7/": a subtree is every path that begins with its own.
    sa.Column("path", sa.Text, nullable=False, unique=True),
    _at("closed_at"),
)

person = sa.Table(
    "person",
    metadata,
    _id(),
    sa.Column("staff_code", sa.Text, nullable=False, unique=True),
    _text("name", None),
    _text("phone"),
    _text("title"),
    _to("unit", index=True),
    _text("language", "vi"),
    # Where the person last said to work: the morning's proposal. Never a fact about health.
    _text("workplace"),
    # The latest row of `consent`: "", "agreed" or "declined".
    _text("consent"),
    _at("joined_at", nullable=False),
    _at("left_at"),
    sa.Index("ix_person_phone", "phone"),
)

consent = sa.Table(
    "consent",
    metadata,
    _id(),
    _to("person", index=True),
    _text("notice_version", None),
    _text("choice", None),
    _text("channel", None),
    _at("chosen_at", nullable=False),
)

post = sa.Table(
    "post",
    metadata,
    _id(),
    _to("person", index=True),
    _to("unit", index=True),
    _text("role", None),
    _text("source", "admin"),
    _at("since_at", nullable=False),
    # A post from a roster waits for an administrator: no right before `confirmed_at`.
    _at("confirmed_at"),
    _at("until_at"),
    sa.Index("uq_post_in_force", "person_id", "unit_id", "role", unique=True, **_only("until_at IS NULL")),
)

absence = sa.Table(
    "absence",
    metadata,
    _id(),
    _to("person", index=True),
    _text("kind", None),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    _to("person", "given_by_id"),
    _at("created_at", nullable=False),
    _at("cancelled_at"),
)

address = sa.Table(
    "address",
    metadata,
    _id(),
    _text("channel", None),
    _text("chat_id", None),
    _to("person", index=True),
    _at("verified_at", nullable=False),
    _at("phone_verified_at"),
    _at("used_at", nullable=False),
    _at("lost_at"),
    _text("lost_why"),
    sa.UniqueConstraint("channel", "chat_id"),
)

invite = sa.Table(
    "invite",
    metadata,
    _id(),
    _to("person", index=True),
    sa.Column("code_hash", sa.Text, nullable=False, unique=True),
    _at("created_at", nullable=False),
    _at("expires_at", nullable=False),
    _at("used_at"),
    _at("revoked_at"),
)

failed_code = sa.Table(
    "failed_code",
    metadata,
    _id(),
    _text("channel", None),
    _text("chat_id", None),
    _at("failed_at", nullable=False),
    sa.Index("ix_failed_code_chat", "channel", "chat_id", "failed_at"),
    sa.Index("ix_failed_code_failed_at", "failed_at"),
)

binding = sa.Table(
    "binding",
    metadata,
    _id(),
    _text("channel", None),
    _text("chat_id", None),
    _to("unit", index=True),
    _text("language", "vi"),
    _to("person", "requested_by_id"),
    _at("requested_at", nullable=False),
    _to("person", "confirmed_by_id", nullable=True),
    _at("confirmed_at"),
    _at("ended_at"),
    _text("ended_why"),
    # The group was lost, and those who answer for the unit have not been told yet.
    _at("notice_due_at"),
    sa.Index("uq_binding_in_force", "channel", "chat_id", unique=True, **_only("ended_at IS NULL")),
)

calendar_override = sa.Table(
    "calendar_override",
    metadata,
    _id(),
    sa.Column("day", sa.Date, nullable=False),
    _to("unit"),
    sa.Column("is_working", sa.Boolean, nullable=False),
    _text("note"),
    sa.UniqueConstraint("day", "unit_id"),
)

schedule = sa.Table(
    "schedule",
    metadata,
    _id(),
    _text("kind", None),
    # For this unit and all below it; the schedule nearest to a person's unit is the one that counts.
    _to("unit"),
    sa.Column("opens", sa.Time, nullable=False),
    sa.Column("reminders", sa.JSON, nullable=False),
    sa.Column("missing_list", sa.Time),
    sa.Column("closes", sa.Time, nullable=False),
    sa.Column("weekdays", sa.JSON, nullable=False),
    _flag("on_holidays"),
    _text("audience", "everyone"),
    # An exception that says "not asked at all".
    _flag("is_off"),
    sa.Column("once_on", sa.Date),
    _flag("is_drill"),
    sa.Column("since_day", sa.Date, nullable=False),
    _at("retired_at"),
    sa.Index(
        "uq_schedule_in_force",
        "kind",
        "unit_id",
        unique=True,
        **_only("retired_at IS NULL AND once_on IS NULL"),
    ),
)

pause = sa.Table(
    "pause",
    metadata,
    _id(),
    _text("kind"),
    _to("unit"),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    _text("reason"),
    _at("created_at", nullable=False),
    _at("ended_at"),
)

round_ = sa.Table(
    "round",
    metadata,
    _id(),
    _to("schedule"),
    sa.Column("day", sa.Date, nullable=False),
    _text("kind", None),
    _to("unit"),
    _text("campaign", None),
    _at("opens_at", nullable=False),
    _at("closes_at", nullable=False),
    _at("opened_at", nullable=False),
    _at("closed_at"),
    # True when the whole window passed while the bot was down: nobody could answer, nobody is blamed.
    _flag("not_asked"),
    # A rehearsal: marked as such everywhere, and in no figure.
    _flag("is_drill"),
    sa.UniqueConstraint("schedule_id", "day"),
    sa.Index("ix_round_opens_at", "opens_at"),
    sa.Index("ix_round_day", "day"),
)

round_step = sa.Table(
    "round_step",
    metadata,
    _id(),
    _to("round"),
    _text("kind", None),
    _number("number"),
    _at("due_at", nullable=False),
    _at("done_at"),
    _text("outcome"),
    sa.UniqueConstraint("round_id", "kind", "number"),
    sa.Index("ix_round_step_due", "due_at", **_only("done_at IS NULL")),
)

ask = sa.Table(
    "ask",
    metadata,
    _id(),
    _to("round"),
    _to("person"),
    # The unit at the time of the round: a later move does not rewrite a past day.
    _to("unit"),
    _text("state", "due"),
    _text("reason"),
    _text("reach", "waiting"),
    _text("level"),
    _text("workplace"),
    _flag("late"),
    # Somebody else answered for this person, who can contest it.
    _flag("proxy"),
    _at("answered_at"),
    _at("changed_at", nullable=False),
    sa.UniqueConstraint("round_id", "person_id"),
    sa.Index("ix_ask_person", "person_id", "round_id"),
    # Covers the one GROUP BY from which every figure comes.
    sa.Index("ix_ask_figures", "round_id", "unit_id", "state", "reason", "reach", "level", "late", "proxy"),
    sa.Index("ix_ask_changed", "round_id", "changed_at"),
)

declaration = sa.Table(
    "declaration",
    metadata,
    _id(),
    _to("ask"),
    _number("version", 1),
    sa.Column("answers", sa.JSON, nullable=False),
    _text("workplace"),
    _text("level", None),
    sa.Column("reasons", sa.JSON, nullable=False),
    _number("rule_version"),
    _to("person", "given_by_id"),
    # Why somebody else answered; "" for one's own answer.
    _text("proxy_reason"),
    _at("contested_at"),
    # The photo of a test result, if one was sent.
    sa.Column("attachment_id", Id),
    _text("channel", None),
    _at("answered_at", nullable=False),
    _flag("late"),
    sa.UniqueConstraint("ask_id", "version"),
)

draft = sa.Table(
    "draft",
    metadata,
    sa.Column("ask_id", Id, sa.ForeignKey("ask.id"), primary_key=True, autoincrement=False),
    sa.Column("answers", sa.JSON, nullable=False),
    _text("workplace"),
    _text("step"),
    sa.Column("attachment_id", Id),
    _at("changed_at", nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _id(),
    sa.Column("dedupe_key", sa.Text, nullable=False, unique=True),
    _text("kind", None),
    _number("lane"),
    _text("channel", None),
    _text("chat_id", None),
    _flag("to_group"),
    _to("person", nullable=True),
    _to("ask", nullable=True),
    _to("binding", nullable=True),
    _to("unit", nullable=True),
    # What it is about; nothing is sent about an update that is confirmed or an incident that is acknowledged.
    sa.Column("risk_update_id", Id),
    sa.Column("incident_id", Id),
    # A picture or document that goes with it.
    sa.Column("attachment_id", Id),
    _text("title"),
    _text("text", None),
    sa.Column("keyboard", sa.JSON, nullable=False),
    sa.Column("replaces", sa.Text),
    _flag("silent"),
    _flag("protect"),
    # waiting, sending, sent; or ended without: expired, withdrawn, unreachable, rejected, unknown.
    _text("state", "waiting"),
    _number("unknowns"),
    sa.Column("message_id", sa.Text),
    _text("outcome"),
    _at("created_at", nullable=False),
    _at("due_at", nullable=False),
    _at("expires_at"),
    _at("leased_until"),
    _number("lease"),
    _at("settled_at"),
    sa.Index("ix_outbox_due", "channel", "lane", "due_at", "id", **_only("state = 'waiting'")),
    sa.Index("ix_outbox_leased", "leased_until", **_only("state = 'sending'")),
    sa.Index("ix_outbox_chat", "channel", "chat_id", "id"),
    sa.Index("ix_outbox_ask", "ask_id", "kind"),
    # How many messages a person has had today.
    sa.Index("ix_outbox_person", "person_id", "created_at", "kind"),
)

dialogue = sa.Table(
    "dialogue",
    metadata,
    # What is being asked in a chat just now, so that a typed word finds its question, also after a restart.
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("chat_id", sa.Text, primary_key=True),
    _to("person"),
    _text("topic", None),
    _text("step"),
    sa.Column("data", sa.JSON, nullable=False),
    _at("changed_at", nullable=False),
)

attachment = sa.Table(
    "attachment",
    metadata,
    _id(),
    _to("person"),
    _text("name"),
    _text("media_type", None),
    sa.Column("content", sa.LargeBinary, nullable=False),
    _at("created_at", nullable=False),
)

download = sa.Table(
    "download",
    metadata,
    # A file somebody sent that a conversation waits for: fetched from the messenger outside of any transaction.
    _id(),
    _text("channel", None),
    _text("chat_id", None),
    _to("person"),
    _text("file_id", None),
    _text("name"),
    _text("media_type"),
    # waiting, done, failed.
    _text("state", "waiting"),
    _number("tries"),
    _at("due_at", nullable=False),
    _at("created_at", nullable=False),
    sa.Index("ix_download_due", "channel", "due_at", **_only("state = 'waiting'")),
)

unit_day = sa.Table(
    "unit_day",
    metadata,
    # How a unit's own people stood on a day, and the zone that followed: what later days look back at.
    _id(),
    _to("unit"),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    # The zone of the day's facts alone, and the one shown once the hold of earlier days is counted in.
    _text("raw", None),
    _text("zone", None),
    # Days in a row whose facts were better than the zone shown.
    _number("clear_days"),
    sa.Column("reasons", sa.JSON, nullable=False),
    _number("rule_version"),
    _at("computed_at", nullable=False),
    sa.UniqueConstraint("unit_id", "day"),
    sa.Index("ix_unit_day_day", "day"),
)

zone_override = sa.Table(
    "zone_override",
    metadata,
    _id(),
    _to("unit", index=True),
    _text("zone", None),
    # What the rules said then: when they come to say something worse, the override no longer holds.
    _text("computed", None),
    _text("reason", None),
    _to("person", "given_by_id"),
    _at("since_at", nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    _at("ended_at"),
    _to("person", "ended_by_id", nullable=True),
)

risk_update = sa.Table(
    "risk_update",
    metadata,
    _id(),
    _to("round"),
    _to("unit", index=True),
    # Whom it was put to: focal, head, above (a head or the committee higher up), nobody.
    _text("asked"),
    # What the draft said when it was last shown, and the zone it proposed.
    sa.Column("facts", sa.JSON, nullable=False),
    _text("proposed", None),
    # [{"item", "was", "is", "reason"}], as confirmed.
    sa.Column("corrections", sa.JSON, nullable=False),
    # The zone as confirmed; "" until then.
    _text("zone"),
    _to("person", "confirmed_by_id", nullable=True),
    _at("confirmed_at"),
    _flag("late"),
    _flag("same_as_before"),
    # Who carried it over to the national map.
    _to("person", "entered_by_id", nullable=True),
    _at("entered_at"),
    _at("changed_at", nullable=False),
    sa.UniqueConstraint("round_id", "unit_id"),
)

risk_confirmation = sa.Table(
    "risk_confirmation",
    metadata,
    # Every confirmation of an update, so that any past moment can be told; the last one stands in `risk_update` too.
    _id(),
    _to("risk_update", index=True),
    _text("zone", None),
    sa.Column("corrections", sa.JSON, nullable=False),
    _to("person", "confirmed_by_id"),
    _at("confirmed_at", nullable=False),
)

incident = sa.Table(
    "incident",
    metadata,
    _id(),
    _to("unit", index=True),
    _text("kind", None),
    _text("text"),
    # How many it concerns, where nobody is named.
    _number("people"),
    _flag("is_drill"),
    _to("person", "reported_by_id"),
    _text("channel", None),
    _at("reported_at", nullable=False),
    # The declaration that raised it, if nobody reported it.
    sa.Column("ask_id", Id),
    sa.Column("attachment_id", Id),
    # How often it has climbed for want of an acknowledgement, and when it next does.
    _number("climbed"),
    _at("climbs_at"),
    _at("acknowledged_at"),
    _to("person", "acknowledged_by_id", nullable=True),
    _at("closed_at"),
    _to("person", "closed_by_id", nullable=True),
    _text("outcome"),
    sa.Index("ix_incident_climbs_at", "climbs_at", **_only("climbs_at IS NOT NULL")),
    sa.Index("ix_incident_ask", "ask_id"),
)

incident_person = sa.Table(
    "incident_person",
    metadata,
    sa.Column("incident_id", Id, sa.ForeignKey("incident.id"), primary_key=True),
    sa.Column("person_id", Id, sa.ForeignKey("person.id"), primary_key=True),
)

incident_told = sa.Table(
    "incident_told",
    metadata,
    sa.Column("incident_id", Id, sa.ForeignKey("incident.id"), primary_key=True),
    sa.Column("person_id", Id, sa.ForeignKey("person.id"), primary_key=True),
    _number("step"),
    _at("told_at", nullable=False),
    _at("acknowledged_at"),
)

incident_note = sa.Table(
    "incident_note",
    metadata,
    _id(),
    _to("incident", index=True),
    _to("person"),
    _text("text", None),
    _at("noted_at", nullable=False),
)

look = sa.Table(
    "look",
    metadata,
    # Somebody saw a named answer: the person it is about can see who, when and why.
    _id(),
    _to("person", index=True),
    _to("person", "looked_by_id"),
    _to("ask", nullable=True),
    _at("looked_at", nullable=False),
)

nudge = sa.Table(
    "nudge",
    metadata,
    # A head reminded somebody: at most so many a day.
    _id(),
    _to("ask", index=True),
    _to("person", index=True),
    _to("person", "given_by_id"),
    _at("given_at", nullable=False),
)

approval = sa.Table(
    "approval",
    metadata,
    # What one administrator asked for and a second one must agree to.
    _id(),
    _text("action", None),
    sa.Column("detail", sa.JSON, nullable=False),
    _to("person", "requested_by_id"),
    _at("requested_at", nullable=False),
    _to("person", "decided_by_id", nullable=True),
    _at("decided_at"),
    _text("decision"),
)

control = sa.Table(
    "control",
    metadata,
    # How a unit answered the day's control question: counts only, nobody's answer is kept.
    _id(),
    _to("unit"),
    sa.Column("day", sa.Date, nullable=False),
    _text("question", None),
    _number("right"),
    _number("wrong"),
    sa.UniqueConstraint("unit_id", "day", "question"),
)

board = sa.Table(
    "board",
    metadata,
    _id(),
    _to("round"),
    _to("binding"),
    _number("edits"),
    _text("shown"),
    _at("shown_at", nullable=False),
    sa.UniqueConstraint("round_id", "binding_id"),
)

seen_update = sa.Table(
    "seen_update",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("update_key", sa.Text, primary_key=True),
    _at("seen_at", nullable=False),
    sa.Index("ix_seen_update_seen_at", "seen_at"),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    _id(),
    _text("channel", None),
    _text("update_key", None),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    _text("reason", None),
    _at("set_aside_at", nullable=False),
)

budget = sa.Table(
    "budget",
    metadata,
    # A channel account's name, or "account chat-id" for one chat.
    sa.Column("key", sa.Text, primary_key=True),
    # When the next message may leave (the theoretical arrival time of GCRA).
    _at("next_at", nullable=False),
    _at("blocked_until"),
)

roster_import = sa.Table(
    "roster_import",
    metadata,
    _id(),
    _text("filename"),
    _text("digest", None),
    _text("given_by", None),
    _at("applied_at", nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    # What was there before, enough to put it back.
    sa.Column("undo", sa.JSON, nullable=False),
    _at("undone_at"),
)

roster_file = sa.Table(
    "roster_file",
    metadata,
    # A roster that an administrator sent in a chat: read and taken over outside of the turn, by a child process.
    _id(),
    _to("person", index=True),
    _text("channel", None),
    _text("chat_id", None),
    _text("name"),
    # Forgotten as soon as it is no longer needed.
    sa.Column("content", sa.LargeBinary, nullable=False),
    # sent, shown, accepted; or ended: done, refused, dropped.
    _text("state", "sent"),
    # Whether it was confirmed that so many leave.
    _flag("force"),
    # Tells the plan that was shown from another.
    _text("shown"),
    _at("created_at", nullable=False),
    sa.Index("ix_roster_file_waiting", "id", **_only("state IN ('sent', 'accepted')")),
)

audit = sa.Table(
    "audit",
    metadata,
    _id(),
    _at("happened_at", nullable=False),
    # A person's id as text, or the name of a program ("cli").
    _text("actor", None),
    _text("action", None),
    _text("object"),
    sa.Column("detail", sa.JSON, nullable=False),
    _text("previous_hash"),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
)

lease = sa.Table(
    "lease",
    metadata,
    # What only one of several processes does at a time: "listen telegram".
    sa.Column("name", sa.Text, primary_key=True),
    # Grows whenever it changes hands.
    _number("number"),
    # "" once it was given back.
    _text("holder"),
    # By the store's own clock.
    _at("until_at", nullable=False),
)

deafness = sa.Table(
    "deafness",
    metadata,
    # An account that nothing comes in by, of which the administrators were told.
    sa.Column("channel", sa.Text, primary_key=True),
    _at("since_at", nullable=False),
)
