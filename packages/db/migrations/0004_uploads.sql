-- breaking: no
-- Files that arrive in parts: POST /v1/uploads.
create table uploads (
  id text primary key,
  tenant text not null references tenants (id),
  purpose text not null,
  filename text not null,
  mime_type text not null,
  -- What the parts must have together.
  bytes bigint not null check (bytes >= 0),
  -- Seconds that the file will live; null: for ever.
  file_expires_after_seconds integer,
  -- A pending upload whose time is over counts as expired before maintenance has said so.
  status text not null default 'pending' check (status in ('pending', 'completed', 'cancelled', 'expired')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- All three are there once it is completed. No reference to the file: its row may go before this one.
  completed_at timestamptz,
  file_id text,
  part_ids text[],
  check ((status = 'completed') = (completed_at is not null and file_id is not null and part_ids is not null))
);
create index uploads_pending on uploads (expires_at) where status = 'pending';

-- A row goes with its object, once the upload is no longer pending.
create table upload_parts (
  id text primary key,
  upload text not null references uploads (id),
  bytes bigint not null,
  blob text not null references blobs (key),
  created_at timestamptz not null
);
create index upload_parts_by_upload on upload_parts (upload);
create index upload_parts_by_blob on upload_parts (blob);
