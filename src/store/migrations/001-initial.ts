/**
 * The first schema. What is asked for, compared or counted has a column of its own; what is only read and written with its key or
 * material, tags for example, is JSON. A material belongs to exactly one key and goes with it. `material_use` outlives both: the number of
 * ciphertexts made under a material must not start again when the same material is imported again.
 */
import type { Migration } from './migration.ts';

export const initial: Migration = {
  version: 1,
  name: 'initial',
  sql: `
    CREATE TABLE store_state (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      generation INTEGER NOT NULL,
      outcomes BLOB NOT NULL
    ) STRICT;

    CREATE TABLE kms_key (
      key_row INTEGER PRIMARY KEY,
      partition TEXT NOT NULL,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      key_id TEXT NOT NULL,
      version INTEGER NOT NULL CHECK (version > 0),
      description TEXT NOT NULL,
      key_spec TEXT NOT NULL,
      key_usage TEXT NOT NULL,
      origin TEXT NOT NULL,
      key_manager TEXT NOT NULL,
      state TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      deletion_at_ms INTEGER,
      pending_window_days INTEGER,
      deletion_running_ms_left INTEGER,
      multi_region INTEGER NOT NULL CHECK (multi_region IN (0, 1)),
      primary_region TEXT,
      policy TEXT NOT NULL,
      tags TEXT NOT NULL CHECK (json_valid(tags)),
      current_material_id TEXT,
      rotation_schedule TEXT CHECK (json_valid(rotation_schedule)),
      custom_key_store_id TEXT,
      xks_key_id TEXT,
      UNIQUE (partition, account, region, key_id)
    ) STRICT;

    CREATE TABLE material (
      key_row INTEGER NOT NULL REFERENCES kms_key (key_row) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      material_id TEXT NOT NULL,
      key_store TEXT NOT NULL,
      protection TEXT NOT NULL,
      residency TEXT NOT NULL,
      custody TEXT NOT NULL,
      suite TEXT,
      public_key BLOB,
      reference BLOB NOT NULL,
      fingerprint BLOB NOT NULL,
      created_at_ms INTEGER NOT NULL,
      rotation TEXT CHECK (json_valid(rotation)),
      pending TEXT,
      import TEXT CHECK (json_valid(import)),
      adopted TEXT CHECK (adopted = 'true'),
      PRIMARY KEY (key_row, position),
      UNIQUE (key_row, material_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE alias (
      partition TEXT NOT NULL,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      alias_name TEXT NOT NULL,
      target_key_id TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      updated_at_ms INTEGER NOT NULL,
      version INTEGER NOT NULL CHECK (version > 0),
      PRIMARY KEY (partition, account, region, alias_name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE item (
      kind TEXT NOT NULL,
      owner TEXT NOT NULL,
      name TEXT NOT NULL,
      version INTEGER NOT NULL CHECK (version > 0),
      value TEXT NOT NULL CHECK (json_valid(value)),
      PRIMARY KEY (kind, owner, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE intent (
      intent_id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      key_store TEXT NOT NULL,
      partition TEXT NOT NULL,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      key_id TEXT NOT NULL,
      object_id BLOB NOT NULL,
      owner TEXT NOT NULL,
      fence INTEGER NOT NULL,
      lease_until_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE material_use (
      material_id TEXT PRIMARY KEY,
      uses INTEGER NOT NULL CHECK (uses BETWEEN 1 AND 9007199254740991)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mark (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
