"""Leases: which of several processes does what only one may do. Accounts that hear nothing, told of once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0003"
down_revision = "0002"


def upgrade() -> None:

    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("holder", sa.Text(), server_default="", nullable=False),
        sa.Column("until_at", storage.database.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "deafness",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("since_at", storage.database.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_deafness")),
    )
