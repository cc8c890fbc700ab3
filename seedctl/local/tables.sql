-- The state of a local sandbox: a plain SQLite file that any tool can read.
-- Values that calls search or sort by have a column, all other values are JSON. Text sorts by its UTF-8
-- bytes, as in DynamoDB and S3. Columns named "secret" are encrypted with the key file.

CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;

CREATE TABLE user (
    pool TEXT NOT NULL, username TEXT NOT NULL, sub TEXT NOT NULL, status TEXT NOT NULL,
    enabled INTEGER NOT NULL, created REAL NOT NULL, modified REAL NOT NULL,
    lower_username TEXT NOT NULL, lower_email TEXT, lower_phone_number TEXT,
    attributes TEXT NOT NULL, more TEXT NOT NULL, secret BLOB NOT NULL,
    PRIMARY KEY (pool, username)
);
CREATE INDEX user_by_lower_username ON user (pool, lower_username);
CREATE INDEX user_by_email ON user (pool, lower_email);
CREATE INDEX user_by_phone_number ON user (pool, lower_phone_number);
CREATE INDEX user_by_sub ON user (pool, sub);
CREATE INDEX user_by_age ON user (pool, created, username);

CREATE TABLE user_group (
    pool TEXT NOT NULL, name TEXT NOT NULL, precedence INTEGER, description TEXT, role_arn TEXT,
    created REAL NOT NULL, modified REAL NOT NULL, removed INTEGER NOT NULL,
    PRIMARY KEY (pool, name)
) WITHOUT ROWID;
CREATE TABLE membership (
    pool TEXT NOT NULL, group_name TEXT NOT NULL, username TEXT NOT NULL,
    PRIMARY KEY (pool, group_name, username)
) WITHOUT ROWID;
CREATE INDEX membership_by_user ON membership (pool, username);

CREATE TABLE session (
    pool TEXT NOT NULL, origin_jti TEXT NOT NULL, username TEXT NOT NULL, sub TEXT NOT NULL,
    client_id TEXT NOT NULL, auth_time INTEGER NOT NULL, token_epoch INTEGER NOT NULL,
    refresh_digest TEXT NOT NULL, revoked INTEGER NOT NULL,
    PRIMARY KEY (pool, origin_jti)
) WITHOUT ROWID;
CREATE TABLE signing_key (pool TEXT PRIMARY KEY, secret BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE message (
    number INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, username TEXT NOT NULL,
    names TEXT NOT NULL, method TEXT NOT NULL, destination TEXT NOT NULL, purpose TEXT NOT NULL,
    sent_at REAL NOT NULL, secret BLOB NOT NULL
);
CREATE TABLE guest (pool TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (pool, id)) WITHOUT ROWID;
CREATE TABLE credentials (
    pool TEXT NOT NULL, access_key_id TEXT NOT NULL, identity_id TEXT NOT NULL,
    claims TEXT NOT NULL, expires_at REAL NOT NULL, secret BLOB NOT NULL,
    PRIMARY KEY (pool, access_key_id)
) WITHOUT ROWID;
CREATE INDEX credentials_by_expiry ON credentials (pool, expires_at);

CREATE TABLE parameter (
    name TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, description TEXT,
    modified REAL NOT NULL, secret BLOB NOT NULL, PRIMARY KEY (name, version)
) WITHOUT ROWID;

CREATE TABLE model (
    id INTEGER PRIMARY KEY, api TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
    indexes TEXT NOT NULL, UNIQUE (api, name, key)
);
CREATE TABLE row (
    id INTEGER PRIMARY KEY, model_id INTEGER NOT NULL, hash INTEGER NOT NULL,
    partition NOT NULL, sort NOT NULL, item TEXT NOT NULL,
    UNIQUE (model_id, hash, partition, sort)
);
CREATE TABLE index_entry (
    model_id INTEGER NOT NULL, index_name TEXT NOT NULL, partition NOT NULL, sort NOT NULL,
    row_id INTEGER NOT NULL, PRIMARY KEY (model_id, index_name, partition, sort, row_id)
) WITHOUT ROWID;

CREATE TABLE object (
    bucket TEXT NOT NULL, key TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified REAL NOT NULL, headers TEXT NOT NULL, metadata TEXT NOT NULL,
    checksums TEXT NOT NULL, checksum_type TEXT NOT NULL, PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE INDEX object_by_file ON object (file);
CREATE TABLE upload (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, begun REAL NOT NULL,
    headers TEXT NOT NULL, metadata TEXT NOT NULL, algorithm TEXT, checksum_type TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_by_key ON upload (bucket, key, begun, id);
CREATE TABLE part (
    upload_id TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified REAL NOT NULL, checksums TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;
CREATE INDEX part_by_file ON part (file);
