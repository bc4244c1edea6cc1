"""The tables of a store, the same in every database."""

from __future__ import annotations

VERSION = 1
"""Of the tables; a store of a newer one is refused."""

INTEGER, BYTES, TEXT = "integer", "bytes", "text"

COLUMNS: dict[str, dict[str, str]] = {
    "leadcore_lead": {
        "number": INTEGER,
        "ledger": INTEGER,
        "key": BYTES,
        "due": INTEGER,
        "image": BYTES,
        "seal": INTEGER,
    },
    "leadcore_event": {
        "id": INTEGER,
        "lead": INTEGER,
        "event_id": BYTES,
        "record": BYTES,
        "at": INTEGER,
        "type": TEXT,
        "properties": TEXT,
        "retracted": INTEGER,
        "seal": INTEGER,
    },
    "leadcore_attribute": {
        "lead": INTEGER,
        "record": BYTES,
        "valid_from": INTEGER,
        "created_at": INTEGER,
        "attributes": TEXT,
        "seal": INTEGER,
    },
    "leadcore_change": {
        "ledger": INTEGER,
        "seq": INTEGER,
        "lead": INTEGER,
        "record": BYTES,
        "kind": TEXT,
        "at": INTEGER,
        "payload": TEXT,
        "seal": INTEGER,
    },
}
"""What is written in bulk, and of which kind it is."""

TABLES = """
CREATE TABLE leadcore_ledger (
  id {number}, tenant {text} NOT NULL, semantics {text} NOT NULL, late {integer} NOT NULL, clock {integer} NOT NULL,
  version {integer} NOT NULL, seq {integer} NOT NULL, seal {integer} NOT NULL
) {strict};
CREATE TABLE leadcore_model (
  tenant {text} NOT NULL, semantics {text} NOT NULL, ledger {integer} NOT NULL REFERENCES leadcore_ledger (id),
  name {text} NOT NULL, document {text} NOT NULL, PRIMARY KEY (tenant, semantics)
) {strict};
CREATE TABLE leadcore_lead (
  number {number}, ledger {integer} NOT NULL REFERENCES leadcore_ledger (id), key {bytes} NOT NULL,
  due {integer} NOT NULL, image {bytes} NOT NULL, seal {integer} NOT NULL, UNIQUE (ledger, key)
) {strict};
CREATE INDEX leadcore_lead_due ON leadcore_lead (ledger, due, key) WHERE due < 9223372036854775807;
CREATE TABLE leadcore_alias (
  ledger {integer} NOT NULL REFERENCES leadcore_ledger (id), key {bytes} NOT NULL, person {bytes} NOT NULL,
  PRIMARY KEY (ledger, key)
) {keyed};
CREATE INDEX leadcore_alias_person ON leadcore_alias (ledger, person);
CREATE TABLE leadcore_event (
  id {serial}, lead {integer} NOT NULL {of_lead}, event_id {bytes}, record {bytes} NOT NULL, at {integer} NOT NULL,
  type {text} NOT NULL, properties {text} NOT NULL, retracted {integer} NOT NULL, seal {integer} NOT NULL
) {strict};
CREATE UNIQUE INDEX leadcore_event_once ON leadcore_event (lead, event_id);
CREATE TABLE leadcore_attribute (
  lead {integer} NOT NULL {of_lead}, record {bytes} NOT NULL, valid_from {integer} NOT NULL, created_at {integer},
  attributes {text} NOT NULL, seal {integer} NOT NULL, PRIMARY KEY (lead, record, valid_from)
) {keyed};
CREATE TABLE leadcore_change (
  ledger {integer} NOT NULL, seq {integer} NOT NULL, lead {integer} NOT NULL {of_lead}, record {bytes} NOT NULL,
  kind {text} NOT NULL, at {integer} NOT NULL, payload {text} NOT NULL, seal {integer} NOT NULL,
  PRIMARY KEY (ledger, seq)
) {keyed};
CREATE INDEX leadcore_change_lead ON leadcore_change (lead);
"""


def statements(**words: str) -> list[str]:
    """What makes the tables, in a database's own words."""
    of_lead = "REFERENCES leadcore_lead (number) ON DELETE CASCADE"
    return [text.strip() for text in TABLES.format(of_lead=of_lead, **words).split(";") if text.strip()]
