"""Tables in which verdicts and alerts are kept."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Index, Integer, MetaData, String, Table, Text

VERSION = 2

METADATA = MetaData()

SCHEMA = Table("forethought_verdict_schema", METADATA, Column("version", Integer, nullable=False))

VERDICTS = Table(
    "forethought_verdicts",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("opinion", String(16), nullable=False),
    Column("query", Text, nullable=False),
    Column("matchers", Text, nullable=False),
    Column("score", Float),
    Column("side", Integer, nullable=False),
    Column("kind_of_time", JSON),
    # Since version 2.
    Column("about", String(16), nullable=False, server_default=""),
    Column("alarm", JSON),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("note", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("alert", String(64), nullable=False),
    # A verdict that was taken back is kept: why scores were as they were can still be told.
    Column("revoked", Float),
    Column("revoked_by", Text, nullable=False),
    Index("forethought_verdicts_expires", "expires"),
)

ALERTS = Table(
    "forethought_alerts",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),
    Column("query", Text, nullable=False),
    Column("matchers", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("summary", Text, nullable=False),
    Column("score", Float),
    Column("side", Integer, nullable=False),
    Column("begun", Float, nullable=False),
    Column("ended", Float),
    Column("received", Float, nullable=False),
    Index("forethought_alerts_received", "received"),
)
